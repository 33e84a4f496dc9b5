"""What every page of a lab shares: the lab, who looks at it, its head, its tabs, and the parts behind the desk."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from commons.people.models import User
from labs import policies
from labs.models import Lab
from labs.queries import catalogue
from labs.views.common import open_state, viewer

Shown = Callable[[policies.Standing], bool]


def _all(_standing: policies.Standing) -> bool:
    return True


def _fellows(standing: policies.Standing) -> bool:
    return standing.fellow


def _trainers(standing: policies.Standing) -> bool:
    return standing.trains


def _managers(standing: policies.Standing) -> bool:
    return standing.manages


@dataclass(frozen=True, slots=True)
class Tab:
    """A part of a lab, and to whom it is shown."""

    slug: str
    title: str | Promise
    url_name: str
    shown_to: Shown = _all


@dataclass(frozen=True, slots=True)
class Group:
    """Parts behind the desk that belong together."""

    title: str | Promise
    parts: Sequence[Tab]


#: What a lab shows everybody, in the order of its tabs; one line each.
TABS = (
    Tab("machines", _("Machines"), "rooms:lab"),
    Tab("week", _("Week"), "rooms:lab_week"),
    Tab("made", _("Made"), "rooms:lab_made"),
    Tab("sun", pgettext_lazy("in the sky", "Sun"), "rooms:lab_sun"),
    Tab("courses", _("Courses"), "rooms:lab_courses"),
    Tab("rules", _("Rules"), "rooms:lab_rules"),
    Tab("about", _("About"), "rooms:lab_about"),
)
#: What it shows its own people, behind one more tab; one line each.
BACK = (
    Group(
        _("Today"),
        (
            Tab("desk", _("Desk"), "rooms:lab_desk", _trainers),
            Tab("bookings", _("Bookings"), "rooms:lab_bookings", _managers),
            Tab("orders", _("Orders"), "rooms:lab_orders", _trainers),
        ),
    ),
    Group(
        _("Workshop"),
        (
            Tab("faults", _("Faults"), "rooms:lab_faults", _fellows),
            Tab("maintenance", _("Maintenance"), "rooms:lab_maintenance", _trainers),
            Tab("consumables", _("Consumables"), "rooms:lab_consumables", _fellows),
            Tab("log", _("Log"), "rooms:lab_log", _fellows),
            Tab("interlocks", _("Power"), "rooms:lab_interlocks", _managers),
            Tab("commands", _("Asked of machines"), "rooms:lab_commands", _managers),
            Tab("meters", _("Meters"), "rooms:lab_meters", _managers),
            Tab("labels", _("Labels"), "rooms:lab_labels", _trainers),
        ),
    ),
    Group(
        _("People and money"),
        (
            Tab("people", _("People"), "rooms:lab_people", _fellows),
            Tab("trust", _("Trusted badges"), "rooms:lab_trust", _managers),
            Tab("money", _("Money"), "rooms:lab_money", _managers),
        ),
    ),
    Group(
        _("Set-up"),
        (
            Tab("settings", _("Settings"), "rooms:lab_settings", _managers),
            Tab("import", _("Import"), "rooms:lab_imports", _managers),
            Tab("okw", _("Open Know-Where"), "rooms:lab_okw", _managers),
        ),
    ),
)


def frame(request: HttpRequest, slug: str, *, tab: str) -> tuple[Lab, dict[str, Any]]:
    """The lab and what every page of it needs. Raises UnknownLab."""
    lab, person = catalogue.find_lab(slug), viewer(request)
    return lab, {"lab": lab, **around(lab, person, tab=tab)}


def around(lab: Lab, person: User | None, *, tab: str) -> dict[str, Any]:
    """What this person has to do with the lab, its tabs, and, behind the desk, the parts that are there for them."""
    standing = policies.standing(person, lab)
    tabs, groups = _links(lab, TABS, standing), _groups(lab, standing)
    here = next((part for group in groups for part in group["parts"] if part["slug"] == tab), None)
    if groups:
        title = _("Desk") if standing.trains else _("For members")
        tabs.append({"slug": "back", "title": title, "url": groups[0]["parts"][0]["url"]})
    return {
        "hours": open_state(lab, timezone.now()),
        "standing": standing,
        "manages": standing.manages,
        "fellow": standing.fellow,
        "tab": tab,
        "tabs": tabs,
        "tab_here": "back" if here else tab,
        "back": groups if here else [],
        "back_here": here,
    }


def _links(lab: Lab, parts: Sequence[Tab], standing: policies.Standing) -> list[dict[str, Any]]:
    return [
        {"slug": part.slug, "title": part.title, "url": reverse(part.url_name, args=[lab.slug])}
        for part in parts
        if part.shown_to(standing)
    ]


def _groups(lab: Lab, standing: policies.Standing) -> list[dict[str, Any]]:
    found = [{"title": group.title, "parts": _links(lab, group.parts, standing)} for group in BACK]
    return [group for group in found if group["parts"]]
