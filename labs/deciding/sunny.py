"""What a price by surplus would have meant over the last bookings, and what it did since it holds.

Each booking of the last weeks is priced again by the tariff of its time, with and without the discount, at the sun that
was to spare in its own hours (published sums of the neighbourhood's energy community, for the power that its machine is
planned with). Nobody is supposed to have moved: that is the low end of what members win; the high end is that all of
somebody's bookings had been sunny. Pages show what was kept; only workers reckon.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.apps import apps
from django.utils import timezone
from django.utils.translation import gettext as _

from commons import sockets
from commons.people.models import Membership, User
from commons.web import numbers
from labs.deciding import use
from labs.engine import prices as engine
from labs.engine.prices import NOTHING
from labs.models import Booking, Lab, Tariff
from labs.queries import drawing
from labs.queries import prices as price_reads
from labs.queries.roles import ROLE_OF

SPANS = 3
SPAN = use.SPAN
MOST = 5000
#: Share of a span's quarters of an hour that must be known.
KNOWN = 0.9
STEP = dt.timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Priced:
    """A booking: whose, when, its hours, its price before any discount, and its share of local surplus."""

    person: int
    start: dt.datetime
    hours: float
    net: Decimal
    share: float

    def off(self, value: Mapping[str, Any], *, moved: bool = False) -> float:
        """What a value takes off its price; `moved` supposes that it had been sunny."""
        percent = float(value.get("discount_percent") or 0)
        sunny = moved or self.share > float(value.get("above_surplus_share", 0.5))
        return float(engine.cents(self.net * Decimal(str(percent)) / engine.HUNDRED)) if sunny and percent else 0.0


def reckon(key: str, value: Mapping[str, Any], held: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """How the lab was used, and what the value would have meant beside the one that holds: {"figures", "people"}."""
    lab = Lab.objects.select_related("place").filter(slug=key).first()
    if lab is None:
        return None
    now = timezone.now()
    found = {"figures": use.figures(lab, now - SPAN, now)}
    spare = _spare(lab, now - SPANS * SPAN, now)
    spans = known_spans(spare, now)
    rows = priced(lab, now - spans * SPAN, now, spare)
    if not rows:
        return found
    till = price_reads.till_of(lab)
    said = figures(rows, value, now - spans * SPAN, now) | {"unit": till.unit if till else "", "spans": spans}
    return {"figures": found["figures"] | said, "people": people(rows, value, held, now, spans)}


def measure(lab: Lab, after: Mapping[str, Any], since: dt.datetime, until: dt.datetime) -> dict[str, Any]:
    """The same since it holds."""
    rows = priced(lab, since, until, _spare(lab, since, until))
    till = price_reads.till_of(lab)
    return figures(rows, after, since, until) | {"unit": till.unit if till else ""} if rows else {}


def figures(
    rows: Sequence[Priced], value: Mapping[str, Any], since: dt.datetime, until: dt.datetime
) -> dict[str, float]:
    """Of all: the share of booked hours that was sunny enough, and what is taken off in four weeks."""
    hours = sum(row.hours for row in rows)
    above = float(value.get("above_surplus_share", 0.5))
    spans = (until - since) / SPAN
    return {
        "sunny_hours": round(sum(row.hours for row in rows if row.share > above) / hours, 4) if hours else 0.0,
        "taken_off": round(sum(row.off(value) for row in rows) / spans, 2),
        "taken_off_most": round(sum(row.off(value, moved=True) for row in rows) / spans, 2),
    }


def people(
    rows: Sequence[Priced], value: Mapping[str, Any], held: Mapping[str, Any], now: dt.datetime, count: int
) -> dict[str, dict[str, float]]:
    """What each person would pay less in four weeks than by the value that holds: the mean, the least and the most of
    the spans, and the most if all their bookings had been sunny."""
    won: dict[int, list[float]] = {}
    most: dict[int, float] = {}
    for row in rows:
        mine = won.setdefault(row.person, [0.0] * count)
        mine[min(count - 1, (now - row.start) // SPAN)] += row.off(value) - row.off(held)
        most[row.person] = most.get(row.person, 0.0) + row.off(value, moved=True) - row.off(held)
    return {
        str(person): {
            "month": round(sum(spans) / count, 2),
            "low": round(min(spans), 2),
            "high": round(max(spans), 2),
            "moved": round(most[person] / count, 2),
        }
        for person, spans in won.items()
    }


def known_spans(spare: Mapping[dt.datetime, float], now: dt.datetime) -> int:
    """How many of the last spans the sun is known of, nearly all of the time."""
    counts = [0] * SPANS
    for at in spare:
        nth = (now - at) // SPAN
        if 0 <= nth < SPANS:
            counts[nth] += 1
    return next((nth for nth, count in enumerate(counts) if count < KNOWN * (SPAN // STEP)), SPANS)


def priced(
    lab: Lab, since: dt.datetime, until: dt.datetime, spare: Mapping[dt.datetime, float]
) -> list[Priced]:
    """The bookings that began in a time with their prices and shares; none where the sun of the place is not known."""
    rows = Booking.objects.filter(
        machine__lab=lab, kind=Booking.Kind.USE, status__in=Booking.HOLDING, start__gte=since, start__lt=until
    ).select_related("machine", "user")
    bookings = list(rows.order_by("start", "pk")[:MOST]) if spare else []
    known = drawing.profiles({b.machine_id: b.machine for b in bookings}.values()) if bookings else {}
    tariffs = list(Tariff.objects.filter(lab=lab))
    held = Membership.objects.filter(organisation=lab.organisation_id).values_list("user", "role")
    roles = {user: ROLE_OF[Membership.Role(role)] for user, role in held}
    found = []
    for b in bookings:
        share = _share(spare, b.start, b.end, known[b.machine_id].mean_kw(b.length))
        role = "manager" if b.user.is_staff else roles.get(b.user_id, "guest")
        if share is not None:
            hours = b.length / dt.timedelta(hours=1)
            found.append(Priced(b.user_id, b.start, hours, _net(tariffs, b, role), share))
    return found


def _net(tariffs: Sequence[Tariff], booking: Booking, role: str) -> Decimal:
    """The price of a booking by the tariff of its time, before tax and discount."""
    held = [row for row in tariffs if row.since <= booking.start and (row.until is None or row.until > booking.start)]
    chosen = engine.nearest(held, machine=booking.machine_id, cls=booking.machine.cls, role=role)
    if chosen is None:
        return NOTHING
    return engine.net_of(engine.parts(price_reads.rates_of(chosen), booking.length))


def _spare(lab: Lab, since: dt.datetime, until: dt.datetime) -> dict[dt.datetime, float]:
    """kW to spare in each quarter of an hour, as everybody may see it."""
    if lab.place is None or not apps.is_installed("energy"):
        return {}
    from energy.queries import surplus  # noqa: PLC0415 the room may be left out

    return {at: kw for at, kw, _share in surplus(lab.place, _floor(since), until + SPAN, STEP)}


def _floor(moment: dt.datetime) -> dt.datetime:
    return moment - (moment - dt.datetime(1970, 1, 1, tzinfo=dt.UTC)) % STEP


def _share(spare: Mapping[dt.datetime, float], start: dt.datetime, end: dt.datetime, kw: float) -> float | None:
    """The mean share of a steady load that was to spare in a time."""
    at, found = _floor(start), list[float]()
    while at < end:
        if at in spare:
            found.append(min(1.0, max(0.0, spare[at]) / kw) if kw > 0 else 1.0)
        at += STEP
    return sum(found) / len(found) if found else None


# --- in words ----------------------------------------------------------------------------------------------------


def preview(
    key: str, value: Mapping[str, Any], person: User | None, reckoned: Mapping[str, Any]
) -> sockets.Preview | None:
    """What was reckoned, for a reader and for all."""
    found = reckoned.get("figures")
    if not found:
        return None
    mine = reckoned.get("people", {}).get(str(person.pk)) if person else None
    basis = _(
        "The bookings of the last %(n)d weeks, each at the sun that was to spare in its hours. Nobody is supposed to "
        "have booked otherwise; the last number is if all had been sunny."
    ) % {"n": 4 * found.get("spans", 1)}
    return sockets.Preview(you(mine, found["unit"]) if mine and found.get("unit") else "", shows(key, found), basis)


def you(mine: Mapping[str, float], unit: str) -> str:
    """What a reader pays less or more in four weeks, with the range."""

    def said(name: str) -> str:
        return price_reads.amount(Decimal(str(abs(mine[name]))), unit)

    words = {name: said(name) for name in ("month", "low", "high", "moved")}
    if mine["month"] < 0:
        return _("For you: %(month)s more in four weeks, from %(high)s to %(low)s.") % words
    return (
        _("For you: %(month)s less in four weeks, from %(low)s to %(high)s; up to %(moved)s if all were sunny.") % words
    )


def shows(key: str, found: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """The figures in words."""
    rows = list(use.shows(key, found))
    if "sunny_hours" in found:
        rows.append({"title": _("booked hours that are sunny enough"), "value": numbers.percent(found["sunny_hours"])})
    if found.get("unit"):
        low, high = (price_reads.amount(Decimal(str(found[n])), found["unit"]) for n in ("taken_off", "taken_off_most"))
        rows.append({"title": _("taken off prices in four weeks"), "value": f"{low} – {high}"})
    return rows
