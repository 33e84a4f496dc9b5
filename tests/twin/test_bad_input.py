"""What is no city is refused with one sentence that says what, where and what to do; not one row differs after it."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from tests.engines.test_twin_cityjson import box
from tests.twin.conftest import Import, small_town, spot, square, the_town
from twin.coverage.twin_evidence import _inventories
from twin.demo import extract
from twin.models import LAYER_MODELS, Access, Conflict, Correction, District, DistrictVersion, People

pytestmark = pytest.mark.django_db

TOWN = (385_500.0, 6_671_500.0)
SIZE = (20.0, 10.0, 12.0)


def wrong_index() -> bytes:
    document = box(3067, TOWN, SIZE)
    document["CityObjects"]["box"]["geometry"][0]["boundaries"][0][0][0][1] = 99
    return json.dumps(document).encode()


def changed(**metadata: Any) -> bytes:
    document = box(3067, TOWN, SIZE)
    document["metadata"] = metadata
    return json.dumps(document).encode()


def elsewhere() -> bytes:
    return json.dumps(box(3067, (1e9, 6_671_500.0), SIZE)).encode()


def sequence() -> bytes:
    head = box(3067, TOWN, SIZE) | {"CityObjects": {}, "vertices": []}
    return json.dumps(head).encode() + b'\n{"type": "CityJSONFeature", "CityObjects"'


def cut_off() -> bytes:
    source = extract()
    assert source is not None
    return source.read_bytes()[:400_000]


def geojson(*features: Any, **more: Any) -> bytes:
    return json.dumps({"type": "FeatureCollection", "features": list(features), **more}).encode()


def in_metres() -> bytes:
    return geojson(square("home", 385_500.0, 6_671_500.0))


def short_ring() -> bytes:
    outline = {"type": "Polygon", "coordinates": [[[1, 2], [1, 3]]]}
    return geojson({"properties": {"building": "yes"}, "geometry": outline})


BROKEN: list[tuple[str, Callable[[], bytes], str]] = [
    ("cut.osm.pbf", cut_off, "cut.osm.pbf is damaged .*download it again"),
    ("words.osm.pbf", lambda: b"no map at all" * 99, "words.osm.pbf is damaged"),
    ("cut.osm", lambda: b'<osm version="0.6"><node id="1" lat', "cut.osm is damaged"),
    ("none.osm", lambda: b'<osm version="0.6"></osm>', "none.osm holds no building"),
    ("index.city.json", wrong_index, r"index.city.json, box uses a point .*does not hold \(99 / 8 points\)"),
    ("nowhere.city.json", changed, "does not say which coordinate system"),
    ("odd.city.json", lambda: changed(referenceSystem="EPSG:4978"), "coordinate system we do not know"),
    ("list.city.json", lambda: b'{"type": "CityJSON", "version": "2.0", "metadata": [1]}', "list.city.json is damaged"),
    ("far.city.json", elsewhere, "far.city.json.* has coordinates that are not on Earth"),
    ("bytes.city.json", lambda: b'{"type": "CityJSON\xff"}', "bytes.city.json is damaged"),
    ("cut.city.jsonl", sequence, "cut.city.jsonl:2 is not valid JSON"),
    ("deep.geojson", lambda: b"[" * 200_000, "deep.geojson is damaged"),
    ("metres.geojson", in_metres, r"metres.geojson, feature 0 is not in degrees .*EPSG:4326"),
    ("crs.geojson", lambda: geojson(crs={"properties": {"name": "urn:ogc:def:crs:EPSG::3067"}}), "is not in degrees"),
    ("nan.geojson", lambda: geojson(square("home", float("nan"), 60.0)), "not on Earth or not numbers"),
    ("flat.geojson", lambda: geojson({"geometry": {"type": "Polygon", "coordinates": [1, 2]}}), "feature 0 has coord"),
    ("words.geojson", lambda: geojson("home"), "words.geojson, feature 0 has coordinates"),
    ("ring.geojson", short_ring, "holds no building"),
    ("people.csv", lambda: b"lon,lat,count\n24.9,60.1,5\n", "people.csv has nothing that is called .population"),
    ("people.csv", lambda: b"lon,lat,population\n24.94,60.17,5\n24.94,60.17,-3\n", "people.csv:3 has a number"),
    ("people.csv", lambda: b"x,y,population\n385500,6671500,5\n", "people.csv:2 is not in degrees"),
    ("people.csv", lambda: b"lon,lat,population\nhere,there,5\n", "people.csv:2 has coordinates"),
]  # fmt: skip


def whole() -> dict[str, Any]:
    """How many rows each table has, and what stands."""
    tables = (*LAYER_MODELS.values(), DistrictVersion, District, Access, Correction, Conflict)
    return {table.__name__: table._default_manager.count() for table in tables} | {"current": the_town().current_id}


@pytest.mark.parametrize(
    ("name", "made", "words"), BROKEN, ids=[f"{name} {n}" for n, (name, _m, _w) in enumerate(BROKEN)]
)
def test_broken_files_leave_every_row_as_it_was(
    town: Import, tmp_path: Path, name: str, made: Callable[[], bytes], words: str
) -> None:
    town()
    before = whole()
    path = tmp_path / name
    path.write_bytes(made())
    with pytest.raises(CommandError, match=words) as refusal:
        call_command("import_district", str(path), slug="town")
    assert "Nothing was changed" in str(refusal.value)
    assert whole() == before


def test_feet_are_turned_into_metres_and_it_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "york.city.json"
    path.write_text(json.dumps(box(2263, (985_000, 200_000), (100, 50, 60))))
    call_command("import_district", str(path), slug="york")
    assert "york.city.json: its coordinates are in feet; they were turned into metres." in capsys.readouterr().out
    assert DistrictVersion.objects.get().remarks[0]["detail"] == "US survey foot"


def test_a_grid_comes_alone_and_the_rest_stays(town: Import, tmp_path: Path) -> None:
    town()
    path = tmp_path / "grid.csv"
    path.write_text("id;x;y;asukkaita;over_65\n1;24.941;60.1702;120;20\n2;24.943;60.1703;80;\n3;25.9;60.9;7;1\n")
    with pytest.raises(CommandError, match=r"has nothing that is called .wrong"):
        call_command("import_district", str(path), slug="town", names=["population=wrong"], keep=True)
    with pytest.raises(CommandError, match="is not a name of ours"):
        call_command("import_district", str(path), slug="town", names=["population"], keep=True)
    call_command("import_district", str(path), slug="town", names=["population=asukkaita"], keep=True)
    version = the_town().current
    assert version is not None
    assert (version.counts["people"], version.counts["buildings"], version.changes["buildings"]["same"]) == (2, 2, 2)
    assert (version.licence, [file["name"] for file in version.sources]) == ("CC-BY-4.0", ["town.geojson", "grid.csv"])
    assert list(People.objects.order_by("key").values_list("population", "over_65")) == [(120.0, 20.0), (80.0, None)]
    assert {"what": "people", "why": "beyond", "count": 1} in version.skipped
    assert [piece.count for piece in _inventories(the_town(), version) if piece.system == "population"] == [2]
    assert Access.objects.get(version=version).keys == ["home", "tower"]


def test_names_of_others_are_understood(tmp_path: Path) -> None:
    features = small_town()
    features[0]["properties"] = {"id": "way/7", "korkeus": 21, "tyyppi": "house"}
    features.append(spot("x", 24.94, 60.17, note="nothing we model"))
    (tmp_path / "town.geojson").write_bytes(geojson(*features))
    call_command(
        "import_district", str(tmp_path / "town.geojson"), slug="town", names=["height_m=korkeus", "use=tyyppi"]
    )
    home = LAYER_MODELS["buildings"]._default_manager.get(key="way_7")
    assert (home.properties["height_m"], home.kind) == (21.0, "house")
