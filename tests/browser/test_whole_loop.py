"""The story of the house, walked once through in a browser: a thing is drawn, made in a neighbour's lab on the street's
own sun, and what the street learns of it changes how it shares its power.

Chromium, the site as it is served, a real worker; in the long form the agent's own program, the real OctoPrint with its
virtual printer and the real Moonraker with our look-alike of Klipper behind it, plugs that answer as Shellies do. In
the short form the same events and readings come as an agent would tell them. Three things are not waited for: the hours
until a booked time and the weeks of a vote, which come early by their own columns, and the rounds of the clock, which
are called.
"""

import datetime as dt
import re
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest
from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone
from playwright.sync_api import expect

from commons.decisions import measuring
from commons.decisions import services as decisions
from commons.decisions.models import Enactment, Motion
from commons.devices import services as devices
from commons.people.models import User
from commons.people.services import create_organisation, create_user, set_role
from commons.places.models import Place
from designs.models import Blob
from energy import services as energy
from energy.models import Community, Participant, SchemeVersion
from energy.services import outlooks, tariffs
from labs.models import Badge, Booking, Job, Lab, LabTie, Machine, Passport
from labs.services import catalogue, passports, planning
from labs.services import jobs as lab_jobs
from tests.agent.adapters.plugs import Shelly2
from tests.agent.adapters.stage import serving
from tests.agent.conftest import Process
from tests.agent.machines import moonraker, octoprint
from tests.agent.test_octoprint import WATTS, Drawing
from tests.browser.conftest import Walk, box_stl, district, quarter, until, walk
from tests.browser.test_labs import sign_in
from tests.decisions.test_motions import at_once
from tests.energy.conftest import write as write_community
from tests.energy.test_statements import JULY, JUNE, PRICES, D, home, measure, meter, settle

__all__ = ["district", "quarter", "walk"]
pytestmark = [pytest.mark.drill, pytest.mark.django_db(transaction=True)]
DAY, HOUR, MINUTE, SECOND = (dt.timedelta(**{unit: 1}) for unit in ("days", "hours", "minutes", "seconds"))
DRAWN_MS = 90_000
AUGUST = dt.date(2026, 8, 1)
MOVES = b"".join(b"G1 X%d Y10 E%d F9000\n" % (n * 5, n) for n in range(30))


@dataclass
class Street:
    """Everybody and everything in the story."""

    lab: Lab
    octo: Machine
    voron: Machine
    community: Community
    maker: User
    host: User
    steward: User
    planner: User
    neighbours: list[User]


@pytest.fixture
def street(quarter: Place, district: str, tmp_path: Path) -> Street:
    """A quarter with a twin, an energy community of sixteen homes with sun to spare from now on, and a lab."""
    guild = create_organisation(handle="corner-lab", name="Corner lab", kind="lab")
    lab = catalogue.open_lab(organisation=guild, name="Corner lab", place=quarter, lat=60.1701, lon=24.9441)
    badge = Badge.objects.create(slug="printing", name="3D printing", lab=lab)
    volume = {"volume_x_mm": 250, "volume_y_mm": 210, "volume_z_mm": 220}
    octo, voron = (
        catalogue.add_machine(lab=lab, name=name, cls="3d-printer", required_badges=[badge], **volume)
        for name in ("Ilves", "Kärppä")
    )
    maker, host, steward, planner = (
        create_user(username=name, name=name.title()) for name in ("aila", "berit", "stella", "pia")
    )
    set_role(organisation=guild, user=host, role="manager")
    city = create_organisation(handle="town-hall", name="Town hall", kind="city")
    set_role(organisation=city, user=planner, role="steward")
    community = sunny_community(quarter, tmp_path)
    co_op = create_organisation(handle="co-op", name="The co-op", kind="community")
    set_role(organisation=co_op, user=steward, role="steward")
    community.organisation = co_op
    community.save(update_fields=["organisation"])
    return Street(lab, octo, voron, community, maker, host, steward, planner, members(community))


def sunny_community(quarter: Place, tmp_path: Path) -> Community:
    """Sixteen homes and the lab, measured until next month; 16 kW of sun in the eight hours from this one on."""
    now = timezone.now()
    start = now.replace(hour=0, minute=0, second=0, microsecond=0) - 330 * DAY
    folder = write_community(tmp_path / "sixteen", days=365, start=start)
    names = (folder / "pv_kwh.csv").read_text().splitlines()[0]
    rows = [names]
    for h in range(24 * 365):
        made = "2.0" if (h % 24 - now.hour) % 24 < 8 else "0.0"
        at = (start + h * HOUR).isoformat()
        rows.append(f"{at}," + ",".join(made if k % 2 else "0.0" for k in range(len(names.split(",")) - 1)))
    (folder / "pv_kwh.csv").write_text("\n".join(rows) + "\n")
    version = energy.import_folder(folder=folder, slug="sixteen", place=quarter)
    outlooks.make(community=version.community, now=now)
    return version.community


def members(community: Community) -> list[User]:
    """Three homes of the community with meters, a tariff and rules; what they used in June and July is measured."""
    people = [create_user(username=name, name=name.title()) for name in ("aino", "bo", "cai")]
    homes = [home(community, one.name, person=one) for one in people]
    using = [meter(one) for one in homes]
    sun = meter(homes[2], "feed_in")
    for first, until_ in ((JUNE, JULY), (JULY, AUGUST)):
        for one, kwh in zip(using, (0.5, 1.5, 0.1), strict=True):
            measure(one, first, until_, {10: kwh})
        measure(sun, first, until_, {10: 1.0, 11: 3.0})
    tariffs.add_tariff_version(
        community=community, name="City power", currency="EUR", valid_from=dt.date(2026, 1, 1), **PRICES
    )
    tariffs.add_scheme_version(
        community=community, law="at-local", key="dynamic", price=D("0.12"), valid_from=dt.date(2026, 1, 1)
    )
    return people


def test_sunshine_becomes_a_thing_and_a_thing_a_rule(walk: Walk, street: Street, tmp_path: Path) -> None:
    """The short form: what the machines say is told as an agent tells it."""
    the_story(walk, street, tmp_path, told)


def test_the_same_with_the_agent_beside_real_printers_programs(walk: Walk, street: Street, tmp_path: Path) -> None:
    with ExitStack() as stack:
        lines = beside_the_machines(walk, street, tmp_path, stack)
        the_story(walk, street, tmp_path, lines)


Making = Callable[[Street, Blob], None]


def the_story(walk: Walk, street: Street, tmp_path: Path, making: Making) -> None:
    design = somebody_publishes_a_design(walk, street, tmp_path)
    the_lab_finds_its_neighbours(walk, street)
    booking = a_maker_earns_the_badge_and_takes_the_sunny_slot(walk, street)
    made = the_machines_make_it(walk, street, booking, design, making)
    the_thing_has_a_passport(walk, made)
    the_load_stands_in_the_community_and_in_the_twin(walk, street, booking)
    plan = a_question_becomes_the_plan(walk, street)
    a_vote_changes_the_next_settlement(walk, street)
    what_came_of_both_stands_beside_what_was_promised(walk, plan)


# --- a thing -----------------------------------------------------------------------------------------------------


def somebody_publishes_a_design(walk: Walk, street: Street, tmp_path: Path) -> Blob:
    """Aila draws a hook and lets everybody see it; the city finds two machines near her that can make it."""
    page = walk.page
    part = tmp_path / "hook.stl"
    part.write_bytes(box_stl(30, 20, 10))
    sign_in(walk, street.maker)
    walk.goto("/designs/")
    page.get_by_role("link", name="New design").first.click()
    page.locator("input[name=name]").fill("Coat hook")
    page.get_by_label("What it is for").fill("Holds a coat by the door.")
    page.locator("input[type=file][name=file]").set_input_files(part)
    page.get_by_role("button", name="Make the design").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Coat hook")
    until(lambda: Blob.objects.filter(format="stl", preview=Blob.Preview.READY).exists())
    walk.goto("/designs/aila/coat-hook/")
    near = page.locator("section.card", has=page.get_by_role("heading", name="Make it near you"))
    expect(near).to_contain_text("Corner lab")
    expect(near).to_contain_text("sun")
    return Blob.objects.get(format="stl")


def the_lab_finds_its_neighbours(walk: Walk, street: Street) -> None:
    """Berit says whose power her lab shares and in which building it works; both other sides agree."""
    page, address = walk.page, f"/labs/{street.lab.slug}/standing/"
    sign_in(walk, street.host)
    walk.goto(address)
    for kind, choice in (("Energy community", "Sixteen homes · Kamppi"), ("Building", "Birch Tower · Kamppi")):
        card = page.locator("section.card", has=page.get_by_role("heading", name=kind, exact=True))
        card.locator("select[name=target]").select_option(label=choice)
        card.get_by_role("button", name="Ask its stewards").click()
        expect(page.get_by_text("are asked")).to_be_visible()
    for person in (street.steward, street.planner):
        sign_in(walk, person)
        walk.goto(address)
        page.get_by_role("button", name="Confirm").click()
        expect(page.get_by_text(f"{street.lab.name} belongs to")).to_be_visible()
    assert LabTie.objects.filter(state="holds").count() == 2


def a_maker_earns_the_badge_and_takes_the_sunny_slot(walk: Walk, street: Street) -> Booking:
    """The machine asks for a badge; Berit sees Aila print and gives it; the best time is the sunniest."""
    page = walk.page
    sign_in(walk, street.maker)
    walk.goto("/labs/corner-lab/ilves/book/?design=aila/coat-hook")
    expect(page.get_by_text("You need the badge “3D printing”.")).to_be_visible()
    sign_in(walk, street.host)
    walk.goto("/labs/corner-lab/desk/")
    page.get_by_text("To whom, and which").click()
    page.get_by_label("Badge", exact=True).select_option(label="3D printing")
    page.get_by_label("Who, by name of the account").fill("aila")
    page.get_by_role("button", name="Give the badge").click()
    sign_in(walk, street.maker)
    walk.goto("/labs/corner-lab/ilves/book/?design=aila/coat-hook")
    best = page.locator("a.choice.on")
    expect(page.get_by_role("heading", name="Best when the sun shines")).to_be_visible()
    expect(best).to_contain_text("100\u202f% sun")
    page.get_by_role("button", name=re.compile("^Book ")).click()
    expect(page.get_by_text("Ilves is yours")).to_be_visible()
    return Booking.objects.get(user=street.maker)


# --- made --------------------------------------------------------------------------------------------------------


def the_machines_make_it(walk: Walk, street: Street, booking: Booking, design: Blob, making: Making) -> list[Job]:
    """Her time comes; she checks in; both printers make the hook, and the slicer's note in the file says of what."""
    page, now = walk.page, timezone.now()
    start, end = now - MINUTE, now - MINUTE + booking.length
    Booking.objects.filter(pk=booking.pk).update(start=start, end=end, blocked=DateTimeTZRange(start, end))
    walk.goto(f"/b/{booking.pk}/")
    page.get_by_role("button", name="I am here: check in").click()
    expect(page.get_by_role("button", name="I am done: end it")).to_be_visible()
    planning.note_plans(timezone.now())
    making(street, design)

    def over() -> list[Job]:
        passports.settle_due(timezone.now() + 5 * MINUTE)
        found = list(Job.objects.filter(machine__lab=street.lab).order_by("machine_id"))
        known = [job for job in found if job.finished_at and job.design_id and job.energy_kwh is not None]
        return known if len(known) == 2 and Passport.objects.count() == 2 else []

    jobs: list[Job] = until(over, seconds=180)
    assert [job.outcome for job in jobs] == ["finished", "finished"]
    assert {job.design.slug for job in jobs if job.design} == {"coat-hook"}
    assert jobs[0].booking == booking
    return jobs


def told(street: Street, design: Blob) -> None:
    """Both machines say that they made it, with 3.6 kW for some seconds, as their agents would."""
    for machine in (street.octo, street.voron):
        device, _token = devices.enrol(
            code=str(catalogue.enrolment_code(machine=machine)), kind="machine", hardware_id=f"loop-{machine.slug}"
        )
        start, file = timezone.now() - 20 * SECOND, {"name": "hook.stl", "sha256": design.sha256}
        at = [start + n * SECOND for n in range(20)]
        begun = {"seq": 1, "ts": at[0].isoformat(), "event": "started", "job": "j1", "file": file}
        lab_jobs.take_events(device=device, events=[begun])
        readings = [{"seq": 2 + n, "ts": t.isoformat(), "channel": "power_w", "value": WATTS} for n, t in enumerate(at)]
        devices.ingest(device=device, readings=readings)
        over = {"seq": 23, "ts": at[-1].isoformat(), "event": "finished", "job": "j1", "file": file}
        lab_jobs.take_events(device=device, events=[over])


def beside_the_machines(walk: Walk, street: Street, tmp_path: Path, stack: ExitStack) -> Making:
    """OctoPrint and Moonraker at work, each with a plug, and the agent's program beside each; they make what is laid
    into their folders."""
    folders = {name: tmp_path / name for name in ("octoprint", "moonraker", "agent-1", "agent-2")}
    for folder in folders.values():
        folder.mkdir()
    octo = stack.enter_context(octoprint(folders["octoprint"]))
    moon = stack.enter_context(moonraker(folders["moonraker"]))
    sources = (
        (street.octo, folders["agent-1"], f'type = "octoprint"\nurl = "{octo.url}"\nkey = "{octo.key}"'),
        (street.voron, folders["agent-2"], f'type = "moonraker"\nurl = "{moon.url}"'),
    )
    for machine, folder, source in sources:
        plug = stack.enter_context(serving(Shelly2, Drawing(power_w=WATTS)))
        stack.callback(beside(walk, folder, machine, source, plug).stop)

    def make(_street: Street, design: Blob) -> None:
        note = b"; lc-source=sha256:" + str(design.sha256).encode() + b"\n"
        octo.upload("hook.gcode", note + b"G28\n" + MOVES + b"G4 P2500\n" + MOVES, start=True)
        moon.upload("hook-2.gcode", note + b"G28\n" + MOVES, start=True)

    return make


def beside(walk: Walk, folder: Path, machine: Machine, source: str, plug: str) -> Process:
    """The agent on the little computer beside a machine, with a plug between machine and wall."""
    agent = Process(folder)
    agent.config.write_text(
        f'url = "{walk.city.url}"\n[sending]\nevery_s = 0.3\n[[device]]\nname = "{machine.slug}"\n'
        f'[[device.source]]\n{source}\n[[device.source]]\ntype = "shelly"\nurl = "{plug}"\nevery_s = 1.0\n'
    )
    enrolled = agent.does("enrol", str(catalogue.enrolment_code(machine=machine)))
    assert enrolled.returncode == 0, enrolled.stderr
    agent.start()
    machine.refresh_from_db()
    assert machine.device is not None
    until(machine.device.last_values.exists, seconds=90)
    return agent


def the_thing_has_a_passport(walk: Walk, made: list[Job]) -> None:
    """Whoever holds the hook reads what it took, how much of that was sun, and whose idea it was."""
    page = walk.page
    for job in made:
        walk.goto(f"/passports/{Passport.objects.get(job=job).pk}/")
        expect(page.get_by_role("heading", level=1)).to_have_text("Coat hook")
        figures = page.locator(".passport-figures")
        expect(figures).to_contain_text("Wh")
        expect(figures).to_contain_text("local sun in those minutes")
        expect(page.get_by_role("main")).to_contain_text("Aila")


def the_load_stands_in_the_community_and_in_the_twin(walk: Walk, street: Street, booking: Booking) -> None:
    """What the lab booked and used is the street's business: on its energy page, in the building, and hour by hour."""
    page = walk.page
    assert planning.publish(street.lab, timezone.now()) in {None, street.community.pk}
    walk.goto("/energy/sixteen/")
    labs = page.locator("section.card", has=page.get_by_role("heading", name="Labs here"))
    expect(labs).to_contain_text("Corner lab")
    expect(labs).to_contain_text("booked for today")
    expect(labs).to_contain_text("measured so far")
    labs.get_by_role("link", name="plan against measured").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Where does this lab stand?")
    expect(page.get_by_role("main")).to_contain_text("measured so far")
    page.get_by_role("link", name="Birch Tower").click()
    expect(page.get_by_role("region", name="Labs in it")).to_contain_text("Corner lab")
    assert booking.pk


# --- a rule ------------------------------------------------------------------------------------------------------


def a_question_becomes_the_plan(walk: Walk, street: Street) -> Motion:
    """Aino asks the twin what roofs would do, and puts the answer to the vote of the quarter."""
    page = walk.page
    sign_in(walk, street.neighbours[0])
    walk.goto("/twin/kamppi/scenarios/")
    page.get_by_role("link", name="Ask a question").click()
    page.wait_for_selector("lc-scenario[data-ready]", timeout=DRAWN_MS)
    page.get_by_label("Name").fill("Sun on every second roof")
    page.get_by_role("button", name="Solar panels").click()
    page.locator("[data-kind=solar] input[type=number]").fill("50")
    page.get_by_role("button", name="Work it out").click()
    page.wait_for_selector("#figures", timeout=120_000)
    page.get_by_role("link", name=re.compile("Propose")).first.click()
    motion = proposed(walk, "Shall it be our plan?", "Half of the roofs face the sun, and the lab works by it.")
    decided(walk, street, motion)
    enacted(motion, timezone.now() - 14 * DAY)
    walk.goto("/twin/kamppi/")
    expect(page.locator("#plan")).to_contain_text("Sun on every second roof")
    return motion


def a_vote_changes_the_next_settlement(walk: Walk, street: Street) -> None:
    """Shared power gets cheaper by vote: June was settled by the old price and stays, July is by the new one."""
    page, community = walk.page, street.community
    before = settle(community)
    sign_in(walk, street.neighbours[1])
    walk.goto("/decisions/new/?kind=energy.community&key=sixteen&effect=energy.tariff")
    page.locator("input[name=option-1]").fill("Two cents")
    page.locator("input[name=price-1]").fill("0.02")
    motion = proposed(walk, "Shall shared power cost two cents?", "The roofs are paid; the neighbours' bills are not.")
    walk.goto(f"/decisions/{motion.pk}/")
    expect(page.get_by_role("main")).to_contain_text("For you:")
    decided(walk, street, motion)
    enacted(motion, dt.datetime(2026, 7, 1, tzinfo=dt.timezone(dt.timedelta(hours=3))))
    after = settle(community, "2026-07")
    assert before is not None and after is not None
    rates = [
        {abs(line.rate) for one in month.statements.all() for line in one.lines.filter(code__in=("shared", "given"))}
        for month in (before, after)
    ]
    assert rates == [{D("0.12")}, {D("0.02")}]
    assert settle(community) is None, "June comes out the same, so there is no new statement"
    assert SchemeVersion.objects.filter(scheme__community=community).count() == 2
    walk.goto(f"/decisions/{motion.pk}/")
    expect(page.get_by_role("region", name="What it changed")).to_contain_text("0.020")


def proposed(walk: Walk, question: str, why: str) -> Motion:
    """Fill in the form of a proposal."""
    page = walk.page
    page.locator("input[name=title]").fill(question)
    page.locator("textarea[name=text]").fill(why)
    page.locator("input[name=method][value=majority]").check(force=True)
    page.get_by_role("button", name="Propose it").click()
    expect(page.get_by_role("heading", level=1)).to_have_text(question)
    assert measuring.reckon_all() == 1
    return Motion.objects.get(title=question)


def decided(walk: Walk, street: Street, motion: Motion) -> None:
    """The days of talk pass; everybody votes in their own browser; the days of the vote and of objections pass."""
    Participant.objects.filter(community=street.community).update(joined_on=dt.date(2026, 1, 1))
    at_once(motion, "open")
    for person in street.neighbours:
        sign_in(walk, person)
        walk.goto(f"/decisions/{motion.pk}/")
        walk.page.locator("input[name=choice][value='1']").check(force=True)
        walk.page.get_by_role("button", name="Cast my vote").click()
        expect(walk.page.get_by_role("button", name="Change my vote")).to_be_visible()
    at_once(motion, "counted")
    at_once(motion, "passed")
    assert motion.state == "passed", (motion.state, motion.why, motion.outcome)


def enacted(motion: Motion, at: dt.datetime) -> None:
    """The day on which it holds has come."""
    Motion.objects.filter(pk=motion.pk).update(takes_effect_at=at)
    decisions.advance(motion.pk)
    motion.refresh_from_db()
    assert motion.state == "enacted", motion.why


def what_came_of_both_stands_beside_what_was_promised(walk: Walk, plan: Motion) -> None:
    """The loop is closed: what the votes did is measured, and the twin's ladder counts only that."""
    page = walk.page
    measuring.measure_all()
    for done in Enactment.objects.select_related("motion"):
        assert done.measured is not None, done.motion
        walk.goto(f"/decisions/{done.motion_id}/")
        expect(page.get_by_role("region", name="What it changed")).to_contain_text("On the ballot")
    walk.goto("/twin/kamppi/")
    expect(page.locator("#plan")).to_contain_text("What came of it")
    walk.goto("/twin/kamppi/coverage/")
    expect(page.get_by_role("main")).to_contain_text(plan.title)
