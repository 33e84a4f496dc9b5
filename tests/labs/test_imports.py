"""A lab's old tables come over whole or not at all, line by line as the dry run told, and never twice."""

import datetime as dt
import json
import re
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.utils import translation
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commons.notices.models import Notice
from commons.people.models import Membership, SignInLink, User
from commons.people.services import create_user, set_role
from commons.runs import work
from labs.errors.imports import ChangedMeanwhile, LinesLeftOut
from labs.imports.csv_files import TEMPLATES
from labs.imports.words import REASONS, SENTENCES, sentence
from labs.models import BadgeGrant, Booking, Entry, ImportedRow, Lab, LabImport, Machine
from labs.services import bookings, imports
from tests.labs.conftest import lab, machine, person
from tests.labs.learning_stage import work_off
from tests.labs.test_api import bearer

NOW = dt.datetime(2027, 1, 10, 12, 0, tzinfo=dt.UTC)
MEMBERS = b"""id,email,name,role,badges
17,aino@example.org,Aino Korhonen,member,Laser cutter; 3D printing
18,mikko@example.org,Mikko Laine,trainer,
"""
MACHINES = b"""id,name,class,rated w,x mm,y mm,badges
L1,Laser 1,laser cutter,1500,810,500,Laser cutter
P1,Printer 1,3D printer,350,250,210,
"""
BOOKINGS = b"""id,machine,person,start,end,status,note
1,Laser 1,aino@example.org,2027-01-14 10:00,2027-01-14 12:00,booked,Chair
2,L1,18,2027-01-14 12:00,2027-01-14 13:00,,
3,Printer 1,Mikko Laine,2027-01-04 10:00,2027-01-04 12:00,,
4,Printer 1,17,2027-01-05 10:00,2027-01-05 12:00,cancelled,
"""
ALL = {"members": MEMBERS, "machines": MACHINES, "bookings": BOOKINGS}


def reading(of: Lab, **files: bytes) -> Any:
    named = {kind: (f"{kind}.{'json' if kind == 'nemo' else 'csv'}", body) for kind, body in files.items()}
    return imports.read(of, named)


def take(of: Lab, files: dict[str, bytes] = ALL, **options: Any) -> dict[str, Any]:
    return imports.carry_out(of, "csv", reading(of, **files), now=NOW, **options)


def check(of: Lab, **files: bytes) -> dict[str, Any]:
    return imports.check(of, "csv", reading(of, **files), now=NOW)


def codes(report: dict[str, Any]) -> list[tuple[str, int, str]]:
    return [(m["file"], m["line"], m["code"]) for m in report["messages"]]


def rows() -> dict[str, int]:
    """How many rows every table of the database has."""
    with connection.cursor() as cursor:
        names = [
            name
            for name in connection.introspection.table_names(cursor)
            if name.startswith(("labs_", "people_", "notices_", "runs_"))
        ]
        found = {}
        for name in names:
            cursor.execute(f'SELECT count(*) FROM "{name}"')  # noqa: S608 names of our own tables
            found[name] = cursor.fetchone()[0]
    return found


def test_a_lab_comes_over_whole_and_only_once(city_lab: Lab) -> None:
    dry = check(city_lab, **ALL)
    done = take(city_lab)
    assert dry == done
    assert done["counts"]["members"] == {"left_out": 0, "new": 2, "read": 2}
    assert done["counts"]["bookings"] == {"left_out": 0, "new": 4, "read": 4}
    aino = User.objects.get(email="aino@example.org")
    assert (aino.username, aino.name, aino.has_usable_password()) == ("aino-korhonen", "Aino Korhonen", False)
    roles = dict(Membership.objects.filter(organisation=city_lab.organisation).values_list("user__email", "role"))
    assert roles == {"aino@example.org": "member", "mikko@example.org": "trainer"}
    laser = Machine.objects.get(lab=city_lab, slug="laser-1")
    assert (laser.cls, laser.rated_w, laser.volume_mm) == ("laser-cutter", 1500, (810, 500, None))
    assert set(laser.required_badges.values_list("name", flat=True)) == {"Laser cutter"}
    assert set(BadgeGrant.objects.filter(user=aino).values_list("badge__name", flat=True)) == {
        "Laser cutter",
        "3D printing",
    }
    assert set(BadgeGrant.objects.values_list("given_in", flat=True)) == {city_lab.pk}
    first = Booking.objects.get(note="Chair")
    assert (first.user, first.start, first.status) == (aino, dt.datetime(2027, 1, 14, 8, tzinfo=dt.UTC), "booked")
    statuses = Booking.objects.filter(machine__lab=city_lab).order_by("start").values_list("status", flat=True)
    assert list(statuses) == ["done", "cancelled", "booked", "booked"]
    assert not Entry.objects.exists()

    before = rows()
    again = take(city_lab)
    assert rows() == before
    assert again["counts"]["bookings"] == {"kept": 4, "left_out": 0, "read": 4}
    assert again["counts"]["members"] == {"kept": 2, "left_out": 0, "read": 2}
    more = take(city_lab, {"bookings": b"id,machine,person,start,end\n9,L1,17,2027-02-01 10:00,2027-02-01 11:00\n"})
    assert more["counts"]["bookings"]["new"] == 1


def test_what_was_removed_here_does_not_come_back(city_lab: Lab) -> None:
    take(city_lab)
    Machine.objects.get(slug="printer-1").delete()
    again = take(city_lab)
    assert not Machine.objects.filter(slug="printer-1").exists()
    assert ("machines.csv", 3, "gone") in codes(again)


def test_the_dry_run_changes_nothing(city_lab: Lab) -> None:
    before = rows()
    check(city_lab, **ALL)
    assert rows() == before


BROKEN = {
    "members": "id;email;name;role;shoe size\n1;;Nobody;;\n2;no-address;X;;\n3;a@example.org;A;king;\n"
    "4;b@example.org;B;manager;44\n4;c@example.org;C;;\n5;b@example.org;B again;;\n6;d@example.org;Ä Ö;;;;7\n".encode(),
    "machines": b"name,class,rated w\nSaw,band saw,900\n,laser,1\nMill,cnc,many\nSaw,band saw,900\n",
    "bookings": b"machine,person,start,end,status\n"
    b"Saw,b@example.org,2027-03-01 10:00,2027-03-01 12:00,\n"
    b"Saw,b@example.org,2027-03-01 11:00,2027-03-01 13:00,\n"
    b"Saw,b@example.org,2027-03-28 03:30,2027-03-28 05:00,\n"
    b"Saw,b@example.org,2027-10-31 03:30,2027-10-31 06:00,\n"
    b"Saw,b@example.org,2027-03-02 12:00,2027-03-02 10:00,\n"
    b"Saw,b@example.org,soon,2027-03-02 10:00,\n"
    b"Lathe,b@example.org,2027-03-03 10:00,2027-03-03 12:00,\n"
    b"Saw,stranger@example.org,2027-03-03 10:00,2027-03-03 12:00,\n"
    b"Saw,b@example.org,2027-03-04 10:00,2027-03-04 12:00,perhaps\n"
    b",b@example.org,2027-03-04 10:00,2027-03-04 12:00,\n",
}


def test_every_problem_is_told_by_line_and_nothing_is_dropped_silently(city_lab: Lab) -> None:
    report = check(city_lab, **BROKEN)
    assert codes(report) == [
        ("bookings.csv", 3, "overlaps-line"),
        ("bookings.csv", 4, "no-such-time"),
        ("bookings.csv", 5, "twice"),
        ("bookings.csv", 6, "ends-before-start"),
        ("bookings.csv", 7, "bad-time"),
        ("bookings.csv", 8, "unknown-machine"),
        ("bookings.csv", 9, "unknown-person"),
        ("bookings.csv", 10, "unknown-status"),
        ("bookings.csv", 11, "empty-cell"),
        ("machines.csv", 2, "unknown-class"),
        ("machines.csv", 3, "no-name"),
        ("machines.csv", 4, "not-a-number"),
        ("machines.csv", 5, "unknown-class"),
        ("machines.csv", 5, "twice-in-file"),
        ("members.csv", 1, "unknown-columns"),
        ("members.csv", 2, "no-email"),
        ("members.csv", 3, "bad-email"),
        ("members.csv", 4, "unknown-role"),
        ("members.csv", 5, "gets-role"),
        ("members.csv", 6, "twice-in-file"),
        ("members.csv", 7, "twice-in-file"),
        ("members.csv", 8, "too-many-cells"),
    ]
    meets = report["messages"][0]["words"]
    assert (meets["line"], meets["file"]) == (2, "bookings.csv")
    assert report["counts"]["bookings"] == {"left_out": 8, "new": 2, "read": 10}
    before = rows()
    with pytest.raises(LinesLeftOut):
        take(city_lab, BROKEN)
    assert rows() == before
    assert take(city_lab, BROKEN, leave_out=True) == report
    assert Booking.objects.filter(machine__lab=city_lab).count() == 2
    autumn = Booking.objects.get(machine__lab=city_lab, start__month=10)
    assert autumn.start == dt.datetime(2027, 10, 31, 0, 30, tzinfo=dt.UTC)


@pytest.mark.parametrize(
    ("body", "dates", "encoding", "delimiter", "start"),
    [
        ("machine;person;date;start;end\nM;p@example.org;14.1.2027;10.30;12:00\n", "22.11.2026", "UTF-8", ";", 8.5),
        (
            "machine\tperson\tstart\tend\nM\tp@example.org\t1/14/2027 10:30 AM\t1/14/2027 2:00 pm\n",
            "11/22/2026",
            "UTF-8",
            "\t",
            8.5,
        ),
        (
            "machine,person,start,end,note\nM,p@example.org,14/01/2027 10:30,14/01/2027 12:00,Åbo\n",
            "22/11/2026",
            "Windows-1252",
            ",",
            8.5,
        ),
        (
            "machine,person,start,end\nM,p@example.org,2027-01-14T10:30:00Z,2027-01-14T12:00:00Z\n",
            "2026-11-22",
            "UTF-16",
            ",",
            10.5,
        ),
    ],
)
def test_the_form_of_a_file_is_found_and_named(
    city_lab: Lab, body: str, dates: str, encoding: str, delimiter: str, start: float
) -> None:
    written = {"UTF-8": "utf-8-sig", "Windows-1252": "cp1252", "UTF-16": "utf-16"}[encoding]
    member = b"email\np@example.org\n"
    found = reading(city_lab, members=member, machines=b"name\nM\n", bookings=body.encode(written))
    told = found.files[-1]
    assert (told["dates"], told["encoding"], told["delimiter"]) == (dates, encoding, delimiter)
    assert not [m for m in found.messages if m.weight == "stop"]
    assert found.slots[0].start == dt.datetime(2027, 1, 14, tzinfo=dt.UTC) + start * dt.timedelta(hours=1)


def test_dates_that_could_be_either_are_asked_about(city_lab: Lab) -> None:
    body = b"machine,person,start,end\nM,p@example.org,03/04/2027 10:00,03/04/2027 12:00\n"
    assert [code for _f, _l, code in codes(check(city_lab, bookings=body))] == ["dates-open"]
    files = {"bookings": ("b.csv", body)}
    assert imports.read(city_lab, files, days="dmy").slots[0].start.month == 4
    assert imports.read(city_lab, files, days="mdy").slots[0].start.month == 3


def test_a_standing_booking_is_never_met(city_lab: Lab) -> None:
    laser = machine(city_lab, "Laser 1")
    start = dt.datetime(2027, 1, 14, 9, 0, tzinfo=dt.UTC)
    bookings.create_booking(machine=laser, user=person(), start=start, end=start + dt.timedelta(hours=2), now=NOW)
    report = take(city_lab, leave_out=True)
    assert ("bookings.csv", 2, "overlaps") in codes(report)
    assert ("bookings.csv", 3, "overlaps") in codes(report)
    assert ("machines.csv", 2, "machine-stands") in codes(report)
    assert Booking.objects.filter(machine=laser).count() == 1


def test_an_account_is_found_only_by_an_address_that_is_its_owners(city_lab: Lab) -> None:
    proven = create_user(username="aino", email="aino@example.org")
    EmailAddress.objects.create(user=proven, email="aino@example.org", verified=True, primary=True)
    claimed = create_user(username="thief", email="mikko@example.org")
    EmailAddress.objects.create(user=claimed, email="mikko@example.org", verified=False, primary=True)
    report = take(city_lab, leave_out=True)
    assert ("members.csv", 3, "mail-not-proven") in codes(report)
    assert not Membership.objects.filter(user=claimed).exists()
    assert not Booking.objects.filter(user=claimed).exists()
    assert Membership.objects.get(user=proven).role == "member"
    assert report["counts"]["members"] == {"joins": 1, "left_out": 1, "read": 2}
    assert "thief" not in json.dumps(report)
    assert Notice.objects.filter(person=proven, kind="labs.imported").count() == 1


def test_a_role_that_somebody_has_is_not_changed(city_lab: Lab) -> None:
    mikko = create_user(username="mikko", email="mikko@example.org")
    set_role(organisation=city_lab.organisation, user=mikko, role="owner")
    report = take(city_lab)
    assert ("members.csv", 3, "role-stays") in codes(report)
    assert Membership.objects.get(user=mikko).role == "owner"


def test_new_people_get_one_letter_with_a_link_that_signs_in(city_lab: Lab) -> None:
    take(city_lab)
    assert imports.write_letters(NOW) == 2
    assert imports.write_letters(NOW) == 0
    assert sorted(m.to[0] for m in mail.outbox) == ["aino@example.org", "mikko@example.org"]
    letter = next(m for m in mail.outbox if m.to == ["aino@example.org"])
    link = next(line for line in str(letter.body).splitlines() if "/sign-in/" in line or "lcs" in line)
    client = Client()
    path = "/" + link.split("/", 3)[3]
    assert client.post(path).status_code == 302
    assert client.session["_auth_user_id"] == str(User.objects.get(email="aino@example.org").pk)
    assert SignInLink.objects.filter(used_at=None).count() == 1


def test_without_letters_nobody_is_written_to(city_lab: Lab) -> None:
    take(city_lab, letters=False)
    assert imports.write_letters(NOW) == 0


def test_the_import_does_only_what_the_dry_run_told(city_lab: Lab) -> None:
    dry = check(city_lab, **ALL)
    create_user(username="elsewhere", email="aino@example.org")
    with pytest.raises(ChangedMeanwhile):
        take(city_lab, told=dry)
    assert not ImportedRow.objects.exists()


CELL = st.sampled_from(
    [
        "",
        "17",
        "aino@example.org",
        "Laser 1",
        "L1",
        "x",
        "2027-01-14 10:00",
        "2027-01-14 11:30",
        "14.1.2027 12:00",
        "2027-03-28 03:30",
        "manager",
        "Ω;|",
        '"',
        "1e400",
        "0",
    ]
)


@st.composite
def table(draw: st.DrawFn, columns: tuple[str, ...]) -> bytes:
    chosen = draw(st.permutations(columns))
    lines = draw(st.lists(st.lists(CELL, min_size=len(columns) - 1, max_size=len(columns) + 1), max_size=6))
    text = "\n".join([",".join(chosen), *(",".join(line) for line in lines)])
    return text.encode(draw(st.sampled_from(["utf-8", "utf-16"])))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    members=table(("id", "email", "name", "role")),
    machines=table(("id", "name", "class")),
    slots=table(("machine", "person", "start", "end", "status")),
)
@pytest.mark.django_db
def test_the_dry_run_tells_what_the_import_does(members: bytes, machines: bytes, slots: bytes) -> None:
    files = {"members": MEMBERS, "machines": machines, "bookings": slots}
    with transaction.atomic():
        here = lab()
        for found in (files, {**files, "members": members}):
            dry = check(here, **found)
            assert check(here, **found) == dry
            made_before = Booking.objects.count()
            assert take(here, found, leave_out=True) == dry
            assert Booking.objects.count() - made_before == dry["counts"].get("bookings", {}).get("new", 0)
            for counts in dry["counts"].values():
                if "read" in counts:
                    assert counts["left_out"] >= 0
            with translation.override("en"):
                for message in dry["messages"]:
                    assert all(sentence(message))
        transaction.set_rollback(True)


def fixture() -> list[dict[str, Any]]:
    """Objects by NEMO's public model names: users and tools by natural keys and by numbers."""
    hours = {"start": "2027-01-20T09:00:00Z", "end": "2027-01-20T11:00:00Z"}
    past = {"start": "2022-06-21T20:10:00Z", "end": "2022-06-21T21:10:00Z"}
    return [
        user(1, "captain", is_superuser=True, is_staff=True),
        user(2, "ned"),
        user(3, "gone", is_active=False),
        user(4, "conseil", is_staff=True, email=""),
        thing("tool", None, name="Sinter", visible=True, _category="Furnaces", _operational=False),
        thing("tool", 2, name="Laser writer", visible=True, _category="Lithography"),
        thing("tool", 3, name="Laser B", visible=True, parent_tool=["Laser writer"]),
        thing("tool", 4, name="Old", visible=False),
        thing("qualification", 1, user=["ned"], tool=["Sinter"], qualified_on="2023-04-10"),
        thing("qualification", 2, user=2, tool=2, qualified_on="2023-04-10"),
        thing("qualification", 3, user=["ned"], tool=["Old"], qualified_on=None),
        thing("reservation", 1, user=["ned"], tool=["Laser B"], title="Masks", **hours),
        thing("reservation", 2, user=["captain"], tool=2, **hours),
        thing("reservation", 3, user=2, tool=None, area=1, **hours),
        thing("reservation", 4, user=2, tool=2, missed=True, **past),
        thing("reservation", 5, user=77, tool=2, **hours),
        thing("scheduledoutage", 1, creator=["captain"], tool=["Sinter"], title="New tube", **hours),
        thing("usageevent", 1, user=["ned"]),
        thing("area", 1, name="Cleanroom"),
        thing("area", 2, name="Yellow room"),
        {"model": "somebody.plugin", "pk": 1, "fields": {}},
    ]


def thing(model: str, pk: int | None, **fields: Any) -> dict[str, Any]:
    return {"model": f"NEMO.{model}", **({"pk": pk} if pk else {}), "fields": fields}


def user(pk: int, name: str, **more: Any) -> dict[str, Any]:
    facts = {"username": name, "first_name": name.title(), "last_name": "N", "email": f"{name}@example.org"}
    return {"model": "NEMO.user", "pk": pk, "fields": {**facts, "is_active": True, **more}}


def nemo(of: Lab, objects: Any) -> Any:
    return imports.read(of, {"nemo": ("dump.json", json.dumps(objects).encode())})


def test_a_fixture_of_nemo_comes_over_and_the_rest_is_listed(city_lab: Lab) -> None:
    found = nemo(city_lab, fixture())
    dry = imports.check(city_lab, "nemo", found, now=NOW)
    done = imports.carry_out(city_lab, "nemo", found, now=NOW, leave_out=True)
    assert dry == done
    assert codes(done) == [
        ("dump.json", 0, "other-machines"),
        ("dump.json", 1, "gets-role"),
        ("dump.json", 3, "inactive"),
        ("dump.json", 4, "no-email"),
        ("dump.json", 7, "alternate"),
        ("dump.json", 8, "hidden"),
        ("dump.json", 11, "hidden"),
        ("dump.json", 13, "overlaps-line"),
        ("dump.json", 14, "area-booking"),
        ("dump.json", 16, "unknown-reference"),
        ("dump.json", 18, "unknown-reference"),
    ]
    assert done["not_taken"] == [
        {"model": "NEMO.area", "count": 2, "why": "no-areas"},
        {"model": "somebody.plugin", "count": 1, "why": "no-counterpart"},
    ]
    assert {left["why"] for left in done["not_taken"]} <= set(REASONS)
    sinter, laser = Machine.objects.get(slug="sinter"), Machine.objects.get(slug="laser-writer")
    assert (sinter.state, laser.state, laser.cls) == ("repair", "ok", "laser-cutter")
    ned = User.objects.get(email="ned@example.org")
    assert list(sinter.required_badges.values_list("name", flat=True)) == ["Sinter"]
    given = BadgeGrant.objects.filter(user=ned).values_list("badge__name", "granted_at__year")
    assert sorted(given) == [("Laser writer", 2023), ("Sinter", 2023)]
    kept = Booking.objects.filter(machine__lab=city_lab).order_by("start", "machine__slug")
    assert [(b.machine.slug, b.status, b.kind, b.note) for b in kept] == [
        ("laser-writer", "missed", "use", ""),
        ("laser-writer", "booked", "use", "Masks"),
        ("sinter", "booked", "maintenance", "New tube"),
    ]
    before = rows()
    imports.carry_out(city_lab, "nemo", found, now=NOW, leave_out=True)
    assert rows() == before


@pytest.mark.parametrize(
    "body", [b"", b"{}", b"[1, {}]", b'[{"model": 1, "fields": {}}]', b"\xff\xfe[", b"[" * 100_000]
)
def test_what_is_no_fixture_is_told_and_nothing_falls_over(city_lab: Lab, body: bytes) -> None:
    found = imports.read(city_lab, {"nemo": ("dump.json", body)})
    assert {m.code for m in found.messages} <= {"not-json", "not-a-fixture"}
    assert found.messages


def test_fields_of_a_fixture_may_be_anything(city_lab: Lab) -> None:
    odd: list[Any] = [None, [], {}, 7, "x", "nul\0", "\ud800half", True, [[1]], "2027-01-20T09:00:00Z", -(2**70)]
    names = ("username", "email", "name", "user", "tool", "start", "end")
    objects = [
        {"model": model, "pk": pk, "fields": dict.fromkeys(names, value)}
        for model in ("NEMO.user", "NEMO.tool", "NEMO.qualification", "NEMO.reservation", "NEMO.scheduledoutage")
        for pk, value in enumerate(odd)
    ]
    for value in ("nul\0l", "\ud800half"):
        objects.append({"model": "NEMO.tool", "pk": value, "fields": {"name": value}})
        objects.append(user(9, value, email=f"{len(value)}@example.org"))
    found = nemo(city_lab, objects)
    report = imports.check(city_lab, "nemo", found, now=NOW)
    assert report["stops"]
    assert imports.carry_out(city_lab, "nemo", found, now=NOW, leave_out=True) == report


def test_every_sentence_can_be_said() -> None:
    for code, said in SENTENCES.items():
        needed = re.findall(r"%\((\w+)\)s", " ".join(map(str, said)))
        assert "%" not in "".join(sentence({"code": code, "words": dict.fromkeys(needed, "x")}))


def run_command(*arguments: str) -> dict[str, Any]:
    out = StringIO()
    call_command("import_lab", *arguments, "--json", stdout=out)
    return dict(json.loads(out.getvalue()))


def test_the_command_checks_and_takes_over(city_lab: Lab, tmp_path: Path) -> None:
    for kind, body in ALL.items():
        (tmp_path / f"{kind}.csv").write_bytes(body)
    files = [word for kind in ALL for word in (f"--{kind}", str(tmp_path / f"{kind}.csv"))]
    dry = run_command(city_lab.slug, *files, "--dry-run")
    assert (dry["dry_run"], Machine.objects.filter(lab=city_lab).count()) == (True, 0)
    done = run_command(city_lab.slug, *files, "--no-letters")
    assert {**done, "dry_run": True} == dry
    assert Machine.objects.filter(lab=city_lab).count() == 2
    with pytest.raises(CommandError):
        run_command(city_lab.slug, "--members", str(tmp_path / "none.csv"))
    with pytest.raises(CommandError):
        run_command(city_lab.slug)


@pytest.fixture
def boss(city_lab: Lab) -> User:
    user = person()
    set_role(organisation=city_lab.organisation, user=user, role="manager")
    return user


def client_of(user: User | None) -> Client:
    client = Client()
    if user is not None:
        client.force_login(user)
    return client


def upload(client: Client, of: Lab, **files: bytes) -> LabImport:
    posted = {kind: SimpleUploadedFile(f"{kind}.csv", body) for kind, body in files.items()}
    answer = client.post(f"/labs/{of.slug}/import/", {**posted, "letters": "on"})
    assert answer.status_code == 302, answer.content
    made = LabImport.objects.get()
    assert made.run is not None
    work.do(made.run.pk)
    made.refresh_from_db()
    return made


def test_on_the_desk_files_are_checked_first_and_then_confirmed(city_lab: Lab, boss: User) -> None:
    client = client_of(boss)
    made = upload(client, city_lab, **ALL)
    url = f"/labs/{city_lab.slug}/import/{made.pk}/"
    assert (made.status, Machine.objects.filter(lab=city_lab).count()) == ("checked", 0)
    assert "Take it over" in client.get(url).content.decode()
    assert client.post(url, {"do": "confirm"}).status_code == 302
    made.refresh_from_db()
    assert made.run is not None
    work.do(made.run.pk)
    made.refresh_from_db()
    assert (made.status, made.files.count(), Machine.objects.filter(lab=city_lab).count()) == ("done", 0, 2)
    assert "2 new" in client.get(url).content.decode()
    assert "aino" not in json.dumps(made.run.result)
    assert Booking.objects.get(note="Chair").booked_by == boss


def test_lines_are_left_out_only_when_that_was_said(city_lab: Lab, boss: User) -> None:
    client = client_of(boss)
    made = upload(client, city_lab, **BROKEN)
    url = f"/labs/{city_lab.slug}/import/{made.pk}/"
    page = client.get(url).content.decode()
    assert "Lathe" in page.replace("lathe", "Lathe")
    assert client.post(url, {"do": "confirm"}).status_code == 422
    assert client.post(url, {"do": "confirm", "leave_out": "1"}).status_code == 302


def test_when_the_lab_changed_meanwhile_nothing_is_taken_over_and_one_checks_again(city_lab: Lab, boss: User) -> None:
    client = client_of(boss)
    made = upload(client, city_lab, **ALL)
    url = f"/labs/{city_lab.slug}/import/{made.pk}/"
    client.post(url, {"do": "confirm"})
    machine(city_lab, "Laser 1")
    made.refresh_from_db()
    assert made.run is not None
    work.do(made.run.pk)
    assert not ImportedRow.objects.exists()
    assert "That did not work" in client.get(url).content.decode()
    assert client.post(url, {"do": "again"}).status_code == 302
    assert client.post(url, {"do": "forget"}).status_code == 302
    assert not LabImport.objects.exists()


def test_files_that_nobody_confirms_are_deleted_after_a_week(city_lab: Lab, boss: User) -> None:
    made = upload(client_of(boss), city_lab, **ALL)
    assert imports.forget_old(made.created_at + dt.timedelta(days=6)) == 0
    assert imports.forget_old(made.created_at + dt.timedelta(days=8)) > 0
    assert not LabImport.objects.exists()


def test_an_import_is_seen_by_those_who_run_the_lab_alone(city_lab: Lab, boss: User) -> None:
    made = upload(client_of(boss), city_lab, **ALL)
    trainer, other_boss, staff = person(), person(), create_user(username="staffer", is_staff=True)
    set_role(organisation=city_lab.organisation, user=trainer, role="trainer")
    other = lab()
    set_role(organisation=other.organisation, user=other_boss, role="manager")
    who = [(None, 302), (person(), 404), (trainer, 404), (other_boss, 404), (boss, 200), (staff, 200)]
    base = f"/labs/{city_lab.slug}/import/"
    for address in (base, f"{base}{made.pk}/", f"{base}template/members.csv"):
        for user_, status in who:
            assert client_of(user_).get(address).status_code == status, (address, user_)
    for user_, status in who[:4]:
        assert client_of(user_).post(base, {}).status_code == status
        assert client_of(user_).post(f"{base}{made.pk}/", {"do": "forget"}).status_code == status
    assert LabImport.objects.filter(pk=made.pk).exists()
    assert client_of(other_boss).get(f"/labs/{other.slug}/import/{made.pk}/").status_code == 404
    assert client_of(boss).get(f"{base}template/none.csv").status_code == 404
    assert client_of(boss).post(base, {}).status_code == 422


def test_the_templates_themselves_can_be_imported(city_lab: Lab, boss: User) -> None:
    client = client_of(boss)
    files = {kind: client.get(f"/labs/{city_lab.slug}/import/template/{kind}.csv").getvalue() for kind in TEMPLATES}
    report = check(city_lab, **files)
    assert not report["stops"], report["messages"]


def test_past_use_of_nemo_becomes_finished_bookings_where_nothing_stands(city_lab: Lab) -> None:
    def used(pk: int, start: str, end: str | None, **more: Any) -> dict[str, Any]:
        return thing("usageevent", pk, user=["ned"], operator=["ned"], tool=["Laser"], start=start, end=end, **more)

    objects = [
        thing("user", 1, username="ned", email="ned@example.org", first_name="Ned", last_name="N", is_active=True),
        thing("tool", 1, name="Laser", visible=True),
        thing(
            "reservation", 1, user=["ned"], creator=["ned"], tool=["Laser"],
            start="2027-01-05T08:00:00Z", end="2027-01-05T10:00:00Z",
        ),
        used(1, "2027-01-04T08:00:00Z", "2027-01-04T09:30:00Z"),
        used(2, "2027-01-05T08:03:00Z", "2027-01-05T09:50:00Z"),
        used(3, "2027-01-10T11:00:00Z", None),
        used(4, "2027-01-04T09:00:00Z", "2027-01-04T09:45:00Z"),
        used(5, "2027-01-11T08:00:00Z", "2027-01-11T09:00:00Z"),
        thing("usageevent", 6, user=["who"], tool=["Laser"], start="2027-01-02T08:00:00Z", end="2027-01-02T09:00:00Z"),
    ]  # fmt: skip
    found = imports.nemo.read("dump.json", json.dumps(objects).encode(), now=NOW)
    dry = imports.check(city_lab, "nemo", found, now=NOW)
    assert dry["counts"]["bookings"] == {"covered": 2, "left_out": 3, "new": 2, "read": 7}
    assert [(m["line"], m["code"], m["weight"]) for m in dry["messages"] if m["line"] > 3] == [
        (5, "use-covered", "note"),
        (6, "use-not-over", "stop"),
        (7, "use-covered", "note"),
        (8, "bad-object", "stop"),
        (9, "unknown-reference", "stop"),
    ]
    assert imports.carry_out(city_lab, "nemo", found, now=NOW, leave_out=True) == dry
    held = Booking.objects.filter(machine__lab=city_lab).order_by("start")
    assert [(b.start.day, b.status, b.kind) for b in held] == [(4, "done", "use"), (5, "done", "use")]
    again = imports.carry_out(city_lab, "nemo", found, now=NOW, leave_out=True)
    assert again["counts"]["bookings"]["kept"] == 2


def test_overlaps_are_told_by_the_labs_own_clock(city_lab: Lab) -> None:
    lines = BOOKINGS + b"9,Laser 1,aino@example.org,2027-01-14 11:00,2027-01-14 11:30,,\n"
    report = check(city_lab, members=MEMBERS, machines=MACHINES, bookings=lines)
    (told,) = [m for m in report["messages"] if m["code"] == "overlaps-line"]
    assert told["words"]["when"] == "2027-01-14 10:00–12:00 EET"


def test_files_go_up_are_checked_and_carried_out_over_the_api(client: Client, city_lab: Lab) -> None:
    boss, path = person(), f"/api/v1/labs/{city_lab.slug}/imports/"
    set_role(organisation=city_lab.organisation, user=boss, role=Membership.Role.MANAGER)
    trainer, stranger = person(), person()
    set_role(organisation=city_lab.organisation, user=trainer, role=Membership.Role.TRAINER)

    def files() -> dict[str, Any]:
        table = BOOKINGS + b"9,Nothing,aino@example.org,2027-01-14 11:00,2027-01-14 11:30,,\n"
        bodies = {"members": MEMBERS, "machines": MACHINES, "bookings": table}
        return {kind: SimpleUploadedFile(f"{kind}.csv", body) for kind, body in bodies.items()}

    for who, status in ((None, 401), (stranger, 404), (trainer, 404)):
        headers = bearer(who, "labs:manage") if who else {}
        assert client.post(path, files(), headers=headers).status_code == status
        assert client.get(path, headers=headers).status_code == status
    head = bearer(boss, "labs:manage")
    for wrong in ({"zone": "Mars/Olympus"}, {"days": "backwards"}, {"nemo": SimpleUploadedFile("n.json", b"[]")}):
        assert client.post(path, {**files(), **wrong}, headers=head).status_code in {400, 422}
    assert client.post(path, {}, headers=head).status_code == 422
    sent = client.post(path, {**files(), "zone": "Europe/London", "letters": "false"}, headers=head)
    assert sent.status_code == 202, sent.content
    made = sent.json()
    assert (made["status"], made["zone"], made["report"]) == ("checking", "Europe/London", None)
    one, before = f"{path}{made['id']}/", rows()["labs_booking"]
    assert client.post(f"{one}confirm/", {}, "application/json", headers=head).status_code == 422
    work_off("labs.check_import")
    told = client.get(one, headers=head).json()
    assert (told["status"], told["report"]["counts"]["bookings"]["new"]) == ("checked", 4)
    (message,) = [m for m in told["report"]["messages"] if m["weight"] == "stop"]
    assert (message["line"], message["code"]) == (6, "unknown-machine")
    assert message["what"].startswith("There is no machine “nothing”")
    assert rows()["labs_booking"] == before
    refused = client.post(f"{one}confirm/", {}, "application/json", headers=head)
    assert (refused.status_code, refused.json()["code"]) == (422, "import:lines-left-out")
    assert client.post(f"{one}confirm/", {"leave_out": True}, "application/json", headers=head).status_code == 202
    work_off("labs.carry_out_import")
    done = client.get(one, headers=head).json()
    assert (done["status"], rows()["labs_booking"]) == ("done", before + 4)
    chair = Booking.objects.get(note="Chair")
    assert chair.start == dt.datetime(2027, 1, 14, 10, tzinfo=dt.UTC)  # ten o'clock in London
    assert client.delete(one, headers=head).status_code == 422
    second = client.post(path, files(), headers=head).json()
    assert client.delete(f"{path}{second['id']}/", headers=head).status_code == 204
    assert [row["id"] for row in client.get(path, headers=head).json()["results"]] == [made["id"]]
    assert client.get(one, headers=bearer(stranger, "labs:manage")).status_code == 404


def test_the_page_takes_the_zone_of_the_files(client: Client, city_lab: Lab) -> None:
    boss = person()
    set_role(organisation=city_lab.organisation, user=boss, role=Membership.Role.MANAGER)
    client.force_login(boss)
    path = f"/labs/{city_lab.slug}/import/"
    assert "Times are by the clock of" in client.get(path).content.decode()
    sent = {"members": SimpleUploadedFile("m.csv", MEMBERS), "zone": "Nowhere/At all"}
    assert client.post(path, sent).status_code == 422
    sent = {"members": SimpleUploadedFile("m.csv", MEMBERS), "zone": "America/Lima"}
    assert client.post(path, sent).status_code == 302
    assert LabImport.objects.get().options["zone"] == "America/Lima"
