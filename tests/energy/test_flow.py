"""The flow picture: nothing overlaps and nothing leaves the frame, whatever flows."""

import datetime as dt
import itertools
import math

import pytest

from energy import flow
from energy.queries.day import Step

START = dt.datetime(2026, 6, 21, 10, tzinfo=dt.UTC)
FULL = {
    "solar": 313.0, "use": 131.0, "sun_used": 92.0, "grid": 26.0, "export": 204.0, "charge": 17.0, "discharge": 13.0,
    "homes": 96.0, "labs": 5.0, "others": 29.0, "vehicles": 1.0,
}  # fmt: skip
NIGHT = dict.fromkeys(FULL, 0.0) | {"use": 229.0, "grid": 229.0, "homes": 189.0, "labs": 7.5, "others": 32.5}


@pytest.mark.parametrize("powers", [FULL, NIGHT, dict.fromkeys(FULL, 0.0)])
def test_circles_and_their_words_keep_apart_and_inside(powers: dict[str, float]) -> None:
    drawn = flow.draw(Step(start=START, **powers))
    for node in drawn.nodes:
        assert node.y - drawn.radius >= 0
        assert node.label_y < drawn.height
        assert drawn.radius < node.x < drawn.width - drawn.radius
    for one, other in itertools.combinations(drawn.nodes, 2):
        apart = math.hypot(one.x - other.x, one.y - other.y)
        assert apart > 2 * drawn.radius
        if one.x == other.x:
            assert max(one.y, other.y) - drawn.radius > min(one.label_y, other.label_y)


def test_a_full_day_has_every_node() -> None:
    drawn = flow.draw(Step(start=START, **FULL))
    assert {node.slug for node in drawn.nodes} == {
        "solar", "battery", "grid", "homes", "labs", "others", "vehicles", "stored", "sent",
    }  # fmt: skip
