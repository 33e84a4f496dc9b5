"""One world for all tables: a lab, a community, a district, designs, people in every relation to them, and what belongs
to whom. It is built once for a module, in a transaction that is taken back, and so is what a request does in it.
"""

import datetime as dt
import json
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from decimal import Decimal
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any

from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.utils import timezone

from commons.decisions import services as decisions
from commons.devices import services as devices
from commons.devices.models import Command
from commons.notices.models import Notice
from commons.people.models import Membership, Organisation, Scope, User
from commons.people.services import create_organisation, create_token, create_user, revoke_token, set_role
from commons.places import services as places
from commons.runs.models import Run
from commons.runs.work import do
from energy import services as energy
from energy.services import founding, meter_files, participants, statements, tariffs
from energy.services import meters as meter_points
from labs.models import Badge, Booking, Fault, Lab, MachinePhoto, Mending, Slice, SlicingProfile, StatusList
from labs.services import (
    badges,
    bookings,
    courses,
    credentials,
    drafts,
    equipment,
    faults,
    feeds,
    imports,
    invoices,
    labels,
    learning,
    ledger,
    log,
    maintenance,
    members,
    orders,
    passports,
    rules,
    sessions,
    stock,
    ties,
    tills,
    trust,
    waitlist,
)  # fmt: skip
from labs.services import kiosk as kiosks
from labs.views.kiosk import COOKIE
from tests.authz.roles import BY_TOKEN, ORDER
from tests.designs.authz_world import World as Designs
from tests.designs.authz_world import build as build_designs
from tests.designs.authz_world import taken_back
from tests.energy import conftest as energy_stage
from tests.energy.test_statements import PRICES, keep_day
from tests.labs import conftest as lab_stage
from tests.labs.learning_stage import course_design, learn, right_answers
from tests.labs.test_jobs import Agent
from tests.labs.test_orders import released
from tests.twin.conftest import small_town
from twin import files as twin_files
from twin import services as twin
from twin.services import offers, sandboxes, scenario_comments, scenarios

#: What `before.py` makes for the moment of a request; until then there is nothing of that name.
MOMENTARY_NUMBERS = ("choice", "conflict", "session row", "meter.number")
MOMENTARY_KEYS = ("flexible", "flexible.booking", "export", "meter.device", "plug")
MOMENTARY_WORDS = ("sign-in", "enrolment.code", "ogc.job")
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
EDIT_KEY = "the edit key of nobody's scenario"
#: From where everybody asks: not from the machine itself, to which more is told.
ELSEWHERE = "203.0.113.9"


@dataclass
class World:
    """Who there is, how each comes, and what routes name."""

    people: dict[str, User] = field(default_factory=dict)
    clients: dict[str, Client] = field(default_factory=dict)
    cookies: dict[str, dict[str, str]] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    git: dict[str, str] = field(default_factory=dict)
    names: dict[str, Any] = field(default_factory=dict)
    designs: Designs | None = None

    @contextmanager
    def undone(self) -> Iterator[None]:
        """What happens inside is taken back; the cache, which is no part of the database, is emptied before."""
        cache.clear()
        with taken_back():
            yield

    def client(self, role: str) -> Client:
        """The browser of a role as it came in: a request may have signed it out."""
        client = self.clients[role]
        client.cookies = SimpleCookie(self.cookies[role])
        return client


@contextmanager
def written() -> Iterator[set[str]]:
    """The tables in which a row is written inside."""
    touched: set[str] = set()

    def look(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        result = execute(sql, params, many, context)
        words = str(sql).split(None, 3)
        table = {"INSERT": words[2:3], "UPDATE": words[1:2], "DELETE": words[2:3]}.get(words[0].upper(), [])
        if table and context["cursor"].rowcount:
            touched.add(table[0].strip('"'))
        return result

    with connection.execute_wrapper(look):
        yield touched


def build(folder: Path) -> World:
    """All of it."""
    made = World()
    designs = build_designs(folder / "designs")
    made.designs = designs
    usual = {role: person for role, person in designs.people.items() if role in ORDER}
    made.people |= usual | {
        role: create_user(username=f"of-{role}", name=role.title())
        for role in ORDER if role not in {*usual, *BY_TOKEN, "anonymous", "kiosk", "superuser"}
    }  # fmt: skip
    made.people["superuser"] = create_user(username="of-superuser", is_staff=True)
    User.objects.filter(pk=made.people["staff"].pk).update(is_superuser=False)
    made.people["staff"].refresh_from_db()
    _ground(made, designs)
    _lab(made)
    _teaching(made)
    _community(made, folder)
    _district(made, folder)
    _decisions(made)
    made.names |= dict.fromkeys(MOMENTARY_NUMBERS, 424242) | dict.fromkeys(MOMENTARY_KEYS, uuid.UUID(int=42))
    made.names |= dict.fromkeys(MOMENTARY_WORDS, "nothing")
    _everybody_comes_in(made)
    return made


def _everybody_comes_in(made: World) -> None:
    for role in ORDER:
        made.clients[role] = Client(raise_request_exception=False, REMOTE_ADDR=ELSEWHERE)
        if role in made.people:
            made.clients[role].force_login(made.people[role])
            made.git[role] = create_token(user=made.people[role], name="git", scopes=[Scope.DESIGNS_WRITE])[1]
    root, staff = made.people["superuser"], made.people["staff"]
    row, made.tokens["expired"] = create_token(user=root, name="old", scopes=[Scope.ADMIN])
    type(row).objects.filter(pk=row.pk).update(expires_at=timezone.now() - DAY)
    row, made.tokens["revoked"] = create_token(user=root, name="gone", scopes=[Scope.ADMIN])
    revoke_token(token=row)
    made.tokens["narrow"] = create_token(user=staff, name="vote", scopes=[Scope.DECISIONS_VOTE])[1]
    reading = [Scope.DESIGNS_READ, Scope.BOOKINGS_READ, Scope.ENERGY_READ]
    made.tokens["reading"] = create_token(user=staff, name="read", scopes=reading)[1]
    kiosk, code = kiosks.add_kiosk(lab=made.names["the lab"], name="By the door", by=None)
    _kiosk, secret = kiosks.pair(lab=made.names["the lab"], code=code)
    made.names["kiosk"] = kiosk.pk
    _other, made.names["kiosk.code"] = kiosks.add_kiosk(lab=made.names["the lab"], name="Not yet paired", by=None)
    made.clients["kiosk"].cookies[COOKIE] = secret
    made.cookies = {
        role: {name: crumb.value for name, crumb in client.cookies.items()} for role, client in made.clients.items()
    }


# --- the ground floor ---------------------------------------------------------------------------------------------


def _ground(made: World, designs: Designs) -> None:
    city = places.ensure_city(slug="helsinki", name="Helsinki", timezone="Europe/Helsinki", country="FI")
    made.names["the place"] = places.ensure_neighbourhood(slug="kamppi", name="Kamppi", city=city)
    hall = create_organisation(handle="city-hall", name="City hall", kind=Organisation.Kind.CITY)
    set_role(organisation=hall, user=made.people["city-steward"], role=Membership.Role.STEWARD)
    boss, lamp = made.people["owner"], designs.here
    type(lamp.design).objects.filter(pk=lamp.design.pk).update(visibility="private")
    made.names |= {f"design {name}": value for name, value in lamp.kwargs.items()}
    made.names |= {f"design #{name}": value for name, value in designs.numbers.items()}
    made.names |= {"design here": lamp.design.pk, "design shelf": 0, "the customer": made.people["customer"].username}
    made.names |= {
        "the trainer": made.people["trainer"].username, "the trainer.id": made.people["trainer"].pk,
        "a stranger": made.people["stranger"].username, "the viewer": made.people["viewer"].username,
        "place.id": made.names["the place"].pk,
    }  # fmt: skip
    run = Run.objects.create(kind="designs.index", owner=boss, title="An index", inputs_sha256="")
    notice = Notice.objects.create(person=boss, kind="designs.comment", text="Somebody said", url="/designs/")
    token, _secret = create_token(user=boss, name="one to revoke", scopes=[Scope.DESIGNS_READ])
    made.names |= {
        "run": run.pk, "notice": notice.pk, "token": token.pk, "case": designs.numbers["case"],
        "place": "kamppi", "organisation": "works", "member": made.people["manager"].username,
        "the customer.id": made.people["customer"].pk,
    }  # fmt: skip


# --- the lab ------------------------------------------------------------------------------------------------------


def _lab(made: World) -> None:
    who, place = made.people, made.names["the place"]
    here = lab_stage.lab("fablab", place=place)
    other = lab_stage.lab("otherlab", place=place)
    for role, word in (("fellow", "member"), ("trainer", "trainer"), ("manager", "manager")):
        set_role(organisation=here.organisation, user=who[role], role=word)
    set_role(organisation=other.organisation, user=who["neighbour"], role="manager")
    printer, laser = lab_stage.machine(here, "Prusa"), lab_stage.machine(here, "Ender")
    Lab.objects.filter(pk=here.pk).update(takes_orders=True)
    here.refresh_from_db()
    boss, guest = who["manager"], who["customer"]
    _money(made, here, printer)
    booking = bookings.create_booking(
        machine=printer, user=guest, start=lab_stage.tomorrow(10), end=lab_stage.tomorrow(11)
    )
    waiting = waitlist.join(
        user=guest,
        lab=here,
        machine=printer,
        earliest=lab_stage.tomorrow(10),
        latest=lab_stage.tomorrow(11),
        length=HOUR,
    )
    fault = faults.report_fault(machine=laser, by=guest, what="It hums", severity=Fault.Severity.NOTE)
    release = released(lab_stage.person("released-it"))
    order = orders.ask(person=guest, lab=here, release=release)
    key, secret = feeds.make_key(user=guest)
    plan = maintenance.add_plan(machine=printer, by=boss, name="Grease", every_days=30)
    part = stock.add_consumable(lab=here, name="PLA")
    rule = rules.set_rule(lab=here, name="longest_h", text="4", by=boss)
    mending = Mending.objects.create(
        machine=printer, person=who["trainer"], by=boss, reason="Belt", until=timezone.now() + HOUR
    )
    brought = imports.stage(lab=here, by=boss, files={"members": ("m.csv", b"id,name,email\n1,Bo,bo@example.org\n")})
    label = labels.label_of(machine=printer)
    joining = members.ask_to_join(lab=here, user=guest, note="Please")
    photo = MachinePhoto.objects.create(machine=printer, by=boss)
    manual = equipment.add_manual(machine=printer, title="Manual", by=boss, url="https://example.org/manual")
    draft = drafts.start(by=who["owner"], facts={
        "name": "Owner's lab", "handle": "owners-lab", "place": "kamppi", "access": "public",
        "opening_hours": {}, "machine": {"name": "Saw", "cls": "3d-printer"},
    })  # fmt: skip
    line = log.write_entry(lab=here, kind="note", text="Swept", private="Nobody's business", by=boss, machine=printer)
    made.names |= {
        "the lab": here, "lab": here.slug, "lab.id": here.pk, "machine": printer.slug, "machine.id": printer.pk,
        "other lab": other.slug, "booking": booking.pk, "waiting": waiting.pk, "fault": fault.pk, "order": order.pk,
        "feed": key.pk, "feed.key": secret, "plan": plan.pk, "part": part.pk, "rule": rule.pk, "mending": mending.pk,
        "released.owner": release.design.owner.name, "released.slug": release.design.slug,
        "import": brought.pk, "label": label.code, "joining": joining.pk, "log": line.pk, "ender.id": laser.pk,
        "other lab.id": other.pk, "photo.id": photo.pk, "manual": manual.pk, "manual.id": manual.pk,
        "draft": draft.pk, "photo": photo.name,
    }  # fmt: skip
    _work(made, here, printer, booking)


def _money(made: World, here: Lab, printer: Any) -> None:
    from labs.engine.prices import Rates
    from labs.models import Account, Invoice, Till

    boss, guest = made.people["manager"], made.people["customer"]
    tills.set_till(lab=here, mode=Till.Mode.MONEY, currency="EUR", tax_pct=Decimal(24))
    tariff = tills.set_tariff(lab=here, rates=Rates(per_hour=Decimal(10)), by=boss)
    ledger.pay_in(lab=here, user=guest, sum_=Decimal(500), by=boss)
    bookings.create_booking(machine=printer, user=guest, start=lab_stage.tomorrow(7), end=lab_stage.tomorrow(8))
    invoice = invoices.issue_invoice(lab=here, user=guest, by=boss)
    wallet = Account.objects.get(lab=here, user=guest)
    assert isinstance(invoice, Invoice)
    made.names |= {"wallet": wallet.pk, "invoice": invoice.number, "tariff": tariff.pk}


def _work(made: World, here: Lab, printer: Any, booking: Booking) -> None:
    """The machine's device, a job of the customer's booking, its passport, a slice, and a question to the device."""
    guest, now = made.people["customer"], timezone.now()
    agent = Agent(printer)
    made.tokens["device"] = agent.token
    gone = devices.create_device(name="Gone", kind="machine", organisation=here.organisation)
    gone, made.tokens["device-revoked"] = devices.enrol(
        code=str(devices.create_enrolment_code(device=gone)), kind="machine"
    )
    devices.revoke_device(device=gone)
    job = agent.made({"name": "clamp.stl", "sha256": "0" * 64}, start=now - 3 * HOUR)
    type(job).objects.filter(pk=job.pk).update(booking=booking)
    job.refresh_from_db()
    passport = passports.settle(job=job)
    assert passport is not None
    command = Command.objects.create(
        device=agent.device, kind="pause", about=f"labs.booking:{booking.pk}", asked_by=guest, expires_at=now + HOUR
    )
    design = lab_stage.design(made.people["owner"], b"solid slice", slug="sliced")
    profile = SlicingProfile.objects.create(machine=printer, name="Fine", text="a = 1\n", sha256="1" * 64)
    sliced = Slice.objects.create(
        booking=booking, machine=printer, design=design.design, path="body.stl", commit=design.commit, blob=design.oid,
        source_sha256=design.sha256, by=guest,
    )  # fmt: skip
    made.names |= {
        "device": agent.device.pk, "command": command.pk, "job": job.pk, "job.name": job.device_job,
        "passport": passport.pk, "slice": sliced.pk, "profile": profile.sha256, "profile.id": profile.pk,
        "sliced.id": design.design.pk, "sliced.file": design.design.file_versions.get().pk,
    }  # fmt: skip


def _teaching(made: World) -> None:
    """A course of the lab, a session of it, a sign-off, and the customer's badge, signed and shared."""
    who, here = made.people, made.names["the lab"]
    taught = courses.teach(lab=here, design=course_design(who["manager"]), by=who["manager"])
    learn(taught.course, who["customer"])
    session = sessions.plan(
        teaching=taught,
        starts_at=lab_stage.tomorrow(14),
        ends_at=lab_stage.tomorrow(16),
        places=4,
        trainer=who["trainer"],
    )
    signed = learning.sign_off(teaching=taught, user=who["customer"], trainer=who["manager"], seen=[0, 1])
    badge = Badge.objects.create(slug="soldering", name="Soldering", lab=here)
    grant = badges.give(badge=badge, user=who["customer"], by=who["manager"], given_in=here)
    trusted = trust.add_rule(lab=here, by=who["manager"], issuer_did="did:web:example.org", badge=badge)
    credential = credentials.share(credential=credentials.prepare(grant=grant))
    listed = StatusList.objects.get(pk=credential.list_id)
    design = taught.course.design
    made.names |= {
        "teaching": taught.pk, "grant": grant.pk, "session": session.pk, "sign_off": signed.pk, "badge": badge.slug,
        "badge.id": badge.pk, "trust.rule": trusted.pk,
        "credential": credential.pk, "badge.key": credential.share, "course.owner": design.owner.name,
        "course.slug": design.slug, "lesson": "before", "lesson answers": right_answers(taught.course),
        "list.key": listed.key_id, "list.number": listed.number,
    }  # fmt: skip


# --- the community ------------------------------------------------------------------------------------------------


def _community(made: World, folder: Path) -> None:
    who, place = made.people, made.names["the place"]
    street = founding.found_community(by=who["steward"], name="Our street", place=place, kind="local")
    founding.found_community(by=who["neighbour"], name="Elsewhere", place=place)
    hidden = founding.found_community(by=who["neighbour"], name="Hidden street", place=place, public=False)
    since = dt.date(2026, 1, 1)

    def joins(role: str) -> Any:
        _invitation, code = participants.invite(community=street, by=who["steward"], name=role)
        return participants.join(code=code, by=who[role], name=role.title(), joined_on=since)

    home, _other = joins("household"), joins("other-household")
    participants.allow(participant=home, by=who["household"], username=who["viewer"].username)
    meter = meter_points.add_meter(participant=home, by=who["household"], number="FI 12-34 5678", valid_from=since)
    meter_points.vouch(meter=meter, by=who["steward"])
    day = dt.date(2026, 6, 1)
    while day < dt.date(2026, 7, 1):
        keep_day(meter, day, [0.1] * 96)
        day += DAY
    version = tariffs.add_tariff_version(
        community=street, name="City power", currency="EUR", valid_from=since, by=who["steward"], **PRICES
    )
    tariffs.add_scheme_version(
        community=street, law="at-local", key="dynamic", price=Decimal("0.12"), valid_from=since, by=who["steward"]
    )
    invitation, code = participants.invite(community=street, by=who["steward"], name="Next")
    waiting = meter_files.receive(
        community=street, by=who["household"], name="m.csv", data=b"time,kwh\n2026-06-01T00:00Z,1\n", participant=home
    )
    energy.import_folder(
        folder=energy_stage.write(folder / "street"), slug="our-street", place=place, organisation=street.organisation
    )
    made.names |= {
        "street": street.slug, "hidden street": hidden.slug, "participant": home.pk, "meter": meter.pk,
        "tariff of street": version.tariff_id, "terms": version.pk, "invitation": code, "meter.file": waiting.pk,
        "invitation.id": invitation.pk, "own meters": f"{street.slug}.{home.pk}",
    }  # fmt: skip
    _bills(made, street)


def _bills(made: World, street: Any) -> None:
    run = statements.ask_statements(community=street, month="2026-06", by=made.people["steward"])
    do(run.pk)
    bill = street.statements.get(participant=made.names["participant"])
    made.names |= {"bill": bill.number, "settlement": bill.settlement.number}


# --- the city -----------------------------------------------------------------------------------------------------


def _district(made: World, folder: Path) -> None:
    who = made.people
    path = folder / "town.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": small_town()}))
    run = twin.start_import(
        slug="town", name="Town", files=[twin_files.keep_path(path)], place=made.names["the place"],
        licence="CC-BY-4.0", attribution="The town", owner=who["city-steward"],
    )  # fmt: skip
    do(run.pk)
    from twin.models import District

    town = District.objects.select_related("current").get(slug="town")
    measures = [{"kind": "home_battery", "share_percent": 50}]
    scenario = scenarios.create(district=town, by=who["owner"], title="Sun", measures=measures, listed=False)
    version = scenario.versions.get()
    said = scenario_comments.say(version=version, by=who["owner"], body="Why not more?")
    nobodys = scenarios.create(district=town, by=None, title="Rain", measures=measures, edit_key=EDIT_KEY)
    offer = offers.offer(
        district=town, by=who["owner"], layer="buildings", action="change", key="home", changes={"name": "House"},
    )  # fmt: skip
    box = sandboxes.branch(district=town, by=who["owner"], title="Box")
    made.names |= {
        "district": "town", "building": "home", "scenario": scenario.pk, "scenario.comment": said.pk,
        "nobody's scenario": nobodys.pk, "offer": offer.pk, "sandbox": box.pk, "import.run": run.pk,
    }  # fmt: skip


def _decisions(made: World) -> None:
    body = decisions.body(kind="labs.lab", key="fablab", person=made.people["manager"])
    motion = decisions.propose(
        body=body, author=made.people["fellow"], title="Open on Sundays", text="People ask for it each week.",
        method="majority", options=[{"title": "Open"}],
    )  # fmt: skip
    made.names |= {"motion": motion.pk, "body.kind": "labs.lab", "body.key": "fablab"}
    tie = ties.ask(
        lab=made.names["the lab"], kind="community", target=made.names["street"], by=made.people["manager"]
    )  # fmt: skip
    made.names["tie"] = tie.pk
