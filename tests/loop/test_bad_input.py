"""Bad input by command and by API: a sentence that says what is wrong and where, a status, and nothing is changed."""

import datetime as dt
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import osmium
import pytest
from django.apps import apps
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone

from commons.devices import queries as devices
from commons.people.models import Scope, User
from commons.people.services import create_token, create_user
from commons.places import queries as places
from commons.places.models import Place
from designs import git
from designs.models import Design
from energy import services as energy
from labs.models import Job, Machine
from tests.browser.conftest import write_osm
from tests.devices.streams import last_of, reading, rollups_of
from tests.energy.conftest import write as write_community
from tests.labs.conftest import design as a_design
from tests.labs.conftest import lab as a_lab
from tests.labs.conftest import machine as a_machine
from tests.labs.test_jobs import Agent

pytestmark = pytest.mark.django_db

Spoil = Callable[[Path], Any]
RECORDS = {"runs.Run"}
"""A run that failed stays: it is the record of what was refused."""


def rows() -> dict[str, int]:
    """How many rows each table of the city holds, readings too."""
    models = [model for model in apps.get_models() if model._meta.managed and model._meta.label not in RECORDS]
    counts = {model._meta.label: model._default_manager.count() for model in models}
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM devices_reading")
        counts["devices_reading"] = int(cursor.fetchone()[0])
    return counts


def files(folder: Path) -> set[str]:
    """The files in a folder and below."""
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def refused(*words: str) -> str:
    """The sentence with which a command refuses; it ends with status 1, says nothing on stdout, changes nothing."""
    before, repositories = rows(), files(Path(settings.REPOSITORIES_DIR))
    out = io.StringIO()
    with pytest.raises(CommandError) as refusal:
        call_command(*words, stdout=out)
    assert refusal.value.returncode == 1
    assert out.getvalue() == ""
    assert rows() == before
    assert files(Path(settings.REPOSITORIES_DIR)) == repositories
    sentence = str(refusal.value)
    assert "\n" not in sentence
    return sentence


@pytest.fixture(autouse=True)
def own_repositories(tmp_path: Path, settings: Any) -> None:
    """Repositories of this test alone."""
    settings.REPOSITORIES_DIR = tmp_path / "repositories"


@pytest.fixture
def maker() -> User:
    return create_user(username="maker")


# --- maps -------------------------------------------------------------------------------------------------------------


@pytest.fixture
def pbf(tmp_path: Path) -> bytes:
    """A right .osm.pbf."""
    source, target = write_osm(tmp_path / "right.osm"), tmp_path / "right.osm.pbf"
    with osmium.SimpleWriter(str(target)) as writer:
        for thing in osmium.FileProcessor(str(source)):
            writer.add(thing)
    return target.read_bytes()


def test_a_right_pbf_is_a_district_and_a_broken_one_does_not_touch_it(pbf: bytes, tmp_path: Path) -> None:
    """The very bytes that are broken below are good as they are; the district that stands stays as it is."""
    file = tmp_path / "town.osm.pbf"
    file.write_bytes(pbf)
    out = io.StringIO()
    call_command("import_district", str(file), "--slug", "town", "--json", stdout=out)
    assert json.loads(out.getvalue())["buildings"] == 2
    middle = len(pbf) // 2
    for broken in (
        pbf[:middle],
        pbf[: len(pbf) - 7],
        pbf[:middle] + bytes([pbf[middle] ^ 0xFF]) + pbf[middle + 1 :],
        b"this is no map at all, only some words" * 4,
    ):
        file.write_bytes(broken)
        sentence = refused("import_district", str(file), "--slug", "town", "--json")
        assert sentence.startswith("town.osm.pbf is damaged ("), broken
        assert "Nothing was changed" in sentence


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.osm.pbf", b"", "empty.osm.pbf is empty. Nothing was changed"),
        ("town.dwg", b"AC1027", "town.dwg is not a file we can read. Send one of: .osm.pbf"),
        ("cut.osm", b'<?xml version="1.0"?>\n<osm version="0.6">\n <node id="1"', "cut.osm is damaged ("),
        ("cut.geojson", b'{"type": "FeatureCollection",\n "features": [', "cut.geojson:2"),
        ("sea.geojson", b'{"type": "FeatureCollection", "features": []}', "sea.geojson holds no building"),
        ("old.city.json", b'{"type": "CityJSON", "version": "0.9"}', "old.city.json"),
    ],
)
def test_a_file_that_is_no_map(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    file = tmp_path / name
    file.write_bytes(content)
    assert words in refused("import_district", str(file), "--slug", "town", "--json")


# --- communities ------------------------------------------------------------------------------------------------------


def without_line(file: str, number: int) -> Spoil:
    def spoil(folder: Path) -> None:
        lines = (folder / file).read_text().splitlines(keepends=True)
        del lines[number - 1]
        (folder / file).write_text("".join(lines))

    return spoil


def cell(file: str, line: int, column: int, value: str) -> Spoil:
    def spoil(folder: Path) -> None:
        lines = (folder / file).read_text().splitlines()
        cells = lines[line - 1].split(",")
        cells[column] = value
        lines[line - 1] = ",".join(cells)
        (folder / file).write_text("\n".join(lines) + "\n")

    return spoil


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (without_line("load_kwh.csv", 9), ("load_kwh.csv, line 9, column time", "2026-01-01")),
        (cell("load_kwh.csv", 6, 3, "-0.25"), ("load_kwh.csv, line 6, column h02", "-0.25 is below 0")),
        (cell("load_kwh.csv", 6, 3, ""), ("load_kwh.csv, line 6, column h02",)),
        (cell("load_kwh.csv", 6, 3, "much"), ("load_kwh.csv, line 6, column h02", "much")),
        (cell("pv_kwh.csv", 12, 2, "nan"), ("pv_kwh.csv, line 12, column h01", "nan")),
        (cell("members.csv", 3, 2, "castle"), ("members.csv, line 3, column kind", "castle")),
        (lambda folder: (folder / "prices.csv").write_bytes(b""), ("prices.csv", "the file is empty")),
        (lambda folder: (folder / "pv_kwh.csv").unlink(), ("pv_kwh.csv", "the file is missing")),
        (lambda folder: (folder / "load_kwh.csv").write_bytes(b"PK\x03\x04\xff"), ("load_kwh.csv", "not UTF-8")),
    ],
    ids=["gap", "negative", "blank", "word", "nan", "kind", "empty", "missing", "not-text"],
)
def test_a_community_that_cannot_be_read(tmp_path: Path, spoil: Spoil, words: tuple[str, ...]) -> None:
    folder = write_community(tmp_path / "homes")
    energy.import_folder(folder=folder, slug="homes")
    spoil(folder)
    sentence = refused("import_community", str(folder), "--slug", "homes", "--json")
    for word in words:
        assert word in sentence


def test_a_folder_that_is_not_there(tmp_path: Path) -> None:
    assert "nowhere" in refused("import_community", str(tmp_path / "nowhere"), "--json")


# --- designs ----------------------------------------------------------------------------------------------------------


def zipped(content: bytes = b"solid part\n" * 400) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("part.stl", content)
    return out.getvalue()


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("empty.zip", b""),
        ("part.rar", b"Rar!\x1a\x07\x01\x00"),
        ("cut.zip", zipped()[:-30]),
        ("spoilt.zip", zipped()[:45] + b"\xff" * 12 + zipped()[57:]),
        ("no-index.zip", zipped().replace(b"PK\x01\x02", b"PK\x09\x09")),
    ],
)
@pytest.mark.django_db(transaction=True)
def test_what_is_no_design(maker: User, tmp_path: Path, name: str, content: bytes) -> None:
    source = tmp_path / name
    source.write_bytes(content)
    sentence = refused("import_design", str(source), "--owner", "maker", "--json")
    assert name in sentence or "part.stl" in sentence
    assert not Design.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_an_empty_folder_and_nobody(maker: User, tmp_path: Path) -> None:
    (tmp_path / "hollow").mkdir()
    assert "hollow” holds no files" in refused("import_design", str(tmp_path / "hollow"), "--owner", "maker")
    assert "nobody" in refused("import_design", str(tmp_path / "hollow"), "--owner", "nobody")


def test_a_file_of_an_unknown_format_is_a_file_like_any_other(maker: User, tmp_path: Path, capsys: Any) -> None:
    folder = tmp_path / "odd"
    folder.mkdir()
    (folder / "notes.qqq").write_bytes(b"\x00\x01whatever")
    (folder / "nothing.stl").touch()
    call_command("import_design", str(folder), "--owner", "maker", "--json")
    answer = json.loads(capsys.readouterr().out)
    assert {file["path"] for file in answer["files"]} == {"notes.qqq", "nothing.stl"}
    (design,) = Design.objects.all()
    held = {entry.path: entry for entry in git.of(design.repository).files(design.head)}
    assert set(held) == {"notes.qqq", "nothing.stl"}


# --- the real command line --------------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_as_a_process_too(manage: Any, tmp_path: Path) -> None:
    """Status 1, one sentence on stderr without a trace, an empty stdout."""
    folder = write_community(tmp_path / "homes")
    cell("load_kwh.csv", 6, 3, "-0.25")(folder)
    (tmp_path / "town.osm.pbf").write_bytes(b"no map" * 50)
    before = rows()
    for words, said in (
        (["import_community", str(folder)], "load_kwh.csv, line 6, column h02: -0.25 is below 0"),
        (["import_district", str(tmp_path / "town.osm.pbf"), "--slug", "town"], "town.osm.pbf is damaged"),
    ):
        done = manage(*words, "--json")
        assert (done.returncode, done.stdout) == (1, "")
        assert said in done.stderr
        assert "Traceback" not in done.stderr
    assert rows() == before


# --- the API ----------------------------------------------------------------------------------------------------------


def post(client: Client, path: str, body: Any, token: str = "") -> Any:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    text = body if isinstance(body, bytes | str) else json.dumps(body)
    return client.post(f"/api/v1/{path}", text, content_type="application/json", headers=headers)


@pytest.fixture
def agent(printer: Machine) -> Agent:
    return Agent(printer)


@pytest.fixture
def printer() -> Machine:
    place = Place.objects.create(slug="kamppi", name="Kamppi", timezone="Europe/Helsinki")
    return a_machine(a_lab(place=place))


@pytest.mark.parametrize(
    ("wrong", "code"), [(dt.timedelta(days=700), "clock-ahead"), (dt.timedelta(days=-500), "clock-behind")]
)
def test_a_reading_with_a_wrong_clock_is_kept_once_and_changes_no_figure(
    client: Client, maker: User, agent: Agent, wrong: dt.timedelta, code: str
) -> None:
    start = (timezone.now() - dt.timedelta(hours=6)).replace(minute=0, second=0, microsecond=0)
    hour = dt.timedelta(hours=1)
    agent.draws(120.0, start - hour, start + 3 * hour)
    job = agent.made({"name": "body.stl", "sha256": a_design(maker, b"solid clamp").sha256})
    place = Place.objects.get(slug="kamppi")

    def figures() -> list[tuple[Any, ...]]:
        found = [figure for _headline, figure in places.figures_of(place)]
        return [(f.value, f.numerator, f.denominator, f.completeness, f.upper) for f in found]

    def state() -> list[Any]:
        job.refresh_from_db()
        window = devices.energy(agent.device, start - hour, start + 3 * hour)
        return [figures(), job.energy_kwh, window, rollups_of(agent.device), last_of(agent.device)]

    before, held = state(), rows()
    assert job.energy_kwh == pytest.approx(0.12)
    seq = next(agent.seq)
    late = reading(seq, timezone.now() + wrong, 9_000.0)
    answer = post(client, "telemetry/", {"readings": [late]}, agent.token)
    assert answer.status_code == 200
    ack = answer.json()
    assert (ack["stored"], ack["duplicates"], ack["rejected"]) == (1, 0, [])
    (flag,) = ack["flagged"]
    assert (flag["seq"], flag["code"]) == (seq, f"reading:{code}")
    assert "set the device's clock. Kept, not counted." in flag["sentence"]
    assert state() == before
    after = rows()
    assert after.pop("devices_reading") == held.pop("devices_reading") + 1
    assert after == held
    again = post(client, "telemetry/", {"readings": [late]}, agent.token).json()
    assert (again["stored"], again["duplicates"]) == (0, 1)
    assert rows() == {**held, "devices_reading": rows()["devices_reading"]}
    assert state() == before


@pytest.mark.parametrize("body", [b"", b"not json", b"[]", b'{"readings": 7}', b'{"readings": [', b"\xff\xfe"])
def test_telemetry_that_cannot_be_read(client: Client, agent: Agent, body: bytes) -> None:
    before = rows()
    problem_of(post(client, "telemetry/", body, agent.token), 400)
    assert rows() == before


def problem_of(answer: Any, status: int) -> dict[str, Any]:
    """The problem+json of a refusal, which has a code and a sentence."""
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json"), answer.content
    problem: dict[str, Any] = answer.json()
    assert ":" in problem["code"] and len(problem["detail"].split()) > 3, problem
    return problem


def test_requests_that_cannot_be_carried_out(client: Client, maker: User, printer: Machine) -> None:
    secret = create_token(user=maker, name="t", scopes=[Scope.DESIGNS_WRITE, Scope.BOOKINGS_WRITE])[1]
    create = {"name": "Part", "licence": "MIT", "visibility": "public"}
    past = {"machine": printer.pk, "start": "2020-01-01T10:00:00Z", "end": "2020-01-01T11:00:00Z"}
    asked: list[tuple[str, Any, str, int, str]] = [
        ("designs/", {**create, "licence": "do what you like"}, secret, 422, "do what you like"),
        ("designs/", {**create, "name": ""}, secret, 400, "name"),
        ("designs/", b"{", secret, 400, ""),
        ("designs/", create, "", 401, ""),
        ("bookings/", past, secret, 422, "past"),
        ("bookings/", {**past, "start": "soon"}, secret, 400, "start"),
        ("bookings/", {**past, "machine": 424242}, secret, 404, "machine"),
        ("devices/enrol/", {"code": "AAAA-BBBB", "kind": "fff", "hardware_id": "x"}, "", 403, "code"),
    ]
    before = rows()
    for path, body, token, status, word in asked:
        problem = problem_of(post(client, path, body, token), status)
        assert word in json.dumps(problem, ensure_ascii=False), problem
    assert rows() == before
    assert not Job.objects.exists()
