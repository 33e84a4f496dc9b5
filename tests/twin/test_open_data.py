"""What is given away as whole files, its catalogue, and that it is written without holding it."""

import io
import json
import tracemalloc
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError
from django.test import Client

from commons import sockets
from commons.opendata import catalogue, tasks, writing
from commons.people.services import create_organisation, create_user
from commons.runs.models import Run
from commons.runs.work import do
from commons.sockets import DataForm, PublicData
from designs.models import Design
from designs.services import create_design
from labs.models import Lab, Machine
from tests.twin.conftest import Import, small_town, square

DCAT = "http://www.w3.org/ns/dcat#"
DCT = "http://purl.org/dc/terms/"


def hollow(key: str) -> dict[str, Any]:
    """A house with a yard, and begun above the ground."""
    made = square(key, 24.942, 60.171, height="10", min_height="3")
    ring = [
        [24.94205, 60.17105],
        [24.94205, 60.17115],
        [24.94215, 60.17115],
        [24.94215, 60.17105],
        [24.94205, 60.17105],
    ]
    made["geometry"]["coordinates"].append(ring)
    return made


@pytest.fixture
def folder(town: Import, tmp_path: Path) -> Path:
    """The town's data."""
    town([*small_town(), hollow("yard")])
    call_command("open_data", str(tmp_path / "all"), "--district", "town", as_json=True, stdout=io.StringIO())
    return tmp_path / "all"


def test_each_layer_in_each_form_with_licence_and_attribution(folder: Path) -> None:
    import pyarrow.parquet as pq
    from shapely import wkb, wkt
    from shapely.geometry import shape

    own = folder / "town-buildings"
    assert "CC-BY-4.0" in (own / "LICENCE.txt").read_text() and "The town" in (own / "ATTRIBUTION.txt").read_text()
    features = json.loads((own / "town-buildings.geojson").read_bytes())
    assert (features["licence"], features["attribution"]) == ("CC-BY-4.0", "The town")
    by_key = {f["id"]: f for f in features["features"]}
    assert list(by_key) == ["home", "tower", "yard"]
    head, *lines = (own / "town-buildings.csv").read_text(encoding="utf-8").splitlines()
    assert head.startswith("id,name,source,licence,valid_from,use,height_m,") and head.endswith(",lon,lat,wkt")
    table = pq.read_table(own / "town-buildings.parquet")
    meta = table.schema.metadata
    assert json.loads(meta[b"geo"])["primary_column"] == "geometry" and meta[b"licence"] == b"CC-BY-4.0"
    for row, line in zip(table.to_pylist(), lines, strict=True):
        feature = by_key[row["id"]]
        assert line.startswith(f"{row['id']},")
        assert row["height_m"] == feature["properties"]["height_m"]
        assert wkb.loads(row["geometry"]).equals(shape(feature["geometry"]))
        assert wkt.loads(line.split('"')[-2]).equals(shape(feature["geometry"]))
    assert json.loads((folder / "town-services" / "town-services.geojson").read_bytes())["features"]
    assert not (folder / "town-people").exists()


def test_buildings_as_cityjson_are_closed_blocks_of_the_right_size(folder: Path, shared: Path) -> None:
    from shapely.geometry import shape
    from shapely.ops import transform

    from twin.engine import cityjson, crs
    from twin.engine.model import CityModel

    path = folder / "town-buildings" / "town-buildings.city.json"
    document = json.loads(path.read_bytes())
    assert (document["type"], document["version"]) == ("CityJSON", "2.0")
    corners = document["vertices"]
    scale, move = document["transform"]["scale"], document["transform"]["translate"]
    real = [[c * s + t for c, s, t in zip(corner, scale, move, strict=True)] for corner in corners]
    features = json.loads((folder / "town-buildings" / "town-buildings.geojson").read_bytes())["features"]
    way = crs.to_metres(3067)
    for feature in features:
        thing = document["CityObjects"][feature["id"]]
        assert thing["attributes"]["licence"] == "CC-BY-4.0" and thing["attributes"]["attribution"]
        geometry = thing["geometry"][0]
        shells = geometry["boundaries"] if geometry["type"] == "MultiSolid" else [geometry["boundaries"]]
        edges: dict[tuple[int, int], int] = {}
        volume = 0.0
        for shell in (s for solid in shells for s in solid):
            for surface in shell:
                for ring in surface:
                    for a, b in zip(ring, [*ring[1:], ring[0]], strict=True):
                        edges[a, b] = edges.get((a, b), 0) + 1
                    first = real[ring[0]]
                    for b, c in pairwise(ring[1:]):
                        volume += _sixth(first, real[b], real[c])
        assert all(n == 1 and edges.get((b, a)) == 1 for (a, b), n in edges.items())  # closed, all faces outwards
        area = transform(way, shape(feature["geometry"])).area
        about = feature["properties"]
        height = about["height_m"] - about.get("min_height_m", 0)
        assert volume == pytest.approx(area * height, rel=1e-3)
    read: CityModel = cityjson.read(path)
    assert {thing.key for thing in read.buildings} >= {"home", "tower"}
    assert next(t for t in read.buildings if t.key == "home").properties["height_m"] == pytest.approx(12, abs=0.01)


def _sixth(a: list[float], b: list[float], c: list[float]) -> float:
    cross = [b[1] * c[2] - b[2] * c[1], b[2] * c[0] - b[0] * c[2], b[0] * c[1] - b[1] * c[0]]
    return sum(x * y for x, y in zip(a, cross, strict=True)) / 6


def test_the_catalogue_is_the_same_in_both_forms_and_says_what_dcat_ap_wants(folder: Path) -> None:
    import rdflib
    from rdflib.compare import isomorphic

    turtle, linked = rdflib.Graph(), rdflib.Graph()
    turtle.parse(folder / "catalog.ttl", format="turtle")
    linked.parse(folder / "catalog.jsonld", format="json-ld")
    assert isomorphic(turtle, linked) and len(turtle) > 50
    dcat, dct = rdflib.Namespace(DCAT), rdflib.Namespace(DCT)
    must = {
        dcat.Catalog: (dct.title, dct.description, dct.publisher, dcat.dataset),
        dcat.Dataset: (dct.title, dct.description, dcat.distribution, dcat.theme, dct.publisher, dct.identifier),
        dcat.Distribution: (dcat.accessURL, dct.license, dct.rights, dct["format"], dcat.byteSize),
        dcat.DataService: (dct.title, dcat.endpointURL, dcat.servesDataset, dct.conformsTo),
    }
    for kind, wanted in must.items():
        found = list(turtle.subjects(rdflib.RDF.type, kind))
        assert found, kind
        for one in found:
            for name in wanted:
                assert turtle.value(one, name) is not None or (one, name, None) in turtle, (one, name)
    for file in turtle.subjects(rdflib.RDF.type, dcat.Distribution):
        address = str(turtle.value(file, dcat.downloadURL))
        path = folder / address.split("/data/files/")[1]
        assert path.stat().st_size == int(str(turtle.value(file, dcat.byteSize)))
    assert len(list(turtle.subjects(rdflib.RDF.type, dcat.Dataset))) == 4


def test_words_of_strangers_do_not_break_the_catalogue() -> None:
    import datetime as dt

    import rdflib

    made = catalogue.Catalogue("https://x.example", "https://x.example/f", "T", "P", dt.datetime.now(dt.UTC))
    nasty = 'a "quote" \\ and\nline <tag> \x07 💚'
    forms = [DataForm("csv", "text/csv", "CSV", lambda out: None)]
    file = catalogue.Written("a b/ä<>.csv", "text/csv", "CSV", 1, "00")
    made.add(PublicData("ä <x>", nasty, nasty, "LicenseRef-own words", nasty, forms, keywords=(nasty,)), [file])
    graph = rdflib.Graph().parse(data=catalogue.turtle(made.statements), format="turtle")
    titles = {str(t) for t in graph.objects(None, rdflib.URIRef(f"{DCT}title"))}
    assert nasty in titles


def test_a_folder_that_is_not_empty_and_a_district_that_is_not_there(folder: Path, tmp_path: Path) -> None:
    for arguments in ((str(folder),), (str(tmp_path / "new"), "--district", "atlantis")):
        with pytest.raises(CommandError):
            call_command("open_data", *arguments)
    assert not (tmp_path / "new").exists()
    assert not [p for p in tmp_path.iterdir() if p.name.startswith(".")]


def test_the_weekly_files_and_their_page(town: Import, client: Client, settings: Any, tmp_path: Path) -> None:
    settings.DATA_DIR = tmp_path
    assert b"Not written yet" in client.get("/data/").content
    assert client.get("/data/catalog.ttl").status_code == client.get("/data/files/index.json").status_code == 404
    town()
    anna = create_user(username="anna")
    for name, visibility in (("Open lamp", "public"), ("Hidden lamp", "private")):
        create_design(owner=anna.handle, by=anna, name=name, licence="CC-BY-4.0", visibility=visibility)
    assert Design.objects.count() == 2
    guild = create_organisation(handle="guild", name="Guild", kind="lab", founder=anna)
    lab = Lab.objects.create(organisation=guild, slug="guild", name="Guild")
    Machine.objects.create(lab=lab, slug="mill", name="=Mill()", cls="cnc-mill", process="milling")
    assert tasks.weekly() and not tasks.weekly()
    do(Run.objects.get(kind=tasks.KIND).pk)
    assert not tasks.weekly()  # a week has not passed, and the same things are there
    page = client.get("/data/").content.decode()
    assert "/data/files/town-buildings/town-buildings.city.json" in page and "/sensorthings/v1.1/" in page
    index = writing.current()
    assert index is not None
    for data in index["datasets"]:
        for file in data["files"]:
            answer = client.get(f"/data/files/{file['path']}")
            body = b"".join(answer.streaming_content)  # type: ignore[attr-defined]
            assert (len(body), answer["Content-Type"].split(";")[0]) == (file["bytes"], file["media_type"])
            assert b"Hidden lamp" not in body
    assert b"Open lamp" in (writing.home() / "current" / "designs" / "designs.csv").read_bytes()
    assert b"'=Mill()" in (writing.home() / "current" / "labs" / "labs.csv").read_bytes()  # no formula to a spreadsheet
    assert client.get("/data/catalog", headers={"accept": "text/turtle"})["Content-Type"].startswith("text/turtle")
    assert client.get("/data/catalog.jsonld")["Content-Type"] == "application/ld+json"
    for path in ("../../secret", "index.json", "nothing/nothing.csv", "town-buildings"):
        assert client.get(f"/data/files/{path}").status_code == 404
    before = writing.home() / "current" / "designs"
    old = before.resolve()
    writing.renew()
    assert before.is_dir() and not old.exists()


def test_the_demo_is_in_the_files_when_it_is_whole_and_out_when_it_is_gone(db: None) -> None:
    """Files written while the demo grew would be half empty for a week."""
    parts = list(sockets.demo_parts)
    first, last = parts[0], parts[-1]
    said: list[str] = []
    first.seed(said.append)
    last.remove(said.append)
    assert not said and not Run.objects.filter(kind=tasks.KIND).exists()
    last.seed(said.append)
    first.remove(said.append)
    assert said == ["the files of open data are written anew"] * 2
    assert Run.objects.filter(kind=tasks.KIND).count() == 2


def test_a_large_layer_is_not_held_in_memory(town: Import) -> None:
    from twin import open_data
    from twin.models import Service

    town()
    one = Service.objects.filter(key="shop").get()
    many = 8_000
    Service.objects.bulk_create(
        (
            Service(
                district=one.district, key=f"s{i}", since=1, fingerprint=b"x", kind="grocery", name="x" * 100,
                geometry=one.geometry, properties={**one.properties, "address": "y" * 200},
            )
            for i in range(many)
        ),
        batch_size=5000,
    )  # fmt: skip
    data = next(d for d in open_data.datasets() if d.slug == "town-services")
    for form in data.forms:
        if form.suffix == "parquet":
            continue  # it keeps one group of rows, which tracemalloc does not see
        with Path("/dev/null").open("wb") as out:
            tracemalloc.start()
            form.write(out)
            _now, most = tracemalloc.get_traced_memory()
            tracemalloc.stop()
        assert most < 6_000_000, (form.suffix, most)
