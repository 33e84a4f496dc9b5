"""The screen by the door: what is free, and for whoever shows a badge or types a PIN: check in, end, what is wrong.

A device is a kiosk by a secret in a cookie of its own. Who signs in here stands in the device's session alone, for a
minute after the last touch; it is no session of the site.
"""

import datetime as dt
from typing import Any

from django.contrib import auth, messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from commons.errors import CityError
from commons.people.models import User
from commons.web import numbers
from commons.web.addresses import client_ip
from labs.errors import BadTime, UnknownBooking, UnknownMachine
from labs.errors.floor import NotAKiosk
from labs.models import Booking, Kiosk, KioskPass, Lab, Machine
from labs.queries import board, catalogue
from labs.queries import commands as asked
from labs.queries.presence import at_hand
from labs.services import bookings, commands
from labs.services import kiosk as services
from labs.services.bookings.walk_up import LENGTHS
from labs.views.common import open_state, page, uuid_of, viewer
from labs.views.faults import FaultForm
from labs.views.labels import do_at

COOKIE = "lc_kiosk"
STEERED = frozenset({"send", "pause", "resume", "cancel"})
YEARS_S = 3 * 366 * 86_400
SESSION = "kiosk"


def _kiosk(request: HttpRequest, lab: Lab) -> Kiosk:
    """The kiosk that this device is. Raises NotAKiosk."""
    found = services.kiosk_of(lab=lab, secret=request.COOKIES.get(COOKIE, ""), now=timezone.now())
    if found is None:
        raise NotAKiosk(_("Who runs the lab makes a kiosk at its desk."))
    return found


def _person(request: HttpRequest, kiosk: Kiosk, *, touched: bool = True) -> User | None:
    """Who has signed in here, if the last touch is less than a minute ago; a page that looks by itself is no touch."""
    held = request.session.get(SESSION)
    if not isinstance(held, dict) or held.get("kiosk") != kiosk.pk:
        return None
    now = timezone.now()
    if now.timestamp() - float(held.get("seen", 0)) > services.IDLE.total_seconds():
        request.session.pop(SESSION, None)
        return None
    person = User.objects.filter(pk=int(held["person"]), is_active=True).first()
    if person is not None and touched:
        _remember(request, kiosk, person, now)
    return person


def _remember(request: HttpRequest, kiosk: Kiosk, person: User, now: dt.datetime) -> None:
    request.session[SESSION] = {"kiosk": kiosk.pk, "person": person.pk, "seen": now.timestamp()}


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def kiosk(request: HttpRequest, lab: str) -> HttpResponse:
    """What is free now, and what is mine? A device that is no kiosk is asked for the desk's code."""
    found = catalogue.find_lab(lab)
    device = services.kiosk_of(lab=found, secret=request.COOKIES.get(COOKIE, ""), now=timezone.now())
    if device is None:
        status = 403 if request.method == "POST" else 200
        return page(request, "labs/kiosk_pair.html", {"lab": found}, lab=found, status=status)
    person, refusal = _person(request, device, touched="look" not in request.GET), None
    machine = next((m for m in catalogue.machines(found) if str(m.pk) == request.POST.get("machine", "")), None)
    fault = request.POST if request.POST.get("do") == "fault" else None
    form = FaultForm(fault, lab=found)
    if request.method == "POST":
        try:
            do = request.POST.get("do", "")
            if do == "badge":
                badge = services.sign_in_by_badge(kiosk=device, number=request.POST.get("badge", ""))
                return _let_in(request, device, badge)
            if do == "out" or person is None:
                request.session.pop(SESSION, None)
                return redirect("rooms:lab_kiosk", found.slug)
            if machine is None:
                raise UnknownMachine(_("Choose a machine."))
            if do == "book" or do in STEERED:
                said = _walk_up(request, machine, person) if do == "book" else _steer(request, machine, person, do)
                messages.success(request, said)
                return redirect("rooms:lab_kiosk", found.slug)
            short = FaultForm(fault, lab=found, machine=machine)
            if do_at(request, machine, person, short):
                return redirect("rooms:lab_kiosk", found.slug)
        except CityError as error:
            refusal = error
    context = {**_page(found, person), "refusal": refusal, "form": form, "kiosk": device}
    return page(request, "labs/kiosk.html", context, lab=found, status=refusal.status if refusal else 200)


def _walk_up(request: HttpRequest, machine: Machine, person: User) -> str:
    """Book it from now on; what is said of it. Raises what a booking raises."""
    text = request.POST.get("minutes", "")
    minutes = next((length for length in LENGTHS if str(length) == text), 0)
    if not minutes:
        raise BadTime(_("Choose how long."))
    made = bookings.walk_up(machine=machine, user=person, minutes=minutes)
    if made.status == made.Status.REQUESTED:
        return _("Asked for: the lab still has to approve it.")
    until = made.end.astimezone(machine.lab.zone)
    return _("%(machine)s is yours until %(time)s.") % {"machine": machine.name, "time": f"{until:%H:%M}"}


def _steer(request: HttpRequest, machine: Machine, person: User, do: str) -> str:
    """Ask the machine of the person's own booking for something. Raises UnknownBooking, NoCommand and the like."""
    key = uuid_of(request.POST.get("booking", ""))
    booking = Booking.objects.filter(pk=key, machine=machine, user=person).first()
    if booking is None:
        raise UnknownBooking(_("There is no such booking, or it is not yours."))
    if do == "send":
        commands.send(booking=booking, sha256=request.POST.get("file", "")[:64], by=person)
    else:
        commands.steer(booking=booking, kind=do, by=person)
    return _("%(machine)s is asked; its answer stands below in a moment.") % {"machine": machine.name}


def _page(lab: Lab, person: User | None) -> dict[str, Any]:
    now = timezone.now()
    mine = at_hand(person, now=now, lab=lab) if person else []
    controls = {one.booking.pk: asked.of_booking(one.booking, person, now=now) for one in mine} if person else {}
    return {
        "lab": lab,
        "hours": open_state(lab, now),
        "tiles": board.board(lab, viewer=person, now=now),
        "person": person,
        "mine": [(one, controls[one.booking.pk]) for one in mine],
        "waits": any(one.waits for one in controls.values() if one is not None),
        "now": now,
        "here": reverse("rooms:lab_kiosk", args=[lab.slug]),
        "lengths": [(minutes, numbers.duration(dt.timedelta(minutes=minutes))) for minutes in LENGTHS],
        "idle_s": int(services.IDLE.total_seconds()),
    }


def _let_in(request: HttpRequest, device: Kiosk, person: User) -> HttpResponse:
    request.session.cycle_key()
    _remember(request, device, person, timezone.now())
    return redirect("rooms:lab_kiosk", device.lab.slug)


@never_cache
@require_http_methods(["POST"])
def touch(request: HttpRequest, lab: str) -> HttpResponse:
    """Somebody is still there, writing perhaps, and remembered for another minute; 403 when nobody is signed in."""
    device = _kiosk(request, catalogue.find_lab(lab))
    return HttpResponse(status=204 if _person(request, device) is not None else 403)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def pin(request: HttpRequest, lab: str) -> HttpResponse:
    """Who are you? Name and PIN, for those without a badge."""
    found = catalogue.find_lab(lab)
    device, refusal = _kiosk(request, found), None
    if request.method == "POST":
        try:
            name, digits = request.POST.get("name", "")[:60], request.POST.get("pin", "")[:40]
            return _let_in(request, device, services.sign_in_by_pin(kiosk=device, name=name, pin=digits))
        except CityError as error:
            refusal = error
    here = reverse("rooms:lab_kiosk", args=[found.slug])
    context = {"lab": found, "here": here, "refusal": refusal, "idle_s": int(services.IDLE.total_seconds())}
    return page(request, "labs/kiosk_pin.html", context, lab=found, status=refusal.status if refusal else 200)


@never_cache
@require_http_methods(["POST"])
def pair(request: HttpRequest, lab: str) -> HttpResponse:
    """Make this device a kiosk. Whoever is signed in on it is signed out: the screen is everybody's."""
    found = catalogue.find_lab(lab)
    try:
        _paired, secret = services.pair(
            lab=found, code=request.POST.get("code", "")[:40], where=client_ip(request)
        )
    except CityError as refusal:
        context = {"lab": found, "refusal": refusal}
        return page(request, "labs/kiosk_pair.html", context, lab=found, status=refusal.status)
    auth.logout(request)
    answer = redirect("rooms:lab_kiosk", found.slug)
    answer.set_cookie(COOKIE, secret, max_age=YEARS_S, httponly=True, samesite="Strict", secure=request.is_secure())
    return answer


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def my_pass(request: HttpRequest) -> HttpResponse:
    """What do I show to a kiosk? A PIN, a badge, or nothing."""
    person, refusal = viewer(request), None
    assert person is not None  # noqa: S101 login_required
    if request.method == "POST":
        try:
            messages.success(request, _set(request, person))
            return redirect("rooms:my_kiosk_pass")
        except CityError as error:
            refusal = error
    held = KioskPass.objects.filter(user=person).first()
    context = {"held": held, "refusal": refusal}
    return render(request, "labs/my_kiosk_pass.html", context, status=refusal.status if refusal else 200)


def _set(request: HttpRequest, person: User) -> str:
    do = request.POST.get("do", "")
    if do == "pin":
        services.set_pin(user=person, pin=request.POST.get("pin", ""))
        return _("Your PIN is set.")
    if do == "badge":
        services.set_badge(user=person, number=request.POST.get("badge", ""))
        return _("Your badge is known.")
    services.remove_pass(user=person)
    return _("No kiosk knows you any more.")
