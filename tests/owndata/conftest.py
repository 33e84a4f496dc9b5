"""Somebody with a name that nobody else has, who has done something in every room."""

import datetime as dt
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from commons.notices.services import tell
from commons.people.models import Membership, User
from commons.people.services import create_organisation, create_token, create_user, set_role
from commons.places import services as places
from commons.reports import services as reports
from commons.runs import services as runs
from designs.models import Comment, Design
from designs.services import create_design, index_now, stars, talk, write_files
from energy import series, services
from energy.models import CommunityVersion, MeterDay, Participant
from energy.services import founding, meters, participants
from labs.engine.prices import Rates
from labs.models import Booking, Machine
from labs.services import bookings, faults, kiosk, ledger, tills
from tests.energy.conftest import write
from tests.labs.conftest import lab, machine

PASSWORD = "a long pass phrase of quartz"
HOUR = dt.timedelta(hours=1)
#: What must be nowhere when she has left.
NAMES = ("zquart", "Quartermain", "quartz.example")


@dataclass
class World:
    """She, whom she knows, and what she has a part in."""

    person: User
    friend: User
    boss: User
    printer: Machine
    hers: Design
    shared: Design
    version: CommunityVersion
    home: Participant


@pytest.fixture(autouse=True)
def own_folders(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Files of a test are its own, and no worker of another test is rung."""
    settings.DATA_DIR = tmp_path
    settings.REPOSITORIES_DIR = tmp_path / "repositories"
    settings.MEDIA_ROOT = tmp_path / "media"
    monkeypatch.setattr(runs, "ring", lambda _run: None)


def _labs(person: User, boss: User) -> Machine:
    printer = machine(lab(place=places.ensure_city(slug="oulu", name="Oulu", timezone="Europe/Helsinki")))
    set_role(organisation=printer.lab.organisation, user=person, role=Membership.Role.MEMBER)
    set_role(organisation=printer.lab.organisation, user=boss, role=Membership.Role.OWNER)
    past, start = timezone.now() - 5 * HOUR, (timezone.now() + 30 * HOUR).replace(minute=0, second=0, microsecond=0)
    Booking.objects.create(
        machine=printer, user=person, start=past, end=past + HOUR, blocked=(past, past + HOUR), status="done"
    )
    bookings.create_booking(machine=printer, user=person, start=start, end=start + HOUR)
    kiosk.set_pin(user=person, pin="482913")
    faults.report_fault(machine=printer, by=person, what="It squeaks.", severity="note")
    return printer


def _designs(person: User, friend: User) -> tuple[Design, Design]:
    hers = create_design(owner=person.handle, name="Secret lamp", licence="MIT", by=person, visibility="private")
    shared = create_design(owner=friend.handle, name="Bench", licence="MIT", by=friend)
    for design, owner in ((hers, person), (shared, friend)):
        write_files(design=design, files={"README.md": b"# It\n"}, message="First", author=owner, by=owner)
    write_files(design=shared, files={"NOTES.md": b"One\n"}, message="Notes", author=person, by=None)
    index_now(design=shared, by=friend)
    stars.star(design=shared, by=person)
    talk.say(design=shared, author=person, body="I would make the legs thicker.")
    talk.say(design=shared, author=friend, body="Thank you, @zquart, that helps.")
    return hers, shared


def _energy(person: User, friend: User, folder: Path) -> tuple[CommunityVersion, Participant]:
    version = services.import_folder(folder=write(folder / "sixteen"), slug="sixteen", place=None)
    version.members.filter(key="h01").update(person=person, name="Zbigniewa Quartermain")
    street = founding.found_community(by=friend, name="Our street", place=places.ensure_city(
        slug="oulu", name="Oulu", timezone="Europe/Helsinki"), kind="local")
    _invitation, code = participants.invite(community=street, by=friend, name="Zbigniewa Quartermain")
    day = timezone.now().date() - dt.timedelta(days=9)
    home = participants.join(code=code, by=person, name="Quartermain", joined_on=day, address="Quartermain 1")
    meter = meters.add_meter(participant=home, by=person, number="FI 12-34 5678")
    meters.vouch(meter=meter, by=friend)
    MeterDay.objects.create(
        meter=meter, day=day, step_minutes=15, packed=series.pack([0.25] * 96), kwh=24, missing=0, source="file"
    )
    return version, home


def _elsewhere(person: User, friend: User, shared: Design) -> None:
    create_token(user=person, name="mine", scopes=["designs:write", "bookings:write", "energy:read"])
    tell(people=[friend], kind="designs.star", text="Zbigniewa Quartermain likes Bench", url="/", actor=person)
    tell(people=[friend], kind="city.note", text="zquart was here", url="/", actor=None)
    comment = Comment.objects.get(author=friend, design=shared)
    reports.report(kind="designs.comment", key=str(comment.pk), reason="other", words="Just so.", by=person)
    organisation = create_organisation(handle="guild", name="Guild", kind="association", founder=friend)
    set_role(organisation=organisation, user=person, role=Membership.Role.MEMBER)


@pytest.fixture
def world(tmp_path: Path, db: None) -> World:
    person = create_user(
        username="zquart", name="Zbigniewa Quartermain", email="z@quartz.example", password=PASSWORD
    )
    friend, boss = create_user(username="friend", name="Fred"), create_user(username="boss", name="Bo")
    printer = _labs(person, boss)
    hers, shared = _designs(person, friend)
    version, home = _energy(person, friend, tmp_path / "folders")
    _elsewhere(person, friend, shared)
    return World(person, friend, boss, printer, hers, shared, version, home)


def pay(world: World) -> None:
    """A wallet in the books of the lab."""
    tills.set_till(lab=world.printer.lab, mode="money", currency="EUR")
    tills.set_tariff(lab=world.printer.lab, rates=Rates(per_hour=Decimal(6)), by=world.boss)
    ledger.pay_in(lab=world.printer.lab, user=world.person, sum_=Decimal(20), by=world.boss)


@pytest.fixture
def signed_in(world: World, client: Client) -> Client:
    client.force_login(world.person)
    return client
