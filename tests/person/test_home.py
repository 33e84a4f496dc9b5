"""A person's own home, the first hour that ticks itself off, notices by kind, and one calendar of all rooms."""

import ast
import datetime as dt
import json
from pathlib import Path

import icalendar
import pytest
from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import mail as outbox
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from commons import sockets as house
from commons.decisions import services as decisions
from commons.errors import BadInput
from commons.mine import queries, services, sockets
from commons.mine.models import FirstHour
from commons.notices import kinds as notice_kinds
from commons.notices import mail
from commons.notices import services as notices
from commons.notices.models import MailChoice, Notice
from commons.people.models import Membership, User
from commons.people.services import create_organisation, create_user
from designs.models import Proposal
from energy.models import Asset, MeterDay, MeterPoint, Participant
from labs.models import Badge, BadgeGrant, Booking
from labs.services import bookings, catalogue, feeds
from tests.labs.conftest import design as a_design
from tests.labs.conftest import enrolled, tomorrow
from tests.person.conftest import World, job
from twin.models import District, Offer

pytestmark = pytest.mark.django_db
COUNTS = Path(__file__).with_name("query_counts.json")
HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)


def a_vote(world: World, member: User) -> int:
    """An open vote of the workshop on whose roll the person stands."""
    for person in (world.aino, member):
        Membership.objects.get_or_create(
            organisation=world.printer.lab.organisation,
            user=person,
            defaults={"role": "member", "since": timezone.now() - 400 * DAY},
        )
    body = decisions.body(kind="labs.lab", key="workshop")
    motion = decisions.propose(
        body=body,
        author=world.aino,
        title="Open on Sundays?",
        text="Many ask for it, and the machines stand idle then.",
        method="majority",
        options=[{"title": "Yes"}],
    )
    type(motion).objects.filter(pk=motion.pk).update(opens_at=timezone.now() - HOUR)
    decisions.advance(motion.pk)
    return int(motion.pk)


@pytest.fixture
def otto(world: World) -> User:
    """Somebody with one of everything."""
    person = create_user(username="otto", name="Otto")
    own = a_design(person, b"own", slug="ottos-hook")
    Proposal.objects.create(
        design=own.design,
        number=1,
        title="A stronger hook",
        author=world.aino,
        source=own.design,
        source_branch="strong",
        target_branch="main",
        base="0" * 40,
        head="1" * 40,
    )
    booking = bookings.create_booking(machine=world.printer, user=person, start=tomorrow(), end=tomorrow() + HOUR)
    job(world.printer, own, kwh=0.3, booking=booking, file_name="hook.gcode")
    badge = Badge.objects.create(slug="laser", name="Laser cutter")
    BadgeGrant.objects.create(badge=badge, user=person, expires_at=timezone.now() + 40 * DAY)
    flat = Participant.objects.create(
        community=world.version.community, person=person, name="Otto’s flat", joined_on=timezone.localdate()
    )
    for direction, kwh in (("use", 6.5), ("solar", 2.25)):
        meter = MeterPoint.objects.create(
            participant=flat, number=f"M-{direction}", direction=direction, valid_from=flat.joined_on, proof="steward"
        )
        for back in (1, 2):
            MeterDay.objects.create(
                meter=meter,
                day=timezone.localdate() - back * DAY,
                step_minutes=60,
                packed=b"",
                kwh=kwh * back,
                missing=0,
                source="file",
            )
    a_vote(world, person)
    return person


def test_everything_of_mine_in_one_place_and_nothing_of_others(client: Client, world: World, otto: User) -> None:
    client.force_login(otto)
    page = client.get("/me/day/").content.decode()
    for words in (
        "Ottos-Hook",
        "A stronger hook",
        "Saimaa",
        "hook.gcode",
        "Laser cutter",
        "Otto’s flat",
        "Open on Sundays?",
    ):
        assert words in page, words
    assert "6.5\u00a0kWh from the grid, 2.3\u00a0kWh of sun made" in page, "yesterday, not the day before"
    assert "Bracket" not in page
    assert "3 things wait for you" in page, "a change, a badge, a vote"
    assert "3 things wait for you" in client.get("/").content.decode()
    waiting = queries.waiting(queries.home(otto))
    assert [item.title for item in waiting] == ["Open on Sundays?", "Laser cutter", "A stronger hook"]
    other = Client()
    other.force_login(create_user(username="lotta"))
    page = other.get("/me/day/").content.decode()
    assert "Nothing waits for you" in page
    for words in ("A stronger hook", "hook.gcode", "Otto’s flat", "Laser cutter", "Open on Sundays?"):
        assert words not in page
    assert "things wait for you" not in Client().get("/").content.decode()


def test_what_was_judged_or_voted_waits_no_more(client: Client, world: World, otto: User) -> None:
    change = Proposal.objects.get(title="A stronger hook")
    change.reviews.create(author=otto, verdict="remark", commit=change.head)
    assert "A stronger hook" not in [item.title for item in queries.waiting(queries.home(otto))]
    Proposal.objects.filter(pk=change.pk).update(head="2" * 40)
    assert "A stronger hook" in [item.title for item in queries.waiting(queries.home(otto))], (
        "a newer version waits again"
    )
    from commons.decisions.models import Motion

    decisions.vote(motion=Motion.objects.get(title="Open on Sundays?"), person=otto, choice="1")
    assert "Open on Sundays?" not in [item.title for item in queries.waiting(queries.home(otto))]


def test_pages_ask_no_more_than_is_written_down(client: Client, world: World, otto: User) -> None:
    """Few questions, however much there is."""
    for nth in range(4):
        a_design(otto, b"%d" % nth, slug=f"more-{nth}")
        start = tomorrow(hour=12) + (nth + 1) * DAY
        bookings.create_booking(machine=world.printer, user=otto, start=start, end=start + HOUR)
    client.force_login(otto)
    allowed: dict[str, int] = json.loads(COUNTS.read_text())
    asked = {}
    for address in allowed:
        client.get(address)
        with CaptureQueriesContext(connection) as held:
            assert client.get(address).status_code == 200, address
        asked[address] = len(held)
    assert asked == {address: min(count, allowed[address]) for address, count in asked.items()}


# --- the first hour -----------------------------------------------------------------------------------------------


def ticked(client: Client) -> tuple[int, int]:
    """How many of how many steps the page shows as done."""
    page = client.get("/me/first-hour/").content.decode()
    return page.count('class="is-done"'), page.count('class="first-sign"')


def test_a_first_hour_is_chosen_put_away_and_taken_up(client: Client, world: World) -> None:
    assert client.get("/me/first-hour/").status_code == 302, "a stranger has none"
    lotta = create_user(username="lotta")
    client.force_login(lotta)
    assert "Choose yours" in client.get("/").content.decode()
    assert "What brings you here?" in client.get("/me/first-hour/").content.decode()
    assert client.post("/me/first-hour/", {"path": "pilot"}).status_code == 400
    client.post("/me/first-hour/", {"path": "maker"})
    assert "First hour: 0 of 6 steps" in client.get("/").content.decode()
    client.post("/me/first-hour/", {"do": "dismiss"})
    assert "First hour" not in client.get("/").content.decode()
    assert ticked(client) == (0, 6), "it is still there for who looks for it"
    client.post("/me/first-hour/", {"path": "neighbour"})
    assert FirstHour.objects.get(person=lotta).dismissed_at is None
    User.objects.filter(pk=lotta.pk).update(date_joined=timezone.now() - 60 * DAY)
    FirstHour.objects.all().delete()
    assert "Choose yours" not in client.get("/").content.decode(), "who has long been here is not asked"


def test_a_maker_walks_the_first_hour(client: Client, world: World) -> None:
    """No step is clicked: each is found. A step of another path, or of another person, ticks nothing."""
    lotta = create_user(username="lotta")
    client.force_login(lotta)
    client.post("/me/first-hour/", {"path": "maker"})
    assert ticked(client) == (0, 6)
    assert client.post("/me/profile/", {"name": "Lotta", "home": world.kamppi.pk}).status_code == 302
    assert ticked(client) == (1, 6)
    made = a_design(lotta, b"first", slug="first", public=False)
    assert ticked(client) == (1, 6), "a name without files is no design yet"
    type(made.design).objects.filter(pk=made.design.pk).update(head=made.commit)
    assert ticked(client) == (2, 6)
    type(made.design).objects.filter(pk=made.design.pk).update(visibility="public")
    assert ticked(client) == (3, 6)
    booking = bookings.create_booking(machine=world.printer, user=lotta, start=tomorrow(), end=tomorrow() + HOUR)
    assert ticked(client) == (5, 6), "the machine asks for no badge"
    job(world.printer, made, kwh=0.1, booking=booking)
    assert ticked(client) == (6, 6)
    page = client.get("/me/first-hour/").content.decode()
    assert "Your first hour is done" in page
    assert "Your first hour is done." in client.get("/").content.decode()


def test_a_host_walks_the_first_hour(client: Client, world: World) -> None:
    lotta, guest = create_user(username="lotta"), create_user(username="guest")
    User.objects.filter(pk=lotta.pk).update(home=world.kamppi)
    client.force_login(lotta)
    client.post("/me/first-hour/", {"path": "host"})
    seen = [ticked(client)]
    organisation = create_organisation(handle="shed", name="Shed", kind="lab", founder=lotta)
    shed = catalogue.open_lab(organisation=organisation, name="Shed", place=world.kamppi)
    seen.append(ticked(client))
    mill = catalogue.add_machine(lab=shed, name="Mill", cls="cnc-mill")
    seen.append(ticked(client))
    type(shed).objects.filter(pk=shed.pk).update(opening_hours={"mon": [["09:00", "17:00"]]})
    seen.append(ticked(client))
    enrolled(mill)
    seen.append(ticked(client))
    type(shed).objects.filter(pk=shed.pk).update(opening_hours={})
    bookings.create_booking(machine=mill, user=guest, start=tomorrow(), end=tomorrow() + HOUR)
    type(shed).objects.filter(pk=shed.pk).update(opening_hours={"mon": [["09:00", "17:00"]]})
    seen.append(ticked(client))
    assert seen == [(n, 6) for n in range(1, 7)]


def test_a_neighbour_walks_the_first_hour(client: Client, world: World) -> None:
    lotta = create_user(username="lotta")
    client.force_login(lotta)
    client.post("/me/first-hour/", {"path": "neighbour"})
    seen = [ticked(client)]
    client.post("/me/profile/", {"name": "Lotta", "home": world.kamppi.pk})
    seen.append(ticked(client))
    home = Participant.objects.create(
        community=world.version.community, person=lotta, name="Lotta’s", joined_on=timezone.localdate()
    )
    seen.append(ticked(client))
    Asset.objects.create(participant=home, kind="battery", kwh=5, kw=2)
    seen.append(ticked(client))
    district = District.objects.create(slug="kamppi", name="Kamppi", place=world.kamppi)
    Offer.objects.create(
        district=district, author=lotta, layer="buildings", key="b1", action="change", changes={"levels": 3}
    )
    seen.append(ticked(client))
    from commons.decisions.models import Motion

    decisions.vote(motion=Motion.objects.get(pk=a_vote(world, lotta)), person=lotta, choice="1")
    seen.append(ticked(client))
    assert seen == [(n, 5) for n in range(6)]


def test_each_step_leads_to_a_page_that_opens(client: Client, world: World) -> None:
    lotta = create_user(username="lotta")
    client.force_login(lotta)
    for step in sockets.steps:
        assert client.get(step.url(lotta)).status_code == 200, step.slug
    services.dismiss(person=lotta)
    assert queries.is_offered(lotta, queries.hour_of(lotta)) is False


# --- notices by kind ----------------------------------------------------------------------------------------------


def test_every_kind_that_is_told_can_be_switched() -> None:
    """Whoever writes `tell(kind="room.event")` names the kind for the settings page too."""
    known = {kind.slug for kind in notice_kinds.kinds}
    rooms = (*settings.ROOMS, "platform/commons")
    told = set()
    for path in (p for room in rooms for p in (Path(settings.ROOT) / room).rglob("*.py")):
        for call in (n for n in ast.walk(ast.parse(path.read_text())) if isinstance(n, ast.Call)):
            name = getattr(call.func, "attr", getattr(call.func, "id", ""))
            if name in {"tell", "tell_people", "_tell"}:
                told |= {
                    str(k.value.value) for k in call.keywords if k.arg == "kind" and isinstance(k.value, ast.Constant)
                }
    assert len(told) > 20
    assert told - known == set()


def test_a_kind_is_switched_off_kept_here_or_needed(client: Client, world: World) -> None:
    EmailAddress.objects.create(user=world.aino, email="aino@example.org", verified=True, primary=True)
    client.force_login(world.aino)
    page = client.get("/me/notices/settings/").content.decode()
    assert 'name="kind:designs.comment"' in page
    chosen = {"when": "weekly", "language": "fi", "kind:designs.comment": "off", "kind:designs.make": "app"}
    assert client.post("/me/notices/settings/", chosen | {"kind:labs.moved": "app"}).status_code == 302
    for kind in ("designs.comment", "designs.make", "labs.moved", "designs.release"):
        notices.tell(people=[world.aino], kind=kind, text=f"about {kind}", url="/")
    assert set(Notice.objects.values_list("kind", flat=True)) == {"designs.make", "labs.moved", "designs.release"}
    assert mail.send_due(now=timezone.now() + HOUR) == 1
    (letter,) = outbox.outbox
    assert "designs.release" in letter.subject
    assert "designs.make" not in letter.body
    assert letter.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    notices.tell(people=[world.aino], kind="designs.release", text="a second", url="/")
    assert mail.send_due(now=timezone.now() + 6 * DAY) == 0, "once a week"
    assert mail.send_due(now=timezone.now() + 7 * DAY + 2 * HOUR) == 1
    assert client.post("/me/notices/settings/", chosen | {"kind:labs.moved": "off"}).status_code == 400, "needed"
    assert client.post("/me/notices/settings/", chosen | {"kind:none.such": "off"}).status_code == 400
    with pytest.raises(BadInput):
        notices.choose_kinds(person=world.aino, chosen={"designs.make": "perhaps"})
    client.post("/me/notices/settings/", chosen | {"kind:designs.comment": "all", "kind:designs.make": "all"})
    assert MailChoice.objects.get(person=world.aino).kinds == {"labs.moved": "app"}


def test_a_weekly_letter_leaves_nothing_out(world: World) -> None:
    """What came just after a letter is seven days old at the next."""
    EmailAddress.objects.create(user=world.aino, email="aino@example.org", verified=True, primary=True)
    notices.choose_mail(person=world.aino, when="weekly")
    now = timezone.now()
    MailChoice.objects.update(last_sent_at=now)
    notices.tell(people=[world.aino], kind="designs.release", text="just after", url="/")
    assert mail.send_due(now=now + 7 * DAY + HOUR) == 1


# --- one calendar -------------------------------------------------------------------------------------------------


def test_my_calendar_joins_bookings_and_votes_and_is_mine_alone(client: Client, world: World, otto: User) -> None:
    key, secret = feeds.make_key(user=otto)
    answer = client.get(f"/api/v1/people/me/calendar.ics?key={secret}")
    assert answer.status_code == 200
    read = icalendar.Calendar.from_ical(answer.content)
    events = {str(event["SUMMARY"]): event for event in read.walk("VEVENT")}
    assert set(events) == {"Saimaa, Workshop", "Vote opens: Open on Sundays?", "Vote closes: Open on Sundays?"}
    from commons.decisions.models import Motion

    motion = Motion.objects.get(title="Open on Sundays?")
    closes = events["Vote closes: Open on Sundays?"]
    assert closes["DTEND"].dt == motion.closes_at.replace(microsecond=0)
    assert str(closes["TRANSP"]) == "TRANSPARENT", "a deadline takes no time of the day"
    assert (
        client.get(
            f"/api/v1/people/me/calendar.ics?key={secret}", headers={"If-None-Match": answer["ETag"]}
        ).status_code
        == 304
    )
    other, theirs = feeds.make_key(user=create_user(username="lotta"))
    assert "Sundays" not in client.get(f"/api/v1/people/me/calendar.ics?key={theirs}").content.decode()
    assert client.get("/api/v1/people/me/calendar.ics?key=wrong").status_code == 404
    assert key.pk != other.pk
    assert Booking.objects.filter(user=otto).count() == 1
    assert house.search_sources.get("decisions") is not None
