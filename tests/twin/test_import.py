"""Imports: versions carry what did not change, refused files change nothing, the demo comes and goes."""

import json
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext

from commons.errors import CityError
from commons.runs.models import Run
from tests.twin.conftest import Import, small_town, square, the_town
from twin import demo, files, queries, services
from twin.models import Access, Building, District, DistrictVersion, Street

pytestmark = pytest.mark.django_db


def test_an_import_stores_every_layer_with_its_source(town: Import) -> None:
    run = town()
    assert run.status == Run.Status.DONE, run.error
    version = queries.current(the_town())
    assert {k: version.counts[k] for k in ("buildings", "streets", "services", "areas")} == {
        "buildings": 2,
        "streets": 1,
        "services": 3,
        "areas": 2,
    }
    assert version.sources[0]["name"] == "town.geojson"
    assert files.path(version.sources[0]).is_file()
    assert (version.licence, version.epsg, version.number) == ("CC-BY-4.0", 3067, 1)
    home = Building.objects.get(key="home")
    assert (home.height_m, home.height_source, home.name) == (12.0, "tag", "Home")
    assert run.result is not None
    assert run.result["version"] == 1


def test_the_same_data_again_is_a_version_that_writes_no_row(town: Import) -> None:
    town()
    rows = set(Building.objects.values_list("pk", flat=True)) | set(Street.objects.values_list("pk", flat=True))
    town()
    assert queries.current(the_town()).number == 2
    assert rows == set(Building.objects.values_list("pk", flat=True)) | set(Street.objects.values_list("pk", flat=True))
    assert queries.current(the_town()).changes["buildings"] == {
        "added": 0,
        "changed": 0,
        "dropped": 0,
        "same": 2,
    }


def test_a_change_ends_a_row_and_as_of_shows_both(town: Import) -> None:
    town()
    changed = [f for f in small_town() if f["properties"]["id"] != "tower"]
    changed[0]["properties"]["height"] = "15"
    changed.append(square("new", 24.941, 60.1705))
    town(changed)
    district = the_town()
    first, second = queries.version(district, 1), queries.version(district, 2)
    assert {b.key: b.height_m for b in queries.things("buildings", first)} == {"home": 12.0, "tower": 31.2}
    assert {b.key: b.height_m for b in queries.things("buildings", second)} == {"home": 15.0, "new": 15.0}
    assert second.changes["buildings"] == {"added": 1, "changed": 1, "dropped": 1, "same": 0}
    assert Access.objects.get(version=first).keys == ["home", "tower"]
    assert Access.objects.get(version=second).keys == ["home", "new"]


def test_a_stored_version_gives_the_engines_what_the_file_gave(town: Import) -> None:
    from twin.engine import district as engine

    town()
    version = queries.current(the_town())
    kept = Access.objects.get(version=version)
    again = engine.access(queries.as_model(version))
    assert again.keys == kept.keys
    assert {kind: [round(m, 2) for m in found.tolist()] for kind, found in again.minutes.items()} == kept.minutes


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("bad.osm.pbf", b"no map at all" * 99, "bad.osm.pbf is damaged"),
        ("bad.geojson", b"{", "bad.geojson:1 is not valid JSON"),
        ("bad.geojson", b'{"type": "FeatureCollection", "features": []}', "holds no building"),
        ("bad.city.json", b'{"type": "CityJSON", "version": "1.0"}', "CityJSON 1.0"),
    ],
)
def test_a_refused_file_changes_nothing(town: Import, tmp_path: Path, name: str, content: bytes, words: str) -> None:
    town()
    before = (DistrictVersion.objects.count(), Building.objects.count(), the_town().current_id)
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(CommandError, match=words):
        call_command("import_district", str(path), slug="town")
    assert before == (DistrictVersion.objects.count(), Building.objects.count(), the_town().current_id)
    with pytest.raises(CommandError):
        call_command("import_district", str(path), slug="never")
    assert not District.objects.filter(slug="never").exists()


@pytest.mark.parametrize(("name", "content"), [("empty.osm.pbf", b""), ("town.shp", b"123"), ("town.tar", b"123")])
def test_a_file_that_cannot_be_a_city_is_refused_before_any_run(tmp_path: Path, name: str, content: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(CityError, match=name):
        files.keep_path(path)
    assert not Run.objects.exists()


@pytest.mark.parametrize("slug", ["Town", "a b", "new", "", "x" * 61, "ä"])
def test_a_slug_that_is_no_address_is_refused(slug: str) -> None:
    with pytest.raises(CityError, match="cannot be an address"):
        services.check_slug(slug)


def test_several_files_make_one_district_and_repeats_are_counted(tmp_path: Path) -> None:
    for name, features in (
        ("one.geojson", small_town()),
        ("two.geojson", [*small_town()[:1], square("more", 24.943, 60.1702)]),
    ):
        (tmp_path / name).write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    out = StringIO()
    call_command(
        "import_district",
        str(tmp_path / "one.geojson"),
        str(tmp_path / "two.geojson"),
        slug="both",
        json=True,
        stdout=out,
    )
    answer: dict[str, Any] = json.loads(out.getvalue())
    assert (answer["buildings"], answer["services"]) == (3, 3)
    assert answer["skipped"] == [{"what": "building", "why": "the same thing stood in an earlier file", "count": 1}]


def test_the_commands_answer_as_the_contract_says(town: Import) -> None:
    town()
    out = StringIO()
    call_command("access", "town", json=True, stdout=out)
    answer = json.loads(out.getvalue())
    assert set(answer) == {"grocery", "school", "park"}
    assert {"median_min", "max_min", "share_5", "share_10", "share_15"} <= set(answer["school"])
    with pytest.raises(CommandError, match="no district"):
        call_command("access", "nowhere")


def test_the_demo_comes_twice_and_goes_whole() -> None:
    said: list[str] = []
    demo.seed(said.append)
    assert said[0] == "district: 446 buildings, 4777 street pieces, 614 services"
    assert said[1:] == ["traffic of the district reckoned", *(f"scenario: {each[0]}" for each in demo.SCENARIOS)]
    demo.seed(said.append)
    assert DistrictVersion.objects.count() == 1
    kamppi = District.objects.get(slug="kamppi")
    assert (kamppi.demo, kamppi.place and kamppi.place.slug) == (True, "kamppi")
    version = queries.current(kamppi)
    assert (version.licence, version.attribution) == ("ODbL-1.0", "© OpenStreetMap contributors")
    demo.remove(said.append)
    assert not District.objects.exists()
    assert not Building.objects.exists()
    assert not Run.objects.filter(kind="twin.import").exists()


def test_a_large_import_is_written_in_few_queries(town: Import) -> None:
    """COPY: the number of statements does not grow with the town."""
    many = [
        *small_town(),
        *(square(f"b{i}", 24.90 + 0.0005 * (i % 40), 60.16 + 0.0005 * (i // 40)) for i in range(400)),
    ]
    with CaptureQueriesContext(connection) as one:
        town()
    with CaptureQueriesContext(connection) as two:
        town(many)
    assert Building.objects.filter(until=None).count() == 402
    assert len(two) <= len(one) + 8
