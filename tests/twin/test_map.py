"""The map of a district: its page and table, tiles of a large one, roofs, what reports, and a day again."""

import datetime as dt
import gzip
import shutil
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from commons.devices import channels
from commons.devices.models import Device, LastValue, Rollup
from commons.places.models import Place
from commons.runs.models import Run
from commons.runs.work import do
from tests.twin.conftest import Import, line, small_town, the_town
from twin import files, layers, map_files, pages, plan, queries, services, tiles
from twin.engine import drawing, mesh
from twin.models import DistrictVersion
from twin.queries import live


@pytest.fixture
def page(town: Import, client: Client) -> Any:
    """The town's map by an address."""
    town()

    def get(**asked: str) -> str:
        answer = client.get(reverse("rooms:district-map", args=["town"]), asked)
        assert answer.status_code == 200
        return answer.content.decode()

    return get


def test_the_map_says_what_it_shows_and_hands_it_on_by_its_address(page: Any, client: Client) -> None:
    html = page()
    assert 'show="use"' in html and "The same as a table: Use" in html
    html = page(show="access", kind="school")
    assert 'show="access-school"' in html and '<option value="school" selected>' in html
    assert "Half of the buildings are within" in html
    assert 'show="use"' in page(show="nonsense", kind="<x>", month="13", hour="noon", page="zero")
    assert 'show="use"' in page(month="012999", hour="nan")
    table = client.get(reverse("rooms:district-map-table", args=["town"]), {"show": "heights", "q": "home"})
    words = table.content.decode()
    assert ">Home</a>" in words and "12.0" in words and "tower" not in words and "<html" not in words
    street = queries.things("streets", the_town().current).values_list("key", flat=True)[0]  # type: ignore[arg-type]
    facts = client.get(reverse("rooms:twin-thing", args=["town", "streets", street]), headers={"HX-Request": "true"})
    assert "Long street" in facts.content.decode() and "<html" not in facts.content.decode()


# --- a large district -------------------------------------------------------------------------------------------------
def _current() -> DistrictVersion:
    version = the_town().current
    assert version is not None
    return version


def _work(kind: str) -> Run:
    """Do the runs of a kind that wait."""
    runs = list(Run.objects.filter(kind=kind, status=Run.Status.QUEUED))
    for run in runs:
        do(run.pk)
        run.refresh_from_db()
    return runs[-1]


def test_a_large_district_is_never_sent_whole_but_as_tiles_in_parts(
    town: Import, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(map_files, "LARGEST_WHOLE", 5)
    town()
    address = reverse("rooms:district-map", args=["town"])
    waiting = client.get(address).content.decode()
    assert "<lc-map" not in waiting and "src-buildings" not in waiting and "Map of Town" in waiting
    run = _work("twin.map")
    assert run.status == Run.Status.DONE, run.error
    for page in (address, reverse("rooms:district", args=["town"])):
        html = client.get(page).content.decode()
        assert 'src-tiles="' in html and "src-buildings" not in html and "src-streets" not in html
    url = html.split('src-tiles="')[1].split('"')[0]
    head = client.get(url, headers={"Range": "bytes=0-16383"})
    assert head.status_code == 206
    assert head.content[:7] == b"PMTiles" and head.content[7] == 3
    size = int(head["Content-Range"].split("/")[1])
    assert head["Content-Range"] == f"bytes 0-{size - 1}/{size}" and "immutable" in head["Cache-Control"]
    part = client.get(url, headers={"Range": "bytes=7-9"})
    assert (part.content, part["Content-Range"]) == (head.content[7:10], f"bytes 7-9/{size}")
    assert client.get(url, headers={"Range": "bytes=-4"}).content == head.content[-4:]
    behind = client.get(url, headers={"Range": f"bytes={size}-"})
    assert (behind.status_code, behind["Content-Range"]) == (416, f"bytes */{size}")
    assert client.get(url, headers={"Range": "bytes=0-1,4-5"}).status_code == 200
    assert client.get(url.replace(".pmtiles", "0.pmtiles")).status_code == 404
    assert client.get(reverse("api:district-map-tiles", args=["town", "nothing"])).status_code == 404


def test_tiles_say_what_is_missing_and_new_answers_make_new_ones(
    town: Import, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    town()
    assert services.prepare_map(of=_current()) is None
    monkeypatch.setattr(map_files, "LARGEST_WHOLE", 5)
    first = services.start_map(of=_current())
    assert services.start_map(of=_current()) == first
    before = layers.etag("buildings", _current())
    do(first.pk)
    _work("twin.roofs")
    assert Run.objects.filter(kind="twin.map", status=Run.Status.QUEUED).count() == 1
    _work("twin.map")
    names = sorted(path.name for path in map_files.folder(_current()).iterdir())
    after = layers.etag("buildings", _current())
    assert names == sorted([f"{before}.pmtiles", f"{after}.pmtiles"]) and before != after
    newest = map_files.newest(_current(), "pmtiles")
    assert newest is not None and newest.name == f"{after}.pmtiles"
    monkeypatch.setattr(tiles, "program", lambda: Path(shutil.which("false") or "/bin/false"))
    failing = services.start_map(of=_current())
    do(failing.pk)
    failing.refresh_from_db()
    assert failing.status == Run.Status.FAILED and "could not make the tiles" in failing.error
    assert map_files.newest(_current(), "pmtiles") == newest
    assert list(map_files.scratch().iterdir()) == []


def test_a_large_district_opens_where_its_tiles_hold_buildings(town: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    town()
    of = _current()
    of.bounds = [24.0, 60.0, 25.0, 60.4]
    assert float(pages.view(of)["zoom"]) < 10
    monkeypatch.setattr(map_files, "LARGEST_WHOLE", 5)
    assert float(pages.view(of)["zoom"]) == tiles.FROM_ZOOM["buildings"]
    of.bounds = [24.94, 60.17, 24.941, 60.171]
    assert float(pages.view(of)["zoom"]) == 17


def test_the_picture_of_a_city_holds_its_longest_streets_alone(town: Import, monkeypatch: pytest.MonkeyPatch) -> None:
    short = line("short", (24.940, 60.1710), (24.941, 60.1710))
    path = line("path", (24.940, 60.1720), (24.946, 60.1720), highway="footway")
    town([*small_town(), short, path])
    of = _current()
    assert len(list(plan.streets(of))) == 3
    monkeypatch.setattr(drawing, "MOST_STREETS", 1)
    (long,) = queries.things("streets", of).filter(name="Long street")
    assert list(plan.streets(of)) == [(long.geometry, True)]
    assert plan._drawn(of).count("<path") > 1


def test_roofs_of_a_3d_model_come_as_triangles(shared: Path, client: Client, db: None) -> None:
    path = shared / "data/twin/samples/zurich_lod2.city.json"
    run = services.finished(services.start_import(slug="town", name="Zurich", files=[files.keep_path(path)]))
    assert run.status == Run.Status.DONE, run.error
    _work("twin.map")
    html = client.get(reverse("rooms:district-map", args=["town"])).content.decode()
    answer = client.get(html.split('src-roofs="')[1].split('"')[0])
    assert answer["Content-Encoding"] == "gzip"
    bodies = list(mesh.unpacked(gzip.decompress(answer.content)))
    keys = set(queries.things("buildings", _current()).values_list("key", flat=True))
    assert len(bodies) > 40 and {key for key, _corners, _roof in bodies} <= keys


# --- what reports -----------------------------------------------------------------------------------------------------
def test_only_what_is_public_reports_and_a_day_is_played_again(town: Import, client: Client, place: Place) -> None:
    town(place=place)
    about = {"kind": "sensor", "place": place, "enrolled_at": dt.datetime(2026, 1, 1, tzinfo=dt.UTC)}
    Device.objects.create(name="Air at the school", public=True, **about)
    Device.objects.create(name="Somebody's meter", public=False, **about)
    found = live.things(the_town())
    assert [thing.title for thing in found.sensors] == ["Air at the school"]
    html = client.get(reverse("rooms:district-map", args=["town"])).content.decode()
    assert "Air at the school" in html and "Somebody" not in html and "nothing heard yet" in html
    now = client.get(reverse("rooms:district-map-live", args=["town"]))
    assert [*now.json()] == [found.sensors[0].id] and now["Cache-Control"] == "no-store"
    board = live.board("town", None, None)
    assert board.devices == {found.sensors[0].device.pk} and board.tell() == now.json()  # type: ignore[union-attr]
    address = reverse("api:district-replay", args=["town"])
    day = client.get(address, {"day": "2026-03-01"}).json()
    assert day["step_s"] == 900 and len(day["meters"][0]["watts"]) == 96 and not day["labs"]
    for wrong in ("2999-01-01", "yesterday", "2026-02-30", "0001-01-01"):
        assert client.get(address, {"day": wrong}).status_code == 400, wrong


def test_a_sensor_shows_the_line_of_its_last_day(town: Import, client: Client, place: Place) -> None:
    town(place=place)
    now = timezone.now()
    about = {"kind": "sensor", "place": place, "public": True, "enrolled_at": now - dt.timedelta(days=9)}
    cold, mute = (Device.objects.create(name=name, **about) for name in ("Cold at the school", "Mute"))
    quarter = now - dt.timedelta(seconds=now.timestamp() % 900)
    for back, degrees in ((1, -4.0), (2, -6.0), (3, -5.0), (97, 30.0)):
        start = quarter - dt.timedelta(minutes=15 * back)
        about_it = {"channel": channels.TEMPERATURE_C, "step_s": 900, "start": start}
        Rollup.objects.create(device=cold, count=2, total=2 * degrees, covered_s=900, **about_it)
    cold.refresh_from_db()
    LastValue.objects.create(device=cold, channel=channels.TEMPERATURE_C, seq=1, ts=now, value=-4.0)
    told = live.lines_of(live.things(the_town()))
    heights = [float(step.split(" ")[1]) for step in told[f"sensor-{cold.number}"]["line"][1:].split("L")]
    assert heights == [15.5, 28.0, 3.0]  # oldest first: between, lowest at the foot, highest at the top
    mute.refresh_from_db()
    assert f"sensor-{mute.number}" not in told
    html = client.get(reverse("rooms:district-map", args=["town"])).content.decode()
    assert 'aria-label="Cold at the school in the last day"' in html and "Mute in the last day" not in html


@pytest.mark.parametrize("route", ["rooms:district-map", "rooms:district-map-table", "rooms:district-map-live"])
def test_who_may_see_the_map(town: Import, client: Client, route: str) -> None:
    town()
    assert client.get(reverse(route, args=["nowhere"])).status_code == 404
    assert client.get(reverse(route, args=["town"])).status_code == 200
    refused = client.post(reverse("rooms:district-map", args=["town"]))
    assert refused.status_code in {403, 405}
