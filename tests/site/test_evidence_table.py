"""The rows that a figure is made of, as the page of a measure writes them, and the days of its period."""

import datetime as dt
from zoneinfo import ZoneInfo

from django.utils import timezone

from commons.places.queries import evidence_table
from commons.sockets import Evidence, Figure
from commons.web.templatetags.numbers import day, last_day
from twin.coverage.cells import cells

HELSINKI = ZoneInfo("Europe/Helsinki")


def figure(rows: list[dict[str, object]]) -> Figure:
    return Figure(0.75, 3.0, 4.0, "kWh", None, None, 1.0, "Words.", evidence=rows)


def test_headings_say_their_unit_and_cells_their_kind() -> None:
    row = {"community": "kamppi", "made_kwh": 3.5, "demo": True, "from": dt.date(2026, 1, 1), "sha256": "5a" * 32}
    table = evidence_table(figure([row]))
    assert [h.words for h in table.headings] == ["Community", "Made, kWh", "Demo", "From", "Fingerprint"]
    assert [h.number for h in table.headings] == [False, True, False, False, False]
    assert [c.kind for c in table.rows[0][0]] == ["text", "number", "flag", "date", "hash"]


def test_a_period_until_midnight_ends_the_day_before_on_the_clock_here() -> None:
    start, end = dt.datetime(2025, 12, 31, 22, tzinfo=dt.UTC), dt.datetime(2026, 12, 31, 22, tzinfo=dt.UTC)
    with timezone.override(HELSINKI):
        assert last_day(end) == dt.date(2026, 12, 31)
        assert day(start).startswith("1 January")
    with timezone.override(dt.UTC):
        assert day(start).startswith("31 December")


def test_what_a_district_and_its_city_both_tell_is_told_once() -> None:
    now = dt.datetime(2026, 11, 22, tzinfo=dt.UTC)
    weak = Evidence("electricity", 1, "use of 24 members", 24, "the community", now)
    heard = {"period_s": 900, "uptime": 0.99}
    strong = Evidence("electricity", 2, "use of 24 members", 24, "the community", now, proof=heard)
    other = Evidence("electricity", 1, "a map of cables", 3, "the grid", now)
    cell = next(c for c in cells([weak, strong, other], now) if c.system.slug == "electricity")
    assert [(piece.what, level) for piece, level in cell.evidence] == [("use of 24 members", 2), ("a map of cables", 1)]
    assert cell.level == 2
