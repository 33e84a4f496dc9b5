"""Charters changed by vote, and members who vote for others."""

import datetime as dt

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.utils import timezone

from commons.decisions import delegating, queries, services
from commons.decisions.errors import BadCharter, BadDelegation, BadMotion, NotAMember
from commons.decisions.models import Ballot, Body, CharterVersion, Delegation
from commons.notices.models import Notice
from commons.people.models import User
from tests.decisions.conftest import Garden
from tests.decisions.test_motions import ask, at_once
from tests.decisions.test_pages import signed_in

pytestmark = pytest.mark.django_db
YES = "decisions.charter"


def amend(people: list[User], value: dict[str, object], yes: int, method: str = "majority") -> object:
    motion = ask(people[0], method=method, effect=YES, options=[{"title": "Another charter", "value": value}])
    at_once(motion, "open")
    for i, person in enumerate(people):
        services.vote(motion=motion, person=person, choice="1" if i < yes else "0")
    at_once(motion, "counted")
    if motion.state == "objections":
        at_once(motion, "passed")
        at_once(motion, "enacted")
    return motion


def test_a_charter_is_changed_by_two_thirds_under_the_old_one(garden: Garden, people: list[User]) -> None:
    running = ask(people[1])
    motion = amend(people, {"quorum": "1/2", "notice_h": 48, "delegation": "yes"}, yes=5)
    assert motion.state == "kept", "five of eight are no two thirds"
    motion = amend(people, {"quorum": "1/2", "notice_h": 48, "delegation": "yes"}, yes=6)
    assert motion.state == "enacted", motion.why
    body = Body.objects.get()
    version = queries.charter_now(body)
    assert version is not None and (version.number, version.decided_by) == (2, motion)
    rules = version.rules
    assert (str(rules.quorum), rules.notice_h, rules.delegation, rules.window_h) == ("1/2", 48, True, 48)
    assert rules.limits == running.charter.rules.limits, "a vote does not touch the limits"
    running.refresh_from_db()
    assert running.charter.number == 1, "what was proposed before goes by the charter of its day"
    assert ask(people[0]).charter == version
    services.advance_all()
    assert CharterVersion.objects.count() == 2
    page = Client().get("/decisions/bodies/test.garden/rose/").content.decode()
    assert "Version 2" in page and "in open ballots, in one step" in page


@pytest.mark.parametrize(
    ("value", "words"),
    [
        ({"majority": "1/3"}, "half or more"),
        ({"notice_h": 0}, "at least 12"),
        ({"limits": {}}, "cannot change"),
        ({"effects": ["labs.interlock"]}, "cannot change"),
        ({"ballots": "secret", "delegation": "yes"}, "in secret"),
        ({"quorum": "1/4"}, "as it is"),
        ({"ballots": "loud"}, "open, secret or either"),
    ],
)
def test_what_no_charter_can_be(garden: Garden, people: list[User], value: dict[str, object], words: str) -> None:
    with pytest.raises(BadCharter, match=words):
        ask(people[0], effect=YES, options=[{"title": "So", "value": value}])


def test_a_charter_is_not_ranked(garden: Garden, people: list[User]) -> None:
    with pytest.raises(BadMotion, match="two thirds"):
        ask(people[0], method="approval", effect=YES, options=[{"title": "So", "value": {"notice_h": 48}}])


def allow(people: list[User], **more: object) -> Body:
    body = services.body(kind="test.garden", key="rose")
    version = queries.charter_now(body)
    assert version is not None
    CharterVersion.objects.create(body=body, number=2, document={**version.document, "delegation": True, **more})
    return body


def test_who_does_not_vote_is_counted_as_whom_they_named(garden: Garden, people: list[User]) -> None:
    body = allow(people)
    a, b, c, d, e = people[:5]
    for person, to in ((a, b), (c, b), (d, e)):
        delegating.delegate(body=body, person=person, to=to)
    assert Notice.objects.filter(person=b, kind="decisions.delegated").count() == 2
    Delegation.objects.update(since=timezone.now() - dt.timedelta(days=1))
    motion = at_once(ask(people[0]), "open")
    services.vote(motion=motion, person=b, choice="1")
    services.vote(motion=motion, person=c, choice="0")
    assert delegating.take_back(body=body, person=d) and not delegating.take_back(body=body, person=d)
    at_once(motion, "counted")
    assert motion.outcome is not None and motion.outcome["figures"]["votes"] == {"0": 1, "1": 2}
    assert {row.entry.person: row.through for row in Ballot.objects.all()} == {a: b, b: None, c: None}
    page = signed_in(a).get(f"/decisions/{motion.pk}/").content.decode()
    assert f"as {b.username}, who votes for them" in page and "1 of them let another vote." in page
    assert services.advance(motion.pk) is False and Ballot.objects.count() == 3


def test_no_chains_no_circles_and_not_in_secret(garden: Garden, people: list[User]) -> None:
    a, b, c = people[:3]
    body = services.body(kind="test.garden", key="rose")
    with pytest.raises(BadDelegation, match="nobody vote for another"):
        delegating.delegate(body=body, person=a, to=b)
    allow(people)
    delegating.delegate(body=body, person=a, to=b)
    for person, to in ((b, c), (b, a), (c, a), (a, a)):
        with pytest.raises(BadDelegation):
            delegating.delegate(body=body, person=person, to=to)
    with pytest.raises(NotAMember):
        delegating.delegate(body=body, person=c, to=User.objects.create(username="outside"))
    delegating.delegate(body=body, person=a, to=c, days=10_000)
    now = delegating.mine(body, a)
    assert now is not None and now.to == c and now.until - now.since == dt.timedelta(days=365)
    assert Delegation.objects.filter(person=a).count() == 2 and delegating.standing(body) == {a.pk: c.pk}
    assert delegating.standing(body, timezone.now() + dt.timedelta(days=366)) == {}
    with pytest.raises(IntegrityError), transaction.atomic():
        Delegation.objects.create(body=body, person=a, to=b, until=timezone.now())
    motion = at_once(ask(people[0], method="consent"), "open")
    services.vote(motion=motion, person=c, choice="object", reason="the well runs dry")
    at_once(motion, "counted")
    assert Ballot.objects.count() == 1, "an objection is nobody else's"


def test_delegating_on_the_page(garden: Garden, people: list[User]) -> None:
    allow(people)
    path = "/decisions/bodies/test.garden/rose/"
    client, stranger = signed_in(people[0]), signed_in(User.objects.create(username="stranger"))
    assert "Let them vote where I do not" in client.get(path).content.decode()
    assert "Let them vote where I do not" not in stranger.get(path).content.decode()
    sent = {"to": people[1].username}
    for who, given, status in [
        (Client(), sent, 302),
        (stranger, sent, 403),
        (client, {"to": "nobody-here"}, 400),
        (client, sent, 302),
    ]:
        assert who.post(f"{path}delegate/", given).status_code == status, given
    assert "Vote for myself again" in client.get(path).content.decode()
    assert people[0].username in signed_in(people[1]).get(path).content.decode()
    client.post(f"{path}delegate/", {"to": ""})
    assert not Delegation.objects.filter(ended_at=None).exists()


def test_looking_at_a_body_writes_nothing(garden: Garden, people: list[User]) -> None:
    for path in ("/decisions/bodies/test.garden/rose/", "/decisions/new/?kind=test.garden&key=rose"):
        assert signed_in(people[0]).get(path).status_code == 200
    assert not Body.objects.exists() and not CharterVersion.objects.exists()
