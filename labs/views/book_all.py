"""Several machines at one time, in one lab or several: all of them, or none is booked. All state is in the address."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from commons.errors import CityError
from labs.engine.hours import Span
from labs.errors import BadTime, UnknownMachine
from labs.models import Booking, Machine
from labs.queries import badges, bookings, catalogue, jobs
from labs.services import bookings as services
from labs.services import checks
from labs.services.bookings.create import MOST_TOGETHER
from labs.views.bookings import LENGTHS_MIN, _design, _moment
from labs.views.common import moment, viewer
from labs.views.terms import terms

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
OFFERS = 4
#: Nobody is offered the night, where a lab never closes.
MORNING_H = 8


@require_http_methods(["GET", "HEAD", "POST"])
def book_all(request: HttpRequest) -> HttpResponse:
    """When are all of them free? POST books them at the chosen time, all or none."""
    machines = _machines(request)
    if not machines:
        raise UnknownMachine(_("Name the machines that you want together."))
    if request.method != "POST":
        return render(request, "labs/book_all.html", _page(request, machines))
    person = viewer(request)
    start, end = _moment(request.POST.get("start", "")), _moment(request.POST.get("end", ""))
    if person is None:
        return redirect(f"{reverse('account_login')}?{urlencode({'next': _address(request, machines, start)})}")
    try:
        if start is None or end is None:
            raise BadTime(_("Choose a time first."))
        made = services.book_together(
            machines=machines, user=person, booked_by=person, start=start, end=end, design=_design(request),
            note=request.POST.get("note", "")[:200],
        )  # fmt: skip
    except CityError as refusal:
        context = _page(request, machines, refusal=refusal, start=start, end=end)
        return render(request, "labs/book_all.html", context, status=refusal.status)
    asked = [booking for booking in made if booking.status == Booking.Status.REQUESTED]
    words = {"machine": ", ".join(m.name for m in machines), "time": checks.local(made[0].start, machines[0])}
    messages.success(request, _("%(machine)s are yours, %(time)s.") % words)
    if asked:
        held = {"machine": ", ".join(b.machine.name for b in asked)}
        messages.info(request, _("Asked for: %(machine)s; you hear from the lab.") % held)
    return redirect("rooms:my_bookings")


def _machines(request: HttpRequest) -> list[Machine]:
    """Those that the address or the form names, each once, in that order. Raises UnknownMachine."""
    named = request.POST.getlist("machine") or request.GET.getlist("machine")
    numbers = list(dict.fromkeys(int(n) for n in named if n.isdecimal() and len(n) < 19))[: MOST_TOGETHER + 1]
    found = {machine.pk: machine for machine in catalogue.machines().filter(pk__in=numbers)}
    for number in numbers:
        if number not in found:
            raise UnknownMachine(_("There is no machine “%(name)s”.") % {"name": number})
    return [found[number] for number in numbers]


def _page(
    request: HttpRequest,
    machines: Sequence[Machine],
    *,
    refusal: CityError | None = None,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
) -> dict[str, Any]:
    now, person, design = timezone.now(), viewer(request), _design(request)
    zone = machines[0].lab.zone
    longest = min(machine.longest_h for machine in machines) * HOUR
    length = end - start if start and end and end > start else _length(request, machines, longest)
    offers = _offers(machines, length, now)
    pick = start or _moment(request.GET.get("start", "")) or moment(request.GET, "day", "at", zone)
    if pick is None and offers:
        pick = offers[0].start
    found = []
    for machine in machines:
        said = terms(machine, person, pick, length, now)
        missing = badges.missing(machine=machine, user=person, at=(pick or now) + length) if person else []
        found.append({"machine": machine, "lab": machine.lab, "missing": missing, **said})
    name = f"{design.owner.name}/{design.slug}" if design else ""
    return {
        "rows": found,
        "labs": len({machine.lab_id for machine in machines}),
        "zones": len({str(machine.lab.zone) for machine in machines}),
        "zone": zone,
        "design": design,
        "design_name": name,
        "length": length,
        "minutes": int(length.total_seconds() // 60),
        "lengths": [(m, dt.timedelta(minutes=m)) for m in LENGTHS_MIN if dt.timedelta(minutes=m) <= longest],
        "offers": [(o, _address(request, machines, o.start, length), o.start == pick) for o in offers],
        "pick": Span(pick, pick + length) if pick else None,
        "there": (pick or now).astimezone(zone),
        "blocked": any(one["missing"] or one["speaks"] for one in found),
        "refusal": refusal,
        "typed": request.POST,
        "sign_in": f"{reverse('account_login')}?{urlencode({'next': _address(request, machines, pick, length)})}",
    }


def _length(request: HttpRequest, machines: Sequence[Machine], longest: dt.timedelta) -> dt.timedelta:
    """As asked; else what the design usually takes on the slowest of them; else an hour."""
    text, design = request.GET.get("minutes", ""), _design(request)
    if text.isdecimal() and len(text) < 6 and dt.timedelta(minutes=5) <= dt.timedelta(minutes=int(text)) <= longest:
        return dt.timedelta(minutes=int(text))
    usual = [jobs.usual_length(design, machine.process) for machine in machines] if design else []
    known = max((one for one in usual if one is not None), default=HOUR)
    quarter = dt.timedelta(minutes=15)
    return min(quarter * max(-(-known // quarter), 2), longest)


def _offers(machines: Sequence[Machine], length: dt.timedelta, now: dt.datetime) -> list[Span]:
    """The first time at which all are free, and the first of the days after it, in waking hours."""
    found: list[Span] = []
    zone, start = machines[0].lab.zone, now + dt.timedelta(minutes=5)
    for _try in range(3 * OFFERS):
        offer = bookings.next_free_together(machines, Span(start, start + length))
        if offer is None or len(found) == OFFERS:
            break
        begins = offer.start.astimezone(zone)
        morning = begins.replace(hour=MORNING_H, minute=0, second=0, microsecond=0)
        if begins >= morning:
            found.append(offer)
            morning = (begins.replace(tzinfo=None) + DAY).replace(hour=MORNING_H, minute=0, second=0, tzinfo=zone)
        start = morning.astimezone(dt.UTC)
    return found


def _address(
    request: HttpRequest, machines: Sequence[Machine], start: dt.datetime | None, length: dt.timedelta | None = None
) -> str:
    """This page with that time chosen."""
    asked: list[tuple[str, str]] = [("machine", str(machine.pk)) for machine in machines]
    if (design := _design(request)) is not None:
        asked.append(("design", f"{design.owner.name}/{design.slug}"))
    if length is not None:
        asked.append(("minutes", str(int(length.total_seconds() // 60))))
    if start is not None:
        asked.append(("start", start.astimezone(dt.UTC).isoformat()))
    return f"{reverse('rooms:book_all')}?{urlencode(asked)}"
