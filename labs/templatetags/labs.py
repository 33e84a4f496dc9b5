"""Tags of the room: pictures and addresses of designs, words for states."""

import datetime as dt
import re
from decimal import Decimal
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django import template
from django.urls import NoReverseMatch, reverse
from django.utils import formats, timezone, translation
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.devices.models import Command
from commons.web import numbers
from labs.engine.hours import Span
from labs.engine.times import Offer
from labs.models import Booking
from labs.queries import circuits, learning, sun_words
from labs.queries.jobs import OnPlate, Shown
from labs.services.bookings import EARLY

if TYPE_CHECKING:
    from designs.models import Design
    from labs.models import CourseSession, Machine

register = template.Library()

OUTCOME_TONES = {"finished": "good", "failed": "bad", "paused": "warn"}
DATES = re.compile(r"\b(\d{4}-\d\d-\d\d)(?:[ T](\d\d:\d\d))?\b")
ORDER_STEPS = {
    "accept": lazy("Accept the quote"),
    "queue": lazy("Put it in the queue"),
    "start": lazy("Begin"),
    "ready": lazy("It is ready"),
    "hand-over": lazy("Hand it over"),
    "decline": lazy("Decline"),
    "withdraw": lazy("Take it back"),
}
TONES = {"proven": "good", "probable": "line", "declared": "line", "unknown": ""}


@register.simple_tag
def design_url(design: "Design | None") -> str:
    """The page of a design, or nothing."""
    try:
        return reverse("rooms:design", args=[design.owner.name, design.slug]) if design else ""
    except NoReverseMatch:
        return ""


@register.simple_tag
def design_picture(design: "Design | None") -> str:
    """The small picture of a design, or nothing."""
    cover = design.cover if design else None
    if design is None or cover is None or not (cover.small or cover.png):
        return ""
    try:
        kind = "small" if cover.small else "png"
        address = reverse("design-preview", args=[design.owner.name, design.slug, cover.oid, kind])
        return f"{address}?v={cover.engine_version}"
    except NoReverseMatch:
        return ""


@register.simple_tag
def provenance_chip(shown: Shown | OnPlate) -> SafeString:
    """How sure it is which design was made, in a word."""
    return format_html('<span class="chip {}">{}</span>', TONES[shown.provenance], shown.provenance_label)


@register.simple_tag
def order_step(step: str) -> str:
    """The words on the button of a step."""
    return str(ORDER_STEPS.get(step, step))


@register.filter
def plain_number(value: Decimal | float) -> str:
    """A number without the zeros behind it: 0.2, 12, 1500."""
    return f"{Decimal(str(value)).normalize():f}"


@register.filter
def unlocalised(value: float) -> str:
    """A number as SVG reads it, whatever the language of the page."""
    return f"{value:g}"


@register.filter
def outcome_tone(outcome: str) -> str:
    """The chip's kind for how a job ended."""
    return OUTCOME_TONES.get(outcome, "line")


STATUS_TONES = {
    "offered": "warn",
    "requested": "warn",
    "booked": "good",
    "running": "good",
    "missed": "bad",
    "declined": "bad",
    "open": "warn",
    "fixed": "good",
}


@register.filter
def status_tone(status: str) -> str:
    """The chip's kind for the state of a booking."""
    return STATUS_TONES.get(status, "line")


@register.filter
def power_tone(state: str) -> str:
    """The chip's kind for the power of a machine."""
    return {"on": "good", "fault": "bad"}.get(state, "line")


@register.filter
def command_tone(state: str) -> str:
    """The chip's kind for what came of a command."""
    return {"done": "good", "refused": "bad", "expired": "warn"}.get(state, "line")


@register.filter
def with_dates(text: str) -> str:
    """A line of the books with its dates as the reader writes them; “2026-06-30 10:00” is how they are kept."""

    def said(found: "re.Match[str]") -> str:
        try:
            date = dt.date.fromisoformat(found[1])
        except ValueError:
            return found[0]
        return f"{numbers.day(date)}{f' {found[2]}' if found[2] else ''}"

    return DATES.sub(said, text)


@register.filter
def command_state(state: str) -> str:
    """What came of a command, in words, as lists of them are narrowed by."""
    return str(_("Not answered yet") if state == "open" else Command.State(state).label)


@register.filter
def can_check_in(booking: Booking, now: dt.datetime) -> bool:
    """Whether its person can check in now."""
    return booking.status == Booking.Status.BOOKED and booking.start - EARLY <= now < booking.end


@register.filter
def why_word(why: str) -> str:
    """Why a time cannot be had, in a word."""
    return {"past": "–", "repair": _("in repair"), "closed": _("closed"), "taken": _("taken")}.get(why, why)


@register.filter
def why_sentence(why: str, machine: str) -> str:
    """Why a time cannot be had, and what to do."""
    sentences = {
        "past": _("This time is past; choose one to come."),
        "repair": _("%(machine)s is in repair."),
        "closed": _("The lab is closed for a part of this time; choose one within its hours."),
        "taken": _("%(machine)s is taken for a part of this time; choose another."),
    }
    return sentences.get(why, "") % {"machine": machine}


@register.filter
def in_zone(moment: dt.datetime, zone: ZoneInfo) -> str:
    """Day and time in a lab's own zone: “Friday 19 June 10:30”."""
    there = moment.astimezone(zone)
    return f"{formats.date_format(there, _('l j F'))} {there:%H:%M}"


@register.filter
def clock_in(moment: dt.datetime, zone: ZoneInfo) -> str:
    """The time in a lab's own zone: “10:30”."""
    return f"{moment.astimezone(zone):%H:%M}"


@register.inclusion_tag("labs/parts/ways.html", takes_context=True)
def ways(context: template.Context, machine: "Machine", at: dt.datetime | None = None) -> dict[str, object]:
    """What the reader lacks for a machine, with the courses and the next session of each."""
    request = context["request"]
    user = request.user if request.user.is_authenticated else None
    found = learning.ways(machine=machine, user=user, at=at or timezone.now())
    return {"ways": found, "lab": machine.lab, "user": request.user}


@register.inclusion_tag("labs/parts/start_advice.html")
def start_advice(machine: "Machine") -> dict[str, object]:
    """Whether a job had better begin later, by what the machine's circuit carries now; nothing where it may begin."""
    advice = circuits.start_advice(machine) if machine.circuit_id else None
    return {"advice": advice if advice is not None and not advice.may else None, "lab": machine.lab}


@register.filter
def sun_range(offer: Offer) -> str:
    """How sure the share of an offered time is, and what it comes from."""
    return sun_words.range_words(offer.low, offer.high, offer.basis)


@register.filter
def minutes_of(span: Span) -> int:
    """How many minutes a span of time takes."""
    return int((span.end - span.start).total_seconds() // 60)


@register.filter
def language_name(code: str) -> str:
    """A language by its name in the language of the page; its code where nobody knows it."""
    try:
        return str(translation.get_language_info(code)["name_translated"])
    except KeyError:
        return code


@register.filter
def places_left(session: "CourseSession") -> int:
    """How many may still come to a session that knows how many are taken."""
    return max(session.places - int(getattr(session, "taken", 0)), 0)


@register.filter
def long_hours(hours: float | None) -> str:
    """A mean time in hours, or in days from two on: “7.5 h”, “12 days”; “–” where there is none yet."""
    if hours is None or round(hours, 1) == 0:
        return "–"
    if hours < 48:
        return _("%(n)s h") % {"n": formats.number_format(round(hours, 1))}
    return _("%(n)s days") % {"n": formats.number_format(round(hours / 24))}
