"""A fault takes the machine down, its people hear of it and of another machine, and the log remembers."""

import datetime as dt
import re

import pytest
from django.db import DatabaseError, transaction
from django.test import Client
from django.utils import timezone

from commons.notices.models import Notice
from commons.people.models import User
from commons.people.services import create_token, set_role
from labs.engine.hours import Span
from labs.errors import OutOfService
from labs.errors.floor import BadEntry, BadFault, ClosedFault, TooManyFaults
from labs.models import Booking, Fault, Lab, LogEntry, Machine, Outage
from labs.queries import alternatives, faults
from labs.services import bookings, catalogue, log
from labs.services import faults as services
from tests.labs.conftest import lab, machine, person

HOUR = dt.timedelta(hours=1)


def book(asked: Machine, user: User, start: dt.datetime, hours: float = 1) -> Booking:
    return bookings.create_booking(machine=asked, user=user, start=start, end=start + hours * HOUR)


def soon(hours: float) -> dt.datetime:
    """A full hour at least so many hours from now."""
    then = timezone.now() + dt.timedelta(hours=hours + 1)
    return then.replace(minute=0, second=0, microsecond=0)


def member(of: Lab, role: str = "member") -> User:
    user = person()
    set_role(organisation=of.organisation, user=user, role=role)
    return user


def told(user: User, kind: str) -> list[str]:
    return list(Notice.objects.filter(person=user, kind=f"labs.{kind}").order_by("pk").values_list("text", flat=True))


@pytest.fixture
def boss(city_lab: Lab) -> User:
    return member(city_lab, "manager")


def test_a_fault_takes_the_machine_tells_its_people_and_a_fix_gives_it_back(printer: Machine, boss: User) -> None:
    finder, near, far, other = member(printer.lab), person(), person(), machine(printer.lab, "Spare")
    lost, kept = book(printer, near, soon(3)), book(printer, far, soon(60))
    fault = services.report_fault(machine=printer, by=finder, what="The belt has snapped.")
    lost.refresh_from_db()
    kept.refresh_from_db()
    printer.refresh_from_db()
    assert (lost.status, kept.status) == ("cancelled", "booked")
    assert (printer.state, printer.state_note) == ("repair", "The belt has snapped.")
    assert told(boss, "fault") == [f"{printer.name}: It cannot be used. The belt has snapped."]
    assert "The belt has snapped." in told(near, "cancelled")[0]
    assert other.name in told(near, "instead")[0]
    instead = Notice.objects.get(person=near, kind="labs.instead")
    assert instead.url.startswith(f"/labs/{printer.lab.slug}/{other.slug}/book/?minutes=60&start=")
    assert told(far, "fault_ahead")
    assert not told(near, "fault_ahead")
    with pytest.raises(OutOfService):
        book(printer, near, soon(40))
    services.fix_fault(fault=fault, by=boss, remedy="A new belt.")
    printer.refresh_from_db()
    outage = Outage.objects.get()
    assert printer.state == "ok"
    assert outage.ended_at is not None
    assert told(finder, "fault_closed") == [f"{printer.name}: A new belt. Thank you for telling."]
    assert told(near, "works_again")
    book(printer, near, soon(3))
    kinds = list(LogEntry.objects.filter(fault=fault).order_by("written_at", "pk").values_list("kind", flat=True))
    assert sorted(kinds) == ["down", "fault", "fixed"]
    with pytest.raises(ClosedFault):
        services.fix_fault(fault=fault, by=boss, remedy="Again.")


def test_two_faults_keep_it_down_until_both_are_fixed(printer: Machine, boss: User) -> None:
    first = services.report_fault(machine=printer, by=boss, what="The belt has snapped.")
    second = services.report_fault(machine=printer, by=boss, what="The nozzle is blocked.")
    small = services.report_fault(machine=printer, by=boss, what="A screw is loose.", severity="note")
    assert first.outage == second.outage
    assert small.outage is None
    services.fix_fault(fault=first, by=boss, remedy="A new belt.")
    printer.refresh_from_db()
    assert (printer.state, printer.state_note) == ("repair", "The nozzle is blocked.")
    closed = Booking.objects.filter(machine=printer, kind="maintenance", status__in=Booking.OPEN)
    assert closed.filter(start__lte=timezone.now(), end__gt=timezone.now() + 20 * HOUR).exists()
    services.dismiss_fault(fault=second, by=boss)
    printer.refresh_from_db()
    assert printer.state == "ok"
    assert not closed.filter(end__gt=timezone.now()).exists()


def test_a_strangers_word_alone_closes_nothing_until_it_is_confirmed(printer: Machine, boss: User) -> None:
    stranger, user = person(), person()
    held = book(printer, user, soon(3))
    fault = services.report_fault(machine=printer, by=stranger, what="It does not move.")
    held.refresh_from_db()
    assert fault.waits
    assert held.status == "booked"
    assert [f.pk for f in faults.tasks(printer.lab)] == [fault.pk]
    services.confirm_fault(fault=fault, by=boss)
    held.refresh_from_db()
    assert held.status == "cancelled"
    at_it = services.report_fault(machine=machine(printer.lab), by=stranger, what="It smokes.", at_machine=True)
    assert at_it.is_down
    booked = machine(printer.lab)
    book(booked, stranger, soon(1))
    assert services.report_fault(machine=booked, by=stranger, what="It does not start.").is_down


def test_the_clock_keeps_it_down_and_takes_only_what_comes_near(printer: Machine, boss: User) -> None:
    user, now = person(), timezone.now()
    later = book(printer, user, soon(30))
    services.report_fault(machine=printer, by=boss, what="The board is dead.")
    later.refresh_from_db()
    assert later.status == "booked"
    assert services.keep_down(now + HOUR) == 0
    assert services.keep_down(now + 13 * HOUR) == 1
    assert services.keep_down(now + 13 * HOUR) == 0
    later.refresh_from_db()
    assert later.status == "cancelled"
    closures = Booking.objects.filter(machine=printer, kind="maintenance", status="booked").order_by("start")
    assert [b.start for b in closures[1:]] == [b.end for b in closures[:1]]
    assert closures.last().end >= now + 37 * HOUR  # type: ignore[union-attr]


def test_what_is_expected_moves_the_end_both_ways(printer: Machine, boss: User) -> None:
    user = person()
    held = book(printer, user, soon(40))
    fault = services.report_fault(machine=printer, by=boss, what="The bed is bent.")
    until = soon(50)
    services.expect_back(fault=fault, until=until, by=boss)
    held.refresh_from_db()
    printer.refresh_from_db()
    assert held.status == "cancelled"
    assert printer.back_on == until.astimezone(printer.lab.zone).date()
    open_ = Booking.objects.filter(machine=printer, kind="maintenance", status__in=Booking.OPEN)
    assert max(b.end for b in open_) == until
    services.expect_back(fault=fault, until=soon(5), by=boss)
    assert max(b.end for b in open_.all()) == soon(5)
    with pytest.raises(BadFault):
        services.expect_back(fault=fault, until=timezone.now() - HOUR, by=boss)


def test_in_use_ends_now_and_the_one_who_reports_keeps_no_time(printer: Machine, boss: User) -> None:
    user, now = person(), timezone.now()
    spare = machine(printer.lab)
    held = bookings.create_booking(machine=printer, user=user, start=now, end=now + 3 * HOUR)
    bookings.check_in(booking=held, by=user)
    later = now + dt.timedelta(minutes=30)
    services.report_fault(machine=printer, by=user, what="It stopped.", now=later)
    held.refresh_from_db()
    assert (held.status, held.end) == ("done", later)
    assert spare.name in told(user, "instead")[0]


def test_what_is_no_report_is_refused(printer: Machine, boss: User) -> None:
    user = member(printer.lab)
    for what, severity in (("", "down"), ("  x ", "down"), ("It smells.", "terrible")):
        with pytest.raises(BadFault):
            services.report_fault(machine=printer, by=user, what=what, severity=severity)
    for _again in range(services.MOST_A_DAY):
        services.report_fault(machine=printer, by=user, what="It squeaks.", severity="note")
    with pytest.raises(TooManyFaults):
        services.report_fault(machine=printer, by=user, what="It squeaks.", severity="note")
    services.report_fault(machine=printer, by=boss, what="It squeaks.", severity="note")


def test_alternatives_are_big_enough_free_allowed_and_near(printer: Machine, kamppi: object) -> None:
    user, span = person(), Span(soon(30), soon(32))
    here = printer.lab
    machine(here, "Small", volume_x_mm=100)
    machine(here, "Laser", cls="laser-cutter")
    catalogue.set_state(machine=machine(here, "Broken"), state="repair")
    badge = catalogue.create_badge(slug="fine-printing", name="Fine printing", lab=here)
    machine(here, "Badged", required_badges=[badge])
    busy = machine(here, "Busy")
    book(busy, person(), span.start, 1)
    far = machine(lab(), "Elsewhere")
    near = machine(lab(place=here.place), "Near by")
    now = timezone.now()
    assert alternatives.instead(printer, user, span, now=now) == [near]
    free = machine(here, "Free")
    assert alternatives.instead(printer, user, span, now=now) == [free, near]
    assert far not in alternatives.instead(printer, user, span, now=now, most=9)


def test_the_log_is_never_changed_and_its_private_part_is(printer: Machine, boss: User) -> None:
    entry = log.write_entry(lab=printer.lab, kind="injury", text="A cut finger.", by=member(printer.lab), private="Ida")
    assert told(boss, "incident")
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        LogEntry.objects.filter(pk=entry.pk).update(text="Nothing.")
    with pytest.raises(DatabaseError, match="never changed"), transaction.atomic():
        entry.delete()
    for wrong in ({"kind": "party", "text": "x y"}, {"kind": "note", "text": " "}):
        with pytest.raises(BadEntry):
            log.write_entry(lab=printer.lab, by=boss, **wrong)
    with pytest.raises(BadEntry):
        log.write_entry(lab=printer.lab, kind="note", text="Tomorrow.", by=boss, happened_at=soon(24))
    with pytest.raises(BadEntry):
        log.write_entry(lab=lab(), kind="amendment", text="No.", by=boss, amends=entry)


def test_figures_follow_the_outages(printer: Machine, boss: User) -> None:
    now = timezone.now()
    Outage.objects.create(machine=printer, began_at=now - 100 * HOUR, ended_at=now - 90 * HOUR)
    Outage.objects.create(machine=printer, began_at=now - 30 * HOUR, ended_at=now - 10 * HOUR)
    found = faults.figures([printer], now)[printer.pk]
    assert (found.failures, found.restored, round(found.down_h, 6), round(found.window_h, 6)) == (2, 2, 30, 100)
    assert (found.mttr_h, found.mtbf_h) == (pytest.approx(15), pytest.approx(35))
    assert found.availability == pytest.approx(0.7)
    fresh = machine(printer.lab)
    assert faults.figures([fresh], now)[fresh.pk].availability is None


def test_pages_of_a_fault_from_the_report_to_the_fix(client: Client, printer: Machine, boss: User) -> None:
    finder, base = member(printer.lab), f"/labs/{printer.lab.slug}"
    client.force_login(finder)
    sent = {"machine": printer.pk, "what": "The belt has snapped.", "severity": "down"}
    answer = client.post(f"{base}/faults/", sent)
    fault = Fault.objects.get()
    path = answer["Location"]
    assert path == f"/faults/{fault.pk}/"
    assert "The belt has snapped." in client.get(path).content.decode()
    assert client.post(path, {"do": "fix", "remedy": "Me."}).status_code == 404
    client.force_login(boss)
    assert "It works again" in client.get(path).content.decode()
    assert client.post(path, {"do": "keep", "keeper": finder.username}).status_code == 302
    assert client.post(path, {"do": "keep", "keeper": "nobody-here"}).status_code == 422
    there = soon(50).astimezone(printer.lab.zone)
    assert (
        client.post(path, {"do": "expect", "until_day": f"{there:%Y-%m-%d}", "until_at": f"{there:%H:%M}"}).url == path
    )  # type: ignore[attr-defined]
    assert client.post(path, {"do": "fix", "remedy": ""}).status_code == 422
    assert client.post(path, {"do": "fix", "remedy": "A new belt."}).status_code == 302
    fault.refresh_from_db()
    assert (fault.status, fault.keeper) == ("fixed", finder)
    html = client.get(f"{base}/faults/").content.decode()
    assert "A new belt." in html
    assert "The belt has snapped." in client.get(f"{base}/log/").content.decode()


@pytest.mark.parametrize(
    ("who", "codes"),
    [
        ("nobody", {"faults": 302, "log": 302, "log/log.csv": 302, "labels": 302, "kiosk": 200}),
        ("stranger", {"faults": 404, "log": 404, "log/log.csv": 404, "labels": 404, "kiosk": 200}),
        ("member", {"faults": 200, "log": 200, "log/log.csv": 200, "labels": 404, "kiosk": 200}),
        ("trainer", {"faults": 200, "log": 200, "log/log.csv": 200, "labels": 200, "kiosk": 200}),
        ("manager", {"faults": 200, "log": 200, "log/log.csv": 200, "labels": 200, "kiosk": 200}),
    ],
)
def test_who_may_see_which_page(client: Client, printer: Machine, who: str, codes: dict[str, int]) -> None:
    reporter = member(printer.lab)
    fault = services.report_fault(machine=printer, by=reporter, what="It squeaks.", severity="note")
    if who != "nobody":
        client.force_login(person() if who == "stranger" else member(printer.lab, who))
    found = {}
    for name in codes:
        path = f"/labs/{printer.lab.slug}/{name}" if "." in name else f"/labs/{printer.lab.slug}/{name}/"
        found[name] = client.get(path).status_code
    assert found == codes
    one = client.get(f"/faults/{fault.pk}/").status_code
    assert one == {"nobody": 302, "stranger": 404}.get(who, 200)


def test_the_log_page_writes_corrects_and_keeps_the_private_part(client: Client, printer: Machine, boss: User) -> None:
    user, base = member(printer.lab), f"/labs/{printer.lab.slug}/log/"
    client.force_login(user)
    when = timezone.now().astimezone(printer.lab.zone).strftime("%Y-%m-%dT%H:%M")
    sent = {"do": "write", "kind": "injury", "when": when, "text": "=A cut finger.", "private": "Ida, 040 123"}
    assert client.post(base, sent).status_code == 302
    entry = LogEntry.objects.get()
    assert client.post(base, {"do": "amend", "entry": str(entry.pk), "text": "A cut thumb."}).status_code == 302
    assert client.post(base, {"do": "amend", "entry": "x", "text": "A cut thumb."}).status_code == 404
    html, table = client.get(base).content.decode(), b"".join(client.get(f"{base}log.csv")).decode()  # type: ignore[arg-type]
    assert "A cut thumb." in html
    assert "040 123" not in html + table
    assert "'=A cut finger." in table
    client.force_login(boss)
    assert "040 123" in client.get(base).content.decode()
    assert "040 123" in b"".join(client.get(f"{base}log.csv")).decode()  # type: ignore[arg-type]


def test_the_api_reports_lists_closes_and_logs(client: Client, printer: Machine, boss: User) -> None:
    def key(user: User, *scopes: str) -> dict[str, str]:
        return {"Authorization": f"Bearer {create_token(user=user, name='t', scopes=list(scopes))[1]}"}

    def post(path: str, body: dict[str, object], headers: dict[str, str]) -> tuple[int, dict[str, object]]:
        answer = client.post(f"/api/v1/{path}", body, content_type="application/json", headers=headers)
        return answer.status_code, answer.json() if answer.content else {}

    finder, stranger = member(printer.lab), person()
    mine = key(finder, "bookings:write", "labs:manage")
    status, made = post(f"machines/{printer.pk}/faults/", {"what": "It smokes."}, mine)
    assert (status, made["down"], made["reporter"]) == (201, True, finder.username)
    one, lab_path = f"faults/{made['id']}/", f"labs/{printer.lab.slug}"
    theirs = key(stranger, "bookings:write", "labs:manage")
    assert client.get(f"/api/v1/{one}", headers=mine).json()["what"] == "It smokes."
    for path in (one, f"{lab_path}/faults/", f"{lab_path}/log/"):
        assert client.get(f"/api/v1/{path}", headers=theirs).status_code == 404, path
        assert client.get(f"/api/v1/{path}").status_code == 401, path
    assert post(f"machines/{printer.pk}/faults/", {"what": " "}, mine)[0] in {400, 422}
    assert post(f"{one}close/", {"remedy": "Me."}, mine)[0] == 403
    assert post(f"{one}close/", {"remedy": "Me."}, theirs)[0] == 404
    run = key(boss, "labs:manage", "bookings:write")
    assert [f["id"] for f in client.get(f"/api/v1/{lab_path}/faults/?status=open", headers=run).json()["results"]] == [
        made["id"]
    ]
    status, closed = post(f"{one}close/", {"remedy": "A new fuse."}, run)
    assert (status, closed["status"], closed["down"]) == (200, "fixed", False)
    assert post(f"{one}close/", {"remedy": "A new fuse."}, run)[0] == 409
    figures = client.get(f"/api/v1/machines/{printer.pk}/reliability/").json()
    assert (figures["failures"], figures["restored"]) == (1, 1)
    hurt = {"kind": "injury", "text": "A cut.", "private": "Ida", "machine": printer.pk}
    status, line = post(f"{lab_path}/log/", hurt, mine)
    assert (status, line["private"]) == (201, None)
    assert post(f"{lab_path}/log/", {"kind": "fault", "text": "No."}, mine)[0] == 400
    assert post(f"{lab_path}/log/", {"kind": "amendment", "text": "Two.", "amends": line["id"]}, run)[0] == 201
    kinds = [e["kind"] for e in client.get(f"/api/v1/{lab_path}/log/", headers=run).json()["results"]]
    assert sorted(kinds) == ["amendment", "down", "fault", "fixed", "injury"]


def test_up_to_three_others_are_named_and_led_to(client: Client, printer: Machine, boss: User) -> None:
    user, at = person(), soon(3)
    others = [machine(printer.lab, f"Other {n}") for n in range(4)]
    book(others[1], person(), at)
    book(printer, user, at)
    services.report_fault(machine=printer, by=boss, what="The belt has snapped.")
    notice = Notice.objects.get(person=user, kind="labs.instead")
    named = [other.name for other in others if other.name in notice.text]
    assert named == ["Other 0", "Other 2", "Other 3"]
    path = notice.url
    assert client.get(path).status_code == 302
    client.force_login(user)
    html = client.get(path).content.decode()
    hrefs = re.findall(r'class="t" href="([^"]+)"', html)
    assert [href.split("/")[3] for href in hrefs] == ["other-0", "other-2", "other-3"]
    assert client.get(hrefs[0].replace("&amp;", "&")).status_code == 200
    book(others[0], person(), at)  # looked up anew: what has gone meanwhile is not shown
    assert "Other 0" not in client.get(path).content.decode().split("<h1>")[1]
    bare = path.partition("?")[0]
    for bad in ("", "?start=x&minutes=60", "?start=2026-01-01T10:00:00&minutes=60", "?minutes=99999999"):
        assert client.get(bare + bad).status_code == 422
    assert client.get(path.replace(f"/{printer.slug}/", "/no-such/")).status_code == 404
