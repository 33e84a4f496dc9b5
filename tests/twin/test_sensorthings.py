"""SensorThings 1.1 for reading, after the abstract tests of Sensing Core and Filtering (OGC 18-088, Annex A), and that
nobody's home is in it.
"""

import datetime as dt
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from django.test import Client
from django.utils import timezone

from commons.devices.models import Device, LastValue, Rollup
from commons.people.services import create_organisation, create_user
from commons.places.models import Place
from energy.models import Community, MeterPoint, Participant
from labs.models import Lab, Machine
from twin.sensorthings.model import KINDS, SETS
from twin.sensorthings.views import CONFORMS

ROOT = "/sensorthings/v1.1/"
START = dt.datetime(2026, 11, 20, 10, 0, tzinfo=dt.UTC)
Get = Callable[..., Any]


def measuring(name: str, place: Place | None, *, public: bool = True, kind: str = "meter") -> Device:
    """A device that has told eight quarters of power and of a counter."""
    device = Device.objects.create(name=name, kind=kind, place=place, public=public, enrolled_at=START)
    device.refresh_from_db()
    for channel in (1, 2, 3):
        LastValue.objects.create(device=device, channel=channel, seq=1, ts=START, value=1.0)
    Rollup.objects.bulk_create(
        Rollup(
            device=device, channel=channel, step_s=step, start=START + dt.timedelta(minutes=15 * i), count=3,
            total=3 * (100.0 + i), energy_wh=25.0 + i, covered_s=900,
        )
        for channel in (1, 2, 3)
        for step, quarters in ((900, 8), (3600, 2))
        for i in range(quarters)
    )  # fmt: skip
    return device


@pytest.fixture
def city(db: None) -> dict[str, Device]:
    """A public meter and a second one; one not public; a home's and a café's that are, and a school's that is not."""
    outline = {"type": "Polygon", "coordinates": [[[24.9, 60.1], [25, 60.1], [25, 60.2], [24.9, 60.1]]]}
    whole = Place.objects.create(slug="testcity", name="Testcity", kind=Place.Kind.CITY, outline=outline)
    part = Place.objects.create(slug="quarter", name="Quarter", parent=whole)
    community = Community.objects.create(slug="ours", name="Ours", place=part)
    made = {"hall": measuring("Hall", part), "pool": measuring("Pool", whole)}
    made["shy"] = measuring("Shy", part, public=False)
    made["beat"] = measuring("Beat", part, kind="heartbeat")
    made["nowhere"] = measuring("Nowhere", None)
    made["gone"] = measuring("Gone", part)
    Device.objects.filter(pk=made["gone"].pk).update(revoked_at=START)
    lab = create_organisation(handle="guild", name="Guild", kind="lab", founder=create_user(username="founder"))
    shop = Lab.objects.create(organisation=lab, slug="guild", name="Guild", lon=24.95, lat=60.15)
    made["mill"] = measuring("Plug", None, public=False)
    Machine.objects.create(lab=shop, slug="mill", name="Mill", cls="cnc-mill", process="milling", device=made["mill"])
    for name, kind, public, proof in (
        ("home", "home", True, "steward"),
        ("claimed", "home", True, "claimed"),
        ("cafe", "business", True, "steward"),
        ("school", "public", False, "steward"),
        ("says-school", "public", False, "claimed"),
    ):
        made[name] = measuring(name.title(), part, public=public)
        who = Participant.objects.create(community=community, name=name, kind=kind, joined_on=START.date())
        MeterPoint.objects.create(participant=who, number=name, device=made[name], proof=proof, valid_from=START.date())
    return made


@pytest.fixture
def get(city: dict[str, Device], client: Client) -> Get:
    """A stranger who asks."""

    def ask(path: str, status: int = 200, **options: Any) -> Any:
        path = path if path.startswith("/") else ROOT + path
        response = client.get(path, {f"${name}": value for name, value in options.items()})
        assert response.status_code == status, (path, options, response.content[:400])
        if status >= 400:
            said = response.json()
            assert {"code", "detail", "status"} <= said.keys() and said["detail"]
            return said
        return json.loads(response.content) if "json" in response.get("Content-Type", "") else response

    return ask


def here(address: str) -> str:
    """An absolute address as a path with its query."""
    parts = urlsplit(address)
    return unquote(parts.path) + (f"?{parts.query}" if parts.query else "")


def names(document: Any) -> list[str]:
    return [one["name"] for one in document["value"]]


# --- privacy ----------------------------------------------------------------------------------------------------------


def test_only_what_everybody_may_see_is_there_for_anybody(get: Get, city: dict[str, Device], client: Client) -> None:
    shown = {"Hall", "Pool", "School", "Mill"}
    client.force_login(create_user(username="chief", is_staff=True))
    assert set(names(get("Things"))) == shown  # staff see what everybody sees
    assert {n.removeprefix("Power of ") for n in names(get("Datastreams")) if n.startswith("Power")} == shown
    assert get("Observations", count="true", top=0)["@iot.count"] == 4 * 2 * 8
    everything = json.dumps([get(name, top=1000) for name in SETS])
    for name in ("shy", "beat", "nowhere", "gone", "home", "claimed", "cafe", "says-school"):
        number = city[name].number
        stream = number * 32768 + 1
        for path in (
            f"Things({number})",
            f"Sensors({number})",
            f"Datastreams({stream})",
            f"HistoricalLocations({number})",
        ):
            get(path, 404)
            get(f"{path}/name", 404)
        get(f"Datastreams({stream})/Observations", 404)
        get(f"Observations({stream * 2**23 + int(START.timestamp()) // 900})", 404)
        assert f'"{city[name].name}"' not in everything and f"({stream})" not in everything
    assert names(get("ObservedProperties")) == ["Power", "Energy"]  # what a machine is doing is not told


def test_a_quarter_that_is_not_over_and_one_without_a_value_are_not_told(get: Get, city: dict[str, Device]) -> None:
    now = timezone.now()
    begun = now - dt.timedelta(seconds=now.timestamp() % 900)
    Rollup.objects.create(device=city["hall"], channel=1, step_s=900, start=begun, count=1, total=5.0)
    Rollup.objects.create(
        device=city["hall"], channel=1, step_s=900, start=START - dt.timedelta(days=1), count=0, total=0
    )
    stream = city["hall"].number * 32768 + 1
    assert get(f"Datastreams({stream})/Observations", count="true")["@iot.count"] == 8


# --- Sensing Core -----------------------------------------------------------------------------------------------------


def test_the_root_lists_the_sets_and_what_is_held(get: Get) -> None:
    said = get("")
    assert {entry["name"] for entry in said["value"]} == set(SETS)
    for entry in said["value"]:
        assert "value" in get(here(entry["url"]))
    assert said["serverSettings"]["conformance"] == list(CONFORMS)
    assert not any("create" in name or "update" in name or "batch" in name for name in CONFORMS)


@pytest.mark.parametrize("plural", list(SETS))
def test_each_set_its_entities_properties_and_links(get: Get, plural: str) -> None:
    kind = SETS[plural]
    page = get(plural, top=2)
    for listed in page["value"]:
        one = get(here(listed["@iot.selfLink"]))
        assert one == listed and one["@iot.selfLink"].endswith(f"{plural}({one['@iot.id']})")
        assert set(kind.properties) <= one.keys()
        for name in kind.properties:
            answer = get(f"{plural}({one['@iot.id']})/{name}", 204 if one[name] is None else 200)
            if one[name] is not None:
                assert answer == {name: one[name]}
                value = get(f"{plural}({one['@iot.id']})/{name}/$value").content.decode()
                assert value == one[name] if isinstance(one[name], str) else json.loads(value) == one[name]
        for name, target in {**kind.one, **kind.many}.items():
            link = here(one[f"{name}@iot.navigationLink"])
            found = get(link)
            others = found["value"] if name in kind.many else [found]
            assert others, (plural, name)
            for other in others[:2]:
                assert KINDS[target].plural in other["@iot.selfLink"]
                assert get(here(other["@iot.selfLink"])) == other
                back = next(n for n, t in {**KINDS[target].one, **KINDS[target].many}.items() if t == kind.name)
                returned = get(f"{here(other['@iot.selfLink'])}/{back}")
                ids = [r["@iot.id"] for r in returned.get("value", [returned])]
                assert one["@iot.id"] in ids or len(ids) >= 40
            refs = get(f"{link}/$ref")
            assert [r["@iot.selfLink"] for r in refs.get("value", [refs])] == [o["@iot.selfLink"] for o in others]
    get(f"{plural}(999999999)", 404)
    get(f"{plural}('x')", 404)
    get(f"{plural}({page['value'][0]['@iot.id']})/nothing", 404)


def test_addresses_as_deep_as_one_likes(get: Get, city: dict[str, Device]) -> None:
    number = city["hall"].number
    stream = number * 32768 + 1
    found = get(f"Things({number})/Datastreams({stream})/Observations")
    one = found["value"][0]
    assert get(f"Things({number})/Datastreams({stream})/Observations({one['@iot.id']})/Datastream/Thing/name") == {
        "name": "Hall"
    }
    assert get(f"Datastreams({stream})/unitOfMeasurement")["unitOfMeasurement"]["symbol"] == "W"
    assert get(f"Datastreams({stream})/phenomenonTime")["phenomenonTime"] == "2026-11-20T10:00:00Z/2026-11-20T12:00:00Z"
    get(f"Things({number})/Datastreams({city['pool'].number * 32768 + 1})", 404)
    for bad in (
        "Nothings",
        "Things()",
        f"Things({number})/name/name",
        "Things/name",
        f"Things({number})/$value",
        "Things/$value",
    ):
        get(bad, 404)
    get("Th ings", 400)
    assert one["phenomenonTime"] == "2026-11-20T10:00:00Z/2026-11-20T10:15:00Z"
    assert (one["resultTime"], one["result"]) == ("2026-11-20T10:15:00Z", 100.0)
    energy = get(f"Datastreams({number * 32768 + 2})/Observations", top=1)
    assert energy["value"][0]["result"] == 25.0


def test_nothing_can_be_written(get: Get, client: Client) -> None:
    for method in (client.post, client.patch, client.put, client.delete):
        assert method(f"{ROOT}Things", "{}", "application/json").status_code in {401, 403, 405}


# --- Filtering --------------------------------------------------------------------------------------------------------


def test_pages_lead_through_all(get: Get) -> None:
    for plural in ("Things", "Datastreams", "Observations"):
        seen: list[int] = []
        path, options = f"{plural}", {"top": 5 if plural == "Observations" else 2, "count": "true"}
        page = get(path, **options)
        while True:
            seen += [one["@iot.id"] for one in page["value"]]
            if "@iot.nextLink" not in page:
                break
            page = get(here(page["@iot.nextLink"]))
        assert len(seen) == len(set(seen)) == page["@iot.count"] == get(plural, count="true")["@iot.count"]
    assert [o["@iot.id"] for o in get("Things", skip=1)["value"]] == [o["@iot.id"] for o in get("Things")["value"]][1:]
    assert get("Things", top=0) == {"value": []} and "@iot.count" not in get("Things", count="false")
    for bad in ({"top": "-1"}, {"top": "x"}, {"skip": "-1"}, {"count": "1"}, {"nonsense": "1"}):
        get("Things", 400, **bad)
    get(f"{ROOT}Things?top=1", 400)


def test_sorting(get: Get) -> None:
    assert names(get("Things", orderby="name")) == ["Hall", "Mill", "Pool", "School"]
    assert names(get("Things", orderby="name desc")) == ["School", "Pool", "Mill", "Hall"]
    found = get("Datastreams", orderby="ObservedProperty/name desc,Thing/name asc")
    assert names(found)[:2] == ["Power of Hall", "Power of Mill"]
    for plural, kind in SETS.items():
        for name in kind.properties:
            get(plural, orderby=f"{name} desc", top=3)
    results = [o["result"] for o in get("Observations", orderby="result desc", top=50)["value"]]
    assert results == sorted(results, reverse=True)
    get("Observations", 400, orderby="length(result)")
    get("Things", 400, orderby="nothing")


def test_selecting_and_expanding(get: Get, city: dict[str, Device]) -> None:
    assert get("Things", select="name", top=1)["value"] == [{"name": "Hall"}]
    assert get("Things", select="id,Datastreams", top=1)["value"][0].keys() == {
        "@iot.id", "@iot.selfLink", "Datastreams@iot.navigationLink",
    }  # fmt: skip
    number = city["hall"].number
    one = get(
        f"Things({number})",
        expand="Datastreams($orderby=id;$count=true;$expand="
        "Observations($top=2;$orderby=phenomenonTime desc),ObservedProperty),"
        "Locations/HistoricalLocations",
    )
    first = one["Datastreams"][0]
    assert one["Datastreams@iot.count"] == 2 and first["ObservedProperty"]["name"] == "Power"
    assert [o["result"] for o in first["Observations"]] == [107.0, 106.0]
    assert [o["result"] for o in get(here(first["Observations@iot.nextLink"]))["value"]] == [105.0, 104.0]
    assert one["Locations"][0]["HistoricalLocations"]
    assert "Datastreams@iot.navigationLink" not in one
    for plural, kind in SETS.items():
        for name in (*kind.one, *kind.many):
            assert name in get(plural, expand=name, top=1)["value"][0]
    for bad in (
        {"expand": "nothing"},
        {"select": "nothing"},
        {"expand": "Datastreams("},
        {"expand": "Datastreams(top=1)"},
    ):
        get("Things", 400, **bad)
    get("Things", 400, expand="Datastreams/Thing/Datastreams/Thing/Datastreams/Thing/Datastreams")


def test_filters_over_things_and_what_they_lead_to(get: Get, city: dict[str, Device]) -> None:
    number = city["hall"].number
    for text, expected in {
        "name eq 'Hall'": ["Hall"],
        f"id eq {number} or @iot.id eq {number}": ["Hall"],
        "not (name eq 'Hall')": ["Pool", "Mill", "School"],
        "properties/kind eq 'meter'": ["Hall", "Pool", "Mill", "School"],
        "properties/nothing eq null": ["Hall", "Pool", "Mill", "School"],
        "Datastreams/unitOfMeasurement/symbol eq 'Wh' and startswith(name, 'P')": ["Pool"],
        "Datastreams/Observations/result gt 1e6": [],
        "Datastreams/Observations/result eq 107 and name eq 'Pool'": ["Pool"],
        "geo.intersects(Locations/location, geography'POINT (24.99 60.15)')": ["Hall", "Pool", "School"],
        "geo.distance(Locations/location, geography'POINT (24.95 60.15)') eq 0": ["Hall", "Pool", "Mill", "School"],
        "st_within(Locations/location, geography'POLYGON ((0 0, 1 0, 1 1, 0 0))')": [],
        "HistoricalLocations/time ge 2026-11-20T10:00:00Z": ["Hall", "Pool", "Mill", "School"],
    }.items():
        assert names(get("Things", filter=text)) == expected, text
    assert names(get("Datastreams", filter="phenomenonTime ge 2026-11-20T10:00:00Z and Thing/name eq 'Hall'", top=1))
    for bad in ("nothing eq 1", "name eq", "Datastreams/nothing eq 1", "sqrt(name) eq 1", "name eq 'it", "id add"):
        get("Things", 400, filter=bad)
    for plural, kind in SETS.items():
        for name in kind.properties:
            for sign in ("eq", "gt"):
                get(plural, filter=f"{name} {sign} 'x'", top=1)


def test_filters_over_observations_in_sql_and_row_by_row_agree(get: Get, city: dict[str, Device]) -> None:
    stream = city["hall"].number * 32768 + 1
    path = f"Datastreams({stream})/Observations"
    everything = get(path)["value"]
    assert len(everything) == 8
    a_time = "2026-11-20T10:45:00Z"
    for text, expected in {
        "result gt 105": 2, "105 lt result": 2, "result ge 105 and result lt 106": 1, "result ne 100": 7,
        "result eq 100 or result eq 101": 2, "not (result eq 100)": 7, "result add 1 gt 106": 2,
        f"phenomenonTime ge {a_time}": 5, f"phenomenonTime lt {a_time}": 3, f"resultTime le {a_time}": 3,
        f"phenomenonTime gt {a_time}": 4, f"resultTime gt {a_time} and round(result) eq 105": 1,
        "hour(phenomenonTime) eq 11": 4, "Datastream/Thing/name eq 'Hall'": 8, "Datastream/Thing/name eq 'Pool'": 0,
        "result eq null": 0, "result gt 'x'": 0, f"id eq {everything[0]['@iot.id']}": 1,
        "FeatureOfInterest/name eq 'Testcity' and (result gt 106 or minute(resultTime) eq 15)": 3,
        f"phenomenonTime eq {a_time}/2026-11-20T11:00:00Z": 1,
    }.items():  # fmt: skip
        found = get(path, filter=text, count="true")
        assert found["@iot.count"] == len(found["value"]) == expected, text
        weighed = get(path, filter=f"({text}) and length('x') eq 1 and round(0) eq 0 and year(resultTime) gt 0")
        assert [o["@iot.id"] for o in weighed["value"]] == [o["@iot.id"] for o in found["value"]], text
    page = get(path, filter="round(result) ge 102", top=2, skip=1, orderby="result desc", count="true")
    assert ([o["result"] for o in page["value"]], page["@iot.count"]) == ([106.0, 105.0], 6)
    assert "@iot.nextLink" in page


def test_looking_through_too_many_is_refused(get: Get, monkeypatch: pytest.MonkeyPatch) -> None:
    from twin.sensorthings import ask, reply

    monkeypatch.setattr(ask, "MOST_ROWS", 5)
    assert "phenomenonTime" in get("Observations", 400, filter="round(result) eq 1")["detail"]
    monkeypatch.setattr(reply, "MOST_TOLD", 5)
    get("Things", 400, expand="Datastreams/Observations")
    get("Things", 400, filter="Datastreams/Observations/result eq 99999")


def test_no_requirement_is_stated_that_nothing_here_checks() -> None:
    """Data model: each set by `test_each_set_…`; addresses by `test_addresses_…`; options each by a test of its own."""
    sets = {"".join(f"-{c.lower()}" if c.isupper() else c for c in kind).lstrip("-") for kind in KINDS}
    model = {f"datamodel/{name}{part}" for name in sets for part in ("", "/properties", "/relations")}
    paths = {"resource-path/resource-path-to-entities"}
    options = ("order", "expand", "select", "orderby", "top", "skip", "count", "filter", "pagination", "status-code")
    more = ("query-status-code", "built-in-filter-operations", "built-in-query-functions")
    asked = {f"request-data/{name}" for name in (*options, *more)}
    control = {"datamodel/entity-control-information/common-control-information"}
    stated = {name.partition("/1.1/req/")[2] for name in CONFORMS}
    assert stated == model | control | paths | asked
