"""What the room's pages share."""

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import formats, timezone
from django.utils.translation import gettext as _

from commons.people.models import User
from commons.web import numbers
from commons.web.context import set_place
from commons.web.years import YEARS
from labs.engine.times import Offer
from labs.models import Lab
from labs.queries import opening


def page(
    request: HttpRequest, template: str, context: Mapping[str, Any], *, lab: Lab, status: int = 200
) -> HttpResponse:
    """A page about one lab: every time on it is by the lab's own clock, and the layout is about its place."""
    if lab.place is not None:
        set_place(request, lab.place)
        return render(request, template, context, status=status)
    with timezone.override(lab.zone):
        return render(request, template, context, status=status)


def moment(fields: Mapping[str, Any], day: str, at: str, zone: dt.tzinfo) -> dt.datetime | None:
    """The time of a day and a clock in a form, by a lab's own clock; None when they cannot be read."""
    try:
        there = dt.datetime.fromisoformat(f"{fields.get(day, '')}T{fields.get(at, '')}")
        return in_utc(there, zone) if there.tzinfo is None else None
    except ValueError:
        return None


def in_utc(there: dt.datetime, zone: dt.tzinfo) -> dt.datetime:
    """A typed time, by the zone's clock if it names none. Raises ValueError for one that lies too far away."""
    if there.year not in YEARS:
        raise ValueError(there)
    return (there if there.tzinfo else there.replace(tzinfo=zone)).astimezone(dt.UTC)


def uuid_of(text: str) -> uuid.UUID:
    """The id that a form names; one that nothing has when it is none."""
    try:
        return uuid.UUID(text)
    except ValueError:
        return uuid.UUID(int=0)


def viewer(request: HttpRequest) -> User | None:
    """The signed-in person, or None."""
    return request.user if isinstance(request.user, User) else None


def open_state(lab: Lab, now: dt.datetime) -> dict[str, Any]:
    """Whether the lab is open, and until when or from when in words of its own clock."""
    spans = opening.open_spans(lab, now, now + dt.timedelta(days=8))
    if spans and spans[0].start <= now:
        if spans[0].end >= now + dt.timedelta(days=8):
            return {"open": True, "turn": ""}
        return {"open": True, "turn": _turn(spans[0].end, now, lab)}
    return {"open": False, "turn": _turn(spans[0].start, now, lab) if spans else ""}


def _turn(moment: dt.datetime, now: dt.datetime, lab: Lab) -> str:
    """“21:00”, or “Monday 08:00” when it is not today; a midnight still belongs to the day before it."""
    there = moment.astimezone(lab.zone)
    today = now.astimezone(lab.zone).date()
    if there.date() == today or (there - dt.timedelta(minutes=1)).date() == today:
        return f"{there:%H:%M}"
    return f"{formats.date_format(there, 'l')} {there:%H:%M}"


def day_word(there: dt.datetime, now: dt.datetime) -> str:
    """“Today”, “Tomorrow” or “In 3 days”, by the calendar of the place."""
    days = (there.date() - now.astimezone(there.tzinfo).date()).days
    if days <= 0:
        return _("Today")
    return _("Tomorrow") if days == 1 else _("In %(days)d days") % {"days": days}


def offer_words(offer: Offer, kwh: float | None) -> str:
    """“97 % local solar, 0.10 kWh from the grid”, in whole per cent; or that the sun is not known."""
    if offer.share is None:
        return _("The sun at that time is not known")
    share = round(100 * offer.share)
    words = {"share": numbers.percent(share / 100), "grid": numbers.kwh((kwh or 0.0) * (1 - offer.share))}
    if share == 0:
        return _("No sun to spare, %(grid)s from the grid") % words if kwh else _("No sun to spare, all from the grid")
    if kwh is None or share == 100:
        return _("%(share)s local solar") % words
    return _("%(share)s local solar, %(grid)s from the grid") % words
