"""A motion from the proposal to what it sets: by the charter, by the clock, exactly once."""

import datetime as dt
import json
from typing import Any

import pytest
from django.db import DatabaseError, connection, transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commons import sockets
from commons.decisions import charter, queries, services
from commons.decisions.engine import counting
from commons.decisions.errors import BadCharter, BadMotion, BadVote, MotionNotFound, NotAMember, NotNow, OutsideLimits
from commons.decisions.models import Ballot, Enactment, Motion, PolicyValue, RollEntry
from commons.errors import BadInput
from commons.notices.models import Notice
from commons.people.models import User
from tests.decisions.conftest import Garden, midnight

pytestmark = pytest.mark.django_db
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
WHY = "Because the kiln stands idle in the morning."


def ask(author: User, method: str = "majority", minutes: int = 20, **more: Any) -> Motion:
    given_: dict[str, Any] = {
        "body": services.body(kind="test.garden", key="rose"),
        "author": author,
        "title": "Shall the tap run longer?",
        "text": WHY,
        "method": method,
        "effect": "test.tap",
        "options": [{"title": "Longer", "value": {"minutes": minutes}}],
    }
    return services.propose(**(given_ | more))


def at_once(motion: Motion, state: str) -> Motion:
    """Move the clock: every time of the motion comes earlier, so that its next step is due."""
    now = timezone.now()
    times = {
        "open": {"opens_at": now - HOUR, "closes_at": now + HOUR},
        "counted": {"opens_at": now - 2 * HOUR, "closes_at": now - HOUR},
        "passed": {"objections_until": now},
        "enacted": {"takes_effect_at": now},
    }
    Motion.objects.filter(pk=motion.pk).update(**times[state])
    services.advance(motion.pk)
    motion.refresh_from_db()
    return motion


def test_from_the_question_to_the_tap(garden: Garden, people: list[User]) -> None:
    motion = ask(people[0])
    assert motion.state == "talk" and motion.opens_at - motion.created_at > 23 * HOUR
    assert Notice.objects.filter(kind="decisions.talk").count() == 7, "all members but the author hear of it"
    with pytest.raises(NotNow):
        services.vote(motion=motion, person=people[1], choice="1")
    at_once(motion, "open")
    assert (motion.state, motion.eligible) == ("open", 8)
    for person in people[:5]:
        services.vote(motion=motion, person=person, choice="1", reason="yes")
    services.vote(motion=motion, person=people[0], choice="0")
    services.vote(motion=motion, person=people[5], choice="")
    at_once(motion, "counted")
    assert motion.state == "objections" and motion.outcome is not None
    assert motion.outcome["figures"]["votes"] == {"0": 1, "1": 4}
    assert motion.outcome == json.loads(counting.count(bytes(motion.ballots)).document()), "anybody counts the same"
    assert garden.minutes == 10 and not PolicyValue.objects.exists()
    at_once(motion, "passed")
    assert motion.state == "passed" and motion.takes_effect_at == midnight("", motion.takes_effect_at)
    at_once(motion, "enacted")
    assert (motion.state, garden.minutes) == ("enacted", 20)
    assert garden.applied == [("rose", {"minutes": 20}, f"/decisions/{motion.pk}/")]
    done = Enactment.objects.get(motion=motion)
    assert (done.before, done.after) == ({"minutes": 10}, {"minutes": 20})
    holds = queries.value("test.tap", "test.garden:rose")
    assert holds is not None and holds.decided_by == motion and holds.value == {"minutes": 20}
    assert queries.value("test.tap", "test.garden:rose", done.effective_at - HOUR) is None, "the past stays"
    assert services.advance(motion.pk) is False


def test_what_was_decided_is_never_changed_or_counted_again(garden: Garden, people: list[User]) -> None:
    motion = enacted(people)
    for words in (
        "UPDATE decisions_policyvalue SET value='{}'",
        "DELETE FROM decisions_policyvalue",
        "UPDATE decisions_motion SET outcome='{}'",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(words)
    services.advance_all()
    assert len(garden.applied) == 1
    Motion.objects.filter(pk=motion.pk).update(state="passed")  # as if the state alone had been lost
    services.advance(motion.pk)
    assert len(garden.applied) == 1 and PolicyValue.objects.count() == 1, "the value's own key holds the second back"


def enacted(people: list[User], minutes: int = 20) -> Motion:
    motion = at_once(ask(people[0], minutes=minutes), "open")
    for person in people[:5]:
        services.vote(motion=motion, person=person, choice="1")
    for state in ("counted", "passed", "enacted"):
        at_once(motion, state)
    return motion


def test_a_worker_that_dies_in_the_enactment_leaves_nothing(garden: Garden, people: list[User]) -> None:
    motion = at_once(ask(people[0]), "open")
    for person in people[:5]:
        services.vote(motion=motion, person=person, choice="1")
    at_once(motion, "counted")
    at_once(motion, "passed")
    whole = sockets.effects._plugs["test.tap"]

    def die(*_: Any) -> None:
        raise KeyboardInterrupt

    sockets.effects._plugs["test.tap"] = sockets.Effect(
        **{name: getattr(whole, name) for name in whole.__slots__} | {"apply": die}
    )
    with pytest.raises(KeyboardInterrupt):
        at_once(motion, "enacted")
    motion.refresh_from_db()
    assert (motion.state, PolicyValue.objects.count(), Enactment.objects.count()) == ("passed", 0, 0)
    sockets.effects._plugs["test.tap"] = whole
    at_once(motion, "enacted")
    assert (motion.state, garden.minutes, PolicyValue.objects.count()) == ("enacted", 20, 1)


@pytest.mark.parametrize(
    ("votes", "why"),
    [
        ({}, "no-quorum"),
        ({0: "1"}, "no-quorum"),
        ({0: "1", 1: "0"}, "not-enough"),
        ({0: "0", 1: "0"}, "passed"),
        ({0: "", 1: ""}, "no-votes"),
    ],
)
def test_it_stays_as_it_is(garden: Garden, people: list[User], votes: dict[int, str], why: str) -> None:
    motion = at_once(ask(people[0]), "open")
    for person, choice in votes.items():
        services.vote(motion=motion, person=people[person], choice=choice)
    at_once(motion, "counted")
    assert motion.state == "kept" and motion.outcome is not None and motion.outcome["why"] == why
    assert garden.minutes == 10


def test_consent_falls_by_one_reason(garden: Garden, people: list[User]) -> None:
    motion = at_once(ask(people[0], method="consent"), "open")
    for person in people[:4]:
        services.vote(motion=motion, person=person, choice="1")
    with pytest.raises(BadVote, match="reason"):
        services.vote(motion=motion, person=people[5], choice="object", reason="no")
    services.vote(motion=motion, person=people[5], choice="object", reason="The seedlings drown.")
    at_once(motion, "counted")
    assert motion.state == "kept" and motion.outcome is not None and motion.outcome["why"] == "objection"


def test_rankings_and_budgets(garden: Garden, people: list[User]) -> None:
    two = [{"title": "Short", "value": {"minutes": 5}}, {"title": "Long", "value": {"minutes": 30}}]
    motion = at_once(ask(people[0], method="condorcet", options=two), "open")
    for person, order in zip(people, ["120", "201", "12", "210", "2"], strict=False):
        services.vote(motion=motion, person=person, choice=list(order))
    assert at_once(motion, "counted").outcome["winners"] == ["2"]  # type: ignore[index]
    things = [{"title": "Bench", "cost": 60}, {"title": "Pear tree", "cost": 50}, {"title": "Gate", "cost": 100}]
    spend = ask(people[0], method="shares", effect="", options=things, budget=110)
    at_once(spend, "open")
    for person, picked in zip(people, [["1"], ["1", "2"], ["2"], ["3", "1"]], strict=False):
        services.vote(motion=spend, person=person, choice=picked)
    assert at_once(spend, "counted").outcome["winners"] == ["1", "2"]  # type: ignore[index]
    with pytest.raises(NotNow):
        services.vote(motion=spend, person=people[5], choice=["1"])


def test_the_roll_is_closed_when_the_vote_opens(garden: Garden, people: list[User]) -> None:
    garden.people[people[7].pk] = timezone.now() - DAY
    motion = at_once(ask(people[0]), "open")
    late = User.objects.create(username="late")
    garden.people[late.pk] = timezone.now() - 90 * DAY
    for outside in (people[7], late):
        with pytest.raises(NotAMember):
            services.vote(motion=motion, person=outside, choice="1")
    assert motion.roll_sha256 == queries.roll_fingerprint([p.pk for p in people[:7]])


def test_what_cannot_be_asked(garden: Garden, people: list[User]) -> None:
    stranger = User.objects.create(username="stranger")
    refusals: list[tuple[type[Exception], dict[str, Any]]] = [
        (NotAMember, {"author": stranger}),
        (BadMotion, {"title": "?"}),
        (BadMotion, {"text": "so"}),
        (BadMotion, {"options": []}),
        (BadMotion, {"options": [{"title": "", "value": {"minutes": 3}}]}),
        (BadMotion, {"options": [{"title": "Longer"}]}),
        (BadMotion, {"method": "oracle"}),
        (BadMotion, {"effect": "labs.interlock"}),
        (BadMotion, {"method": "shares", "effect": "", "options": [{"title": "Bench", "cost": 9}], "budget": 5}),
        (BadInput, {"options": [{"title": "Longer", "value": {"minutes": "all day"}}]}),
        (OutsideLimits, {"options": [{"title": "Longer", "value": {"minutes": 61}}]}),
    ]
    for error, changed in refusals:
        with pytest.raises(error):
            ask(**({"author": people[0]} | changed))
    assert not Motion.objects.exists()
    with pytest.raises(MotionNotFound):
        services.body(kind="test.garden", key="tulip")


def test_a_value_that_became_impossible_stops_the_motion(garden: Garden, people: list[User]) -> None:
    motion = at_once(ask(people[0]), "open")
    for person in people[:5]:
        services.vote(motion=motion, person=person, choice="1")
    for state in ("counted", "passed"):
        at_once(motion, state)
    garden.closed = True
    at_once(motion, "enacted")
    assert (motion.state, motion.why) == ("stopped", "the tap is gone")
    assert not PolicyValue.objects.exists() and not Enactment.objects.exists()


def test_who_takes_back_and_who_stops(garden: Garden, people: list[User]) -> None:
    motion = ask(people[1])
    with pytest.raises(NotAMember):
        services.withdraw(motion=motion, person=people[2])
    assert services.withdraw(motion=motion, person=people[1]).state == "withdrawn"
    motion = at_once(ask(people[1]), "open")
    for person in people[:5]:
        services.vote(motion=motion, person=person, choice="1")
    with pytest.raises(NotNow):
        services.stop(motion=motion, person=people[0], reason="against the water law")
    at_once(motion, "counted")
    with pytest.raises(NotAMember):
        services.stop(motion=motion, person=people[1], reason="against the water law")
    with pytest.raises(BadVote):
        services.stop(motion=motion, person=people[0], reason="no")
    assert services.stop(motion=motion, person=people[0], reason="against the water law").state == "stopped"
    services.advance_all(timezone.now() + 400 * DAY)
    assert garden.minutes == 10


def test_a_clock_that_stood_still_does_not_reach_into_the_past(garden: Garden, people: list[User]) -> None:
    motion = at_once(ask(people[0]), "open")
    for person in people[:5]:
        services.vote(motion=motion, person=person, choice="1")
    long_ago = timezone.now() - 40 * DAY
    Motion.objects.filter(pk=motion.pk).update(opens_at=long_ago - DAY, closes_at=long_ago)
    services.advance_all()
    motion.refresh_from_db()
    assert motion.state == "passed" and motion.takes_effect_at is not None
    assert motion.takes_effect_at > timezone.now() - HOUR


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    steps=st.lists(
        st.one_of(
            st.tuples(st.just("vote"), st.integers(0, 7), st.sampled_from(["0", "1", ""])),
            st.tuples(st.just("hours"), st.integers(1, 60), st.just("")),
        ),
        max_size=14,
    )
)
def test_whatever_happens_it_ends_once(garden: Garden, people: list[User], steps: list[tuple[str, int, str]]) -> None:
    """Votes and time in any order: the plain model below says what must come out."""
    with transaction.atomic():
        garden.applied.clear()
        motion, now = ask(people[0]), timezone.now()
        said: dict[int, str] = {}
        for what, n, choice in steps:
            if what == "hours":
                now += n * HOUR
                shift(motion, n * HOUR)
                services.advance_all()
                motion.refresh_from_db()
            else:
                try:
                    services.vote(motion=motion, person=people[n], choice=choice)
                    said[n] = choice
                except NotNow:
                    assert motion.state != "open"
        shift(motion, 400 * DAY)
        services.advance_all()
        shift(motion, 400 * DAY)
        services.advance_all()
        motion.refresh_from_db()
        votes = [vote for vote in said.values() if vote]
        wins = len(said) >= 2 and votes.count("1") * 2 > len(votes)
        assert (motion.state == "enacted") == wins == (len(garden.applied) == 1)
        assert Ballot.objects.filter(entry__motion=motion).count() == len(said)
        assert RollEntry.objects.filter(motion=motion).count() == 8
        transaction.set_rollback(True)


def shift(motion: Motion, by: dt.timedelta) -> None:
    """Let time pass for a motion."""
    motion.refresh_from_db()
    for name in ("opens_at", "closes_at", "objections_until", "takes_effect_at"):
        if getattr(motion, name):
            setattr(motion, name, getattr(motion, name) - by)
    motion.save()


@pytest.mark.parametrize(
    "document",
    [
        {"quorum": "2"},
        {"quorum": "half"},
        {"majority": "1/3"},
        {"window_h": 0},
        {"notice_h": True},
        {"methods": []},
        {"methods": ["oracle"]},
        {"ballots": "loud"},
        {"limits": {"a": {"b": [3, 1]}}},
        {"limits": [1]},
        {"king": "me"},
    ],
)
def test_a_charter_that_cannot_be(document: dict[str, Any]) -> None:
    with pytest.raises(BadCharter):
        charter.read(document)


def test_a_charter_reads_back() -> None:
    rules = charter.read({"quorum": "1/3", "limits": {"a": {"b": [1, 2]}}, "methods": ["majority", "consent"]})
    assert charter.read(json.loads(json.dumps(rules.document()))) == rules
