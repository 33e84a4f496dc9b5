"""What every page of a lab shares: the lab, who looks at it, its head and its tabs."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from commons.people.models import User
from labs import policies
from labs.models import Lab
from labs.queries import catalogue
from labs.views.common import open_state, viewer


@dataclass(frozen=True, slots=True)
class Tab:
    """A part of a lab, and to whom it is shown."""

    slug: str
    title: str | Promise
    url_name: str
    shown_to: Callable[[policies.Standing], bool] = lambda _standing: True


#: The parts of a lab in the order of their tabs; one line each.
TABS = [
    Tab("machines", _("Machines"), "rooms:lab"),
    Tab("week", _("Week"), "rooms:lab_week"),
    Tab("made", _("Made"), "rooms:lab_made"),
    Tab("about", _("About"), "rooms:lab_about"),
    Tab("courses", _("Courses"), "rooms:lab_courses"),
    Tab("rules", _("Rules"), "rooms:lab_rules"),
    Tab("faults", _("Faults"), "rooms:lab_faults", lambda standing: standing.fellow),
    Tab("log", _("Log"), "rooms:lab_log", lambda standing: standing.fellow),
    Tab("people", _("People"), "rooms:lab_people", lambda standing: standing.fellow),
    Tab("consumables", _("Consumables"), "rooms:lab_consumables", lambda standing: standing.fellow),
    Tab("orders", _("Orders"), "rooms:lab_orders", lambda standing: standing.trains),
    Tab("bookings", _("Bookings"), "rooms:lab_bookings", lambda standing: standing.manages),
    Tab("desk", _("Desk"), "rooms:lab_desk", lambda standing: standing.trains),
    Tab("maintenance", _("Maintenance"), "rooms:lab_maintenance", lambda standing: standing.trains),
    Tab("interlocks", _("Power"), "rooms:lab_interlocks", lambda standing: standing.manages),
    Tab("meters", _("Meters"), "rooms:lab_meters", lambda standing: standing.manages),
    Tab("money", _("Money"), "rooms:lab_money", lambda standing: standing.manages),
    Tab("settings", _("Settings"), "rooms:lab_settings", lambda standing: standing.manages),
]


def frame(request: HttpRequest, slug: str, *, tab: str) -> tuple[Lab, dict[str, Any]]:
    """The lab and what every page of it needs. Raises UnknownLab."""
    lab, person = catalogue.find_lab(slug), viewer(request)
    return lab, {"lab": lab, **around(lab, person, tab=tab)}


def around(lab: Lab, person: User | None, *, tab: str) -> dict[str, Any]:
    """What this person has to do with the lab, and its tabs."""
    standing = policies.standing(person, lab)
    return {
        "hours": open_state(lab, timezone.now()),
        "standing": standing,
        "manages": standing.manages,
        "fellow": standing.fellow,
        "tab": tab,
        "tabs": [
            {"slug": part.slug, "title": part.title, "url": reverse(part.url_name, args=[lab.slug])}
            for part in TABS
            if part.shown_to(standing)
        ],
    }
