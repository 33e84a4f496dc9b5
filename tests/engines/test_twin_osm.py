"""OpenStreetMap files: a town of our own drawn by hand, damaged files, and central Helsinki."""

import json
from collections import Counter
from pathlib import Path

import pytest

from twin.demo import extract
from twin.engine import district, reading
from twin.engine.errors import Unreadable
from twin.engine.model import CityModel

TOWN = """<?xml version="1.0"?><osm version="0.6">
<node id="1" lat="60.1700" lon="24.9400" version="1"/>
<node id="2" lat="60.1700" lon="24.9410" version="1"/>
<node id="3" lat="60.1710" lon="24.9410" version="1"/>
<node id="4" lat="60.1710" lon="24.9400" version="1"/>
<node id="5" lat="60.1702" lon="24.9402" version="1"/>
<node id="6" lat="60.1702" lon="24.9408" version="1"/>
<node id="7" lat="60.1708" lon="24.9408" version="1"/>
<node id="8" lat="60.1708" lon="24.9402" version="1"/>
<node id="20" lat="60.1695" lon="24.9390" version="1"/>
<node id="21" lat="60.1695" lon="24.9405" version="1"/>
<node id="22" lat="60.1695" lon="24.9420" version="1"/>
<node id="23" lat="60.1715" lon="24.9405" version="1"/>
<node id="40" lat="60.1680" lon="24.9390" version="1"/>
<node id="41" lat="60.1680" lon="24.9395" version="1"/>
<node id="42" lat="60.1684" lon="24.9395" version="1"/>
<node id="30" lat="60.1696" lon="24.9391" version="1" timestamp="2024-05-01T00:00:00Z">
<tag k="shop" v="convenience"/>
<tag k="name" v="Corner"/>
</node>
<way id="100" version="1">
<nd ref="1"/>
<nd ref="2"/>
<nd ref="3"/>
<nd ref="4"/>
<nd ref="1"/>
</way>
<way id="101" version="1">
<nd ref="5"/>
<nd ref="6"/>
<nd ref="7"/>
<nd ref="8"/>
<nd ref="5"/>
</way>
<way id="102" version="1">
<nd ref="20"/>
<nd ref="21"/>
<nd ref="22"/>
<tag k="highway" v="residential"/>
<tag k="name" v="Long"/>
</way>
<way id="103" version="1">
<nd ref="21"/>
<nd ref="23"/>
<nd ref="999"/>
<tag k="highway" v="footway"/>
</way>
<way id="104" version="1">
<nd ref="998"/>
<nd ref="2"/>
<nd ref="3"/>
<nd ref="998"/>
<tag k="building" v="yes"/>
</way>
<way id="105" version="1">
<nd ref="20"/>
<nd ref="22"/>
<tag k="highway" v="platform"/>
</way>
<way id="106" version="1">
<nd ref="5"/>
<nd ref="6"/>
<nd ref="7"/>
<nd ref="5"/>
<tag k="building" v="house"/>
<tag k="height" v="30 ft"/>
</way>
<way id="107" version="1" timestamp="2021-02-03T00:00:00Z">
<nd ref="5"/>
<nd ref="6"/>
<nd ref="7"/>
<nd ref="5"/>
<tag k="building:part" v="yes"/>
<tag k="building:levels" v="9"/>
<tag k="building:min_level" v="2"/>
<tag k="roof:shape" v="dome"/>
</way>
<way id="108" version="1">
<nd ref="40"/>
<nd ref="41"/>
<nd ref="42"/>
<nd ref="40"/>
<tag k="building:part" v="yes"/>
<tag k="height" v="4"/>
</way>
<relation id="200" version="1"><member type="way" ref="100" role="outer"/>
<member type="way" ref="101" role="inner"/>
<tag k="type" v="multipolygon"/>
<tag k="building" v="school"/>
<tag k="amenity" v="school"/>
</relation>
</osm>"""


def a_building(ring: str) -> bytes:
    """A GeoJSON file with one building."""
    outline = '{"type": "Polygon", "coordinates": [[' + ring + "]]}"
    return ('{"features": [{"properties": {"building": "yes"}, "geometry": ' + outline + "}]}").encode()


def town(folder: Path, text: str = TOWN, name: str = "town.osm") -> CityModel:
    path = folder / name
    path.write_text(text)
    return reading.read([(path, name)])


def test_a_courtyard_building_keeps_its_hole_and_takes_the_median_height(tmp_path: Path) -> None:
    model = town(tmp_path)
    yard = next(b for b in model.buildings if b.key == "r200")
    assert len(yard.geometry["coordinates"][0]) == 2
    assert yard.properties["use"] == "school"
    assert (yard.properties["height_m"], yard.properties["height_source"]) == (9.1, "default")
    house = next(b for b in model.buildings if b.key == "w106")
    assert (house.properties["height_m"], house.properties["height_source"]) == (9.1, "tag")


def test_a_part_belongs_to_its_building_and_gives_its_height_only_where_none_is_written(tmp_path: Path) -> None:
    house = next(b for b in town(tmp_path).buildings if b.key == "w106")
    (part,) = house.properties["parts"]
    assert {name: part[name] for name in ("height_m", "height_source", "min_height_m", "levels", "roof_shape")} == {
        "height_m": 31.2,
        "height_source": "levels",
        "min_height_m": 6.6,
        "levels": 9.0,
        "roof_shape": "dome",
    }
    assert (house.properties["height_m"], house.properties["height_source"]) == (9.1, "tag")
    bare = town(tmp_path, TOWN.replace('<tag k="height" v="30 ft"/>', ""))
    high = next(b for b in bare.buildings if b.key == "w106")
    assert (high.properties["height_m"], high.properties["height_source"]) == (31.2, "parts")


def test_each_thing_keeps_its_source_licence_and_day(tmp_path: Path) -> None:
    shop = next(s for s in town(tmp_path).services if s.key == "n30").properties
    assert (shop["source"], shop["licence"], shop["date"]) == ("osm", "ODbL-1.0", "2024-05-01")
    street = town(tmp_path).streets[0].properties
    assert (street["source"], "date" in street) == ("osm", False)


def test_streets_are_cut_where_ways_meet_and_where_the_file_ends(tmp_path: Path) -> None:
    model = town(tmp_path)
    assert {(s.key, s.properties["foot"], s.properties["car"]) for s in model.streets} == {
        ("w102:20-21", True, True),
        ("w102:21-22", True, True),
        ("w103:21-23", True, False),
    }
    piece = next(s for s in model.streets if s.key == "w102:20-21")
    assert piece.properties["length_m"] == pytest.approx(83.3, abs=0.3)  # 0.0015 degrees at 60.17 north
    assert (piece.properties["speed_kmh"], piece.properties["speed_source"]) == (30.0, "default")


def test_services_are_nodes_and_areas(tmp_path: Path) -> None:
    model = town(tmp_path)
    assert {(s.key, s.properties["kind"]) for s in model.services} == {("n30", "grocery"), ("r200", "school")}


def test_what_was_left_out_is_counted_with_its_reason(tmp_path: Path) -> None:
    assert town(tmp_path).skipped == Counter(
        {("building", "cut"): 1, ("street", "not-a-street"): 1, ("part", "no-building"): 1}
    )


def test_the_date_is_that_of_the_newest_edit(tmp_path: Path) -> None:
    assert town(tmp_path).date == "2024-05-01T00:00:00+00:00"


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("x.osm.pbf", b"", "empty"),
        ("x.osm.pbf", b"this is no map at all, just words" * 40, "broken"),
        ("x.osm", b'<osm version="0.6"><node', "broken"),
        ("x.osm", b'<osm version="0.6"></osm>', "no-buildings"),
        ("x.shp", b"1234", "unknown-format"),
        ("x.geojson", b"{", "bad-json"),
        ("x.geojson", b'{"type": "Feature"}', "unknown-format"),
        (
            "x.geojson",
            a_building('["a", 1]'),
            "bad-coordinates",
        ),
        (
            "x.geojson",
            a_building("[400, 1], [2, 3], [400, 1]"),
            "bad-coordinates",
        ),
        ("x.geojson", b'{"features": []}', "no-buildings"),
        ("x.city.json", b'{"type": "CityJSON", "version": "1.0"}', "bad-version"),
        (
            "x.city.json",
            b'{"type": "CityJSON", "version": "2.0", "CityObjects": {}, "vertices": []}',
            "no-crs",
        ),
        ("x.city.json", b'{"type": "FeatureCollection"}', "unknown-format"),
    ],
)
def test_what_is_no_city_is_refused_with_its_reason(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(Unreadable) as refusal:
        reading.read([(path, name)])
    assert refusal.value.reason == reason


def test_a_pbf_that_ends_too_early_is_refused(tmp_path: Path) -> None:
    source = extract()
    assert source is not None
    path = tmp_path / "half.osm.pbf"
    path.write_bytes(source.read_bytes()[:300_000])
    with pytest.raises(Unreadable) as refusal:
        reading.read([(path, "half.osm.pbf")])
    assert refusal.value.reason == "broken"


@pytest.fixture(scope="module")
def helsinki() -> CityModel:
    source = extract()
    assert source is not None
    return reading.read([(source, source.name)])


def test_central_helsinki_has_its_buildings_heights_and_services(helsinki: CityModel) -> None:
    assert len(helsinki.buildings) == 446
    assert Counter(b.properties["height_source"] for b in helsinki.buildings) == {
        "tag": 16,
        "levels": 138,
        "parts": 12,
        "default": 280,
    }
    assert sum(len(b.properties.get("parts", ())) for b in helsinki.buildings) == 120
    assert {b.properties["height_m"] for b in helsinki.buildings if b.properties["height_source"] == "default"} == {
        18.0
    }
    assert len(helsinki.services) == 614
    assert len({s.properties["kind"] for s in helsinki.services}) == 20
    assert sum(s.properties["foot"] for s in helsinki.streets) == 4646
    assert (helsinki.epsg, helsinki.licence, helsinki.date[:10]) == (3067, "ODbL-1.0", "2019-04-21")
    assert len({b.key for b in helsinki.buildings}) == 446
    assert len({s.key for s in helsinki.streets}) == len(helsinki.streets)


def test_access_of_our_own_extraction(helsinki: CityModel) -> None:
    """Within 0.01 min of the reference, though the graph is cut from the file anew."""
    from tests.engines.test_twin_access import REFERENCE

    found = district.access(helsinki)
    for kind, (median, _worst, _within) in REFERENCE.items():
        assert found.summary[kind].median_min == pytest.approx(median, abs=0.01)
    assert found.all_within_15 == pytest.approx(0.917, abs=5e-4)


@pytest.mark.shared
def test_our_pieces_of_street_are_those_of_the_reference(helsinki: CityModel, shared: Path) -> None:
    folder = shared / "data" / "twin" / "helsinki-centre"
    roads = json.loads((folder / "roads.geojson").read_bytes())["features"]
    theirs = {(f"w{p['way']}", p["a"], p["b"]): p for p in (r["properties"] for r in roads)}
    ours = {(p["way"], p["a"], p["b"]): p for p in (s.properties for s in helsinki.streets)}
    both = theirs.keys() & ours.keys()
    assert len(both) / len(theirs) > 0.998
    assert max(abs(theirs[k]["len"] - ours[k]["length_m"]) for k in both) <= 0.1
    assert all(theirs[k]["foot"] == ours[k]["foot"] for k in both)
    cars = [k for k in both if ours[k]["car"]]
    assert len(cars) > 1300
    assert all(theirs[k]["cap"] == ours[k]["capacity_veh_h"] for k in cars)


@pytest.mark.shared
def test_people_of_the_grid_are_those_of_its_cells(helsinki: CityModel, shared: Path) -> None:
    """Every person of the file counts once; ages are estimated from classes of ten years, and marked so."""
    grid = shared / "data" / "twin" / "helsinki-centre" / "population_grid.geojson"
    source = extract()
    assert source is not None
    cells = json.loads(grid.read_bytes())["features"]
    inside = {c.key: c for c in reading.read([(source, source.name), (grid, grid.name)]).people}
    assert 15 < len(inside) < len(cells)
    for about in (cell["properties"] for cell in cells):
        if (ours := inside.get(f"p{about['index']}")) is None:
            continue
        assert ours.properties["population"] == about["asukkaita"]
        old = about["ika70_79"] + about["ika_yli80"] + about["ika60_69"] / 2
        assert (ours.properties["over_65"], ours.properties["over_65_source"]) == (old, "estimated")


@pytest.mark.shared
def test_the_reference_layers_are_read_back_as_geojson(shared: Path) -> None:
    folder = shared / "data" / "twin" / "helsinki-centre"
    names = ("buildings.geojson", "roads.geojson", "services.geojson", "green_water.geojson")
    model = reading.read([(folder / name, name) for name in names])
    assert (len(model.buildings), len(model.services), len(model.areas)) == (446, 614, 105)
    assert Counter(b.properties["height_source"] for b in model.buildings) == {
        "tag": 16,
        "levels": 138,
        "default": 292,
    }
    summary = district.access(model).summary
    assert summary["grocery"].median_min == pytest.approx(3.17, rel=0.05)
