"""All that is kept of a person, as one file: whole, explained, nobody else's, and gone after three days."""

import csv
import datetime as dt
import io
import json
import re
import subprocess
import zipfile
import zlib
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.db import connection, models
from django.test import Client
from django.utils import timezone

from commons import kept
from commons.devices.models import Device
from commons.owndata import archive, exports
from commons.people.services import create_token
from commons.runs.models import Run
from commons.runs.work import do
from designs.models import Make, MakePhoto
from designs.services import makes
from energy.models import MeterFile, MeterPoint
from labs.models import Booking

from .conftest import World

pytestmark = pytest.mark.django_db


def made(world: World) -> tuple[Run, Path]:
    run = exports.start(person=world.person, bell=False)
    assert do(run.pk)
    run.refresh_from_db()
    assert run.status == "done", run.error
    return run, archive.path_of(run.pk)


def read(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as file:
        assert file.testzip() is None
        return {name: file.read(name).decode() for name in file.namelist() if not name.startswith("files/")}


def test_the_file_holds_every_row_that_leads_to_the_person(world: World) -> None:
    run, path = made(world)
    files = read(path)
    for one in kept.everything():
        n = one.of(world.person).count()
        name = f"json/{one.slug}.json"
        assert (name in files) == bool(n), one.model
        if n:
            rows = json.loads(files[name])
            table = list(csv.DictReader(io.StringIO(files[f"csv/{one.slug}.csv"])))
            assert len(rows) == len(table) == n, one.model
            assert f"{one.slug}  ({n})" in files["README.txt"], one.model
            assert str(one.title) in files["README.txt"]
    told = {name.split("/")[1].removesuffix(".json") for name in files if name.startswith("json/")}
    assert told >= {
        "people.user", "people.apitoken", "designs.design", "designs.comment", "designs.star", "labs.booking",
        "labs.fault", "energy.participant", "energy.meterday", "energy.member", "reports.report", "runs.run",
    }  # fmt: skip
    assert run.result is not None
    assert run.result["tables"] == len(told)


def test_readings_are_numbers_and_secrets_are_not_there(world: World) -> None:
    _run, path = made(world)
    files = read(path)
    day = json.loads(files["json/energy.meterday.json"])[0]
    assert day["packed"] == [0.25] * 96
    assert len(json.loads(files["json/energy.member.json"])[0]["load"]) == world.version.steps
    account = json.loads(files["json/people.user.json"])[0]
    assert account["email"] == "z@quartz.example"
    assert "password" not in account
    assert "sha256" not in json.loads(files["json/people.apitoken.json"])[0]
    booking = json.loads(files["json/labs.booking.json"])[0]
    assert booking["user"] == "you"


def test_others_are_not_named(world: World) -> None:
    """What belongs to others stands beside one's own rows without their name or number."""
    Booking.objects.filter(user=world.person).update(booked_by=world.boss)
    _run, path = made(world)
    files = read(path)
    assert {row["booked_by"] for row in json.loads(files["json/labs.booking.json"])} == {"another person"}
    whole = "".join(files.values())
    assert world.boss.name not in whole.split()
    assert "Thank you, @zquart" not in whole  # a friend's words are the friend's


def test_raw_readings_of_ones_own_meter_come_along(world: World) -> None:
    device = Device.objects.create(kind="meter", name="Meter")
    MeterPoint.objects.filter(participant=world.home).update(device=device)
    now = timezone.now()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO devices_reading (seq, ts, received_at, value, device, channel)"
            " VALUES (1, %s, %s, 118.5, %s, 1)",
            [now, now, device.number],
        )
    _run, path = made(world)
    rows = json.loads(read(path)["json/energy.readings.json"])
    assert [(row["channel"], row["value"]) for row in rows] == [("power_w", 118.5)]


def test_a_formula_is_text_in_the_table(world: World) -> None:
    world.person.name = "=HYPERLINK(1)"
    world.person.save()
    _run, path = made(world)
    row = next(csv.DictReader(io.StringIO(read(path)["csv/people.user.csv"])))
    assert row["name"] == "'=HYPERLINK(1)"


def test_the_page_begins_one_at_a_time_and_hands_it_out(world: World, signed_in: Client) -> None:
    page = signed_in.get("/me/data/").content.decode()
    assert "No file yet" in page
    for _twice in range(2):
        assert signed_in.post("/me/data/").status_code == 302
    run = exports.of(world.person).get()
    assert "lc-run" in signed_in.get("/me/data/").content.decode()
    assert signed_in.get(f"/me/data/{run.pk}/").status_code == 404
    assert do(run.pk)
    page = signed_in.get("/me/data/").content.decode()
    assert f"/me/data/{run.pk}/" in page
    answer = signed_in.get(f"/me/data/{run.pk}/")
    assert answer["Content-Type"] == "application/zip"
    assert "attachment" in answer["Content-Disposition"]
    assert "no-store" in answer["Cache-Control"]
    assert zipfile.ZipFile(io.BytesIO(b"".join(answer.streaming_content))).testzip() is None  # type: ignore[attr-defined]
    other = Client()
    other.force_login(world.friend)
    assert other.get(f"/me/data/{run.pk}/").status_code == 404
    assert Client().get(f"/me/data/{run.pk}/").status_code == 302


def test_it_runs_out(world: World, signed_in: Client) -> None:
    run, path = made(world)
    assert exports.expire() == 0
    Run.objects.filter(pk=run.pk).update(finished_at=timezone.now() - exports.KEEP - dt.timedelta(minutes=1))
    assert signed_in.get(f"/me/data/{run.pk}/").status_code == 404
    assert exports.expire() == 1
    assert not path.exists()


def test_the_api_wants_a_token_for_every_room(world: World, client: Client) -> None:
    _token, weak = create_token(user=world.person, name="weak", scopes=["designs:write"])
    scopes = ["designs:write", "bookings:write", "energy:read"]
    _token, whole = create_token(user=world.person, name="whole", scopes=scopes)
    address = "/api/v1/people/me/data/"
    assert client.get(address).status_code == 401
    assert client.get(address, headers={"Authorization": f"Bearer {weak}"}).status_code == 403
    started = client.post(address, headers={"Authorization": f"Bearer {whole}"})
    assert started.status_code == 202, started.content
    assert do(started.json()["id"])
    told = client.get(address, headers={"Authorization": f"Bearer {whole}"}).json()
    assert told["running"] is None
    (export,) = told["exports"]
    got = client.get(export["url"], headers={"Authorization": f"Bearer {whole}"})
    assert sum(map(len, got.streaming_content)) == export["bytes"]  # type: ignore[attr-defined]


def test_the_command_writes_the_same(world: World, tmp_path: Path) -> None:
    target = tmp_path / "hers.zip"
    call_command("export_person", "zquart", str(target), "--json", stdout=io.StringIO())
    assert "json/people.user.json" in read(target)
    with pytest.raises(CommandError, match="is there already"):
        call_command("export_person", "zquart", str(target))
    with pytest.raises(CommandError, match="no account"):
        call_command("export_person", "nobody-here", str(tmp_path / "x.zip"))


def test_files_come_along_as_they_are(world: World, tmp_path: Path) -> None:
    """Photos, what was sent, and designs that git clones out of the file."""
    make = Make.objects.create(design=world.shared, author=world.person, text="It holds.")
    photo = MakePhoto.objects.create(make=make, position=1, name="ab" * 16, state="ready")
    drawn = makes.picture_path(photo, "large")
    drawn.parent.mkdir(parents=True)
    drawn.write_bytes(b"\xff\xd8 a picture")
    brought = MeterFile.objects.create(
        community=world.home.community, participant=world.home, by=world.person, name="../../my meter.csv",
        format="csv", sha256="0" * 64, packed=zlib.compress(b"time;kwh\n"),
    )  # fmt: skip
    run, path = made(world)
    out = tmp_path / "unpacked"
    with zipfile.ZipFile(path) as file:
        file.extractall(out)
    assert (out / f"files/photos-of-makes/make-{make.pk}-1.jpg").read_bytes() == b"\xff\xd8 a picture"
    assert (out / f"files/meter-files/{brought.pk}-..-..-my-meter.csv").read_bytes() == b"time;kwh\n"
    bundle = out / f"files/designs/{world.hers.slug}-{world.hers.pk}.bundle"
    clone = tmp_path / "clone"
    subprocess.run(["git", "clone", "--quiet", bundle, clone], check=True)
    assert (clone / "README.md").read_bytes() == b"# It\n"
    assert not list(out.glob(f"files/designs/{world.shared.slug}-*")), "a friend's design is the friend's"
    assert run.result is not None
    assert run.result["files"] == 3
    page = (out / "index.html").read_text()
    links = re.findall(r'href="([^"]+)"', page)
    assert len(links) == 1 + 3 + 2 * run.result["tables"]
    assert all((out / unquote(link)).is_file() for link in links), "every link of the page leads to a file"
    assert "<script" not in page
    assert not list(archive.folder().glob("*.file")), "nothing is left beside it"


#: Files of tables with people that no export needs, and why.
NOT_THEIRS = {"designs.LfsObject": "along with its design", "designs.Release": "made anew from the design"}


def test_no_kind_of_file_is_forgotten() -> None:
    """Every function that says where a file of a row lies is of a table whose files are exported."""
    personal = {one.model.split(".")[1]: one.model for one in kept.everything()}
    exported = {model for kind in kept.files() for model in kind.models}
    assert exported <= set(personal.values())
    found = set()
    for room in ("designs", "labs", "energy", "twin", "platform/commons"):
        for path in (p for p in (Path(settings.ROOT) / room).rglob("*.py") if "services" in p.parts):
            for of in re.findall(r"def \w*(?:path|incoming)\w*\(\w+: (\w+)", path.read_text()):
                found |= {personal[of]} if of in personal else set()
    assert len(found) >= 4, found
    assert found - exported - set(NOT_THEIRS) == set()
    for one in kept.everything():
        held = [c.name for c in one.table._meta.concrete_fields if isinstance(c, models.FileField)]
        assert not held or one.model in exported, f"{one.model}: {held}"
