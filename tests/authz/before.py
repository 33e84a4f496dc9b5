"""What must be so before a request can do anything: a booking that waits for approval, a session that has begun.

It is brought about inside the savepoint of the request, so that it is gone after it, and so that each row is asked
where the one who may is let in. Rows are named as the tables write them: `POST rooms:booking [approve]`.
"""

import datetime as dt
from collections.abc import Callable
from decimal import Decimal
from hashlib import sha256
from importlib import import_module
from typing import Any

from allauth.usersessions.models import UserSession
from django.conf import settings
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.test import Client
from django.utils import timezone

from commons.decisions import services as decisions
from commons.decisions.models import Motion
from commons.devices import services as devices
from commons.devices.models import Device
from commons.owndata import archive, exports
from commons.people.models import Membership
from commons.people.services import create_sign_in_link
from commons.runs.models import Run
from energy.models import MeterPoint, Participant, Tariff
from energy.services import choices, tariffs
from labs.models import (
    Booking,
    CheckAnswer,
    Circuit,
    Consumable,
    CourseSession,
    Credential,
    Fault,
    FlexibleBooking,
    FlexibleMove,
    Interlock,
    Job,
    LabImport,
    LabTie,
    Machine,
    MakeOrder,
    Seat,
    Slice,
)
from labs.services import faults, flexible, interlocks, kiosk, meters, sessions, stock, ties
from tests.authz.bodies import SENT, SLICED
from tests.authz.world import World
from tests.energy.test_statements import PRICES
from tests.labs import conftest as lab_stage
from twin.models import Conflict, Correction, Offer, Scenario
from twin.services import offers, scenario_runs

HOUR = dt.timedelta(hours=1)
Deed = Callable[[World], None]
DEEDS: dict[str, list[Deed]] = {}


def before(*rows: str) -> Callable[[Deed], Deed]:
    """That this is done before these rows are asked, in the order in which it stands here."""

    def keep(deed: Deed) -> Deed:
        for row in rows:
            DEEDS.setdefault(row, []).append(deed)
        return deed

    return keep


def prepare(world: World, method: str, name: str, variant: str) -> None:
    """Bring about what a row needs."""
    for deed in DEEDS.get(f"{method} {name}{f' [{variant}]' if variant else ''}", []):
        deed(world)


# --- bookings -----------------------------------------------------------------------------------------------------


def booking_is(world: World, status: str, begins: dt.timedelta, **more: Any) -> None:
    start = timezone.now() + begins
    span = {"start": start, "end": start + HOUR, "blocked": DateTimeTZRange(start, start + HOUR)}
    Booking.objects.filter(pk=world.names["booking"]).update(status=status, **span, **more)


@before("POST api:booking_accept")
def offered(world: World) -> None:
    booking_is(world, "offered", HOUR, offer_until=timezone.now() + HOUR)


@before(
    "POST api:booking_approve", "POST api:booking_decline", "POST rooms:booking [approve]",
    "POST rooms:booking [decline]",
)  # fmt: skip
def requested(world: World) -> None:
    booking_is(world, "requested", HOUR)


@before("POST api:booking_check_in", "POST rooms:booking [check-in]", "POST rooms:at_machine [check-in]")
def now_booked(world: World) -> None:
    booking_is(world, "booked", -HOUR / 12)


@before(
    "POST api:booking_end", "POST rooms:booking [end]", "POST rooms:at_machine [end]", "POST api:booking_power",
    "POST rooms:booking_power", "POST api:booking_commands", "POST rooms:booking_command [pause]",
    "POST rooms:booking_command [send]",
)  # fmt: skip
def checked_in(world: World) -> None:
    booking_is(world, "running", -HOUR / 2, checked_in_at=timezone.now() - HOUR / 2)


@before("POST api:booking_excuse", "POST rooms:booking [excuse]")
def missed(world: World) -> None:
    booking_is(world, "missed", -2 * HOUR)


@before("POST api:booking_commands", "POST rooms:booking_command [pause]", "POST rooms:booking_command [send]")
def takes_commands(world: World) -> None:
    Machine.objects.filter(pk=world.names["machine.id"]).update(takes_commands=True)


@before("POST api:booking_commands", "POST rooms:booking_command [pause]")
def prints(world: World) -> None:
    Job.objects.filter(pk=world.names["job"]).update(outcome=Job.Outcome.RUNNING)


@before("POST rooms:booking_command [send]")
def has_a_program(world: World) -> None:
    Slice.objects.filter(pk=world.names["slice"]).update(
        state=Slice.State.DONE, gcode_sha256="0" * 64, gcode_size=4, machine=world.names["machine.id"]
    )


@before("POST api:booking_slices", "POST rooms:slice_start")
def books_a_design(world: World) -> None:
    Booking.objects.filter(pk=world.names["booking"]).update(design=world.names["sliced.id"])


@before("POST api:waitlist")
def printer_is_taken(world: World) -> None:
    """All that the customer could wait for is taken by somebody else."""
    printer = Machine.objects.get(pk=world.names["machine.id"])
    start, end = lab_stage.tomorrow(9, hours=24), lab_stage.tomorrow(15, hours=24)
    Booking.objects.filter(machine=printer, blocked__overlap=DateTimeTZRange(start, end)).delete()
    Booking.objects.create(
        machine=printer, user=world.people["owner"], start=start, end=end, blocked=DateTimeTZRange(start, end)
    )


@before("POST api:closures", "POST rooms:lab_bookings [close]")
def printer_is_free(world: World) -> None:
    Booking.objects.filter(machine=world.names["machine.id"]).exclude(pk=world.names["booking"]).update(
        status="cancelled"
    )


@before(
    "GET api:flexible_booking", "DELETE api:flexible_booking", "POST api:flexible_keep", "POST rooms:flexible_keep",
    "POST api:flexible_take_back", "POST rooms:flexible_take_back",
)  # fmt: skip
def flexible_booked(world: World) -> None:
    made = flexible.create(
        machine=Machine.objects.get(pk=world.names["machine.id"]), user=world.people["customer"], length=HOUR,
        deadline=timezone.now() + 96 * HOUR, earliest=timezone.now() + 24 * HOUR, fix_before_min=60,
    )  # fmt: skip
    world.names["flexible"], world.names["flexible.booking"] = made.pk, made.booking_id


@before("POST api:flexible_take_back", "POST rooms:flexible_take_back")
def moved_by_the_sun(world: World) -> None:
    """It was placed, and moved once since."""
    held = FlexibleBooking.objects.get(pk=world.names["flexible"])
    FlexibleMove.objects.create(
        flexible=held, number=2, start=held.placed_start, left_start=held.placed_start + 2 * HOUR, why="sun",
        at=timezone.now(),
    )  # fmt: skip


# --- the floor ----------------------------------------------------------------------------------------------------

INTERLOCKED = [
    f"{method} api:{name}"
    for method, name in (
        ("GET", "machine_interlock"), ("DELETE", "machine_interlock"), ("POST", "machine_interlock_lock"),
        ("DELETE", "machine_interlock_lock"), ("POST", "machine_mendings"), ("POST", "mending"),
        ("POST", "booking_power"),
    )
] + ["POST rooms:booking_power", "POST rooms:mending [power]"]  # fmt: skip
INTERLOCKED += [f"POST rooms:lab_interlock [{do}]" for do in ("lock", "free", "remove", "lend", "take-back", "ask")]


@before(*INTERLOCKED)
def has_an_interlock(world: World) -> None:
    held = interlocks.set_interlock(
        machine=Machine.objects.get(pk=world.names["machine.id"]), by=world.people["manager"], driver="none"
    )
    type(held).objects.filter(pk=held.pk).update(state="off")


@before("DELETE api:machine_interlock_lock", "POST rooms:lab_interlock [free]")
def locked_out(world: World) -> None:
    held = Interlock.objects.get(machine=world.names["machine.id"])
    interlocks.lock_out(interlock=held, by=world.people["manager"], reason="Smoke")


@before(
    "POST api:machine_mendings", "POST api:mending", "POST rooms:mending [power]", "POST rooms:lab_interlock [lend]"
)
def in_repair(world: World) -> None:
    Machine.objects.filter(pk=world.names["machine.id"]).update(state=Machine.State.REPAIR)


@before("POST rooms:fault [expect]")
def out_of_use(world: World) -> None:
    faults.confirm_fault(fault=Fault.objects.get(pk=world.names["fault"]), by=world.people["manager"])


@before(
    "POST rooms:kiosk_touch", "POST rooms:lab_kiosk [book]", "POST rooms:lab_kiosk [fault]",
    "POST rooms:lab_kiosk [out]",
)  # fmt: skip
def somebody_is_at_the_kiosk(world: World) -> None:
    """The customer has signed in at the screen: it knows them for a minute."""
    store = import_module(settings.SESSION_ENGINE).SessionStore()
    store["kiosk"] = {
        "kiosk": world.names["kiosk"], "person": world.people["customer"].pk, "seen": timezone.now().timestamp()
    }  # fmt: skip
    store.save()
    world.cookies["kiosk"][settings.SESSION_COOKIE_NAME] = store.session_key


@before("POST rooms:lab_kiosk [badge]", "POST rooms:kiosk_pin")
def the_customer_has_a_pass(world: World) -> None:
    kiosk.set_pin(user=world.people["customer"], pin="739152")
    kiosk.set_badge(user=world.people["customer"], number="04A2B3C4")


@before("POST rooms:lab_meters [drop]", "POST rooms:lab_meters [tie]", "PUT api:lab_meter")
def has_a_meter(world: World) -> None:
    made, _code = meters.add_meter(lab=world.names["the lab"], name="Meter", machine=world.names["machine.id"])
    world.names["meter.device"], world.names["meter.number"] = made.device_id, made.pk


@before("POST rooms:lab_meters [forget]")
def has_a_plug(world: World) -> None:
    device, _code = meters.add_plug(lab=world.names["the lab"], name="Plug")
    world.names["plug"] = device.pk


@before("PUT api:device_circuit")
def device_is_a_plug(world: World) -> None:
    """The device measures the lab's circuit A and is no machine's own."""
    Circuit.objects.create(lab=world.names["the lab"], name="A", limit_w=2000)
    Machine.objects.filter(device=world.names["device"]).update(device=None)


@before("POST rooms:lab_consumables [used]")
def there_is_some_left(world: World) -> None:
    part = Consumable.objects.get(pk=world.names["part"])
    stock.enter(consumable=part, why="counted", amount=Decimal(5), by=world.people["manager"])


@before("POST api:device_job_file")
def program_of_the_job(world: World) -> None:
    Job.objects.filter(pk=world.names["job"]).update(sha256=sha256(SLICED).hexdigest())


@before("POST rooms:job_send")
def file_of_the_job(world: World) -> None:
    Job.objects.filter(pk=world.names["job"]).update(sha256=sha256(SENT).hexdigest())


@before("POST rooms:share_badge")
def badge_is_not_shared(world: World) -> None:
    Credential.objects.filter(pk=world.names["credential"]).update(share=None)


# --- orders, courses, imports -------------------------------------------------------------------------------------


def order_is(world: World, status: str) -> None:
    MakeOrder.objects.filter(pk=world.names["order"]).update(
        status=status, quoted_by=world.people["manager"], hours=1, price=2, currency="EUR"
    )


@before("POST api:order_step [accept]", "POST rooms:order [accept]")
def quoted(world: World) -> None:
    order_is(world, "quoted")


@before("POST api:order_step [queue]", "POST rooms:order [queue]")
def accepted(world: World) -> None:
    order_is(world, "accepted")


@before("POST rooms:lesson")
def nothing_is_learned_yet(world: World) -> None:
    CheckAnswer.objects.filter(user=world.people["customer"]).delete()


@before("POST rooms:course_session [mark]")
def session_has_begun(world: World) -> None:
    held = CourseSession.objects.get(pk=world.names["session"])
    sessions.join(session=held, user=world.people["customer"])
    CourseSession.objects.filter(pk=held.pk).update(starts_at=timezone.now() - HOUR, ends_at=timezone.now() + HOUR)


@before("POST rooms:course_session [leave]", "DELETE api:seat")
def everybody_has_a_seat(world: World) -> None:
    Seat.objects.bulk_create(
        Seat(session_id=world.names["session"], user=user, state=Seat.State.TAKEN)
        for role, user in world.people.items()
        if role != "customer"
    )


TOLD = {"counts": {}, "stops": 0, "messages": [], "not_taken": []}


@before("POST api:lab_import_confirm", "POST rooms:lab_import [confirm]")
def import_is_checked(world: World) -> None:
    LabImport.objects.filter(pk=world.names["import"]).update(status=LabImport.Status.CHECKED, report=TOLD)


# --- energy -------------------------------------------------------------------------------------------------------


@before("DELETE api:participant-tariff", "POST rooms:participant_tariff [take-back]")
def has_chosen(world: World) -> None:
    """The household has chosen a tariff for days to come."""
    home = Participant.objects.get(pk=world.names["participant"])
    made = choices.choose_tariff(
        participant=home, tariff=Tariff.objects.get(pk=world.names["tariff of street"]), by=world.people["household"],
        since=timezone.now().date() + 40 * 24 * HOUR,
    )  # fmt: skip
    world.names["choice"] = made.pk


@before("POST rooms:meter_letter")
def has_an_address_and_an_unproved_meter(world: World) -> None:
    MeterPoint.objects.filter(pk=world.names["meter"]).update(proof="claimed", proved_at=None, proved_by=None)
    Participant.objects.filter(pk=world.names["participant"]).update(address="Street 1")


@before("POST rooms:community_terms_back")
def terms_to_come(world: World) -> None:
    """A version of the tariff that holds from a day to come, by which nothing was billed."""
    day = timezone.now().date() + 60 * 24 * HOUR
    street = Participant.objects.get(pk=world.names["participant"]).community
    made = tariffs.add_tariff_version(
        community=street, name="City power", currency="EUR", valid_from=day, by=world.people["steward"], **PRICES
    )
    world.names["terms"] = made.pk


# --- the city -----------------------------------------------------------------------------------------------------


@before(
    "POST rooms:twin-conflict [keep]", "POST rooms:twin-conflict [take]", "POST api:district-conflict [keep]",
    "POST api:district-conflict [take]",
)  # fmt: skip
def an_import_contests(world: World) -> None:
    """The owner's correction of a house was accepted, and a later import says something else."""
    offer = Offer.objects.get(pk=world.names["offer"])
    version = offers.accept(offer=offer, by=world.people["city-steward"], answer="")
    correction = Correction.objects.get(district=version.district)
    made = Conflict.objects.create(
        district=version.district, correction=correction, version=version.number, why="other",
        theirs={"name": "Hut"}, thing=None,
    )  # fmt: skip
    world.names["conflict"] = made.pk


@before("POST api:district-undo", "POST rooms:twin-undo")
def there_is_a_second_version(world: World) -> None:
    offer = Offer.objects.get(pk=world.names["offer"])
    offers.accept(offer=offer, by=world.people["city-steward"], answer="")


@before("GET ogc-job", "DELETE ogc-job", "GET ogc-results")
def a_job_is_under_way(world: World) -> None:
    """Of the owner's scenario, which is not listed."""
    version = Scenario.objects.get(pk=world.names["scenario"]).versions.get()
    scenario_runs.start(version=version, depth="quick", by=world.people["owner"])
    run = Run.objects.filter(kind="twin.scenario").latest("created_at")
    world.names["ogc.job"] = f"{version.scenario_id}-{version.number}-d-{run.pk.hex}"


# --- labs that are not open, and where they stand -----------------------------------------------------------------


@before("POST api:lab_tie_answer [end]", "POST rooms:lab_standing [end]")
def tie_holds(world: World) -> None:
    ties.answer(tie=LabTie.objects.get(pk=world.names["tie"]), by=world.people["steward"], accept=True)


@before("POST api:lab_ties", "POST rooms:lab_standing [ask]")
def nothing_is_asked(world: World) -> None:
    LabTie.objects.filter(pk=world.names["tie"]).delete()


# --- decisions, people, devices -----------------------------------------------------------------------------------

@before("POST api:decision_vote", "POST rooms:decision_vote")
def voting_is_open(world: World) -> None:
    _opens(world, Motion.objects.get(pk=world.names["motion"]))


@before("GET stream:device")
def device_is_not_public(world: World) -> None:
    """What the device reports is for the members of its organisation."""
    Device.objects.filter(pk=world.names["device"]).update(public=False)


@before("POST rooms:decision_stop")
def objections_are_heard(world: World) -> None:
    later = timezone.now() + 24 * HOUR
    Motion.objects.filter(pk=world.names["motion"]).update(state="objections", objections_until=later)


def _opens(world: World, motion: Motion) -> None:
    """Everybody of the lab has long been of it, and so is on the roll."""
    now = timezone.now()
    long_ago = now - 400 * 24 * HOUR
    Membership.objects.filter(organisation=world.names["the lab"].organisation).update(since=long_ago)
    Motion.objects.filter(pk=motion.pk).update(opens_at=now - HOUR, closes_at=now + 24 * HOUR)
    decisions.advance(motion.pk, now)
    motion.refresh_from_db()


@before("POST api:device-enrol")
def a_device_waits(world: World) -> None:
    made = devices.create_device(name="New", kind="machine")
    world.names["enrolment.code"] = str(devices.create_enrolment_code(device=made))


@before("GET sign_in_link", "POST sign_in_link")
def a_link_to_sign_in(world: World) -> None:
    world.names["sign-in"] = create_sign_in_link(user=world.people["stranger"])


@before("GET rooms:own_data_file", "GET api:own-data-file")
def a_file_of_own_data(world: World) -> None:
    """The owner's own data were written as a file."""
    told = {"rows": 1, "tables": 1, "bytes": 1, "sha256": "0" * 64}
    run = Run.objects.create(
        kind=exports.KIND, owner=world.people["owner"], title="Data", inputs_sha256="", status=Run.Status.DONE,
        result=told, finished_at=timezone.now(),
    )  # fmt: skip
    file = archive.path_of(run.pk)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(b"PK")
    world.names["export"] = run.pk


@before("POST rooms:end_session")
def signed_in_elsewhere(world: World) -> None:
    """The owner has a second browser."""
    client = Client()
    client.force_login(world.people["owner"])
    row = UserSession.objects.create(
        user=world.people["owner"], session_key=client.session.session_key, ip="127.0.0.1", user_agent="other"
    )
    world.names["session row"] = row.pk


__all__ = ["prepare"]
