"""Choose a time and book it; see and cancel one's bookings. All state is in the address."""

import datetime as dt
import uuid
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import formats, timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commons.errors import CityError
from commons.people.models import User
from commons.shelf import asked_once
from commons.web.lately import kept_a_moment
from commons.web.years import YEARS
from labs import policies
from labs.api.common import design_named
from labs.engine.hours import Span
from labs.engine.times import Offer
from labs.errors import BadTime, Overlap, UnknownBooking, UnknownDesign
from labs.errors.bookings import BadRepeat, UnknownEntry
from labs.models import Booking, Machine, WaitlistEntry
from labs.queries import badges, bookings, catalogue, jobs, rules, sun_words, week
from labs.queries import waitlist as waitlist_queries
from labs.services import bookings as services
from labs.services import checks, flexible, waitlist
from labs.views.common import day_word, in_utc, moment, offer_words, page, viewer
from labs.views.terms import terms

if TYPE_CHECKING:
    from designs.models import Design

MOST_TIMES = 52
REPEATS = {
    "day": "FREQ=DAILY",
    "week": "FREQ=WEEKLY",
    "fortnight": "FREQ=WEEKLY;INTERVAL=2",
    "month": "FREQ=MONTHLY",
}
REPEAT_WORDS = (
    ("", lazy("once")),
    ("day", lazy("every day")),
    ("week", lazy("every week")),
    ("fortnight", lazy("every two weeks")),
    ("month", lazy("every month")),
)
LENGTHS_MIN = (30, 60, 90, 120, 180, 240, 360, 480, 720)


def _design(request: HttpRequest) -> "Design | None":
    name = request.GET.get("design") or request.POST.get("design") or ""
    if not name:
        return None
    try:
        return design_named(name, viewer(request))
    except UnknownDesign:
        return None


def _length(request: HttpRequest, machine: Machine, design: "Design | None") -> dt.timedelta:
    text = request.GET.get("minutes", "")
    if text.isdecimal() and 5 <= int(text[:5]) <= machine.longest_h * 60:
        return dt.timedelta(minutes=int(text[:5]))
    usual = jobs.usual_length(design, machine.process) if design else None
    if usual is None:
        return dt.timedelta(hours=1)
    quarters = -(-usual // dt.timedelta(minutes=15))
    return min(dt.timedelta(minutes=15) * max(quarters, 2), dt.timedelta(hours=machine.longest_h))


def _chosen(request: HttpRequest, machine: Machine) -> dt.datetime | None:
    """The start in the address: an absolute time, or a day and an hour of the lab's own clock."""
    if at := request.GET.get("start", ""):
        return _moment(at)
    day, clock = request.GET.get("day", ""), request.GET.get("at", "")
    if not (day and clock):
        return None
    try:
        there = dt.datetime.fromisoformat(f"{day}T{clock}").replace(tzinfo=machine.lab.zone)
        return in_utc(there, machine.lab.zone)
    except ValueError:
        return None


def _shown(request: HttpRequest) -> dt.date | None:
    """The day that a phone shows, as the strip of days asks for it."""
    try:
        return dt.date.fromisoformat(request.GET.get("shown", ""))
    except ValueError:
        return None


def _moment(text: str) -> dt.datetime | None:
    try:
        found = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None and found.year in YEARS else None


@kept_a_moment
@require_http_methods(["GET", "HEAD", "POST"])
def book(request: HttpRequest, lab: str, machine: str) -> HttpResponse:
    """When is the best time? POST books the chosen one; a time taken meanwhile offers the next best."""
    found = catalogue.find_machine(lab=lab, slug=machine)
    if request.method == "POST":
        return _book(request, found)
    return page(request, "labs/book.html", _page(request, found), lab=found.lab)


def _book(request: HttpRequest, machine: Machine) -> HttpResponse:
    person = viewer(request)
    if person is None:
        return redirect(f"{reverse('account_login')}?{urlencode({'next': request.get_full_path()})}")
    start, end = _moment(request.POST.get("start", "")), _moment(request.POST.get("end", ""))
    try:
        if start is None or end is None:
            raise BadTime(_("Choose a time first."))
        if request.POST.get("do") == "wait":
            return _wait(request, machine, person, Span(start, end))
        messages.success(request, _made(request, machine, person, Span(start, end)))
    except CityError as refusal:
        context = _page(request, machine, refusal=refusal, start=start, end=end)
        return page(request, "labs/book.html", context, lab=machine.lab, status=refusal.status)
    return redirect("rooms:my_bookings")


def _made(request: HttpRequest, machine: Machine, person: User, span: Span) -> str:
    """Book what the form asks: once or again and again, one machine or several; and say what was done."""
    also = {int(n) for n in request.POST.getlist("also") if n.isdecimal() and len(n) < 19}
    machines = [machine, *catalogue.machines(machine.lab).filter(pk__in=also).exclude(pk=machine.pk)]
    facts: dict[str, Any] = {
        "user": person,
        "booked_by": person,
        "start": span.start,
        "end": span.end,
        "design": _design(request),
        "note": request.POST.get("note", "")[:200],
    }
    words = {"machine": ", ".join(m.name for m in machines), "time": checks.local(span.start, machine)}
    if rule := _rule(request):
        done = services.create_series(machines=machines, rrule=rule, skip="skip" in request.POST, **facts)
        words |= {"count": str(len({b.start for b in done.bookings}))}
        if done.bookings[0].status == Booking.Status.REQUESTED:
            return _("Asked for: %(machine)s, %(count)s times from %(time)s. You hear from the lab.") % words
        return _("%(machine)s is yours, %(count)s times from %(time)s.") % words
    if len(machines) > 1:
        booking = services.book_together(machines=machines, **facts)[0]
    else:
        booking = services.create_booking(machine=machine, **facts)
        flexible.note_first_asked(booking, _moment(request.POST.get("wanted", "")))
    if booking.status == Booking.Status.REQUESTED:
        return _("Asked for: %(machine)s, %(time)s. You hear from the lab.") % words
    return _("%(machine)s is yours, %(time)s.") % words


def _rule(request: HttpRequest) -> str:
    """The RRULE that the form asks for, or nothing."""
    every, times = REPEATS.get(request.POST.get("repeat", "")), request.POST.get("times", "")
    if every is None:
        return ""
    count = int(times) if times.isdecimal() and len(times) < 4 else 0
    if not 2 <= count <= MOST_TIMES:
        raise BadRepeat(_("Say how many times, from 2 to %(most)s.") % {"most": MOST_TIMES})
    return f"{every};COUNT={count}"


def _wait(request: HttpRequest, machine: Machine, person: User, span: Span) -> HttpResponse:
    """Join the waitlist for this length between the two times of the form."""
    zone = machine.lab.zone
    earliest = moment(request.POST, "early_day", "early_at", zone)
    latest = moment(request.POST, "late_day", "late_at", zone)
    if earliest is None or latest is None:
        raise BadTime(_("Choose a day and a time for both."))
    any_like_it = "any" in request.POST
    entry = waitlist.join(
        user=person,
        lab=machine.lab,
        machine=None if any_like_it else machine,
        cls=machine.cls if any_like_it else "",
        earliest=earliest,
        latest=latest,
        length=span.end - span.start,
        design=_design(request),
    )
    before = waitlist_queries.ahead(entry)
    words = _("You wait; nobody is before you.") if not before else _("You wait; %(n)s are before you.") % {"n": before}
    messages.success(request, words)
    return redirect("rooms:my_bookings")


@asked_once()
def _page(
    request: HttpRequest,
    machine: Machine,
    *,
    refusal: CityError | None = None,
    start: dt.datetime | None = None,
    end: dt.datetime | None = None,
) -> dict[str, Any]:
    now, person, design = timezone.now(), viewer(request), _design(request)
    length = end - start if start and end and end > start else _length(request, machine, design)
    makes, kwh = jobs.energy_of_design(design, machine.process) if design else (0, None)
    offers = bookings.best(machine, length=length, now=now)
    pick = start or _chosen(request, machine)
    if isinstance(refusal, Overlap) and (following := refusal.data.get("next_free")):
        pick = _moment(following["start"])
    if pick is None and offers:
        pick = offers[0].start
    asked = {"design": f"{design.owner.name}/{design.slug}"} if design else {}
    asked["minutes"] = str(int(length.total_seconds() // 60))
    zone = machine.lab.zone
    first = week.monday(request.GET.get("week", ""), (pick or now).astimezone(zone).date())
    missing = badges.missing(machine=machine, user=person, at=(pick or now) + length) if person else []
    return {
        "machine": machine,
        "lab": machine.lab,
        "design": design,
        "makes": makes,
        "kwh": kwh,
        "length": length,
        "minutes": int(length.total_seconds() // 60),
        "lengths": [(m, dt.timedelta(minutes=m)) for m in LENGTHS_MIN if m <= machine.longest_h * 60],
        "sunny": any(o.share for o in offers),
        "offers": [_offer(o, zone, kwh, asked, pick) for o in offers],
        "pick": _pick(machine, pick, length, kwh, now) if pick else None,
        "week": week.build(
            machine, first=first, asked=week.Asked(length, pick, asked, person, _shown(request)), now=now
        ),
        "missing": missing,
        **terms(machine, person, pick, length, now),
        "refusal": refusal,
        "sign_in": f"{reverse('account_login')}?{urlencode({'next': request.get_full_path()})}",
        "asked": asked,
        "out": machine.state == Machine.State.REPAIR,
        "beside": [m for m in catalogue.machines(machine.lab) if m.pk != machine.pk] if person else [],
        "chosen_also": set(request.POST.getlist("also")),
        "repeats": REPEAT_WORDS,
        "needs_approval": rules.for_machine(machine, person).needs_approval,
        "typed": request.POST,
        "wait": _wait_times(pick, length, zone) if pick else None,
        "wanted": request.GET.get("wanted", ""),
        "flexible_url": reverse("rooms:book_flexible", args=[machine.lab.slug, machine.slug])
        + f"?{urlencode({**asked, 'hours': f'{length / dt.timedelta(hours=1):g}'})}",
    }


def _wait_times(pick: dt.datetime, length: dt.timedelta, zone: dt.tzinfo) -> dict[str, dt.datetime]:
    """What the form of the waitlist begins with: from the chosen time until the evening of the next day."""
    there = pick.astimezone(zone)
    return {"earliest": there, "latest": max(there + length, there.replace(hour=20, minute=0) + dt.timedelta(days=1))}


def _offer(
    offer: Offer, zone: dt.tzinfo, kwh: float | None, asked: dict[str, str], pick: dt.datetime | None
) -> dict[str, Any]:
    there = offer.start.astimezone(zone)
    return {
        "start": there,
        "end": offer.end.astimezone(zone),
        "share": offer.share,
        "grid": None if offer.share is None else 1 - offer.share,
        "day": day_word(there, timezone.now()),
        "words": offer_words(offer, kwh),
        "range": sun_words.range_words(offer.low, offer.high, offer.basis) if offer.share is not None else "",
        "url": "?" + urlencode({**asked, "start": offer.start.isoformat(), **_wanted(pick, offer)}),
        "on": pick == offer.start,
    }


def _wanted(pick: dt.datetime | None, offer: Offer) -> dict[str, str]:
    """The time that was chosen before a suggestion is taken instead."""
    return {"wanted": pick.isoformat()} if pick is not None and pick != offer.start else {}


def _pick(
    machine: Machine, start: dt.datetime, length: dt.timedelta, kwh: float | None, now: dt.datetime
) -> dict[str, Any]:
    """The chosen time with its sun, and why it cannot be had if so."""
    slots = bookings.slots(machine, start=start, end=start + length, step=length, now=now - checks.GRACE)
    slot = slots[0]
    zone = machine.lab.zone
    there = start.astimezone(zone)
    return {
        "start": start,
        "end": start + length,
        "there": there,
        "there_end": (start + length).astimezone(zone),
        "free": slot.free,
        "why": slot.why,
        "share": slot.solar_share,
        "range": sun_words.range_words(slot.solar_share_low, slot.solar_share_high, slot.solar_basis)
        if slot.solar_share is not None
        else "",
        "words": offer_words(Offer(slot.start, slot.end, slot.solar_share), kwh),
        "name": f"{formats.date_format(there, 'l')} {formats.time_format(there, 'H:i')}",
    }


@require_safe
@login_required
def mine(request: HttpRequest) -> HttpResponse:
    """My bookings, those to come first; what is on offer before them."""
    person = viewer(request)
    assert person is not None  # noqa: S101 login_required
    now = timezone.now()
    rows = list(bookings.of_person(person).order_by("-start", "-machine__name")[:200])
    open_ones = [b for b in reversed(rows) if b.end > now and b.status in b.OPEN]
    context = {
        "offers": [b for b in open_ones if b.status == Booking.Status.OFFERED],
        "coming": [b for b in open_ones if b.status != Booking.Status.OFFERED],
        "waiting": [e for e in waitlist_queries.of_person(person) if e.status == WaitlistEntry.Status.WAITING],
        "past": [b for b in rows if b not in open_ones][:50],
        "now": now,
    }
    return render(request, "labs/my_bookings.html", context)


@require_POST
@login_required
def withdraw(request: HttpRequest, entry: uuid.UUID) -> HttpResponse:
    """Wait no longer."""
    found = waitlist_queries.find(entry)
    if found is None or not policies.may_change_entry(viewer(request), found):
        raise UnknownEntry(_("There is no such place on a waitlist, or it is not yours."))
    waitlist.withdraw(entry=found, by=viewer(request))
    messages.success(request, _("You wait no longer."))
    return redirect("rooms:my_bookings")


@require_POST
@login_required
def cancel(request: HttpRequest, booking: uuid.UUID) -> HttpResponse:
    """Cancel a booking; the time is free at once."""
    found = bookings.find(booking)
    if found is None or not policies.may_change_booking(viewer(request), found):
        raise UnknownBooking(_("There is no such booking, or it is not yours."))
    services.cancel_booking(booking=found, by=viewer(request))
    words = {"machine": found.machine.name, "time": checks.local(found.start, found.machine)}
    messages.success(request, _("Cancelled: %(machine)s, %(time)s. The time is free again.") % words)
    return redirect("rooms:my_bookings")
