"""Times that come again: the same as an independent program gives, right on both days when the clock changes."""

import datetime as dt
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.engine.hours import Span
from labs.engine.recurrence import MOST, BadRule, Shift, read, spans
from labs.engine.waiting import answer_by

HELSINKI = ZoneInfo("Europe/Helsinki")
HOUR = dt.timedelta(hours=1)
DAYS = ("MO", "TU", "WE", "TH", "FR", "SA", "SU")


def local(*parts: int, zone: ZoneInfo = HELSINKI) -> dt.datetime:
    return dt.datetime(*parts, tzinfo=zone)  # type: ignore[arg-type]


def starts(first: dt.datetime, rule: str, last: dt.datetime, *left_out: dt.datetime) -> list[dt.datetime]:
    found = spans(Span(first, first + 2 * HOUR), rule, zone=HELSINKI, last=last, left_out=left_out)
    assert all(span.end - span.start == 2 * HOUR for span in found)
    return [span.start for span in found]


def oracle(first: dt.datetime, rule: str, last: dt.datetime, *left_out: dt.datetime) -> list[dt.datetime]:
    """The same from `recurring-ical-events`, which has its own way of reckoning."""
    event = icalendar.Event()
    event.add("uid", "one")
    event.add("dtstamp", first)
    event.add("dtstart", first)
    event.add("dtend", first + 2 * HOUR)
    event.add("rrule", icalendar.vRecur.from_ical(rule))
    for out in left_out:
        event.add("exdate", out)
    calendar = icalendar.Calendar()
    calendar.add("version", "2.0")
    calendar.add("prodid", "test")
    calendar.add_component(event)
    found = recurring_ical_events.of(calendar).between(first - HOUR, last + HOUR)
    return sorted(e["DTSTART"].dt.astimezone(dt.UTC) for e in found if e["DTSTART"].dt <= last)


@settings(deadline=None)
@given(
    day=st.dates(dt.date(2026, 1, 1), dt.date(2027, 12, 1)),
    hour=st.integers(5, 23),
    minute=st.sampled_from([0, 15, 30, 45]),
    form=st.sampled_from(
        [
            "FREQ=DAILY;COUNT={n}",
            "FREQ=DAILY;INTERVAL={i};COUNT={n}",
            "FREQ=WEEKLY;INTERVAL={i};COUNT={n}",
            "FREQ=WEEKLY;BYDAY={day},{other};COUNT={n}",
            "FREQ=MONTHLY;COUNT={n}",
            "FREQ=MONTHLY;BYDAY={nth}{day};COUNT={n}",
            "FREQ=WEEKLY;BYDAY={day}",
        ]
    ),
    n=st.integers(1, 20),
    i=st.integers(1, 4),
    drop=st.sets(st.integers(0, 8), max_size=3),
)
def test_the_same_times_as_another_program(
    day: dt.date, hour: int, minute: int, form: str, n: int, i: int, drop: set[int]
) -> None:
    first = local(day.year, day.month, day.day, hour, minute)
    weekday = DAYS[day.weekday()]
    rule = form.format(n=n, i=i, day=weekday, other=DAYS[(day.weekday() + 3) % 7], nth=(day.day - 1) // 7 + 1)
    last = first + dt.timedelta(days=200)
    out = [at for nth, at in enumerate(oracle(first, rule, last)) if nth in drop]
    assert starts(first, rule, last, *out) == oracle(first, rule, last, *out)


def test_ten_o_clock_stays_ten_when_the_clocks_change() -> None:
    found = starts(local(2027, 3, 26, 10), "FREQ=DAILY;COUNT=4", local(2027, 5, 1))
    assert [at.astimezone(HELSINKI).hour for at in found] == [10] * 4
    assert [at.hour for at in (a.astimezone(dt.UTC) for a in found)] == [8, 8, 7, 7]


def test_a_time_that_the_spring_day_skips_comes_an_hour_later_by_the_clock() -> None:
    found = starts(local(2027, 3, 27, 3, 30), "FREQ=DAILY;COUNT=3", local(2027, 5, 1))
    assert [at.astimezone(HELSINKI).strftime("%d %H:%M") for at in found] == ["27 03:30", "28 04:30", "29 03:30"]


def test_a_time_that_the_autumn_day_has_twice_is_its_first() -> None:
    found = starts(local(2026, 10, 24, 3, 30), "FREQ=DAILY;COUNT=3", local(2026, 12, 1))
    assert [at.astimezone(dt.UTC).strftime("%d %H:%M") for at in found] == ["24 00:30", "25 00:30", "26 01:30"]


def test_until_is_read_as_a_day_a_local_and_a_utc_time() -> None:
    first, far = local(2027, 1, 4, 10), local(2028, 1, 1)
    for until, count in (("20270118", 3), ("20270118T100000", 3), ("20270118T095900", 2), ("20270118T080000Z", 3)):
        assert len(starts(first, f"FREQ=WEEKLY;UNTIL={until}", far)) == count, until


@pytest.mark.parametrize(
    "text",
    [
        "",
        "WEEKLY",
        "FREQ=SECONDLY",
        "FREQ=HOURLY;COUNT=3",
        "FREQ=DAILY;INTERVAL=0",
        "FREQ=DAILY;COUNT=-1",
        "FREQ=DAILY;COUNT=99999999999",
        "FREQ=DAILY;COUNT=2;UNTIL=20270101",
        "FREQ=DAILY;UNTIL=tomorrow",
        "FREQ=DAILY;BYHOUR=1,2,3",
        "FREQ=DAILY;FREQ=WEEKLY",
        "FREQ=WEEKLY;BYDAY=XX",
        "FREQ=WEEKLY;BYDAY=9999999999MO",
        "FREQ=MONTHLY;BYMONTHDAY=77",
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=MONTHLY;BYSETPOS=0;BYDAY=MO",
        "DTSTART:20270101\nRRULE:FREQ=DAILY",
        "FREQ=DAILY;" + "X" * 300,
    ],
)
def test_rules_that_mean_nothing_are_refused_and_never_searched_for_ever(text: str) -> None:
    with pytest.raises(BadRule):
        spans(Span(local(2027, 1, 4, 10), local(2027, 1, 4, 11)), text, zone=HELSINKI, last=local(2030, 1, 1))


@settings(deadline=None)
@given(st.text(max_size=60) | st.from_regex(r"FREQ=[A-Z]{5,7};[A-Z]{2,9}=[0-9A-Z,+-]{1,9}", fullmatch=True))
def test_any_text_is_a_rule_or_refused(text: str) -> None:
    first = Span(local(2027, 1, 4, 10), local(2027, 1, 4, 11))
    try:
        found = spans(first, text, zone=HELSINKI, last=local(2028, 1, 1))
    except BadRule:
        return
    assert found[0] == first
    assert len(found) <= MOST + 1
    assert read(text)


def test_a_series_moves_by_the_clock_on_the_wall() -> None:
    shift = Shift.between(local(2027, 3, 26, 10), local(2027, 3, 27, 11), HOUR, HELSINKI)
    assert shift.apply(local(2027, 4, 2, 10)) == (local(2027, 4, 3, 11), local(2027, 4, 3, 12))
    assert shift.apply(local(2027, 3, 27, 10)).start == local(2027, 3, 28, 11)


def test_nobody_must_answer_an_offer_at_night() -> None:
    far = local(2027, 6, 9, 12)
    for asked, until in (
        (local(2027, 6, 1, 10), local(2027, 6, 1, 11)),
        (local(2027, 6, 1, 20, 30), local(2027, 6, 2, 9)),
        (local(2027, 6, 1, 23, 30), local(2027, 6, 2, 9)),
        (local(2027, 6, 1, 3), local(2027, 6, 1, 9)),
    ):
        assert answer_by(asked, far, HELSINKI) == until
    assert answer_by(local(2027, 6, 1, 10), local(2027, 6, 1, 10, 20), HELSINKI) == local(2027, 6, 1, 10, 20)
