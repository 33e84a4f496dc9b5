"""A change merged by a vote of those who may merge, and the rule of merging changed by one."""

import datetime as dt
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from commons.decisions import services as decisions
from commons.decisions.models import Motion, PolicyValue
from commons.people.models import User
from commons.people.services import create_user
from designs import deciding
from designs.errors import ChangeOver, NeedsApproval
from designs.models import Collaborator, Design, Proposal
from designs.services import proposals
from tests.decisions.test_motions import WHY, at_once
from tests.designs.test_changes import change, forked, repository, stock, write

__all__ = ["change", "forked"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def keepers(design: Design) -> list[User]:
    """The owner and two maintainers."""
    more = [create_user(username=name, name=name) for name in ("maja", "mats")]
    for person in more:
        Collaborator.objects.create(design=design, user=person, role=Collaborator.Role.MAINTAINER)
    earlier = timezone.now() - dt.timedelta(days=3)
    Collaborator.objects.update(since=earlier)
    Design.objects.filter(pk=design.pk).update(created_at=earlier)
    assert design.owner.user is not None
    return [design.owner.user, *more]


def ask(design: Design, by: User, effect: str, value: dict[str, Any]) -> Motion:
    return decisions.propose(
        body=decisions.body(kind="designs.design", key=str(design.pk)), author=by, title="Shall it be merged?",
        text=WHY, method="majority", effect=effect, options=[{"title": "Yes", "value": value}],
    )  # fmt: skip


def pass_it(motion: Motion, people: list[User]) -> Motion:
    at_once(motion, "open")
    for person in people:
        decisions.vote(motion=motion, person=person, choice="1")
    at_once(motion, "counted")
    return at_once(motion, "enacted")


def test_a_vote_merges_a_change_once(design: Design, change: Proposal, keepers: list[User]) -> None:
    proposals.set_rules(design=design, by=None, merge_needs_approval=True)
    change.design.refresh_from_db()
    with pytest.raises(NeedsApproval):
        proposals.merge(proposal=change, by=keepers[1])
    before = stock(repository(design), "rev-parse", "main")
    motion = ask(design, keepers[1], "designs.merge", {"change": "1"})
    assert motion.options.get(position=1).value == {"change": 1, "head": change.head}
    assert Client().get(f"/decisions/{motion.pk}/").status_code == 200
    pass_it(motion, keepers[:2])
    assert motion.state == "enacted", motion.why
    change.refresh_from_db()
    assert change.state == "merged" and stock(repository(design), "rev-parse", "main") == change.merged_commit != before
    assert f"/decisions/{motion.pk}/" in stock(repository(design), "log", "-1", "--format=%B", "main")
    commits = stock(repository(design), "rev-list", "--count", "main")
    Motion.objects.filter(pk=motion.pk).update(state="passed")
    decisions.advance(motion.pk)
    assert stock(repository(design), "rev-list", "--count", "main") == commits
    assert PolicyValue.objects.filter(kind="designs.merge").count() == 1
    with pytest.raises(ChangeOver):
        deciding.check(str(design.pk), {"change": 1})


def test_a_newer_version_is_not_what_was_voted_on(
    design: Design, forked: Design, change: Proposal, keepers: list[User], neighbour: User
) -> None:
    motion = ask(design, keepers[0], "designs.merge", {"change": "1"})
    write(forked, neighbour, {"more.txt": b"more"})
    proposals.follow_now(proposal=change, by=neighbour)
    before = stock(repository(design), "rev-parse", "main")
    pass_it(motion, keepers)
    assert motion.state == "stopped" and "newer version" in motion.why
    assert stock(repository(design), "rev-parse", "main") == before and not PolicyValue.objects.exists()


def test_a_vote_changes_the_rule_of_merging(design: Design, change: Proposal, keepers: list[User]) -> None:
    motion = ask(design, keepers[2], "designs.merge_rule", {"needs_approval": "yes"})
    assert not Design.objects.get(pk=design.pk).merge_needs_approval
    pass_it(motion, keepers)
    assert Design.objects.get(pk=design.pk).merge_needs_approval
    change.design.refresh_from_db()
    with pytest.raises(NeedsApproval):
        proposals.merge(proposal=change, by=keepers[1])
    assert motion.enactment.before == {"needs_approval": "no"}


def test_the_rule_is_proposed_from_the_list_of_changes(
    design: Design, change: Proposal, keepers: list[User], neighbour: User
) -> None:
    """Who may merge finds the way to a vote where the rule is told; others read the rule alone."""
    client, address = Client(), f"{design.get_absolute_url()}changes/"
    asks = f"/decisions/new/?kind=designs.design&amp;key={design.pk}&amp;effect=designs.merge_rule&amp;method=majority"
    for person, may in ((None, False), (neighbour, False), (keepers[1], True)):
        if person is not None:
            client.force_login(person)
        page = client.get(address).content.decode()
        assert "Who may push merges." in page and (asks in page) is may, person
    assert "Somebody who may merge agrees first" in client.get(asks.replace("&amp;", "&")).content.decode()


def test_who_decides_for_a_design(design: Design, keepers: list[User], neighbour: User) -> None:
    key = str(design.pk)
    assert set(deciding.members(key)) == {person.pk for person in keepers}
    assert deciding.stewards(key) == {keepers[0].pk} and deciding.keys_of(keepers[1]) == [key]
    assert deciding.find(key, None) and deciding.find("no", None) is None and deciding.members("9" * 30) == {}
    Design.objects.filter(pk=design.pk).update(visibility="private")
    assert deciding.find(key, None) is None and deciding.find(key, neighbour) is None
    assert deciding.find(key, keepers[1]) is not None
    assert Client().get(f"/decisions/bodies/designs.design/{key}/").status_code == 404
    assert dt.datetime.now(dt.UTC) >= min(deciding.members(key).values())
