"""OGC API Features over a small town, after the abstract tests of its parts 1, 2 and 3 and of CQL2: each class that is
stated is checked here, and no other is stated.
"""

import itertools
import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from django.test import Client
from drf_spectacular import validation

from tests.twin.conftest import Import, small_town, square, the_town
from twin.ogc import collections
from twin.ogc.features import CONFORMS

Get = Callable[..., Any]
CRS84 = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG = "http://www.opengis.net/def/crs/EPSG/0/"
ITEMS = "/ogc/collections/town.buildings/items"


@pytest.fixture
def get(town: Import, client: Client) -> Get:
    """The town, and a stranger who asks for it."""
    town()

    def ask(path: str, status: int = 200, accept: str = "application/json", **query: Any) -> Any:
        path = path if path.startswith("/") else f"/ogc/{path}"
        asked = {name.replace("__", "-"): value for name, value in query.items()}
        response = client.get(path, asked, headers={"accept": accept})
        assert response.status_code == status, (path, query, response.content[:400])
        if status >= 400:
            said = response.json()
            assert response["Content-Type"] == "application/problem+json"
            assert {"type", "title", "status", "code", "detail", "description"} <= said.keys() and said["detail"]
            return said
        response.said = json.loads(response.content) if "json" in response["Content-Type"] else None  # type: ignore[attr-defined]
        return response

    return ask


def ids(response: Any) -> list[str]:
    return [feature["id"] for feature in response.said["features"]]


def rels(document: dict[str, Any]) -> dict[str, str]:
    return {link["rel"]: link["href"] for link in document["links"]}


# --- part 1: core, GeoJSON, HTML, OpenAPI 3.0 -----------------------------------------------------------------------


def test_the_landing_page_leads_to_everything(get: Get, client: Client) -> None:
    said = get("").said
    found = rels(said)
    assert {"self", "alternate", "service-desc", "service-doc", "conformance", "data"} <= found.keys()
    for entry in said["links"]:
        answer = client.get(entry["href"])
        assert answer.status_code == 200, entry
        assert answer["Content-Type"].split(";")[0] == entry["type"].split(";")[0], entry


def test_the_classes_that_are_stated(get: Get) -> None:
    stated = set(get("conformance").said["conformsTo"])
    assert set(CONFORMS) <= stated
    for name in ("features-1/1.0/conf/core", "features-1/1.0/conf/geojson", "features-2/1.0/conf/crs"):
        assert f"http://www.opengis.net/spec/ogcapi-{name}" in stated


def test_the_description_is_openapi_3_0(get: Get, client: Client) -> None:
    response = get("api")
    assert response["Content-Type"] == "application/vnd.oai.openapi+json;version=3.0"
    schema = json.loads((Path(validation.__file__).parent / "openapi_3_0_schema.json").read_bytes())
    jsonschema.Draft4Validator(schema).validate(response.said)
    names = [o["operationId"] for m in response.said["paths"].values() for o in m.values()]
    assert len(names) == len(set(names))
    # whatever it names is there, and each path of ours is named
    text = json.dumps(response.said)
    for ref in {part.split('"')[0] for part in text.split('"$ref": "#/')[1:]}:
        node: Any = response.said
        for step in ref.split("/"):
            node = node[step]
    for path in response.said["paths"]:
        filled = path.format(collectionId="town.buildings", featureId="home", processId="run-scenario", jobId="x")
        assert client.get(f"/ogc{filled}").status_code in {200, 404, 405}, path


def as_described(client: Client, template: str, **filled: str) -> None:
    """The JSON answer is of a type and a form that the service's own description states."""
    api = client.get("/ogc/api").json()
    answer = client.get(f"/ogc{template.format(**filled)}", headers={"accept": "application/json"})
    stated = api["paths"][template]["get"]["responses"]["200"]["content"]
    kind = next(kind for kind in stated if kind.split(";")[0] == answer["Content-Type"].split(";")[0])
    assert answer.status_code == 200 and "html" not in kind
    schema = {**stated[kind]["schema"], "components": api["components"]}
    jsonschema.Draft4Validator(schema).validate(json.loads(answer.content))


def test_answers_are_as_the_description_says(get: Get, client: Client) -> None:
    about = {"collectionId": "town.buildings", "featureId": "home"}
    paths = [path for path in get("api").said["paths"] if path.startswith("/collections")]
    assert len(paths) == 5
    for path in ["/", "/conformance", "/api", *paths]:
        as_described(client, path, **about)


def test_every_layer_is_a_collection(get: Get) -> None:
    said = get("collections").said
    assert rels(said)["self"]
    assert [c["id"] for c in said["collections"]] == [
        f"town.{layer}" for layer in ("buildings", "streets", "services", "areas", "people")
    ]
    for entry in said["collections"]:
        assert get(f"collections/{entry['id']}").said | {"links": entry["links"]} == entry
        west, south, east, north = entry["extent"]["spatial"]["bbox"][0]
        assert west <= east and south <= north and entry["itemType"] == "feature"
        assert entry["license"] == "CC-BY-4.0" and entry["attribution"] == "The town"
        kinds = {link["type"] for link in entry["links"] if link["rel"] == "items"}
        assert kinds == {"application/geo+json", "text/html"}
        assert any(link["rel"] == "license" for link in entry["links"])


@pytest.mark.parametrize("path", ["collections/none", "collections/town.none", "collections/none.buildings/items"])
def test_what_is_not_there_is_404(get: Get, path: str) -> None:
    get(path, 404)
    get("collections/town.buildings/items/none", 404)


def test_items_are_features_with_counts_and_links(get: Get) -> None:
    response = get("collections/town.buildings/items")
    said = response.said
    assert response["Content-Type"] == "application/geo+json"
    assert said["type"] == "FeatureCollection" and said["timeStamp"].endswith("Z")
    assert (said["numberMatched"], said["numberReturned"], ids(response)) == (2, 2, ["home", "tower"])
    assert {"self", "alternate", "collection"} <= rels(said).keys() and "next" not in rels(said)
    for feature in said["features"]:
        one = get(f"collections/town.buildings/items/{feature['id']}").said
        assert {"self", "alternate", "collection"} <= rels(one).keys()
        assert one["geometry"] == feature["geometry"] and one["properties"] == feature["properties"]
    assert get("collections/town.services/items").said["features"][0]["geometry"]["type"] == "Point"


def test_limit_and_next_lead_through_all_of_one_version(get: Get, town: Import) -> None:
    first = get(ITEMS, limit=1)
    assert (ids(first), first.said["numberMatched"]) == (["home"], 2)
    town([*small_town(), square("annexe", 24.941, 60.170)])
    second = get(rels(first.said)["next"].removeprefix("http://testserver"))
    assert (ids(second), second.said["numberMatched"], "next" in rels(second.said)) == (["tower"], 2, False)
    assert get(ITEMS, limit=99999).said["numberReturned"] == 3
    for bad in ("0", "-1", "x", "1.5", ""):
        assert get(ITEMS, 400, limit=bad)["where"] == "limit"


def test_a_box_chooses_by_shape_not_by_box(get: Get, town: Import) -> None:
    assert ids(get(ITEMS, bbox="24.9401,60.1701,24.9401,60.1701")) == ["home"]
    assert ids(get(ITEMS, bbox="24.9402,60.1702,24.9440,60.1703")) == ["home", "tower"]
    assert ids(get(ITEMS, bbox="24.9403,60.17,24.9439,60.1702")) == []
    assert ids(get(ITEMS, bbox="24.93,60.16,0,24.95,60.18,100")) == ["home", "tower"]
    assert ids(get(ITEMS, bbox="170,-90,60,90")) == ["home", "tower"]
    corner = [[24.95, 60.17], [24.96, 60.17], [24.95, 60.18], [24.95, 60.17]]
    wedge = square("wedge", 24.95, 60.17)
    wedge["geometry"]["coordinates"] = [corner]
    town([*small_town(), wedge])
    assert ids(get(ITEMS, bbox="24.9595,60.1795,24.96,60.18")) == []
    assert ids(get(ITEMS, bbox="24.9502,60.1702,24.9503,60.1703")) == ["wedge"]
    for bad in ("1,2,3", "1,2,3,x", "0,10,1,5", "0,0,1,nan", "0,0,1,91", "1,2,3,4,5"):
        assert get(ITEMS, 400, bbox=bad)["where"] == "bbox"


def test_a_time_chooses_versions(get: Get, town: Import) -> None:
    before = the_town().current
    assert before is not None
    changed = small_town()
    changed[0]["properties"]["height"] = "20"
    town([*changed[:1], *changed[2:], square("new", 24.942, 60.170)])
    now = the_town().current
    assert now is not None
    then, today = collections.stamp(before.created_at), collections.stamp(now.created_at)
    assert ids(get(ITEMS)) == ids(get(ITEMS, datetime=today)) == ["home", "new"]
    old = get(ITEMS, datetime=then)
    assert ids(old) == ids(get(ITEMS, version=1)) == ["home", "tower"]
    assert old.said["features"][0]["properties"]["height_m"] == 12
    assert old.said["features"][0]["properties"]["valid_until"] == today
    spent = get(ITEMS, datetime=f"{then}/{today}")
    assert (
        ids(spent)
        == ids(get(ITEMS, datetime="../.."))
        == ids(get(ITEMS, datetime=f"{then}/.."))
        == ["home", "new", "tower"]
    )
    assert spent.said["features"][0]["properties"]["height_m"] == 20
    assert ids(get(ITEMS, datetime="2001-01-01T00:00:00Z")) == ids(get(ITEMS, datetime="../2001-01-01T00:00:00Z")) == []
    assert ids(get(ITEMS, datetime=now.created_at.date().isoformat()))
    assert get(f"{ITEMS}/tower", datetime=then).said["id"] == "tower"
    get(f"{ITEMS}/tower", 404)
    for bad in ("yesterday", "2026-11-23T08:00:00", f"{today}/{then}", "a/b/c", ""):
        assert get(ITEMS, 400, datetime=bad)["where"] == "datetime"
    assert get(ITEMS, 400, version="x")["where"] == "version"
    get(ITEMS, 404, version="77")


def test_parameters_that_are_not_known_are_refused(get: Get, client: Client) -> None:
    for path in ("", "conformance", "collections", "collections/town.buildings", "api", ITEMS, f"{ITEMS}/home"):
        assert get(path, 400, nonsense="1")["where"] == "nonsense"
    assert client.get(f"{ITEMS}?limit=1&limit=2").status_code == 400
    get(ITEMS, 400, f="xml")
    get(ITEMS, 406, accept="image/png")


def test_each_document_is_a_page_too(get: Get) -> None:
    paths = ["", "conformance", "api", "collections", "collections/town.buildings", ITEMS, f"{ITEMS}/home"]
    for path in [*paths, "collections/town.buildings/queryables"]:
        page = get(path, accept="text/html,application/xhtml+xml;q=0.9,*/*;q=0.8")
        assert page["Content-Type"].startswith("text/html") and b"<h1>" in page.content
        assert get(path, f="html")["Content-Type"].startswith("text/html")
        assert "json" in get(path, f="json", accept="text/html")["Content-Type"]
    assert get(ITEMS)["Access-Control-Allow-Origin"] == "*"


def test_only_reading_is_possible(get: Get, client: Client) -> None:
    for method in (client.post, client.put, client.delete):
        assert method(ITEMS).status_code in {401, 403, 405}
    assert client.head(ITEMS).status_code == 200
    assert client.options(ITEMS).status_code == 204


# --- part 2: coordinate systems -------------------------------------------------------------------------------------


def test_coordinates_come_in_the_system_that_is_asked_for(get: Get) -> None:
    from pyproj import Transformer

    said = get("collections/town.buildings").said
    assert said["storageCrs"] in said["crs"] and said["crs"][0] == CRS84 and f"{EPSG}3067" in said["crs"]
    assert set(said["crs"]) <= set(get("collections").said["crs"])
    plain = get(ITEMS)
    assert plain["Content-Crs"] == f"<{CRS84}>"
    lon, lat = plain.said["features"][0]["geometry"]["coordinates"][0][0][0]
    for uri in said["crs"]:
        answer = get(ITEMS, crs=uri)
        assert answer["Content-Crs"] == f"<{uri}>" == get(f"{ITEMS}/home", crs=uri)["Content-Crs"]
        target = "OGC:CRS84" if uri == CRS84 else f"EPSG:{uri.rsplit('/')[-1]}"
        wanted = Transformer.from_crs("OGC:CRS84", target).transform(lon, lat)
        assert answer.said["features"][0]["geometry"]["coordinates"][0][0][0] == pytest.approx(
            wanted, abs=1e-3, rel=1e-9
        )
    assert get(ITEMS, crs=f"{EPSG}4326").said["features"][0]["geometry"]["coordinates"][0][0][0] == [60.17, 24.94]
    assert get(ITEMS, 400, crs=f"{EPSG}9999")["where"] == "crs"
    assert get(ITEMS, 400, bbox="0,0,1,1", bbox__crs="nonsense")["where"] == "bbox-crs"


def test_a_box_may_be_in_any_of_them(get: Get) -> None:
    from pyproj import Transformer

    west, south, east, north = 24.9399, 60.1699, 24.9403, 60.1703
    for uri in get("collections/town.buildings").said["crs"]:
        target = "OGC:CRS84" if uri == CRS84 else f"EPSG:{uri.rsplit('/')[-1]}"
        way = Transformer.from_crs("OGC:CRS84", target).transform
        box = [*way(west, south), *way(east, north)]
        assert ids(get(ITEMS, bbox=",".join(map(str, box)), bbox__crs=uri)) == ["home"]
    assert ids(get(ITEMS, bbox="60.1699,24.9399,60.1703,24.9403", bbox__crs=f"{EPSG}4326")) == ["home"]
    get(ITEMS, 400, bbox="60.1,24.9,60.2,241", bbox__crs=f"{EPSG}4326")


# --- part 3 and CQL2: filtering ---------------------------------------------------------------------------------------


def test_queryables_are_a_json_schema(get: Get) -> None:
    for layer in ("buildings", "streets", "services", "areas", "people"):
        response = get(f"collections/town.{layer}/queryables")
        assert response["Content-Type"] == "application/schema+json"
        said = response.said
        jsonschema.Draft202012Validator.check_schema(said)
        assert said["type"] == "object" and said["$id"].endswith(f"/ogc/collections/town.{layer}/queryables")
        assert said["properties"]["geometry"]["format"] == "geometry-any"
        assert all("type" in p or "format" in p for p in said["properties"].values())
        linked = {k["rel"]: k for k in get(f"collections/town.{layer}").said["links"]}
        assert linked["http://www.opengis.net/def/rel/ogc/1.0/queryables"]["type"] == "application/schema+json"


def test_each_queryable_is_a_parameter(get: Get) -> None:
    assert ids(get(ITEMS, name="Home")) == ["home"]
    assert ids(get(ITEMS, height_m="12")) == ["home"]
    assert ids(get(ITEMS, id="tower", levels="9")) == ["tower"]
    assert len(ids(get("collections/town.streets/items", foot="true", car="true"))) == 1
    assert ids(get("collections/town.streets/items", foot="false")) == []
    assert ids(get("collections/town.services/items", kind="school")) == ["school"]
    assert get(ITEMS, 400, height_m="high")["where"] == "height_m"
    assert get("collections/town.streets/items", 400, foot="yes")["where"] == "foot"


HOME, TOWER, BOTH, NONE = ["home"], ["tower"], ["home", "tower"], []
PREDICATES: dict[str, list[str]] = {
    "height_m = 12": HOME, "height_m <> 12": TOWER, "height_m > 12": TOWER, "height_m < 13": HOME,
    "height_m >= 12": BOTH, "height_m <= 12": HOME, "12 = height_m": HOME, "levels = 9": TOWER,
    "name = 'Home'": HOME, "name <> 'Home'": NONE, "name < 'I'": HOME, "name >= 'I'": NONE,
    "name IS NULL": TOWER, "name IS NOT NULL": HOME, "levels IS NULL": HOME, "geometry IS NULL": NONE,
    "id = 'home'": HOME, "TRUE": BOTH, "FALSE": NONE, '"height_m" = 12': HOME,
    "valid_from > TIMESTAMP('2001-01-01T00:00:00Z')": BOTH, "valid_from < DATE('2001-01-01')": NONE,
    "valid_from >= DATE('2001-01-01')": BOTH, "valid_from = TIMESTAMP('2001-01-01T00:00:00.5Z')": NONE,
    # advanced comparison operators
    "name LIKE 'H%'": HOME, "name LIKE '_ome'": HOME, "name LIKE 'h%'": NONE, "name NOT LIKE 'X%'": HOME,
    "height_m BETWEEN 12 AND 13": HOME, "height_m NOT BETWEEN 12 AND 13": TOWER,
    "id IN ('home', 'x')": HOME, "id NOT IN ('home')": TOWER, "height_m IN (12, 99)": HOME,
    # basic spatial functions
    "S_INTERSECTS(geometry, BBOX(-180,-90,180,90))": BOTH,
    "S_INTERSECTS(geometry, POINT(24.9401 60.1701))": HOME,
    "S_INTERSECTS(geometry, POINT(7.02 49.92))": NONE,
    "S_INTERSECTS(geometry, BBOX(24.943,60.17,24.945,60.171))": TOWER,
    "S_INTERSECTS(geometry, BBOX(-180,-90,-90,90)) AND S_INTERSECTS(geometry, BBOX(90,-90,180,90))": NONE,
    # text with quotes and other letters
    "name = 'it''s'": NONE, "name = 'käpy 💚'": NONE, "name LIKE '100\\%'": NONE,
}  # fmt: skip


def test_each_kind_of_predicate_and_random_ones_joined(get: Get) -> None:
    for text, expected in PREDICATES.items():
        assert ids(get(ITEMS, filter=text)) == expected, text
        assert ids(get(ITEMS, filter=text, filter__lang="cql2-text", limit=9)) == expected
    # /conf/basic-cql2/logical: where no value is unknown, logic is that of sets
    sure = [text for text in PREDICATES if not text.startswith(("name", "levels")) or "NULL" in text]
    dice = random.Random(3)
    for p1, p2, p3, p4 in (dice.sample(sure, 4) for _ in range(12)):
        a, b, c, d = (set(PREDICATES[p]) for p in (p1, p2, p3, p4))
        expected_set = ((set(BOTH) - a) & b) | (c - d) | (set(BOTH) - (a & d))
        text = f"((NOT ({p1}) AND ({p2})) OR (({p3}) and NOT ({p4})) or not (({p1}) AND ({p4})))"
        assert ids(get(ITEMS, filter=text)) == sorted(expected_set), text


@pytest.mark.parametrize(
    "text",
    [
        "", "height_m >", "nothing = 1", "height_m = 'tall'", "name = 3", "name BETWEEN 1 AND 2", "height_m LIKE '1%'",
        "S_INTERSECTS(geometry, POINT(90 180))", "S_INTERSECTS(name, POINT(1 1))", "foo(height_m) = 1",
        "S_INTERSECTS(geometry, POLYGON((0 0,1 1,1 0,0 0)))", "name LIKE 'x\\'", "'; DROP TABLE x; --", "a" * 5000,
        "S_INTERSECTS(geometry, BBOX(1,9,2,3))", "valid_from > '2001'", "1 = 1 OR", "id IN ()",
    ],
)  # fmt: skip
def test_filters_that_cannot_be_are_refused_with_a_sentence(get: Get, text: str) -> None:
    said = get(ITEMS, 400, filter=text)
    assert said["where"] == "filter" and len(said["detail"]) > 20


def test_filter_language_and_system(get: Get) -> None:
    inside = "S_INTERSECTS(geometry, POINT(60.1701 24.9401))"
    assert ids(get(ITEMS, filter=inside, filter__crs=f"{EPSG}4326")) == ["home"]
    metres = "S_INTERSECTS(geometry, BBOX(385690,6672110,385705,6672140))"
    assert ids(get(ITEMS, filter=metres, filter__crs=f"{EPSG}3067")) == ["home"]
    assert get(ITEMS, 400, filter="TRUE", filter__lang="cql2-json")["where"] == "filter-lang"
    assert get(ITEMS, 400, filter="TRUE", filter__crs="x")["where"] == "filter-crs"


def test_filters_and_parameters_are_joined(get: Get) -> None:
    for box, name, text in itertools.product(("24,60,25,61", "0,0,1,1"), ("Home", "x"), ("TRUE", "FALSE")):
        expected = ["home"] if (box, name, text) == ("24,60,25,61", "Home", "TRUE") else []
        assert ids(get(ITEMS, bbox=box, name=name, filter=text)) == expected


CHECKED: dict[str, tuple[Get, ...]] = {
    "ogcapi-common-1/1.0/conf/core": (test_parameters_that_are_not_known_are_refused, test_only_reading_is_possible),
    "ogcapi-common-1/1.0/conf/landing-page": (test_the_landing_page_leads_to_everything,),
    "ogcapi-common-1/1.0/conf/json": (test_each_document_is_a_page_too,),
    "ogcapi-common-1/1.0/conf/html": (test_each_document_is_a_page_too,),
    "ogcapi-common-1/1.0/conf/oas30": (test_the_description_is_openapi_3_0,),
    "ogcapi-common-2/1.0/conf/collections": (test_every_layer_is_a_collection, test_what_is_not_there_is_404),
    "ogcapi-features-1/1.0/conf/core": (
        test_items_are_features_with_counts_and_links,
        test_limit_and_next_lead_through_all_of_one_version,
        test_a_box_chooses_by_shape_not_by_box,
        test_a_time_chooses_versions,
    ),
    "ogcapi-features-1/1.0/conf/geojson": (test_items_are_features_with_counts_and_links,),
    "ogcapi-features-1/1.0/conf/html": (test_each_document_is_a_page_too,),
    "ogcapi-features-1/1.0/conf/oas30": (
        test_the_description_is_openapi_3_0,
        test_answers_are_as_the_description_says,
    ),
    "ogcapi-features-2/1.0/conf/crs": (
        test_coordinates_come_in_the_system_that_is_asked_for,
        test_a_box_may_be_in_any_of_them,
    ),
    "ogcapi-features-3/1.0/conf/queryables": (test_queryables_are_a_json_schema,),
    "ogcapi-features-3/1.0/conf/queryables-query-parameters": (test_each_queryable_is_a_parameter,),
    "ogcapi-features-3/1.0/conf/filter": (
        test_filter_language_and_system,
        test_filters_that_cannot_be_are_refused_with_a_sentence,
    ),
    "ogcapi-features-3/1.0/conf/features-filter": (test_filters_and_parameters_are_joined,),
    "cql2/1.0/conf/cql2-text": (test_each_kind_of_predicate_and_random_ones_joined,),
    "cql2/1.0/conf/basic-cql2": (test_each_kind_of_predicate_and_random_ones_joined,),
    "cql2/1.0/conf/advanced-comparison-operators": (test_each_kind_of_predicate_and_random_ones_joined,),
    "cql2/1.0/conf/basic-spatial-functions": (
        test_each_kind_of_predicate_and_random_ones_joined,
        test_filter_language_and_system,
    ),
}


def test_no_class_is_stated_that_nothing_here_checks() -> None:
    assert {f"http://www.opengis.net/spec/{name}" for name in CHECKED} == set(CONFORMS)
