"""Corrections over an import: what holds in silence, what settles, what is contested."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from twin.engine.corrections import (
    CITIZEN,
    GONE,
    Clash,
    Corrected,
    Correction,
    as_stored,
    corrected,
    print_of,
    revised,
)
from twin.engine.model import CityModel, Layer, Thing

OUTLINE = {"type": "MultiPolygon", "coordinates": [[[[24.94, 60.17], [24.95, 60.17], [24.95, 60.18], [24.94, 60.17]]]]}


def house(**about: Any) -> Thing:
    return Thing("home", OUTLINE, {"height_m": 12.0, "height_source": "tag", "use": "yes", **about})


def shop(key: str, lon: float, kind: str = "grocery") -> Thing:
    return Thing(key, {"type": "Point", "coordinates": [lon, 60.17]}, {"kind": kind, "name": key})


def street(key: str, *points: tuple[float, float], **about: Any) -> Thing:
    geometry = {"type": "LineString", "coordinates": [list(p) for p in points]}
    shared = {"way": "w1", "class": "residential", "car": True, "oneway": 0, "lanes": 2.0, "speed_kmh": 30.0}
    known = {"capacity_veh_h": 500.0, "capacity_source": "assumption", "speed_source": "default"}
    return Thing(key, geometry, shared | known | about)


def taller(value: float = 15.0, was: Any = 12.0) -> Correction:
    return Correction(7, "buildings", "home", "change", "height_m", value, was)


def laid(model: CityModel, *corrections: Correction, before: Thing | None = None) -> Corrected:
    def standing(_layer: Layer, key: str) -> Thing | None:
        return before if before and before.key == key else None

    return corrected(model, corrections, standing)


def test_a_source_that_has_not_moved_is_corrected_in_silence() -> None:
    model = CityModel(buildings=[house()])
    found = laid(model, taller())
    about = found.model.buildings[0].properties
    assert (about["height_m"], about["height_source"], about["corrected"]) == (15.0, CITIZEN, ["height_m"])
    assert (found.clashes, found.settled) == ([], [])
    assert model.buildings[0].properties["height_m"] == 12.0, "the import itself stays as it was"


def test_a_source_that_says_the_same_settles_it() -> None:
    found = laid(CityModel(buildings=[house(height_m=15.0)]), taller())
    assert found.settled == [7]
    assert found.model.buildings[0].properties["height_source"] == "tag"


def test_a_source_that_says_something_else_contests_it_and_the_correction_holds() -> None:
    theirs = house(height_m=13.0)
    found = laid(CityModel(buildings=[theirs]), taller())
    assert found.model.buildings[0].properties["height_m"] == 15.0
    assert found.clashes == [Clash(7, "other", 13.0, as_stored(theirs))]


def test_an_assumption_contests_nothing() -> None:
    found = laid(CityModel(buildings=[house(height_m=18.0, height_source="default")]), taller())
    assert (found.model.buildings[0].properties["height_m"], found.clashes) == (15.0, [])
    same = laid(CityModel(buildings=[house(height_m=15.0, height_source="default")]), taller())
    assert same.settled == [], "to assume the same is not to know it"


def test_a_building_that_is_gone_stays_until_it_is_decided() -> None:
    before = revised(house(), "buildings", {"height_m": 15.0})
    found = laid(CityModel(), taller(), before=before)
    assert found.model.buildings == [before]
    assert [clash.why for clash in found.clashes] == ["gone"]
    assert laid(CityModel(), taller(was=GONE), before=before).clashes == [], "upheld once, it is not asked again"


def test_what_was_taken_away_stays_away_unless_the_source_changes_it() -> None:
    gone = Correction(3, "buildings", "home", "remove", was=print_of(house()))
    assert laid(CityModel(buildings=[house(date="2026-01-01")]), gone).model.buildings == []
    assert laid(CityModel(buildings=[house()]), gone).clashes == []
    contested = laid(CityModel(buildings=[house(height_m=40.0)]), gone)
    assert (contested.model.buildings, contested.clashes[0].why) == ([], "changed")
    assert laid(CityModel(), gone).settled == [3]


def test_an_added_service_stays_and_the_same_kind_beside_it_is_asked_about() -> None:
    ours = Correction(4, "services", "e4", "add", value=as_stored(shop("e4", 24.94)), was=["old"])
    near, far, other = shop("new", 24.9405), shop("far", 24.95), shop("school", 24.9401, "school")
    found = laid(CityModel(services=[near, far, other, shop("old", 24.9402)]), ours)
    assert {thing.key for thing in found.model.services} == {"new", "far", "school", "old", "e4"}
    assert [(clash.why, clash.theirs) for clash in found.clashes] == [("near", "new")]


def test_a_street_that_was_cut_anew_keeps_its_correction_on_every_piece() -> None:
    whole = street("w1:1-3", (24.94, 60.17), (24.945, 60.17), (24.95, 60.17), speed_kmh=20.0)
    pieces = [
        street("w1:1-2", (24.94, 60.17), (24.945, 60.17)),
        street("w1:2-3", (24.945, 60.17), (24.95, 60.17)),
        street("w1:3-4", (24.95, 60.17), (24.96, 60.17)),
    ]
    slower = Correction(9, "streets", "w1:1-3", "change", "speed_kmh", 20.0, 30.0)
    found = laid(CityModel(streets=pieces), slower, before=whole)
    assert [thing.properties["speed_kmh"] for thing in found.model.streets] == [20.0, 20.0, 30.0]
    assert (found.moved, found.clashes) == ({9: ["w1:1-2", "w1:2-3"]}, [])


def test_what_follows_from_a_correction_follows() -> None:
    storeys = revised(house(height_source="default"), "buildings", {"levels": 5.0}).properties
    assert (storeys["height_m"], storeys["height_source"], storeys["levels_source"]) == (18.0, "levels", CITIZEN)
    assert revised(house(), "buildings", {"levels": 5.0}).properties["height_m"] == 12.0, "a written height stays"
    one_way = revised(street("s", (0, 0), (1, 1)), "streets", {"oneway": 1, "lanes": 2.0}).properties
    assert (one_way["capacity_veh_h"], one_way["capacity_source"]) == (1000.0, "assumption")
    opened = Thing("p", OUTLINE, {"class": "residential", "car": False})
    assert revised(opened, "streets", {"car": True}).properties["capacity_veh_h"] == 500.0


VALUES = st.one_of(st.none(), st.sampled_from([3.0, 6.0, 9.0]))


@given(said=VALUES, was=VALUES, value=st.sampled_from([3.0, 6.0, 9.0]), known=st.sampled_from(["tag", "default"]))
def test_an_import_never_overwrites_a_correction_in_silence(said: Any, was: Any, value: float, known: str) -> None:
    """Whatever the source says, the value after the import is the corrected one."""
    found = laid(CityModel(buildings=[house(height_m=said, height_source=known)]), taller(value, was))
    assert found.model.buildings[0].properties["height_m"] == value
    contested = said not in (None, value, was) and known == "tag"
    assert bool(found.clashes) == contested


@pytest.mark.parametrize("layer", ["buildings", "services"])
def test_a_layer_that_was_carried_over_is_left_alone(layer: Layer) -> None:
    model = CityModel(buildings=[revised(house(), "buildings", {"height_m": 15.0})], carried=("buildings", "services"))
    found = laid(model, Correction(7, layer, "home", "change", "height_m", 15.0, 12.0))
    assert (found.settled, found.clashes) == ([], [])
