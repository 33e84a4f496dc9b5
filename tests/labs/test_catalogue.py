"""Profiles, hours that differ, people, stock, photos and manuals; the directory; who may see which page."""

import datetime as dt
import io
from decimal import Decimal
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone

from commons.notices.models import Notice
from commons.people.models import Membership, User
from commons.people.services import set_role
from labs.engine import hours
from labs.errors import BadHours, BadMachine, BadTime
from labs.errors.catalogue import AlreadyMember, AnsweredAlready, BadProfile, BadStock, BadUpload
from labs.models import Consumable, Joining, Lab, Machine, MachinePhoto
from labs.queries import board, directory, opening
from labs.queries import bookings as booking_queries
from labs.queries.profile import loads
from labs.services import bookings, equipment, members, profile, stock
from tests.labs.conftest import lab, machine, person
from tests.labs.learning_stage import work_off

pytestmark = pytest.mark.django_db
HOUR = dt.timedelta(hours=1)
WEEK = {day: [["09:00", "17:00"]] for day in hours.DAYS}
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 40


@pytest.fixture
def manager(city_lab: Lab) -> User:
    found = person()
    set_role(organisation=city_lab.organisation, user=found, role=Membership.Role.OWNER)
    return found


def noon(of: Lab, days: int) -> dt.datetime:
    day = (timezone.now().astimezone(of.zone) + dt.timedelta(days=days)).date()
    return dt.datetime.combine(day, dt.time(12), of.zone)


def test_a_closed_day_refuses_bookings_and_is_skipped(kamppi: Any) -> None:
    where = lab(place=kamppi, opening_hours=WEEK)
    of = machine(where)
    wanted = noon(where, 3)
    profile.add_exception(lab=where, first=wanted.date(), note="Holiday")
    of.refresh_from_db()
    with pytest.raises(BadTime, match="closed"):
        bookings.create_booking(machine=of, user=person(), start=wanted, end=wanted + HOUR)
    free = booking_queries.next_free(of, hours.Span(wanted, wanted + HOUR))
    assert free is not None
    assert free.start.astimezone(where.zone).date() == wanted.date() + dt.timedelta(days=1)
    assert opening.note_on(where, wanted.date()) == "Holiday"


def test_special_hours_open_a_day(kamppi: Any) -> None:
    where = lab(place=kamppi, opening_hours={"mon": [["09:00", "10:00"]]})
    of = machine(where)
    day = noon(where, 1)
    while day.weekday() == 0:
        day += dt.timedelta(days=1)
    profile.add_exception(lab=where, first=day.date(), spans=[["11:00", "15:00"]])
    of.refresh_from_db()
    assert bookings.create_booking(machine=of, user=person(), start=day, end=day + HOUR).pk
    with pytest.raises(BadHours):
        profile.add_exception(lab=where, first=day.date(), spans=[["15:00", "11:00"]])


def test_a_lab_that_pauses_is_closed(city_lab: Lab) -> None:
    of = machine(city_lab)
    profile.change_lab(lab=city_lab, status="temporary-closure")
    of.refresh_from_db()
    at = noon(city_lab, 1)
    with pytest.raises(BadTime):
        bookings.create_booking(machine=of, user=person(), start=at, end=at + HOUR)


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("9-21", [["09:00", "21:00"]]),
        ("09:00–12:30, 13.00–17", [["09:00", "12:30"], ["13:00", "17:00"]]),
        ("", []),
        ("21-9", None),
        ("nine to five", None),
        ("9-12, 11-14", None),
        ("-3-4", None),
    ],
)
def test_hours_as_people_write_them(text: str, spans: list[list[str]] | None) -> None:
    if spans is None:
        with pytest.raises(ValueError, match=r"."):
            hours.read_day(text)
    else:
        assert hours.read_day(text) == spans
        assert hours.read_day(hours.write_day(spans)) == spans


def test_asking_and_inviting(city_lab: Lab, manager: User) -> None:
    asker, guest = person(), person()
    asked = members.ask_to_join(lab=city_lab, user=asker)
    assert Notice.objects.filter(person=manager, kind="labs.join").exists()
    with pytest.raises(AnsweredAlready):
        members.ask_to_join(lab=city_lab, user=asker)
    members.answer(joining=asked, by=manager, accept=True)
    assert Membership.objects.get(user=asker).role == "member"
    with pytest.raises(AnsweredAlready):
        members.answer(joining=asked, by=manager, accept=False)
    with pytest.raises(AlreadyMember):
        members.invite(lab=city_lab, user=asker, by=manager)
    members.invite(lab=city_lab, user=guest, by=manager, role="trainer")
    members.ask_to_join(lab=city_lab, user=guest)  # asking answers the invitation
    assert Membership.objects.get(user=guest).role == "trainer"
    with pytest.raises(BadProfile):
        members.change_role(lab=city_lab, user=guest, role="owner")
    members.leave(lab=city_lab, user=guest)
    assert not Membership.objects.filter(user=guest).exists()
    assert Joining.objects.filter(state="open").count() == 0


def test_stock_is_what_the_entries_say_and_low_is_told_once(city_lab: Lab, manager: User) -> None:
    filament = stock.add_consumable(lab=city_lab, name="PLA", unit="kg", low=Decimal(2))
    for why, amount in (("came", "5"), ("used", "1.5"), ("used", "2"), ("used", "0.5"), ("counted", "0.8")):
        stock.enter(consumable=filament, why=why, amount=Decimal(amount), by=manager)
    filament.refresh_from_db()
    assert filament.stock == sum(entry.amount for entry in filament.entries.all()) == Decimal("0.8")
    assert Notice.objects.filter(person=manager, kind="labs.low_stock").count() == 1
    with pytest.raises(BadStock, match=r"only 0\.8 kg"):
        stock.enter(consumable=filament, why="used", amount=Decimal(1), by=manager)
    with pytest.raises(BadStock):
        stock.enter(consumable=filament, why="came", amount=Decimal(-1), by=manager)
    assert Consumable.objects.get().stock == Decimal("0.800")


def test_facts_of_a_machine(printer: Machine, manager: User) -> None:
    circuit = profile.add_circuit(lab=printer.lab, name="A", limit_w=3600)
    changed = equipment.change_machine(
        machine=printer, materials=["pla", "PET-G", "PLA "], tolerance_mm=0.2, circuit=circuit
    )
    assert (changed.materials, changed.circuit) == (["PLA", "PETG"], circuit)
    with pytest.raises(BadMachine):
        equipment.change_machine(machine=printer, volume_x_mm=-1)
    with pytest.raises(BadMachine):
        equipment.change_machine(machine=printer, lab=None)
    elsewhere = profile.add_circuit(lab=lab(), name="A", limit_w=1000)
    with pytest.raises(BadMachine, match="another lab"):
        equipment.change_machine(machine=printer, circuit=elsewhere)
    (load,) = loads(board.board(printer.lab, viewer=None, now=timezone.now()))
    assert (load.watts, load.left_w, load.machines) == (None, 3600, [printer])


def test_what_is_uploaded(printer: Machine, manager: User, settings: Any, tmp_path: Any, client: Client) -> None:
    settings.MEDIA_ROOT = tmp_path
    photo = equipment.add_photo(machine=printer, sent=SimpleUploadedFile("a.png", PNG), by=manager)
    assert (photo.state, equipment.incoming(photo).read_bytes()) == (MachinePhoto.State.PENDING, PNG)
    address = f"/labs/{printer.lab.slug}/{printer.slug}/photos/{photo.name}-small.jpg"
    assert client.get(address).status_code == 404  # what was sent is never shown
    for name, body in (("a.svg", b"<svg onload=alert(1)>"), ("a.png", b""), ("a.html", b"RIFFxxxxWAVE")):
        with pytest.raises(BadUpload):
            equipment.add_photo(machine=printer, sent=SimpleUploadedFile(name, body), by=manager)
    with pytest.raises(BadUpload, match="PDF"):
        equipment.add_manual(machine=printer, title="x", by=manager, sent=SimpleUploadedFile("x.pdf", b"<html>"))
    manual = equipment.add_manual(
        machine=printer, title="How", by=manager, sent=SimpleUploadedFile("x.pdf", b"%PDF-1.7 body")
    )
    answer = client.get(f"/labs/{printer.lab.slug}/{printer.slug}/manuals/{manual.pk}/")
    assert answer["Content-Disposition"].startswith("attachment")
    assert (answer["X-Content-Type-Options"], answer["Content-Security-Policy"]) == ("nosniff", "sandbox")
    other = machine(lab())
    assert client.get(f"/labs/{other.lab.slug}/{other.slug}/manuals/{manual.pk}/").status_code == 404
    equipment.remove_photo(photo=photo)
    assert not MachinePhoto.objects.exists()


def taken(size: tuple[int, int]) -> bytes:
    """A photo as a phone takes it: it knows where it was taken, and lies on its side."""
    from PIL import Image

    picture = Image.effect_noise(size, 80).convert("RGB")
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by a quarter
    exif[0x010F] = "Secret Phone"
    exif.get_ifd(0x8825)[2] = (60.0, 10.0, 0.0)
    body = io.BytesIO()
    picture.save(body, "JPEG", exif=exif.tobytes())
    return body.getvalue()


def test_a_photo_is_shown_only_as_it_was_drawn_anew(
    printer: Machine, manager: User, settings: Any, tmp_path: Any, client: Client
) -> None:
    from PIL import Image

    settings.MEDIA_ROOT = tmp_path
    raw = taken((900, 600))
    assert b"Secret Phone" in raw
    page, edit = (f"/labs/{printer.lab.slug}/{printer.slug}/{end}" for end in ("", "edit/"))
    client.force_login(manager)
    answer = client.post(edit, {"do": "photo", "photo": SimpleUploadedFile("a.jpg", raw), "words": "From the left"})
    assert answer.status_code == 302, answer.content
    photo = MachinePhoto.objects.get()
    address = f"/labs/{printer.lab.slug}/{printer.slug}/photos/{photo.name}-"
    assert client.get(f"{address}large.jpg").status_code == 404
    assert photo.name not in client.get(page).content.decode()
    work_off("labs.photo")
    photo.refresh_from_db()
    assert (photo.state, photo.reason) == (MachinePhoto.State.READY, "")
    assert (photo.width, photo.height) == (600, 900)  # the right way up
    assert not equipment.incoming(photo).exists()
    client.logout()
    assert photo.name in client.get(page).content.decode()
    for size in ("large", "small"):
        shown = client.get(f"{address}{size}.jpg")
        assert (shown.status_code, shown["Content-Type"]) == (200, "image/jpeg")
        body = b"".join(shown.streaming_content) if shown.streaming else shown.content
        drawn = Image.open(io.BytesIO(body))
        assert (drawn.format, len(drawn.getexif())) == ("JPEG", 0)
        assert b"Secret Phone" not in body
        assert drawn.width < drawn.height
    broken = equipment.add_photo(machine=printer, sent=SimpleUploadedFile("b.jpg", raw[:2000]), by=manager)
    work_off("labs.photo")
    broken.refresh_from_db()
    assert (broken.state, bool(broken.reason)) == (MachinePhoto.State.FAILED, True)
    assert not equipment.incoming(broken).exists()
    assert client.get(address.replace(photo.name, broken.name) + "large.jpg").status_code == 404
    assert broken.name not in client.get(page).content.decode()


def test_the_directory_finds_by_what_machines_are(kamppi: Any, client: Client) -> None:
    near, far = lab("near", place=kamppi, lat=60.17, lon=24.94), lab("far", place=kamppi, lat=61.5, lon=23.8)
    machine(near, cls="laser-cutter", volume_z_mm=None, materials=["plywood"])
    machine(far, cls="3d-printer", materials=["PLA"])
    closed = lab("closed", place=kamppi, opening_hours={"mon": [["00:00", "00:01"]]})

    def found(near_to: tuple[float, float] | None = None, **query: str) -> list[str]:
        return [row.lab.slug for row in directory.search(directory.wanted(query, near_to), timezone.now())]

    assert found((61.5, 23.8)) == ["far", "near", "closed"]
    assert found(**{"class": "laser-cutter"}) == ["near"]
    assert found(process="fff") == ["far"]
    assert found(material="PLA+") == ["far"]
    assert found(q="plywood") == ["near"]
    assert found(q="nothing of the kind") == []
    assert closed.slug not in found(open="1")
    html = client.get("/labs/", {"class": "laser-cutter", "lat": "60", "lon": "25"}).content.decode()
    assert "Near" in html
    assert client.get("/labs/", {"class": "';--", "lat": "x", "open": "1"}).status_code == 200


PAGES = (
    # page, nobody, a stranger, a member, a trainer, a manager
    ("about/", 200, 200, 200, 200, 200),
    ("people/", 302, 404, 200, 200, 200),
    ("consumables/", 302, 404, 200, 200, 200),
    ("orders/", 302, 404, 404, 200, 200),
    ("settings/", 302, 404, 404, 404, 200),
    ("okw/", 302, 404, 404, 404, 200),
    ("{machine}/edit/", 302, 404, 404, 404, 200),
)


def test_who_sees_which_page(printer: Machine, client: Client) -> None:
    organisation = printer.lab.organisation
    people = [None, *(person() for _ in range(4))]
    for who, role in zip(people[2:], ("member", "trainer", "manager"), strict=True):
        set_role(organisation=organisation, user=who, role=role)  # type: ignore[arg-type]
    for page, *answers in PAGES:
        for who, status in zip(people, answers, strict=True):
            client.logout()
            if who:
                client.force_login(who)
            path = f"/labs/{printer.lab.slug}/{page.format(machine=printer.slug)}"
            assert client.get(path).status_code == status, (page, who)
            if status == 404 and page != "orders/":
                assert client.post(path, {"do": "invite", "person": "x"}).status_code == 404, (page, who)
    client.force_login(people[4])  # type: ignore[arg-type]
    assert client.get("/labs/import/").status_code == 404


def test_a_manager_edits_on_the_pages(printer: Machine, manager: User, client: Client) -> None:
    client.force_login(manager)
    base = f"/labs/{printer.lab.slug}/"
    week = dict.fromkeys(("mon", "tue"), "9-21")
    assert client.post(f"{base}settings/", {"do": "hours", **week}).status_code == 302
    assert Lab.objects.get(pk=printer.lab_id).opening_hours == {
        "mon": [["09:00", "21:00"]], "tue": [["09:00", "21:00"]],
    }  # fmt: skip
    assert client.post(f"{base}settings/", {"do": "hours", "mon": "late"}).status_code == 200
    about = {"do": "lab", "name": "New name", "access": "membership", "status": "active", "languages": "en, fi",
             "house_rules": "Sweep the floor.", "website": "example.org"}  # fmt: skip
    assert client.post(f"{base}settings/", about).status_code == 302
    assert "Sweep the floor." in client.get(f"{base}about/").content.decode()
    day = {"do": "exception", "first": "2031-12-24", "last": "2031-12-26", "note": "Midwinter"}
    assert client.post(f"{base}settings/", day).status_code == 302
    assert "Midwinter" in client.get(f"{base}settings/").content.decode()
    circuit = {"do": "circuit", "name": "B", "limit_w": "5500", "machines": str(printer.pk)}
    assert client.post(f"{base}settings/", circuit).status_code == 302
    assert "of 5.5" in client.get(base).content.decode()
    told = {"do": "facts", "name": "Saimaa", "cls": "3d-printer", "process": "fff", "materials": "pla, petg",
            "tolerance_mm": "0.2", "buffer_before_min": "0", "buffer_after_min": "5", "longest_h": "8"}  # fmt: skip
    assert client.post(f"{base}{printer.slug}/edit/", told).status_code == 302
    html = client.get(f"{base}{printer.slug}/").content.decode()
    assert "PLA, PETG" in html
    assert "± 0.2 mm" in html
    person("guest")
    assert client.post(f"{base}people/", {"do": "invite", "person": "Guest", "role": "trainer"}).status_code == 302
    client.force_login(User.objects.get(username="guest"))
    assert "Accept the invitation" in client.get(f"{base}about/").content.decode()
    client.post(f"{base}join/", {"do": "accept"})
    assert Membership.objects.get(user__username="guest").role == "trainer"
