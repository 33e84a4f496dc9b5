"""Labels and kiosks: who stands at a machine checks in and reports; a kiosk lets in by badge and PIN, and forgets."""

import datetime as dt
import re

import pytest
from django.test import Client
from django.utils import timezone

from commons.people.models import User
from labs.errors.floor import BadPass, NotAKiosk, PassLocked, PassRefused
from labs.models import Booking, BookingRule, Fault, Kiosk, KioskPass, Lab, Machine, MachineLabel
from labs.services import bookings, catalogue
from labs.services import kiosk as services
from labs.services.labels import address_of, label_of
from tests.labs.conftest import lab, machine, person
from tests.labs.test_calendar import by_node
from tests.labs.test_faults import member

HOUR = dt.timedelta(hours=1)
MINUTE = dt.timedelta(minutes=1)


def mine_now(asked: Machine, user: User) -> Booking:
    now = timezone.now()
    return bookings.create_booking(machine=asked, user=user, start=now, end=now + HOUR)


def paired(of: Lab) -> tuple[Client, Kiosk]:
    """A device that is a kiosk of the lab."""
    kiosk, code = services.add_kiosk(lab=of, name="By the door", by=None)
    device = Client()
    assert device.post(f"/labs/{of.slug}/kiosk/pair/", {"code": code.lower()}).status_code == 302
    return device, kiosk


def test_a_phone_at_the_machine_checks_in_ends_and_reports(client: Client, printer: Machine) -> None:
    user, label = person(), label_of(machine=printer)
    path = f"/q/{label.code}/"
    assert address_of(label).endswith(path)
    assert label_of(machine=printer) == label
    html = client.get(path).content.decode()
    assert printer.name in html
    assert "Sign in" in html
    assert client.post(path, {"do": "fault", "what": "It smokes.", "severity": "down"})["Location"].startswith(
        "/account/"
    )
    booking = mine_now(printer, user)
    client.force_login(user)
    assert "I am here: check in" in client.get(path).content.decode()
    assert client.post(path, {"do": "check-in", "booking": booking.pk}).status_code == 302
    booking.refresh_from_db()
    assert booking.status == "running"
    client.post(path, {"do": "end", "booking": booking.pk})
    booking.refresh_from_db()
    assert booking.status == "done"
    other = mine_now(machine(printer.lab), person())
    assert client.post(path, {"do": "check-in", "booking": other.pk}).status_code == 404
    assert client.post(path, {"do": "check-in", "booking": "x"}).status_code == 404
    stranger = Client()
    stranger.force_login(person())
    assert stranger.post(path, {"do": "fault", "what": "It smokes.", "severity": "down"}).status_code == 302
    assert Fault.objects.get().is_down
    assert "Do not use it." in client.get(path).content.decode()


def test_a_renewed_label_leads_nowhere(client: Client, printer: Machine) -> None:
    label = label_of(machine=printer)
    boss = member(printer.lab, "manager")
    client.force_login(boss)
    path = f"/labs/{printer.lab.slug}/labels/"
    html = client.get(path).content.decode()
    assert label.code in html
    assert "<svg" in html
    assert "style=" not in html[html.index('class="labels"') :].split("</ul>")[0]
    client.post(path, {"renew": printer.pk})
    assert client.get(f"/q/{label.code}/").status_code == 404
    assert client.get(f"/q/{MachineLabel.objects.get().code}/").status_code == 200


def test_a_kiosk_is_paired_once_and_whoever_was_signed_in_is_signed_out(printer: Machine) -> None:
    here, now = printer.lab, timezone.now()
    kiosk, code = services.add_kiosk(lab=here, name="", by=None)
    with pytest.raises(NotAKiosk):
        services.pair(lab=lab(), code=code)
    with pytest.raises(NotAKiosk):
        services.pair(lab=here, code=code, now=now + 11 * MINUTE)
    device = Client()
    device.force_login(member(here, "manager"))
    path = f"/labs/{here.slug}/kiosk/"
    assert "Make this device a kiosk" in device.get(path).content.decode()
    assert device.post(f"{path}pair/", {"code": "AAAA-AAAA"}).status_code == 404
    assert device.post(f"{path}pair/", {"code": code}).status_code == 302
    assert device.get("/me/bookings/").status_code == 302
    cookie = device.cookies["lc_kiosk"]
    assert (cookie["httponly"], cookie["samesite"]) == (True, "Strict")
    assert printer.name in device.get(path).content.decode()
    with pytest.raises(NotAKiosk):
        services.pair(lab=here, code=code)
    services.end_kiosk(kiosk=kiosk)
    assert "Make this device a kiosk" in device.get(path).content.decode()
    assert device.get(f"{path}pin/").status_code == 404


def test_a_badge_opens_the_kiosk_for_a_minute_and_nothing_else(printer: Machine) -> None:
    user, (device, _kiosk) = person(), paired(printer.lab)
    services.set_badge(user=user, number="04:A2:2F:91")
    booking, path = mine_now(printer, user), f"/labs/{printer.lab.slug}/kiosk/"
    assert device.post(path, {"do": "badge", "badge": "04A22F90"}).status_code == 403
    assert device.post(path, {"do": "badge", "badge": "04a22f91"}).status_code == 302
    html = device.get(path).content.decode()
    assert f"Hello, {user}" in html
    assert 'http-equiv="refresh" content="60' in html
    sent = {"booking": booking.pk, "machine": printer.pk}
    assert device.post(path, {"do": "check-in", **sent}).status_code == 302
    booking.refresh_from_db()
    assert booking.status == "running"
    assert device.get("/me/bookings/").status_code == 302
    assert device.post("/api/v1/bookings/", {}, content_type="application/json").status_code in {401, 403}
    wrong = {"do": "fault", "machine": printer.pk, "what": "It smokes.", "severity": "down"}
    assert device.post(path, wrong).status_code == 302
    fault = Fault.objects.get()
    assert fault.is_down
    assert fault.reporter == user
    device.post(path, {"do": "out"})
    assert f"Hello, {user}" not in device.get(path).content.decode()


def test_after_a_minute_without_a_touch_nobody_is_signed_in(printer: Machine) -> None:
    user, (device, _kiosk) = person(), paired(printer.lab)
    services.set_badge(user=user, number="04A22F91")
    booking, path = mine_now(printer, user), f"/labs/{printer.lab.slug}/kiosk/"
    device.post(path, {"do": "badge", "badge": "04A22F91"})
    session = device.session
    session["kiosk"] = {**session["kiosk"], "seen": timezone.now().timestamp() - 61}
    session.save()
    assert device.post(path, {"do": "check-in", "booking": booking.pk, "machine": printer.pk}).status_code == 302
    booking.refresh_from_db()
    assert booking.status == "booked"
    assert "Hello" not in device.get(path).content.decode()


def test_a_pin_is_hashed_and_wrong_ones_lock_it(printer: Machine) -> None:
    user, (device, kiosk), now = person(), paired(printer.lab), timezone.now()
    for bad in ("12345", "abcdef", "111111", "123456", "1" * 13):
        with pytest.raises(BadPass):
            services.set_pin(user=user, pin=bad)
    held = services.set_pin(user=user, pin="295817")
    assert held.pin.startswith("argon2$")
    path = f"/labs/{printer.lab.slug}/kiosk/pin/"
    assert device.post(path, {"name": "nobody", "pin": "295817"}).status_code == 403
    assert device.post(path, {"name": user.username.upper(), "pin": "295817"}).status_code == 302
    for _again in range(services.WRONG_PINS):
        with pytest.raises(PassRefused):
            services.sign_in_by_pin(kiosk=kiosk, name=user.username, pin="000001", now=now)
    with pytest.raises(PassLocked):
        services.sign_in_by_pin(kiosk=kiosk, name=user.username, pin="295817", now=now)
    assert services.sign_in_by_pin(kiosk=kiosk, name=user.username, pin="295817", now=now + 16 * MINUTE) == user
    assert KioskPass.objects.get().failures == 0


def test_guessing_badges_rests_the_kiosk(printer: Machine) -> None:
    user, (_device, kiosk), now = person(), paired(printer.lab), timezone.now()
    services.set_badge(user=user, number="04A22F91")
    for n in range(services.WRONG_TRIES):
        with pytest.raises(PassRefused):
            services.sign_in_by_badge(kiosk=kiosk, number=f"04A2{n:04}", now=now)
    with pytest.raises(PassLocked):
        services.sign_in_by_badge(kiosk=kiosk, number="04A22F91", now=now)
    assert services.sign_in_by_badge(kiosk=kiosk, number="04A22F91", now=now + 6 * MINUTE) == user
    with pytest.raises(BadPass):
        services.set_badge(user=person(), number="04-a2-2f-91")
    services.remove_pass(user=user)
    with pytest.raises(PassRefused):
        services.sign_in_by_badge(kiosk=kiosk, number="04A22F91", now=now + 7 * MINUTE)


def test_the_desk_makes_and_ends_kiosks_and_a_person_their_pass(client: Client, printer: Machine) -> None:
    boss, user, path = member(printer.lab, "manager"), person(), f"/labs/{printer.lab.slug}/desk/"
    client.force_login(boss)
    html = client.post(path, {"do": "kiosk", "name": "By the door"}).content.decode()
    code = re.search(r"<code>([A-Z0-9]{4}-[A-Z0-9]{4})</code>", html)
    assert code is not None
    assert services.pair(lab=printer.lab, code=code[1])[0].name == "By the door"
    client.post(path, {"do": "end-kiosk", "kiosk": Kiosk.objects.get().pk})
    assert Kiosk.objects.get().ended_at is not None
    client.force_login(user)
    assert client.post("/me/kiosk/", {"do": "pin", "pin": "123456"}).status_code == 422
    assert client.post("/me/kiosk/", {"do": "pin", "pin": "295817"}).status_code == 302
    assert client.post("/me/kiosk/", {"do": "badge", "badge": "04A22F91"}).status_code == 302
    assert "You have a PIN" in client.get("/me/kiosk/").content.decode()
    assert client.post("/me/kiosk/", {"do": "remove"}).status_code == 302
    assert not KioskPass.objects.exists()


def test_codes_cannot_be_tried_for_ever(printer: Machine) -> None:
    _kiosk, code = services.add_kiosk(lab=printer.lab, name="By the door", by=None)
    path = f"/labs/{printer.lab.slug}/kiosk/pair/"
    guesser = Client(REMOTE_ADDR="192.0.2.7")
    answers = [guesser.post(path, {"code": f"WRNG-{n:04}"}).status_code for n in range(12)]
    assert answers == [404] * 10 + [429] * 2
    assert guesser.post(path, {"code": code}).status_code == 429
    assert Client(REMOTE_ADDR="192.0.2.8").post(path, {"code": code}).status_code == 302
    many = [Client(REMOTE_ADDR=f"198.51.100.{n}").post(path, {"code": "WRNG-9999"}).status_code for n in range(60)]
    assert set(many[-10:]) == {429}  # for one lab from everywhere together, too
    other = lab()
    _kiosk, code = services.add_kiosk(lab=other, name="By the door", by=None)
    assert guesser.post(f"/labs/{other.slug}/kiosk/pair/", {"code": code}).status_code == 302


def test_who_stands_there_books_what_is_free_under_the_same_rules(printer: Machine) -> None:
    device, user = paired(printer.lab)[0], person()
    services.set_badge(user=user, number="04A1B2C3")
    path = f"/labs/{printer.lab.slug}/kiosk/"
    walk_up = {"do": "book", "machine": printer.pk, "minutes": "60"}
    device.post(path, walk_up)  # nobody is signed in
    assert not Booking.objects.exists()
    device.post(path, {"do": "badge", "badge": "04A1B2C3"})
    assert "Use it now" in device.get(path).content.decode()
    assert device.post(path, {**walk_up, "minutes": "9999"}).status_code == 422
    assert device.post(path, walk_up).status_code == 302
    booking = Booking.objects.get()
    assert (booking.user, booking.status, booking.length) == (user, "running", HOUR)
    assert abs(booking.start - timezone.now()) < 2 * MINUTE
    assert "is yours until" in device.get(path).content.decode()
    assert device.post(path, walk_up).status_code == 409
    closed, members = machine(printer.lab), machine(printer.lab)
    closed.required_badges.add(catalogue.create_badge(slug="laser", name="Laser"))
    BookingRule.objects.create(lab=printer.lab, name="members_only", value="yes", machine=members)
    for other in (closed, members):
        answer = device.post(path, {**walk_up, "machine": other.pk})
        assert answer.status_code == 403
    asked = machine(printer.lab)
    BookingRule.objects.create(lab=printer.lab, name="needs_approval", value="yes", machine=asked)
    device.post(path, {**walk_up, "machine": asked.pk})
    assert Booking.objects.get(machine=asked).status == "requested"


READER = """
import jsqr from "jsqr";
import { readFileSync } from "node:fs";
const lines = readFileSync(0, "utf8").trim().split("\\n");
const scale = 4, side = lines.length * scale, pixels = new Uint8ClampedArray(side * side * 4);
for (let y = 0; y < side; y++) for (let x = 0; x < side; x++) {
  const ink = lines[Math.floor(y / scale)][Math.floor(x / scale)] === "1" ? 0 : 255;
  pixels.set([ink, ink, ink, 255], 4 * (y * side + x));
}
const read = (jsqr.default ?? jsqr)(pixels, side, side);
process.stdout.write(read ? read.data : "");
"""


def dots(svg: str) -> list[str]:
    """The dots of a label as printed, read back from the lines of its drawing: moves, and lengths of dark runs."""
    side, lines = int(re.findall(r'd="M0 0h(\d+)v', svg)[0]), re.findall(r'stroke="#000" d="([^"]+)"', svg)[0]
    grid, x, y = [["0"] * side for _ in range(side)], 0, 0
    for what, first, second in re.findall(r"([Mmh])(-?[0-9.]+)(?: (-?[0-9.]+))?", lines):
        if what == "h":
            grid[y][x : x + int(first)] = "1" * int(first)
            x += int(first)
        else:
            x, y = (0, 0) if what == "M" else (x, y)
            x, y = x + int(first), y + int(float(second))
    return ["".join(row) for row in grid]


def test_a_label_is_read_by_another_program(client: Client, printer: Machine) -> None:
    label = label_of(machine=printer)
    client.force_login(member(printer.lab, "manager"))
    html = client.get(f"/labs/{printer.lab.slug}/labels/").content.decode()
    svg = html[html.index('class="qr"') :].split("</svg>")[0]
    assert by_node(READER, "\n".join(dots(svg))) == address_of(label)
