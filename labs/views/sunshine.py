"""A job placed by the sun; and the page on which a lab says how it stands in it."""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commons.errors import CityError
from commons.people.models import User
from commons.web import numbers
from labs import policies
from labs.api.common import design_named
from labs.errors import UnknownBooking, UnknownDesign
from labs.errors.sunshine import BadWish
from labs.models import FlexibleBooking, Lab, Machine
from labs.queries import catalogue, drawing, prices, rewards, standing, sun_pages, sun_words, sunshine
from labs.services import flexible
from labs.services.checks import local
from labs.views.common import moment, page, viewer
from labs.views.frame import frame

FIXES_MIN = (60, 180, 360, 720, 1440, 2880)
HOUR, MINUTE = dt.timedelta(hours=1), dt.timedelta(minutes=1)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def book(request: HttpRequest, lab: str, machine: str) -> HttpResponse:
    """By when do I need it? POST places it where the most sun is expected."""
    found, person = catalogue.find_machine(lab=lab, slug=machine), viewer(request)
    assert person is not None  # noqa: S101 login_required
    refusal = None
    if request.method == "POST":
        try:
            made = _made(request.POST, found, person)
            words = {"machine": found.name, "time": local(made.booking.start, found)}
            messages.success(request, _("%(machine)s is yours, %(time)s.") % words)
            return redirect("rooms:booking", made.booking_id)
        except CityError as error:
            refusal = error
    context = _page(request, found, person)
    status = refusal.status if refusal else 200
    return page(request, "labs/flexible.html", {**context, "refusal": refusal}, lab=found.lab, status=status)


def _made(fields: Mapping[str, Any], machine: Machine, person: User) -> FlexibleBooking:
    zone = machine.lab.zone
    deadline = moment(fields, "day", "at", zone)
    if deadline is None:
        raise BadWish(_("Say by when, with a day and a time."))
    design = None
    if fields.get("design"):
        try:
            design = design_named(fields["design"], person)
        except UnknownDesign:
            design = None
    return flexible.create(
        machine=machine,
        user=person,
        booked_by=person,
        length=_number(fields, "hours", 1) * HOUR,
        deadline=deadline,
        earliest=moment(fields, "early_day", "early_at", zone),
        watts=_number(fields, "watts") or None,
        from_min=_clock(fields.get("from", "")),
        until_min=_clock(fields.get("until", "")),
        fix_before_min=int(_number(fields, "fix", flexible.FIX_BEFORE_MIN)),
        design=design,
        note=fields.get("note", "")[:200],
    )


def _number(fields: Mapping[str, Any], name: str, default: float = 0) -> float:
    text = str(fields.get(name, "")).replace(",", ".").strip()
    if not text:
        return default
    try:
        number = float(text)
    except ValueError:
        raise BadWish(_("“%(text)s” is no number.") % {"text": text[:20]}) from None
    if not -1e6 < number < 1e6:
        raise BadWish(_("“%(text)s” is no number.") % {"text": text[:20]})
    return number


def _clock(text: str) -> int | None:
    try:
        at = dt.time.fromisoformat(text) if text else None
    except ValueError:
        return None
    return at.hour * 60 + at.minute if at else None


def _page(request: HttpRequest, machine: Machine, person: User) -> dict[str, Any]:
    now, fields = timezone.now(), request.POST or request.GET
    zone = machine.lab.zone
    later = (now + dt.timedelta(days=3)).astimezone(zone)
    more = ("from", "until", "early_day", "early_at", "watts", "note")
    typed: dict[str, Any] = {name: fields.get(name, "") for name in more}
    typed |= {
        "hours": fields.get("hours", "2"),
        "day": fields.get("day", f"{later:%Y-%m-%d}"),
        "at": fields.get("at", "18:00"),
        "open": any(typed.values()) or "fix" in fields,
    }
    fix = fields.get("fix", "")
    typed["fix"] = int(fix) if fix.isdecimal() and len(fix) < 7 and int(fix) in FIXES_MIN else flexible.FIX_BEFORE_MIN
    reward = rewards.of_lab(machine.lab)
    return {
        "machine": machine,
        "lab": machine.lab,
        "typed": typed,
        "design": fields.get("design", "")[:120],
        "fixes": [(minutes, minutes * MINUTE) for minutes in FIXES_MIN],
        "places": _places(fields, typed, machine, person, now),
        "reward": reward_words(reward),
    }


def reward_words(reward: rewards.Reward | None) -> str:
    """What members decided, in a sentence; nothing without it."""
    if reward is None:
        return ""
    words = {"percent": numbers.number(reward.discount_pct, 0), "share": numbers.percent(reward.above)}
    return (
        _("Decided by the lab's members: %(percent)s %% off where more than %(share)s local sun is expected.") % words
    )


def _places(
    fields: Mapping[str, Any], typed: Mapping[str, Any], machine: Machine, person: User, now: dt.datetime
) -> list[dict[str, Any]]:
    """The best times by what is typed so far; none where it cannot be read."""
    zone = machine.lab.zone
    try:
        length = _number(typed, "hours", 1) * HOUR
        watts = _number(fields, "watts")
    except BadWish:
        return []
    deadline = moment(typed, "day", "at", zone)
    if deadline is None or not 5 * MINUTE <= length <= flexible.LONGEST or deadline <= now or watts < 0:
        return []
    kw = watts / 1000 if watts else drawing.kw_of(machine, length)
    wish = sunshine.Wish(machine, length, now, deadline, kw, _clock(typed["from"]), _clock(typed["until"]))
    found = []
    for place, basis in sunshine.best_slots(wish, user=person, now=now):
        price = prices.price_of(machine, person, place.span)
        share = place.share
        low, high = (share.low, share.high) if share and basis else (None, None)
        words = sun_words.range_words(low, high, basis) if share else ""
        found.append({"place": place, "words": words, "price": "" if price.is_free else price.words})
    return found


@require_POST
@login_required
def keep(request: HttpRequest, booking: uuid.UUID) -> HttpResponse:
    """This time suits me: it moves no more."""
    found, person = _mine(request, booking)
    return _done(request, found, person, take_back=False)


@require_POST
@login_required
def take_back(request: HttpRequest, booking: uuid.UUID) -> HttpResponse:
    """Back to where it stood before the last move."""
    found, person = _mine(request, booking)
    return _done(request, found, person, take_back=True)


def _done(request: HttpRequest, found: FlexibleBooking, person: User, *, take_back: bool) -> HttpResponse:
    try:
        done = (flexible.take_back if take_back else flexible.keep)(flexible=found, by=person)
        words = {"machine": done.booking.machine.name, "time": local(done.booking.start, done.booking.machine)}
        messages.success(request, _("%(machine)s is yours, %(time)s, and does not move any more.") % words)
    except CityError as refusal:
        messages.error(request, str(refusal.sentence))
    return redirect("rooms:booking", found.booking_id)


def _mine(request: HttpRequest, booking: uuid.UUID) -> tuple[FlexibleBooking, User]:
    """The flexible booking, if its time is the reader's own. Raises UnknownBooking."""
    person = viewer(request)
    rows = FlexibleBooking.objects.select_related("booking__machine__lab__place", "user")
    found = rows.filter(booking=booking).first()
    if found is None or person is None or not policies.may_change_booking(person, found.booking):
        raise UnknownBooking(_("There is no such booking, or it is not yours."))
    return found, person


@require_safe
def lab_sun(request: HttpRequest, lab: str) -> HttpResponse:
    """When does the sun run the lab, and did it?"""
    found, context = frame(request, lab, tab="sun")
    now = timezone.now()
    return page(request, "labs/sun.html", {**context, **_sun(found, now)}, lab=found)


def _sun(lab: Lab, now: dt.datetime) -> dict[str, Any]:
    machines = list(catalogue.machines(lab))
    known = drawing.profiles(machines)
    return {
        "community": standing.of(lab).community,
        "days": sun_pages.days_ahead(lab, now),
        "came": sunshine.came(lab, now.astimezone(ZoneInfo(str(lab.zone))).date() - dt.timedelta(days=30)),
        "came_days": sunshine.days_of(lab),
        "profiles": [{"machine": machine, "profile": known[machine.pk]} for machine in machines],
        "plans": sun_pages.plans(lab, now),
        "reward": reward_words(rewards.of_lab(lab)),
    }
