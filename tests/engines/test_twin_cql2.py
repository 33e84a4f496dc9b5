"""CQL2 as text, and rectangles against shapes: shapely is the judge of the latter."""

import random
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.ogc import cql2, shapes
from twin.ogc.cql2 import Always, Between, Compared, Given, Intersects, IsNull, Joined, Like, Name, Not, OneOf, parse


@pytest.mark.parametrize(
    ("text", "tree"),
    [
        ("a = 1", Compared("=", Name("a"), Given(1.0))),
        ("a<>'it''s'", Compared("<>", Name("a"), Given("it's"))),
        ('"max speed" >= -2.5e1', Compared(">=", Name("max speed"), Given(-25.0))),
        ("foot = TRUE", Compared("=", Name("foot"), Given(True))),
        ("true", Always(True)),
        ("NOT false", Not(Always(False))),
        ("a IS NULL", IsNull(Name("a"))),
        ("a IS NOT NULL", Not(IsNull(Name("a")))),
        ("n LIKE 'A%'", Like(Name("n"), "A%")),
        ("n not like 'A%'", Not(Like(Name("n"), "A%"))),
        ("h BETWEEN 1 AND 2", Between(Name("h"), Given(1.0), Given(2.0))),
        ("k IN ('a','b')", OneOf(Name("k"), (Given("a"), Given("b")))),
        ("S_INTERSECTS(geometry, POINT(1 2))", Intersects("geometry", (1, 2, 1, 2))),
        ("s_intersects(BBOX(1,2,3,4), geometry)", Intersects("geometry", (1, 2, 3, 4))),
        ("S_INTERSECTS(g, BBOX(1,2,0,3,4,9))", Intersects("g", (1, 2, 3, 4))),
        (
            "a=1 OR b=2 AND NOT c=3",
            Joined(
                "OR",
                (
                    Compared("=", Name("a"), Given(1.0)),
                    Joined(
                        "AND",
                        (Compared("=", Name("b"), Given(2.0)), Not(Compared("=", Name("c"), Given(3.0)))),
                    ),
                ),
            ),
        ),
    ],
)
def test_what_is_read(text: str, tree: cql2.Tree) -> None:
    assert parse(text) == tree


def test_the_names_of_a_tree() -> None:
    said = "(a=1 AND NOT (b LIKE 'x' OR c IN (1,d))) OR e BETWEEN f AND 2 OR g IS NULL OR S_INTERSECTS(h, POINT(0 0))"
    assert set(cql2.names(parse(said))) == set("abcdefgh")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("", "end"),
        ("a =", "end"),
        ("a = 1 b", "unexpected"),
        ("(a = 1", "end"),
        ("a LIKE 3", "pattern"),
        ("upper(a) = 'X'", "function"),
        ("a = DATE('yesterday')", "moment"),
        ("a = TIMESTAMP('2026-11-23T08:00:00')", "moment"),
        ("S_INTERSECTS(g, POLYGON((0 0,1 0,1 1,0 0)))", "geometry"),
        ("S_INTERSECTS(g, h)", "spatial"),
        ("S_INTERSECTS(g, BBOX(1,2,3))", "count"),
        ("S_INTERSECTS(g, POINT(1))", "count"),
        ("a = ;", "token"),
        ("a", "end"),
        ("a = 1e999", "number"),
        ("(" * 70 + "a=1" + ")" * 70, "deep"),
        ("NOT " * 70 + "a=1", "deep"),
        ("a = 1 AND " * 500 + "a=1", "long"),
    ],
)
def test_what_is_not_read_says_why(text: str, reason: str) -> None:
    with pytest.raises(cql2.NotCql2) as trouble:
        parse(text)
    assert trouble.value.reason == reason


@given(st.text(max_size=60))
def test_any_text_is_a_tree_or_a_reason(text: str) -> None:
    with suppress(cql2.NotCql2):
        parse(text)


def _shape(dice: random.Random) -> dict[str, Any]:
    def point() -> list[float]:
        return [dice.randint(0, 12) / 1.0, dice.randint(0, 12) / 1.0]

    kind = dice.choice(("Point", "MultiPoint", "LineString", "Polygon", "MultiPolygon"))
    if kind == "Point":
        return {"type": kind, "coordinates": point()}
    if kind in {"MultiPoint", "LineString"}:
        return {"type": kind, "coordinates": [point() for _ in range(4)]}
    x, y = dice.uniform(0, 6), dice.uniform(0, 6)
    outer = [[x, y], [x + 6, y], [x + 6, y + 6], [x, y + 6], [x, y]]
    hole = [[x + 1, y + 1], [x + 1, y + 5], [x + 5, y + 5], [x + 5, y + 1], [x + 1, y + 1]]
    return {
        "type": kind,
        "coordinates": [outer, hole] if kind == "Polygon" else [[outer], [[[20, 20], [21, 20], [20, 21], [20, 20]]]],
    }


def test_rectangles_meet_shapes_as_shapely_says() -> None:
    from shapely.geometry import Point, box, shape

    dice = random.Random(7)
    met = 0
    for _ in range(3000):
        thing = _shape(dice)
        w, s = dice.randint(0, 11), dice.randint(0, 11)
        e, n = w + dice.choice((0, 1, 3)), s + dice.choice((0, 1, 3))
        if (w == e) != (s == n):
            continue
        other = Point(w, s) if w == e else box(w, s, e, n)
        expected = shape(thing).intersects(other)
        assert shapes.meets(thing, (w, s, e, n)) == expected, (thing, (w, s, e, n))
        assert shapes.overlap(shapes.envelope(thing), (w, s, e, n)) or not expected
        met += expected
    assert 300 < met < 2700
