"""Whose badges a lab believes: a table of cases, and what holds for any rules."""

import datetime as dt

import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.engine.trust import Grant, Renewal, Rule, Trust, believes, good_until, is_good

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
HERE, THERE = 1, 2
LASER, CNC = 10, 11


def grant(**more: object) -> Grant:
    return Grant(**{"badge": LASER, "given_at": NOW - 30 * DAY, "given_in": THERE, **more})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("scope", "rules", "given_in", "believed"),
    [
        ("all", [], THERE, True),
        ("listed", [], THERE, False),
        ("own", [], THERE, False),
        ("own", [Rule(giver=THERE)], THERE, False),
        ("own", [], HERE, True),
        ("listed", [], HERE, True),
        ("listed", [], None, True),
        ("listed", [Rule(giver=THERE)], THERE, True),
        ("listed", [Rule(giver=THERE, badge=LASER)], THERE, True),
        ("listed", [Rule(giver=THERE, badge=CNC)], THERE, False),
        ("listed", [Rule(giver=3)], THERE, False),
        ("all", [Rule(False, giver=THERE)], THERE, False),
        ("all", [Rule(False, giver=THERE, badge=LASER)], THERE, False),
        ("all", [Rule(False, giver=THERE, badge=CNC)], THERE, True),
        ("listed", [Rule(giver=THERE), Rule(False, giver=THERE, badge=LASER)], THERE, False),
        ("all", [Rule(False, giver=THERE), Rule(True, giver=THERE, badge=LASER)], THERE, True),
    ],
)
def test_badges_of_this_site(scope: str, rules: list[Rule], given_in: int | None, believed: bool) -> None:
    assert believes(Trust(HERE, scope, rules), grant(given_in=given_in)) is believed


@pytest.mark.parametrize(
    ("rules", "believed"),
    [
        ([], False),
        ([Rule(issuer="did:key:a", badge=LASER)], True),
        ([Rule(issuer="did:key:a", badge=LASER, achievement="https://b/laser")], True),
        ([Rule(issuer="did:key:a", badge=LASER, achievement="https://b/cnc")], False),
        ([Rule(issuer="did:key:a", badge=CNC)], False),
        ([Rule(issuer="did:key:b", badge=LASER)], False),
        ([Rule(False, issuer="did:key:a", badge=LASER)], False),
    ],
)
@pytest.mark.parametrize("scope", ["all", "listed", "own"])
def test_badges_of_other_sites_only_by_name(scope: str, rules: list[Rule], believed: bool) -> None:
    brought = grant(given_in=None, issuer="did:key:a", achievement="https://b/laser")
    assert believes(Trust(HERE, scope, rules), brought) is believed


RULES = st.lists(
    st.builds(
        Rule,
        believes=st.booleans(),
        giver=st.sampled_from([None, 2, 3]),
        issuer=st.sampled_from(["", "did:key:a"]),
        badge=st.sampled_from([None, LASER, CNC]),
    ),
    max_size=6,
)


@given(RULES, st.sampled_from(["all", "listed", "own"]))
def test_a_lab_always_believes_itself_and_never_a_stranger_unnamed(rules: list[Rule], scope: str) -> None:
    trust = Trust(HERE, scope, rules)
    assert believes(trust, grant(given_in=HERE))
    assert not believes(trust, grant(given_in=None, issuer="did:key:stranger"))


@given(RULES)
def test_a_narrower_scope_never_believes_more(rules: list[Rule]) -> None:
    given_there = grant()
    found = [believes(Trust(HERE, scope, rules), given_there) for scope in ("own", "listed", "all")]
    assert found == sorted(found)


@pytest.mark.parametrize(
    ("expires", "renewals", "until"),
    [
        (None, [], None),
        (NOW + 90 * DAY, [], NOW + 90 * DAY),
        (None, [Renewal(LASER, THERE, NOW, NOW + 60 * DAY)], NOW + 60 * DAY),
        (NOW + 9 * DAY, [Renewal(LASER, THERE, NOW, NOW + 60 * DAY)], NOW + 9 * DAY),
        (None, [Renewal(CNC, THERE, NOW, NOW + 60 * DAY)], None),
        (None, [Renewal(LASER, HERE, NOW, NOW + 60 * DAY)], None),
        (None, [Renewal(LASER, THERE, NOW - 31 * DAY, NOW + 60 * DAY)], None),
    ],
)
def test_until_when(expires: dt.datetime | None, renewals: list[Renewal], until: dt.datetime | None) -> None:
    assert good_until(grant(expires_at=expires), renewals) == until


def test_good_or_not() -> None:
    assert is_good(grant(), [], NOW)
    assert not is_good(grant(revoked=True), [], NOW)
    assert not is_good(grant(expires_at=NOW), [], NOW)
    assert is_good(grant(expires_at=NOW + DAY), [], NOW)
