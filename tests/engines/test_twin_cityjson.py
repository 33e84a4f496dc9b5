"""CityJSON: a box of known size in several coordinate systems, wrong files, and the public samples."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from pyproj import Geod, Transformer

from twin.engine import reading
from twin.engine.errors import Unreadable
from twin.engine.model import CityModel

FACES = [[0, 3, 2, 1], [4, 5, 6, 7], [0, 1, 5, 4], [1, 2, 6, 5], [2, 3, 7, 6], [3, 0, 4, 7]]


def box(epsg: int, corner: tuple[float, float], size: tuple[float, float, float], **attributes: Any) -> dict[str, Any]:
    """A CityJSON 2.0 file with one LoD 1 box, its floor at 5 units above the datum."""
    x, y = corner
    w, d, h = size
    ground = [(x, y), (x + w, y), (x + w, y + d), (x, y + d)]
    vertices = [[*p, 5.0] for p in ground] + [[*p, 5.0 + h] for p in ground]
    return {
        "type": "CityJSON",
        "version": "2.0",
        "transform": {"scale": [1, 1, 1], "translate": [0, 0, 0]},
        "metadata": {"referenceSystem": f"https://www.opengis.net/def/crs/EPSG/0/{epsg}"},
        "CityObjects": {
            "box": {
                "type": "Building",
                "attributes": attributes,
                "geometry": [{"type": "Solid", "lod": "1", "boundaries": [[[list(face)] for face in FACES]]}],
            }
        },
        "vertices": vertices,
    }


def read(folder: Path, document: dict[str, Any], name: str = "box.city.json") -> CityModel:
    path = folder / name
    path.write_text(json.dumps(document))
    return reading.read([(path, name)])


def area_m2(model: CityModel) -> float:
    """The footprint on the ellipsoid, an oracle that knows no projection."""
    lon, lat = zip(*model.buildings[0].geometry["coordinates"][0][0], strict=True)
    return abs(Geod(ellps="WGS84").polygon_area_perimeter(lon, lat)[0])


def test_a_box_keeps_its_footprint_and_height(tmp_path: Path) -> None:
    model = read(tmp_path, box(3067, (385_500, 6_671_500), (20, 10, 12)))
    about = model.buildings[0].properties
    assert (about["height_m"], about["height_source"], about["lod"]) == (12.0, "geometry", "1")
    assert area_m2(model) == pytest.approx(200, rel=0.002)
    lon, _lat = Transformer.from_crs(3067, 4326, always_xy=True).transform(385_500, 6_671_500)
    assert min(p[0] for p in model.buildings[0].geometry["coordinates"][0][0]) == pytest.approx(lon, abs=1e-5)
    assert model.epsg == 3067


def test_feet_become_metres(tmp_path: Path) -> None:
    """EPSG:2263 is New York in US survey feet: 100 x 50 x 60 feet."""
    model = read(tmp_path, box(2263, (985_000, 200_000), (100, 50, 60)))
    assert area_m2(model) == pytest.approx(100 * 50 * 0.3048**2, rel=0.002)
    assert model.buildings[0].properties["height_m"] == pytest.approx(18.3)
    assert model.epsg == 32618


def test_a_compound_system_is_read_by_its_level_part(tmp_path: Path) -> None:
    document = box(3067, (385_500, 6_671_500), (20, 10, 12))
    system = "http://www.opengis.net/def/crs-compound?1=http://www.opengis.net/def/crs/EPSG/0/3067"
    document["metadata"]["referenceSystem"] = system + "&2=http://www.opengis.net/def/crs/EPSG/0/3900"
    model = read(tmp_path, document)
    assert (model.epsg, model.remarks) == (3067, [])
    assert area_m2(model) == pytest.approx(200, rel=0.002)


def test_degrees_with_metres_of_height(tmp_path: Path) -> None:
    model = read(tmp_path, box(4979, (24.94, 60.17), (0.0004, 0.0002, 12)))
    assert area_m2(model) == pytest.approx(0.0004 * 0.0002 * 55_600 * 111_400, rel=0.01)
    assert model.buildings[0].properties["height_m"] == 12.0


def test_feet_are_said(tmp_path: Path) -> None:
    remarks = read(tmp_path, box(2263, (985_000, 200_000), (100, 50, 60))).remarks
    assert remarks == [("feet", "box.city.json", "US survey foot")]


def test_attributes_win_over_the_shape_and_say_so(tmp_path: Path) -> None:
    model = read(
        tmp_path,
        box(
            3067,
            (385_500, 6_671_500),
            (20, 10, 12),
            measuredHeight=11.5,
            storeysAboveGround=3,
            yearOfConstruction=1931,
            function="museum",
        ),
    )
    about = model.buildings[0].properties
    assert (about["height_m"], about["height_source"], about["levels"], about["year"], about["use"]) == (
        11.5,
        "measured",
        3.0,
        1931,
        "museum",
    )


def test_wrong_indices_and_unknown_systems_are_refused(tmp_path: Path) -> None:
    wrong = box(3067, (385_500, 6_671_500), (20, 10, 12))
    wrong["CityObjects"]["box"]["geometry"][0]["boundaries"][0][0][0][1] = 99
    with pytest.raises(Unreadable) as refusal:
        read(tmp_path, wrong)
    assert (refusal.value.reason, refusal.value.detail) == ("bad-index", "99 / 8")
    assert refusal.value.where == "box.city.json, box"
    with pytest.raises(Unreadable) as refusal:
        read(tmp_path, box(999_999, (0, 0), (1, 1, 1)))
    assert refusal.value.reason == "bad-crs"


def test_what_is_not_modelled_is_counted(tmp_path: Path) -> None:
    document = box(3067, (385_500, 6_671_500), (20, 10, 12))
    document["CityObjects"]["span"] = {"type": "Bridge", "geometry": []}
    document["CityObjects"]["ghost"] = {"type": "Building", "geometry": []}
    assert read(tmp_path, document).skipped == Counter({("Bridge", "not-modelled"): 1, ("building", "no-geometry"): 1})


@pytest.mark.shared
@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("samples/delft_3d.city.json", (160, 129, 28992, {"1"})),
        ("samples/zurich_lod2.city.json", (49, 0, 2056, {"2"})),
        ("samples/3dbag_tile901.city.jsonl", (52, 0, 28992, {"2.2"})),
        ("helsinki-centre/buildings.city.json", (446, 0, 3067, {"1.2"})),
    ],
)
def test_public_samples(shared: Path, name: str, expected: tuple[int, int, int, set[str]]) -> None:
    path = shared / "data" / "twin" / name
    model = reading.read([(path, path.name)])
    lods = {b.properties["lod"] for b in model.buildings}
    assert (len(model.buildings), len(model.areas), model.epsg, lods) == expected
    assert all(0 < b.properties["height_m"] < 150 for b in model.buildings)


@pytest.mark.shared
def test_footprints_of_cityjson_are_those_of_the_geojson(shared: Path) -> None:
    """The same 446 outlines, once as solids in EPSG:3067 and once as polygons in degrees."""
    folder = shared / "data" / "twin" / "helsinki-centre"
    solids = reading.read([(folder / "buildings.city.json", "buildings.city.json")])
    flat = reading.read([(folder / "buildings.geojson", "buildings.geojson")])
    geod = Geod(ellps="WGS84")

    def areas(model: CityModel) -> dict[str, float]:
        return {
            b.key.removeprefix("osm-"): sum(
                (1 if i == 0 else -1) * abs(geod.polygon_area_perimeter(*zip(*ring, strict=True))[0])
                for polygon in b.geometry["coordinates"]
                for i, ring in enumerate(polygon)
            )
            for b in model.buildings
        }

    one, other = areas(solids), areas(flat)
    assert one.keys() == other.keys()
    assert all(one[key] == pytest.approx(other[key], rel=0.02, abs=2.0) for key in one)
    assert Counter(b.properties["height_source"] for b in solids.buildings)["default"] == 292
