"""What OpenStreetMap tags mean: units, implied values and what is marked as assumed."""

import pytest

from twin.engine import tags


@pytest.mark.parametrize(
    ("text", "metres"),
    [
        ("18", 18.0),
        ("18.5 m", 18.5),
        ("12,5", 12.5),
        ("60'", 18.288),
        ("60 ft", 18.288),
        ("6'2\"", 1.8796),
        ("tall", None),
        ("0", None),
        ("", None),
    ],
)
def test_lengths_with_their_units(text: str, metres: float | None) -> None:
    assert tags.length_m(text) == (None if metres is None else pytest.approx(metres))


def test_height_prefers_what_is_written_then_storeys_then_nothing() -> None:
    assert tags.height({"height": "21.34", "building:levels": "3"}) == (21.3, "tag")
    assert tags.height({"building:levels": "5"}) == (18.0, "levels")
    assert tags.height({"building:levels": "5;6"}) == (round(6 * 3.3 + 1.5, 1), "levels")
    assert tags.height({"height": "very", "building:levels": "?"}) == (None, "default")


@pytest.mark.parametrize(
    ("given", "kmh", "known"),
    [
        ({"maxspeed": "30"}, 30.0, "tag"),
        ({"maxspeed": "30 mph"}, 48.3, "tag"),
        ({"maxspeed": "FI:rural"}, 80.0, "country"),
        ({"maxspeed": "GB:nsl_single"}, 96.6, "country"),
        ({"maxspeed": "XX:urban"}, 50.0, "country"),
        ({"maxspeed": "signals"}, 50.0, "default"),
        ({}, 50.0, "default"),
    ],
)
def test_speed_in_the_units_of_the_country(given: dict[str, str], kmh: float, known: str) -> None:
    assert tags.speed_kmh({"highway": "secondary", **given}) == (kmh, known)


def test_capacity_counts_the_lanes_of_one_direction() -> None:
    both = {"highway": "secondary", "lanes": "4"}
    assert tags.capacity_veh_h(both) == 1800
    assert tags.capacity_veh_h({**both, "oneway": "yes"}) == 3600
    assert tags.capacity_veh_h({"highway": "residential"}) == 500
    assert tags.capacity_veh_h({"highway": "footway"}) == 0


def test_one_way_streets() -> None:
    assert tags.oneway({"highway": "primary", "oneway": "-1"}) == -1
    assert tags.oneway({"highway": "primary", "junction": "roundabout"}) == 1
    assert tags.oneway({"highway": "motorway", "oneway": "no"}) == 0
    assert tags.oneway({"highway": "residential"}) == 0


@pytest.mark.parametrize(
    ("given", "foot", "car"),
    [
        ({"highway": "residential"}, True, True),
        ({"highway": "motorway_link"}, False, True),
        ({"highway": "steps"}, True, False),
        ({"highway": "residential", "access": "private"}, False, False),
        ({"highway": "residential", "motor_vehicle": "no"}, True, False),
        ({"highway": "secondary", "foot": "no"}, False, True),
    ],
)
def test_who_may_use_a_street(given: dict[str, str], foot: bool, car: bool) -> None:
    assert (tags.on_foot(given), tags.by_car(given)) == (foot, car)


def test_what_is_not_a_street() -> None:
    assert tags.road_class({"highway": "platform"}) is None
    assert tags.road_class({"highway": "primary_link"}) == "primary"


def test_every_service_kind_is_one_we_have_words_for() -> None:
    from twin.words import KINDS

    assert tags.service({"amenity": "dentist"}) == ("health", "dentist")
    assert tags.service({"shop": "jewelry"}) is None
    assert set(tags.KINDS) == set(KINDS)
    assert {kind for _key, kinds in tags._SERVICES for kind in kinds.values()} == set(tags.KINDS)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"highway": "residential"}, (True, "default")),
        ({"highway": "footway"}, (False, "default")),
        ({"highway": "footway", "bicycle": "designated"}, (True, "tag")),
        ({"highway": "primary", "bicycle": "use_sidepath"}, (False, "tag")),
        ({"highway": "service", "access": "private"}, (False, "tag")),
        ({"highway": "service", "access": "private", "bicycle": "yes"}, (True, "tag")),
        ({"highway": "motorway_link"}, (False, "default")),
    ],
)
def test_who_may_cycle(more: dict[str, str], expected: tuple[bool, str]) -> None:
    assert tags.by_bicycle(more) == expected


def test_bicycles_may_ride_against_some_one_way_streets() -> None:
    street = {"highway": "residential", "oneway": "yes"}
    assert tags.bicycle_oneway(street) == 1
    assert tags.bicycle_oneway({**street, "oneway:bicycle": "no"}) == 0
    assert tags.bicycle_oneway({**street, "cycleway": "opposite_lane"}) == 0


def test_a_country_s_usual_speed_counts_where_none_is_written() -> None:
    street = {"highway": "residential"}
    assert tags.speed_kmh(street) == (30.0, "default")
    assert tags.speed_kmh(street, "GB") == (48.3, "default")
    assert tags.speed_kmh({**street, "maxspeed": "20 mph"}, "GB") == (32.2, "tag")
    assert tags.speed_kmh({**street, "maxspeed": "GB:nsl_single"}) == (96.6, "country")
