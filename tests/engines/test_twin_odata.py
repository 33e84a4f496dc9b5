"""What SensorThings' filters mean: operators, precedence and each function, on values."""

import datetime as dt
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.sensorthings import judge, odata
from twin.sensorthings.model import Span

NOW = dt.datetime(2026, 11, 23, 9, 0, tzinfo=dt.UTC)
AT = dt.datetime(2026, 11, 22, 14, 30, 15, 500_000, tzinfo=dt.timezone(dt.timedelta(hours=2)))
VALUES: dict[str, Any] = {
    "result": 5.0,
    "name": " Printer's ",
    "time": AT,
    "spell": Span(NOW, NOW + dt.timedelta(minutes=15)),
    "nothing": None,
    "on": True,
    "where": {"type": "Point", "coordinates": [24.94, 60.17]},
    "many": [1.0, 2.0, 7.0],
    "line": {"type": "LineString", "coordinates": [[0, 0], [3, 4]]},
}


def judged(text: str) -> bool:
    def values(path: odata.Path) -> Any:
        found = VALUES[path.steps[0]]
        yield from found if isinstance(found, list) else [found]

    return judge.holds(odata.parse(text), values, NOW)


TRUE = [
    "result eq 5", "result ne 4", "result gt 4.9", "result ge 5", "result lt 1e3", "result le 5", "-5 eq 0 sub result",
    "result add 2 eq 7", "result sub 2 eq 3", "result mul 2 eq 10", "result div 2 eq 2.5", "result mod 2 eq 1",
    "1 add 2 mul 3 eq 7", "(1 add 2) mul 3 eq 9", "true or false and false", "not (result eq 4) and on",
    "not result eq 4", "on eq true", "nothing eq null", "result ne null", "not (nothing gt 3)", "nothing ne 3",
    "many eq 7", "many gt 6 and many lt 2", "substringof('inter', name)", "contains(name, 'inter')",
    "endswith(trim(name), '''s')", "startswith(name, ' P')", "length(trim(name)) eq 9", "indexof(name, 'P') eq 1",
    "substring('SensorThings', 6) eq 'Things'", "substring('SensorThings', 0, 6) eq 'Sensor'",
    "tolower('ÄB') eq 'äb'", "toupper('äb') eq 'ÄB'", "concat('a', 'b') eq 'ab'",
    "year(time) eq 2026", "month(time) eq 11", "day(time) eq 22", "hour(time) eq 12", "minute(time) eq 30",
    "second(time) eq 15", "fractionalseconds(time) eq 0.5", "date(time) eq 2026-11-22",
    "time(time) eq 12:30:15.5", "totaloffsetminutes(time) eq 120", "now() eq 2026-11-23T09:00:00Z",
    "mindatetime() lt now()", "maxdatetime() gt now()", "round(2.5) eq 3", "round(-2.5) eq -3", "floor(2.9) eq 2",
    "ceiling(2.1) eq 3", "time lt 2026-11-22T15:00:00+02:00", "time ge 2026-11-22", "time lt 2026-11-23",
    "now() sub duration'PT1H' eq 2026-11-23T08:00:00Z", "spell gt 2026-11-23T08:59:00Z",
    "spell ge 2026-11-23T09:00:00Z",
    "spell eq 2026-11-23T09:00:00Z/2026-11-23T09:15:00Z", "spell lt 2026-11-23T09:15:00Z/2026-11-23T10:00:00Z",
    "year(spell) eq 2026", "hour(spell) eq 9",
    "geo.distance(where, geography'POINT (24.94 60.18)') lt 0.0101", "geo.length(line) eq 5",
    "geo.intersects(where, geography'POLYGON ((24 60, 25 60, 25 61, 24 61, 24 60))')",
    "st_within(where, geography'POLYGON ((24 60, 25 60, 25 61, 24 61, 24 60))')",
    "st_equals(where, geography'POINT (24.94 60.17)')", "st_disjoint(where, geography'POINT (0 0)')",
    "st_touches(geography'POINT (0 0)', line)", "st_intersects(line, geography'POINT (0 0)')",
    "st_contains(geography'POLYGON ((24 60, 25 60, 25 61, 24 61, 24 60))', where)",
    "st_crosses(line, geography'LINESTRING (0 4, 3 0)')",
    "st_overlaps(geography'POLYGON ((0 0, 2 0, 2 2, 0 2, 0 0))', geography'POLYGON ((1 1, 3 1, 3 3, 1 3, 1 1))')",
    "st_relate(where, geography'POINT (24.94 60.17)', '0FFFFFFF2')",
]  # fmt: skip


@pytest.mark.parametrize("text", TRUE)
def test_what_is_true(text: str) -> None:
    assert judged(text)
    assert not judged(f"not ({text})") or "nothing" in text


def test_each_function_of_the_standard_is_tried() -> None:
    assert all(any(f"{name}(" in text for text in TRUE) for name in odata.FUNCTIONS)


@pytest.mark.parametrize(
    "text",
    ["result eq 'five'", "nothing gt 1", "nothing and true", "'a' add 1 eq 2", "result div 0 gt 1",
     "length(result) gt 0",
     "substring(name, 90) eq 'x'", "year(result) eq 5", "spell gt 2026-11-23T09:00:00Z", "st_within(name, where)"],
)  # fmt: skip
def test_what_is_not(text: str) -> None:
    assert not judged(text)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "end"), ("result eq", "end"), ("result eq 5 5", "unexpected"), ("result ~ 5", "token"),
        ("sqrt(result) eq 1", "function"), ("length() eq 1", "arguments"), ("date(time) eq 2026-13-45", "value"),
        ("time gt 2026-13-45T00:00:00Z", "value"), ("(" * 50 + "true" + ")" * 50, "deep"), ("a" * 5000, "long"),
        ("duration'x' eq 1", "value"), ("eq 5", "unexpected"), ("not " * 50 + "true", "deep"),
    ],
)  # fmt: skip
def test_what_cannot_be_read(text: str, reason: str) -> None:
    with pytest.raises(odata.NotOData) as trouble:
        odata.parse(text)
    assert trouble.value.reason in {reason, "end"}


def test_shapes_and_truths_that_are_none_are_refused() -> None:
    for text in ("geo.length(geography'POINT OF VIEW') gt 0", "result and true"):
        with pytest.raises(odata.NotOData):
            judged(text)


def test_options_of_options() -> None:
    asked = odata.options(
        {
            "$expand": "Datastreams($select=name,id;$filter=name eq 'a;b,(c';$expand=Observations($top=1)),"
            "Locations/Things",
            "$orderby": "name desc, id",
            "$top": "5",
            "$skip": "2",
            "$count": "true",
        }
    )
    (streams, inner), (locations, deeper) = asked.expand
    assert (streams, locations, inner.select) == ("Datastreams", "Locations", ("name", "id"))
    assert inner.expand[0][1].top == 1 and deeper.expand[0][0] == "Things"
    assert [key.falling for key in asked.orderby] == [True, False]
    assert (asked.top, asked.skip, asked.count) == (5, 2, True)
    for bad in (
        {"$top": "-1"},
        {"$skip": "x"},
        {"$count": "yes"},
        {"filter": "1"},
        {"$expand": ""},
        {"$select": "a,,b"},
    ):
        with pytest.raises(odata.NotOData):
            odata.options(bad)
    with pytest.raises(odata.NotOData):
        odata.options({"$expand": "A/B/C/D/E/F/G/H"})


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused(text: str) -> None:
    for read in (
        odata.parse,
        lambda t: odata.options({"$expand": t}),
        lambda t: odata.options({"$orderby": t}),
        odata.steps,
    ):
        with suppress(odata.NotOData):
            read(text)
