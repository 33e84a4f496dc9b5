"""Who may see and do what with a community, everybody against every rule."""

import datetime as dt
from typing import Any

import pytest

from commons.people.models import Organisation
from commons.people.services import create_user
from energy import policies
from energy.models import Community, CommunityVersion, Member, Participant
from tests.cast import ROLES, Cast, cast, closed, organisation, who

pytestmark = pytest.mark.django_db
LEADING = {"steward", "manager", "owner"}
STEWARDS = {*LEADING, "staff"}
SIGNED_IN = {"person", "other owner", "staff", *ROLES}
ALL = {*SIGNED_IN, "nobody", "stranger", "gone"}


@pytest.fixture
def keeper() -> Organisation:
    return organisation("keeper")


@pytest.fixture
def people(keeper: Organisation) -> Cast:
    return cast(keeper, gone=closed(create_user(username="the-gone")))


@pytest.fixture
def community(keeper: Organisation) -> Community:
    return Community.objects.create(slug="sunny", name="Sunny", organisation=keeper, public=False)


def participant(community: Community, **facts: Any) -> Participant:
    known = {"name": "Home", "joined_on": dt.date(2026, 1, 1)}
    return Participant.objects.create(community=community, **{**known, **facts})


def test_who_knows_of_a_community(people: Cast, community: Community) -> None:
    shown = Community.objects.create(slug="open", name="Open", organisation=community.organisation)

    def seen(one: Any) -> list[str]:
        return sorted(found.slug for found in policies.visible(one))

    assert {name for name, one in people.items() if seen(one) == ["open", "sunny"]} == {*ROLES, "staff"}
    assert all(seen(people[name]) == [shown.slug] for name in ALL - {*ROLES, "staff"})
    people["owner"].is_active = False
    assert seen(people["owner"]) == ["open"]


def test_who_keeps_the_books(people: Cast, community: Community) -> None:
    assert who(people, lambda one: policies.is_steward(one, community)) == STEWARDS
    alone = Community.objects.create(slug="alone", name="Alone")
    assert who(people, lambda one: policies.is_steward(one, alone)) == {"staff"}


def test_who_founds_a_community(people: Cast) -> None:
    assert who(people, policies.may_found) == SIGNED_IN


def test_who_is_a_member_and_who_sees_sums_exactly(
    people: Cast, version: CommunityVersion, keeper: Organisation
) -> None:
    member = version.members.filter(kind="home").first()
    assert member is not None
    member.person = people["person"]
    member.save()
    assert who(people, lambda one: policies.is_member(one, version)) == {"person"}
    assert who(people, lambda one: policies.may_see_member(one, member)) == {"person"}
    version.community.organisation = keeper
    assert who(people, lambda one: policies.sees_exactly(one, version)) == STEWARDS
    version.demo = True
    assert who(people, lambda one: policies.sees_exactly(one, version)) == ALL
    member.person = people["gone"]
    assert not who(people, lambda one: policies.may_see_member(one, member))


@pytest.mark.parametrize(
    ("kind", "seen"), [("home", set()), ("business", set()), ("lab", ALL), ("public", ALL)]
)
def test_labs_and_public_buildings_are_for_all(people: Cast, kind: str, seen: set[str]) -> None:
    assert who(people, lambda one: policies.may_see_member(one, Member(kind=kind))) == seen


@pytest.mark.parametrize(
    ("members", "largest", "seen"),
    [(15, 0.15, ALL), (14, 0.15, STEWARDS), (15, 0.151, STEWARDS), (100, 0.9, STEWARDS), (1, 0.0, STEWARDS)],
)
def test_who_sees_a_sum(people: Cast, community: Community, members: int, largest: float, seen: set[str]) -> None:
    assert who(people, lambda one: policies.may_see_sum(one, community, members, largest)) == seen


def test_whose_data_are_nobodys(version: CommunityVersion, keeper: Organisation, people: Cast) -> None:
    assert policies.is_nobodys(version) is True
    version.community.organisation = keeper
    assert policies.is_nobodys(version) is False
    version.community.organisation = None
    someone = participant(version.community)
    assert policies.is_nobodys(version) is False
    someone.delete()
    version.members.filter(kind="home").update(person=people["person"])
    assert policies.is_nobodys(version) is False


def test_who_sets_a_worker_to_work(people: Cast, version: CommunityVersion, keeper: Organisation) -> None:
    def may() -> set[str]:
        return who(people, lambda one: policies.may_simulate(one, version))

    assert may() == SIGNED_IN, "nobody's data"
    version.community.organisation = keeper
    assert version.members.exclude(kind="lab").count() == 16
    assert may() == SIGNED_IN, "enough hide each other"
    homes = list(version.members.filter(kind="home").order_by("position"))
    homes[0].delete()
    assert may() == SIGNED_IN, "fifteen are enough, and the lab is none of them"
    homes[1].delete()
    assert may() == STEWARDS
    homes[2].person = people["person"]
    homes[2].save()
    assert may() == {*STEWARDS, "person"}
    version.demo = True
    assert may() == SIGNED_IN


def test_who_speaks_for_a_home(people: Cast, community: Community) -> None:
    own = participant(community, person=people["person"])
    assert who(people, lambda one: policies.speaks_for(one, own)) == {"person"}
    left = participant(community, person=people["gone"])
    assert not who(people, lambda one: policies.speaks_for(one, left))
    assert not who(people, lambda one: policies.speaks_for(one, participant(community)))


def test_who_speaks_for_an_organisations_building(people: Cast, community: Community, keeper: Organisation) -> None:
    building = participant(community, organisation=keeper, person=people["member"])
    assert who(people, lambda one: policies.speaks_for(one, building)) == {*LEADING, "member"}
    people["owner"].is_active = False
    assert not policies.speaks_for(people["owner"], building)


def test_who_sees_and_changes_a_home(people: Cast, community: Community) -> None:
    own = participant(community, person=people["person"])
    own.viewers.add(people["other owner"], people["gone"])
    allowed = {"person", "other owner"}
    assert who(people, lambda one: policies.may_see_participant(one, own)) == {*allowed, *STEWARDS}
    assert who(people, lambda one: policies.may_see_readings(one, own)) == allowed
    assert who(people, lambda one: policies.may_see_bills(one, own)) == allowed
    assert who(people, lambda one: policies.may_change_participant(one, own)) == {"person"}
    own.stewards_see = True
    assert who(people, lambda one: policies.may_see_readings(one, own)) == {*allowed, *STEWARDS}
    assert who(people, lambda one: policies.may_see_bills(one, own)) == {*allowed, *STEWARDS}


def test_for_whom_nobody_speaks_stewards_do(people: Cast, community: Community) -> None:
    alone = participant(community)
    assert who(people, lambda one: policies.may_change_participant(one, alone)) == STEWARDS
    assert who(people, lambda one: policies.may_see_bills(one, alone)) == STEWARDS
    assert not who(people, lambda one: policies.may_see_readings(one, alone))


def test_stewards_do_not_speak_for_somebody_elses_building(people: Cast, community: Community) -> None:
    elsewhere = people["other owner"].memberships.get().organisation
    building = participant(community, organisation=elsewhere)
    assert who(people, lambda one: policies.may_change_participant(one, building)) == {"other owner"}
    assert who(people, lambda one: policies.may_see_bills(one, building)) == {"other owner"}


def test_which_participants_are_ones_own(people: Cast, community: Community, keeper: Organisation) -> None:
    later = participant(community, person=people["person"], name="Later", joined_on=dt.date(2026, 6, 1))
    seen = participant(community, name="Seen")
    seen.viewers.add(people["person"], people["member"], people["gone"])
    run = participant(community, organisation=keeper, name="Run")
    elsewhere = Community.objects.create(slug="elsewhere", name="Elsewhere")
    participant(elsewhere, person=people["person"])

    def own(name: str) -> list[Participant]:
        return list(policies.own_participants(people[name], community))

    assert own("person") == [seen, later], "who joined first comes first"
    assert own("member") == [seen]
    assert all(own(name) == [run] for name in LEADING)
    assert not any(own(name) for name in ALL - {"person", "member", *LEADING})
    assert who(people, lambda one: policies.has_bills(one, community)) == {"person", "member", *STEWARDS}
    assert who(people, lambda one: policies.has_bills(one, elsewhere)) == {"person", "staff"}
