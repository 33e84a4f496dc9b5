"""Rules of a lab: a table of cases reckoned by hand, both days when the clock changes, and properties."""

import datetime as dt
from collections.abc import Sequence
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.engine import rules
from labs.engine.hours import Span
from labs.engine.rules import Facts, Own, Row
from labs.engine.times import Buffers

HELSINKI = ZoneInfo("Europe/Helsinki")
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
#: A Monday at 10:00 in Helsinki, which is 07:00 UTC in June.
NOW = dt.datetime(2026, 6, 15, 7, tzinfo=dt.UTC)
LASER, PRINTER = 1, 2


def at(text: str) -> dt.datetime:
    """A wall time of Helsinki as UTC, the way a person would read it off a calendar."""
    return dt.datetime.fromisoformat(text).replace(tzinfo=HELSINKI).astimezone(dt.UTC)


def span(start: str, hours: float) -> Span:
    return Span(at(start), at(start) + hours * HOUR)


def facts(asked: Span, **more: Any) -> Facts:
    known: dict[str, Any] = {
        "now": NOW,
        "zone": HELSINKI,
        "machine": LASER,
        "cls": "laser-cutter",
        "role": "member",
        "opened": [Span(NOW - 300 * DAY, NOW + 1000 * DAY)],
    }
    return Facts(span=asked, **{**known, **more})


def said(rows: Sequence[Row], asked: Facts, **defaults: Any) -> list[str]:
    ruled = rules.resolve(rows, machine=asked.machine, cls=asked.cls, role=asked.role, defaults=defaults)
    return [finding.rule for finding in rules.evaluate(ruled, asked)]


TUESDAY = "2026-06-16T10:00"
CASES: list[tuple[str, list[Row], Facts, list[str]]] = [
    ("nothing speaks against it", [], facts(span(TUESDAY, 1)), []),
    ("four minutes", [], facts(span(TUESDAY, 4 / 60)), ["shortest_min"]),
    ("upside down", [], facts(span(TUESDAY, -1)), ["shortest_min"]),
    ("exactly the shortest", [Row("shortest_min", 60.0)], facts(span(TUESDAY, 1)), []),
    ("exactly the longest", [Row("longest_h", 2.0)], facts(span(TUESDAY, 2)), []),
    ("a minute more", [Row("longest_h", 2.0)], facts(span(TUESDAY, 2 + 1 / 60)), ["longest_h"]),
    ("no limit still ends at a month", [Row("longest_h", None)], facts(span(TUESDAY, 745)), ["longest_h"]),
    ("yesterday", [], facts(span("2026-06-14T10:00", 1)), ["past"]),
    ("four minutes ago is now", [], facts(span("2026-06-15T09:56", 1)), []),
    ("a day before is asked", [Row("lead_min", 1440.0)], facts(span("2026-06-16T09:59", 1)), ["lead_min"]),
    ("and kept", [Row("lead_min", 1440.0)], facts(span("2026-06-16T10:00", 1)), []),
    ("90 days by default", [], facts(span("2026-09-13T10:01", 1)), ["horizon_days"]),
    ("in 90 days", [], facts(span("2026-09-13T10:00", 1)), []),
    ("closed", [], facts(span(TUESDAY, 1), opened=[span("2026-06-16T11:00", 8)]), ["hours"]),
    ("half closed", [], facts(span(TUESDAY, 2), opened=[span("2026-06-16T11:00", 8)]), ["hours"]),
    ("kept for a course", [Row("blackout", "tue 10:30-12:00")], facts(span(TUESDAY, 1)), ["blackout"]),
    ("on another day", [Row("blackout", "wed 10:30-12:00")], facts(span(TUESDAY, 1)), []),
    ("touching it", [Row("blackout", "tue 11:00-12:00")], facts(span(TUESDAY, 1)), []),
    ("in repair", [], facts(span(TUESDAY, 1), repair=True), ["repair"]),
    ("in repair, but only moved", [], facts(span(TUESDAY, 1), repair=True, moved_from=at(TUESDAY)), []),
    ("no badge", [], facts(span(TUESDAY, 1), missing_badges=["laser"]), ["badge"]),
    ("a guest", [Row("members_only", True)], facts(span(TUESDAY, 1), role="guest"), ["members_only"]),
    ("a member", [Row("members_only", True)], facts(span(TUESDAY, 1)), []),
    (
        "three hours of four a day",
        [Row("per_day_h", 4.0)],
        facts(span(TUESDAY, 1), own=[Own(span("2026-06-16T14:00", 3), PRINTER, "3d-printer")]),
        [],
    ),
    (
        "and a minute more",
        [Row("per_day_h", 4.0)],
        facts(span(TUESDAY, 61 / 60), own=[Own(span("2026-06-16T14:00", 3), PRINTER, "3d-printer")]),
        ["per_day_h"],
    ),
    (
        "only the laser's hours count for the laser's limit",
        [Row("per_day_h", 4.0, machine=LASER)],
        facts(span(TUESDAY, 3), own=[Own(span("2026-06-16T14:00", 3), PRINTER, "3d-printer")]),
        [],
    ),
    (
        "both limits hold, each in its scope",
        [Row("per_week_h", 4.0), Row("per_week_h", 10.0, machine=LASER)],
        facts(span(TUESDAY, 2), own=[Own(span("2026-06-19T14:00", 3), PRINTER, "3d-printer")]),
        ["per_week_h"],
    ),
    (
        "the week begins on Monday",
        [Row("per_week_h", 4.0)],
        facts(span(TUESDAY, 2), own=[Own(span("2026-06-14T20:00", 4), PRINTER, "3d-printer")]),
        [],
    ),
    (
        "a booking over midnight counts on both days",
        [Row("per_day_h", 3.0)],
        facts(span("2026-06-16T22:00", 6)),
        ["per_day_h"],
    ),
    ("two hours and two", [Row("per_day_h", 3.0)], facts(span("2026-06-16T22:00", 4)), []),
    (
        "evenings are free",
        [Row("per_day_h", 1.0), Row("free_hours", "mon-fri 18:00-24:00")],
        facts(span("2026-06-16T17:00", 6)),
        [],
    ),
    (
        "the hour before is not",
        [Row("per_day_h", 1.0), Row("free_hours", "mon-fri 18:00-24:00")],
        facts(span("2026-06-16T16:00", 6)),
        ["per_day_h"],
    ),
    (
        "two to come of two",
        [Row("open_bookings", 2.0)],
        facts(span(TUESDAY, 1), own=[Own(span("2026-06-17T10:00", 1), 2, ""), Own(span("2026-06-18T10:00", 1), 2, "")]),
        ["open_bookings"],
    ),
    (
        "a moved one is not one more",
        [Row("open_bookings", 1.0)],
        facts(span(TUESDAY, 1), moved_from=at("2026-06-20T10:00"), own=[Own(span("2026-06-17T10:00", 1), PRINTER, "")]),
        [],
    ),
    (
        "an hour between one's own",
        [Row("gap_min", 60.0)],
        facts(span(TUESDAY, 1), own=[Own(span("2026-06-16T11:30", 1), PRINTER, "")]),
        ["gap_min"],
    ),
    (
        "an hour is enough",
        [Row("gap_min", 60.0)],
        facts(span(TUESDAY, 1), own=[Own(span("2026-06-16T12:00", 1), PRINTER, "")]),
        [],
    ),
    (
        "two missed in a month",
        [Row("no_shows", 2.0)],
        facts(span(TUESDAY, 1), missed=[NOW - 20 * DAY, NOW - 6 * DAY]),
        ["no_shows"],
    ),
    (
        "the pause of a week is over",
        [Row("no_shows", 2.0)],
        facts(span(TUESDAY, 1), missed=[NOW - 20 * DAY, NOW - 8 * DAY]),
        [],
    ),
    (
        "too far apart",
        [Row("no_shows", 2.0)],
        facts(span(TUESDAY, 1), missed=[NOW - 40 * DAY, NOW - 6 * DAY]),
        [],
    ),
]


@pytest.mark.parametrize(("rows", "asked", "expected"), [case[1:] for case in CASES], ids=[case[0] for case in CASES])
def test_cases(rows: list[Row], asked: Facts, expected: list[str]) -> None:
    assert said(rows, asked) == expected


def test_everything_that_speaks_against_it_is_said() -> None:
    asked = facts(span(TUESDAY, 9), missing_badges=["laser"], repair=True, role="guest")
    rows = [Row("longest_h", 8.0), Row("per_day_h", 4.0), Row("lead_min", 10_000.0), Row("members_only", True)]
    assert said(rows, asked) == ["longest_h", "lead_min", "repair", "badge", "members_only", "per_day_h"]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], 24.0),
        ([Row("longest_h", 8.0)], 8.0),
        ([Row("longest_h", 8.0), Row("longest_h", 6.0, cls="laser-cutter")], 6.0),
        ([Row("longest_h", 8.0), Row("longest_h", 6.0, cls="3d-printer")], 8.0),
        ([Row("longest_h", 6.0, cls="laser-cutter"), Row("longest_h", 5.0, machine=LASER)], 5.0),
        ([Row("longest_h", 8.0), Row("longest_h", 12.0, role="trainer")], 12.0),
        ([Row("longest_h", 8.0), Row("longest_h", 12.0, role="manager")], 8.0),
        ([Row("longest_h", 5.0, machine=LASER), Row("longest_h", 12.0, role="trainer")], 5.0),
        ([Row("longest_h", 8.0), Row("longest_h", None, machine=LASER)], None),
    ],
)
def test_the_nearest_rule_holds(rows: list[Row], expected: float | None) -> None:
    for order in (rows, rows[::-1]):
        ruled = rules.resolve(order, machine=LASER, cls="laser-cutter", role="trainer", defaults={"longest_h": 24.0})
        assert ruled.number("longest_h") == expected


@pytest.mark.parametrize(
    ("day", "hours"), [("2026-03-29", 23), ("2026-03-30", 24), ("2026-10-24", 24), ("2026-10-25", 25)]
)
def test_a_local_day_has_the_hours_that_it_has(day: str, hours: int) -> None:
    whole = Span(at(f"{day}T00:00"), at((dt.date.fromisoformat(day) + DAY).isoformat() + "T00:00"))
    assert (whole.end - whole.start) == hours * HOUR
    assert [piece.end - piece.start for _day, piece in rules.local_days(whole, HELSINKI)] == [hours * HOUR]
    ruled = [Row("per_day_h", float(hours)), Row("longest_h", 48.0), Row("horizon_days", 700.0)]
    now = whole.start - DAY
    assert said(ruled, facts(whole, now=now)) == []
    ruled[0] = Row("per_day_h", hours - 0.25)
    assert said(ruled, facts(whole, now=now)) == ["per_day_h"]


def test_times_of_one_zone_are_compared_by_real_time() -> None:
    """From 02:00 to 04:00 on the day with 25 hours are three hours, whatever the clocks on the wall say."""
    start = dt.datetime(2026, 10, 25, 2, tzinfo=HELSINKI)
    end = dt.datetime(2026, 10, 25, 4, 0, tzinfo=HELSINKI)
    rows = [Row("longest_h", 2.5), Row("horizon_days", 300.0)]
    assert said(rows, facts(Span(start, end))) == ["longest_h"]


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("longest_h", "2,5", 2.5),
        ("lead_min", " 30 ", 30.0),
        ("needs_approval", "Yes", True),
        ("blackout", "Mon-Wed 16:00–18:00", "mon 16:00-18:00, tue 16:00-18:00, wed 16:00-18:00"),
        ("blackout", "sat 10:00-12:00, sat 08:00-09:00", "sat 08:00-09:00, sat 10:00-12:00"),
        ("free_hours", "", ""),
    ],
)
def test_values_are_read(name: str, text: str, value: object) -> None:
    assert rules.read(name, text) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("longest_h", "long"),
        ("longest_h", "0"),
        ("longest_h", "nan"),
        ("longest_h", "1e9"),
        ("lead_min", "1.5"),
        ("needs_approval", "perhaps"),
        ("blackout", "mon"),
        ("blackout", "mon 18:00-16:00"),
        ("blackout", "wed-mon 10:00-12:00"),
        ("blackout", "mon 10:00-12:00, mon 11:00-13:00"),
        ("blackout", "someday 10:00-12:00"),
    ],
)
def test_what_cannot_be_read_is_named(name: str, text: str) -> None:
    with pytest.raises(rules.Unreadable) as refused:
        rules.read(name, text)
    assert refused.value.part in text


quarters = st.integers(0, 4 * 24 * 13).map(lambda n: at("2026-06-15T00:00") + n * HOUR / 4)
lengths = st.integers(1, 32).map(lambda n: n * HOUR / 4)
owned = st.builds(
    lambda start, length, machine: Own(Span(start, start + length), machine, "laser-cutter" if machine == 1 else ""),
    quarters,
    lengths,
    st.sampled_from([LASER, PRINTER]),
)
RULES = st.lists(
    st.one_of(
        st.builds(lambda v: Row("longest_h", v), st.sampled_from([1.0, 2.0, 8.0])),
        st.builds(lambda v: Row("lead_min", v), st.sampled_from([0.0, 60.0, 2880.0])),
        st.builds(lambda v: Row("gap_min", v), st.sampled_from([0.0, 30.0, 240.0])),
        st.builds(lambda v: Row("per_day_h", v), st.sampled_from([1.0, 4.0, 25.0])),
        st.builds(lambda v: Row("per_week_h", v, machine=LASER), st.sampled_from([2.0, 10.0])),
        st.builds(lambda v: Row("blackout", v), st.sampled_from(["", "mon-sun 12:00-13:00", "tue 00:00-24:00"])),
        st.builds(lambda v: Row("free_hours", v), st.sampled_from(["", "mon-sun 18:00-24:00"])),
    ),
    max_size=5,
)


@settings(max_examples=150, deadline=None)
@given(rows=RULES, start=quarters, length=lengths, own=st.lists(owned, max_size=4), taken=st.lists(owned, max_size=3))
def test_what_is_offered_instead_is_allowed_free_and_never_earlier(
    rows: list[Row], start: dt.datetime, length: dt.timedelta, own: list[Own], taken: list[Own]
) -> None:
    asked = facts(Span(start, start + length), own=own)
    ruled = rules.resolve(rows, machine=LASER, cls="laser-cutter", role="member", defaults={"longest_h": 24.0})
    busy: list[Span] = []
    for block in sorted(b.span for b in taken):
        if not busy or block.start >= busy[-1].end:
            busy.append(block)
    buffers = Buffers(HOUR / 4, HOUR / 4)
    found = rules.next_allowed(ruled, asked, taken=busy, buffers=buffers)
    if found is None:
        return
    assert found.start >= start
    assert found.end - found.start <= length
    again = Facts(**{name: getattr(asked, name) for name in Facts.__slots__} | {"span": found})
    assert rules.evaluate(ruled, again) == []
    assert all(found.end + buffers.after <= b.start or found.start - buffers.before >= b.end for b in busy)
    if not rules.evaluate(ruled, asked) and all(
        start + length + buffers.after <= b.start or start - buffers.before >= b.end for b in busy
    ):
        assert found == asked.span


@settings(max_examples=100, deadline=None)
@given(rows=RULES, start=quarters, length=lengths, own=st.lists(owned, max_size=4))
def test_a_stricter_number_never_allows_more(
    rows: list[Row], start: dt.datetime, length: dt.timedelta, own: list[Own]
) -> None:
    asked = facts(Span(start, start + length), own=own)
    before = set(said(rows, asked))
    for name, strict in (("per_day_h", 0.0), ("lead_min", 43_200.0), ("longest_h", 0.25), ("open_bookings", 0.0)):
        rest = [row for row in rows if row.name != name]
        assert set(said([*rest, Row(name, strict)], asked)) >= before - {name}


@settings(max_examples=100, deadline=None)
@given(start=quarters, length=st.integers(1, 24 * 20).map(lambda n: n * HOUR / 2))
def test_days_and_weeks_cover_the_span_without_gap_or_overlap(start: dt.datetime, length: dt.timedelta) -> None:
    asked = Span(start, start + length)
    for pieces in (list(rules.local_days(asked, HELSINKI)), list(rules.local_weeks(asked, HELSINKI))):
        spans = [piece for _date, piece in pieces]
        assert spans[0].start <= asked.start < asked.end <= spans[-1].end
        assert all(a.end == b.start for a, b in pairwise(spans))
