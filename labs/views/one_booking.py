"""A booking's own page: what it is, and what its person or the lab may do with it now."""

import datetime as dt
import uuid
from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from commons.errors import CityError
from commons.people.models import User
from labs import policies
from labs.errors import BadTime, UnknownBooking
from labs.models import Booking, Machine
from labs.queries import bookings, commands, interlocks, slices
from labs.services import bookings as services
from labs.services import slices as slicing
from labs.services import waitlist
from labs.services.bookings.move import SCOPES, Scope
from labs.services.checks import local
from labs.views.common import moment, page, viewer


def found_or_404(request: HttpRequest, booking: uuid.UUID) -> tuple[Booking, User]:
    """The booking, if the signed-in person may change or excuse it. Raises UnknownBooking."""
    found, person = bookings.find(booking), viewer(request)
    allowed = found is not None and (policies.may_change_booking(person, found) or policies.may_excuse(person, found))
    if found is None or person is None or not allowed:
        raise UnknownBooking(_("There is no such booking, or it is not yours."))
    return found, person


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def booking(request: HttpRequest, booking: uuid.UUID) -> HttpResponse:
    """What is mine here, and what can I do with it now? POST does it."""
    found, person = found_or_404(request, booking)
    refusal = None
    if request.method == "POST":
        try:
            messages.success(request, _do(request, found, person))
            return redirect("rooms:booking", found.pk)
        except CityError as error:
            refusal, found = error, found_or_404(request, booking)[0]
    context = {**_page(found, person), "refusal": refusal}
    return page(request, "labs/booking.html", context, lab=found.machine.lab, status=refusal.status if refusal else 200)


def _scope(request: HttpRequest) -> Scope:
    return next((scope for scope in SCOPES if scope == request.POST.get("scope")), "one")


def _do(request: HttpRequest, found: Booking, person: User) -> str:
    """Do what the form asks, and say that it is done."""
    deeds: dict[str, Callable[[HttpRequest, Booking, User], str]] = {
        "check-in": _check_in,
        "end": _end,
        "cancel": _cancel,
        "move": _move,
        "accept": _accept,
        "approve": _decide,
        "decline": _decide,
        "excuse": _excuse,
    }
    deed = deeds.get(request.POST.get("do", ""))
    if deed is not None and deed is not _excuse and not policies.may_change_booking(person, found):
        raise UnknownBooking(_("There is no such booking, or it is not yours."))
    if deed is None:
        raise BadTime(_("Choose what to do."))
    return deed(request, found, person)


def _words(found: Booking) -> dict[str, str]:
    return {"machine": found.machine.name, "time": local(found.start, found.machine)}


def _check_in(request: HttpRequest, found: Booking, person: User) -> str:
    services.check_in(booking=found, by=person)
    return _("You are checked in: %(machine)s is yours.") % _words(found)


def _end(request: HttpRequest, found: Booking, person: User) -> str:
    services.end_early(booking=found, by=person)
    return _("Ended; the rest of the time is free for others. Thank you.")


def _cancel(request: HttpRequest, found: Booking, person: User) -> str:
    reason = request.POST.get("reason", "")[:200]
    services.cancel_booking(booking=found, by=person, scope=_scope(request), reason=reason)
    return _("Cancelled: %(machine)s, %(time)s. The time is free again.") % _words(found)


def _move(request: HttpRequest, found: Booking, person: User) -> str:
    zone = found.machine.lab.zone
    start = moment(request.POST, "start_day", "start_at", zone)
    end = moment(request.POST, "end_day", "end_at", zone)
    if start is None or end is None:
        raise BadTime(_("Choose a day and a time for both."))
    moved = services.move_booking(booking=found, start=start, end=end, scope=_scope(request), by=person)
    return _("Moved: %(machine)s is yours %(time)s.") % _words(moved)


def _accept(request: HttpRequest, found: Booking, person: User) -> str:
    if found.user_id != person.pk:
        raise UnknownBooking(_("Only the one who waits can take an offer up."))
    taken = waitlist.accept_offer(booking=found, by=person)
    if taken.status == Booking.Status.REQUESTED:
        return _("Taken; the lab still has to approve it.")
    return _("%(machine)s is yours, %(time)s.") % _words(taken)


def _decide(request: HttpRequest, found: Booking, person: User) -> str:
    if not policies.may_manage(person, found.machine.lab):
        raise UnknownBooking(_("Only those who run the lab approve bookings."))
    if request.POST.get("do") == "approve":
        services.approve_booking(booking=found, by=person)
        return _("Approved.")
    services.decline_booking(booking=found, by=person, reason=request.POST.get("reason", ""))
    return _("Declined; the person is told.")


def _excuse(request: HttpRequest, found: Booking, person: User) -> str:
    if not policies.may_excuse(person, found):
        raise UnknownBooking(_("Only those who look after the lab excuse, and nobody excuses themselves."))
    services.excuse_missed(booking=found, by=person, reason=request.POST.get("reason", ""))
    return _("Excused: %(person)s is not counted as missing.") % {"person": found.user}


def _page(found: Booking, person: User) -> dict[str, object]:
    now, status = timezone.now(), Booking.Status
    manages = policies.may_manage(person, found.machine.lab)
    waits = found.status in {status.BOOKED, status.REQUESTED}
    open_ = found.status in Booking.OPEN and found.end > now
    controls = commands.of_booking(found, person, now=now)
    return {
        "booking": found,
        "machine": found.machine,
        "lab": found.machine.lab,
        "mine": found.user_id == person.pk,
        "manages": manages,
        "others": bookings.beside(found),
        "series": bookings.of_series(found),
        "now": now,
        "interlock": interlocks.of_booking(found),
        "controls": controls,
        "why_not_steered": commands.words(controls.why) if controls and controls.why else "",
        "slicing": _slicing(found, person),
        **_flexible(found),
        "can": {
            "check_in": found.status == status.BOOKED and found.start - services.EARLY <= now < found.end,
            "end": found.status == status.RUNNING or (found.status == status.BOOKED and found.start <= now < found.end),
            "cancel": open_ and waits,
            "move": open_ and (waits or found.status == status.RUNNING),
            "offer": open_ and found.status == status.OFFERED and found.user_id == person.pk,
            "excuse": policies.may_excuse(person, found) and getattr(found, "excuse", None) is None,
            "decide": open_ and found.status == status.REQUESTED and manages,
        },
    }


def _flexible(found: Booking) -> dict[str, object]:
    """What was wished where the system placed it, and where it stood."""
    held = getattr(found, "flexible", None)
    if held is None:
        return {}
    fixed_at = found.start - dt.timedelta(minutes=held.fix_before_min)
    return {"flexible": held, "moves": list(held.moves.all()), "fixed_at": fixed_at}


def _slicing(found: Booking, person: User) -> dict[str, object] | None:
    """What was sliced for it, and what may be; None where the machine prints no filament."""
    if found.machine.process != Machine.Process.FFF:
        return None
    made = slices.of_booking(found)
    open_ = found.status in Booking.OPEN or found.status == Booking.Status.DONE
    files = slices.files_of(found, person) if open_ else []
    if not made and not files:
        return None
    profiles = found.machine.slicing_profiles.filter(retired_at=None)
    return {"made": made, "files": files, "profiles": profiles, "installed": slicing.program() is not None}
