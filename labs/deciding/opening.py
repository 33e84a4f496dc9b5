"""When a lab is open: its week, from a Monday, local time. Days that differ stay, and so do bookings."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone
from django.utils.dates import WEEKDAYS
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from commons import sockets
from commons.people.models import User
from labs.deciding import use
from labs.deciding.body import KIND, border
from labs.engine import hours
from labs.errors import BadHours
from labs.models import Booking, Lab
from labs.services import profile


def fields(_key: str) -> Sequence[sockets.EffectField]:
    """One line for each day of the week, such as “9-12, 13-21”; empty is closed."""
    names = [WEEKDAYS[i] for i in range(7)]
    return [sockets.EffectField(day, name, words=True) for day, name in zip(hours.DAYS, names, strict=True)]


def now(key: str) -> Mapping[str, Any]:
    """The week as it is, day by day; nothing where the lab is always open."""
    week = Lab.objects.get(slug=key).opening_hours
    return {day: hours.write_day(week.get(day, ())) for day in hours.DAYS} if week else {}


def check(_key: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """A week that can be read, day by day as it is written. Raises BadHours."""
    week = _week(value)
    if not any(week.values()):
        raise BadHours(_("A lab that is never open cannot be used; leave some hours."))
    return {day: hours.write_day(spans) for day, spans in week.items()}


def _week(value: Mapping[str, Any]) -> dict[str, list[list[str]]]:
    week = {}
    for day in hours.DAYS:
        try:
            week[day] = hours.read_day(str(value.get(day, "")))
        except ValueError:
            raise BadHours(
                _("The opening hours of “%(day)s” cannot be read; write them as 09:00 to 21:00, in order.")
                % {"day": day}
            ) from None
    return week


def say(_key: str, value: Mapping[str, Any]) -> str | Promise:
    """In words: neighbouring days with the same hours together."""
    if not value:
        return _("always open")
    parts: list[tuple[list[int], str]] = []
    for i, day in enumerate(hours.DAYS):
        text = str(value.get(day, "")) or _("closed")
        if parts and parts[-1][1] == text:
            parts[-1][0].append(i)
        else:
            parts.append(([i], text))
    return "; ".join(
        f"{WEEKDAYS[days[0]]}–{WEEKDAYS[days[-1]]} {text}" if len(days) > 1 else f"{WEEKDAYS[days[0]]} {text}"
        for days, text in parts
    )


def apply(key: str, value: Mapping[str, Any], _at: dt.datetime, _url: str) -> None:
    """Write the week into the lab."""
    profile.change_lab(lab=Lab.objects.get(slug=key), opening_hours=_week(value))


def preview(
    key: str, value: Mapping[str, Any], person: User | None, _reckoned: Mapping[str, Any]
) -> sockets.Preview | None:
    """How many bookings to come lie outside of these hours."""
    lab = Lab.objects.select_related("place").filter(slug=key).first()
    if lab is None:
        return None
    coming = Booking.objects.filter(
        machine__lab=lab, kind=Booking.Kind.USE, status__in=Booking.OPEN, start__gt=timezone.now()
    ).values_list("user_id", "start", "end")[:2000]
    week = _week(value)
    outside = [who for who, start, end in coming if hours.open_spans(week, lab.zone, start, end) != [(start, end)]]
    mine = sum(who == person.pk for who in outside) if person else 0
    you = ngettext(
        "For you: %(n)d booking to come lies outside. It stays.",
        "For you: %(n)d bookings to come lie outside. They stay.",
        mine,
    ) % {"n": mine}
    open_h = sum(hours.minute_of_day(b) - hours.minute_of_day(a) for spans in week.values() for a, b in spans) / 60
    figures = [
        {"title": _("hours a week"), "value": f"{open_h:g}"},
        {"title": _("bookings to come outside of them"), "value": f"{len(outside)} / {len(coming)}"},
    ]
    return sockets.Preview(you if mine else "", figures, _("Bookings to come, and the week alone."))


EFFECT = sockets.Effect(
    slug="labs.opening",
    body=KIND,
    title=gettext_lazy("When it is open"),
    fields=fields,
    now=now,
    check=check,
    say=say,
    border=border,
    apply=apply,
    preview=preview,
    reckon=use.reckon,
    measure=use.measure,
    shows=use.shows,
    order=22,
)
