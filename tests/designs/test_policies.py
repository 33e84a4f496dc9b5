"""Who may do what with a design, everybody against every rule."""

from typing import Any

import pytest
from django.utils import timezone

from commons.people.models import Handle, Membership, Organisation
from commons.people.services import create_user
from designs import policies
from designs.errors import Archived, Mirrored, NotYours
from designs.models import Collaborator, Design, Mirror, Proposal, Transfer
from tests.cast import ROLES, Cast, cast, organisation, who, who_is_not_refused

pytestmark = pytest.mark.django_db
WRITERS = {"manager", "owner"}
SIGNED_IN = {"person", "reader", "maintainer", "author", "other owner", "staff", *ROLES}
ALL = {*SIGNED_IN, "nobody", "stranger"}
HELPERS = {"reader", "maintainer"}


@pytest.fixture
def workshop() -> Organisation:
    return organisation("workshop")


@pytest.fixture
def people(workshop: Organisation) -> Cast:
    return cast(workshop, **{name: create_user(username=f"the-{name}") for name in ("reader", "maintainer", "author")})


def design(owner: Handle, slug: str, people: Cast, **facts: Any) -> Design:
    """A design with a reader and a maintainer; its files do not matter."""
    made = Design.objects.create(owner=owner, slug=slug, name=slug.title(), licence="MIT", **facts)
    for role in HELPERS:
        Collaborator.objects.create(design=made, user=people[role], role=role)
    return made


@pytest.fixture
def lamp(workshop: Organisation, people: Cast) -> Design:
    return design(workshop.handle, "lamp", people)


@pytest.fixture
def secret(workshop: Organisation, people: Cast) -> Design:
    return design(workshop.handle, "secret", people, visibility="private")


def sees(people: Cast, one: Design) -> set[str]:
    return who(people, lambda visitor: Design.objects.filter(policies.seen_by(visitor), pk=one.pk).exists())


def follow(one: Design) -> Design:
    """Its files come from elsewhere."""
    Mirror.objects.create(design=one, url="https://git.example/lamp.git", next_at=timezone.now())
    return Design.objects.get(pk=one.pk)


def archive(one: Design) -> Design:
    one.archived_at = timezone.now()
    one.save()
    return one


def test_somebody_known_is_an_account(people: Cast) -> None:
    assert policies.known(people["person"]) is people["person"]
    assert policies.known(people["stranger"]) is None and policies.known(None) is None


def test_who_sees_a_design(people: Cast, lamp: Design, secret: Design) -> None:
    inside = {*ROLES, *HELPERS, "staff"}
    assert sees(people, lamp) == ALL
    assert sees(people, secret) == inside
    for one in (lamp, secret):
        one.hidden_at = timezone.now()
        one.save()
        assert sees(people, one) == {*WRITERS, "staff"}, "hidden: its owner and staff"
        one.hidden_at, one.deleted_at = None, timezone.now()
        one.save()
        assert sees(people, one) == set(), "deleted: nobody"


def test_who_sees_what_a_person_made(people: Cast) -> None:
    mine = design(people["person"].handle, "mine", people, visibility="private")
    assert sees(people, mine) == {"person", *HELPERS, "staff"}
    mine.hidden_at = timezone.now()
    mine.save()
    assert sees(people, mine) == {"person", "staff"}


def test_under_whose_name_one_makes_designs(people: Cast, workshop: Organisation) -> None:
    assert who(people, lambda one: policies.may_write_as(one, workshop.handle)) == WRITERS
    assert who(people, lambda one: policies.may_write_as(one, people["person"].handle)) == {"person"}


def test_who_manages_and_maintains(people: Cast, lamp: Design) -> None:
    at_work = {*WRITERS, "maintainer"}
    assert who(people, lambda one: policies.may_manage(one, lamp)) == WRITERS
    assert who(people, lambda one: policies.may_maintain(one, lamp)) == at_work
    assert who(people, lambda one: policies.may_push(one, lamp)) == at_work
    assert who_is_not_refused(people, lambda one: policies.check_may_manage(one, lamp), NotYours) == {
        *WRITERS,
        "nobody",  # the city itself
    }
    assert who_is_not_refused(people, lambda one: policies.check_may_maintain(one, lamp), NotYours) == at_work
    assert who_is_not_refused(people, lambda one: policies.check_may_push(one, lamp), NotYours) == at_work
    with pytest.raises(NotYours, match="“Lamp”"):
        policies.check_may_manage(people["person"], lamp)


def test_a_maintainer_of_one_design_is_nobody_in_another(people: Cast, workshop: Organisation) -> None:
    other = Design.objects.create(owner=workshop.handle, slug="other", name="Other", licence="MIT")
    assert not policies.may_maintain(people["maintainer"], other)


def test_nobody_writes_to_what_follows_another_address(people: Cast, lamp: Design) -> None:
    mirror = follow(lamp)
    assert who(people, lambda one: policies.may_push(one, mirror)) == set()
    assert who(people, lambda one: policies.may_maintain(one, mirror)) == {*WRITERS, "maintainer"}
    assert not who_is_not_refused(people, lambda one: policies.check_not_mirrored(mirror), Mirrored)
    with pytest.raises(Mirrored, match=r"“Lamp” follows https://git\.example/lamp\.git") as said:
        policies.check_may_push(people["owner"], mirror)
    assert said.value.problem()["url"] == "https://git.example/lamp.git"
    with pytest.raises(NotYours):
        policies.check_may_push(people["person"], mirror)


def test_a_long_address_is_cut_in_the_sentence_alone(people: Cast, lamp: Design) -> None:
    mirror = follow(lamp)
    mirror.mirror.url = "https://git.example/" + "a" * 500
    with pytest.raises(Mirrored) as said:
        policies.check_not_mirrored(mirror)
    assert "a" * 180 in str(said.value) and "a" * 181 not in str(said.value)
    assert said.value.problem()["url"] == mirror.mirror.url


def test_what_is_archived_stays_as_it_is(people: Cast, lamp: Design) -> None:
    policies.check_not_archived(lamp)
    policies.check_not_mirrored(lamp)
    archive(lamp)
    for rule in (policies.may_maintain, policies.may_push, policies.may_talk):
        assert who(people, lambda one, rule=rule: rule(one, lamp)) == set()
    assert who(people, lambda one: policies.may_manage(one, lamp)) == WRITERS
    for check in (policies.check_may_maintain, policies.check_may_push):
        assert not who_is_not_refused(people, lambda one, check=check: check(one, lamp), Archived)
    with pytest.raises(Archived, match="“Lamp” is archived"):
        policies.check_not_archived(lamp)


def test_who_brings_a_deleted_design_back(people: Cast, lamp: Design) -> None:
    assert who(people, lambda one: policies.may_restore(one, lamp)) == set()
    lamp.deleted_at = timezone.now()
    assert who(people, lambda one: policies.may_restore(one, lamp)) == WRITERS
    assert who(people, lambda one: policies.may_maintain(one, lamp)) == set()


def test_who_takes_what_is_offered(people: Cast, lamp: Design, workshop: Organisation) -> None:
    offer = Transfer(design=lamp, to=people["person"].handle)
    assert who(people, lambda one: policies.may_take(one, offer)) == {"person"}
    offer.to = workshop.handle
    assert who(people, lambda one: policies.may_take(one, offer)) == WRITERS
    offer.ended_at = timezone.now()
    assert who(people, lambda one: policies.may_take(one, offer)) == set()


def test_who_talks(people: Cast, lamp: Design, secret: Design) -> None:
    assert who(people, lambda one: policies.may_talk(one, lamp)) == SIGNED_IN
    assert who(people, lambda one: policies.may_talk(one, secret)) == {*ROLES, *HELPERS, "staff"}


def test_who_offers_a_change(people: Cast, lamp: Design, secret: Design) -> None:
    fork = Design.objects.create(owner=people["author"].handle, slug="fork", name="Fork", licence="MIT")
    hidden = Design.objects.create(
        owner=people["author"].handle, slug="hidden", name="Hidden", licence="MIT", visibility="private"
    )
    assert who(people, lambda one: policies.may_offer(one, lamp, lamp)) == SIGNED_IN
    assert who(people, lambda one: policies.may_offer(one, fork, lamp)) == SIGNED_IN
    assert who(people, lambda one: policies.may_offer(one, hidden, lamp)) == {"author"}, "it would show its files"
    assert who(people, lambda one: policies.may_offer(one, secret, secret)) == {*ROLES, *HELPERS, "staff"}
    assert who(people, lambda one: policies.may_offer(one, secret, lamp)) == {*WRITERS, "maintainer"}
    assert who(people, lambda one: policies.may_offer(one, fork, secret)) == {*ROLES, *HELPERS, "staff"}, "who sees it"
    gone = Design.objects.create(
        owner=people["author"].handle, slug="gone", name="Gone", licence="MIT", hidden_at=timezone.now()
    )
    assert who(people, lambda one: policies.may_offer(one, gone, lamp)) == {"author", "staff"}
    closed = archive(Design.objects.create(owner=lamp.owner, slug="closed", name="Closed", licence="MIT"))
    assert who(people, lambda one: policies.may_offer(one, fork, closed)) == set()
    mirror = follow(lamp)
    assert who(people, lambda one: policies.may_offer(one, fork, mirror)) == set()


def test_what_would_show_more(lamp: Design, secret: Design) -> None:
    assert policies.shows_more(secret, lamp) is True
    assert policies.shows_more(secret, secret) is False
    assert policies.shows_more(lamp, secret) is False


def test_who_steers_a_change(people: Cast, lamp: Design, secret: Design) -> None:
    change = Proposal(design=lamp, author=people["author"])
    assert who(people, lambda one: policies.may_steer(one, change)) == {"author", "maintainer", *WRITERS}
    assert who(people, lambda one: policies.may_steer(one, Proposal(design=lamp))) == {"maintainer", *WRITERS}
    inside = Proposal(design=secret, author=people["author"])
    assert who(people, lambda one: policies.may_steer(one, inside)) == {"maintainer", *WRITERS}, "it is not seen"
    archive(lamp)
    assert who(people, lambda one: policies.may_steer(one, change)) == set()


def test_a_role_elsewhere_gives_nothing(people: Cast, secret: Design) -> None:
    elsewhere = people["other owner"].memberships.get().organisation
    Membership.objects.create(organisation=elsewhere, user=people["person"], role="owner")
    assert not Design.objects.filter(policies.seen_by(people["person"]), pk=secret.pk).exists()
    assert not policies.may_manage(people["person"], secret)
