"""What a neighbourhood decides: which scenario is its plan (docs/deciding.md).

A neighbourhood's body are people who are anchored there by more than their word: who speaks for a meter of an energy
community of the place, and who belongs to a lab in it. What somebody writes in a profile makes nobody a voter.
"""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from typing import Any
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from django.db.models import Q
from django.urls import NoReverseMatch, reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons import sockets
from commons.decisions import queries as decisions
from commons.decisions.models import Enactment
from commons.people.models import Membership, User
from commons.places.models import Place
from commons.runs.models import Run
from commons.web import numbers
from energy.models import Community
from energy.queries import measured
from twin import came_of, queries
from twin.errors import ScenarioNotFound
from twin.models import District, ScenarioVersion
from twin.services import scenario_runs

KIND = "twin.neighbourhood"
SLUG = "twin.adopted_scenario"
SHOWN = 6
CHARTER = {
    "methods": ["majority", "approval", "condorcet", "shares"],
    "quorum": "1/10",
    "notice_h": 168,
    "window_h": 336,
    "objection_h": 168,
    "member_days": 30,
}
STEWARDS = (Membership.Role.STEWARD, Membership.Role.MANAGER, Membership.Role.OWNER)


def _place(key: str) -> Place | None:
    return Place.objects.filter(slug=key, kind=Place.Kind.NEIGHBOURHOOD).first()


def _district(key: str) -> District | None:
    place = _place(key)
    return queries.of_place(place).first() if place else None


def find(key: str, _person: User | None) -> sockets.Decider | None:
    """The neighbourhood of that slug that the twin has a district of."""
    district = _district(key)
    if district is None or district.place is None:
        return None
    url = reverse("rooms:district", args=[district.slug])
    return sockets.Decider(district.place.name, url, district.place, district.place.demo)


def members(key: str) -> Mapping[int, dt.datetime]:
    """Who speaks for a meter of a community of the place, and who belongs to a lab in it; since the first of these."""
    place = _place(key)
    if place is None:
        return {}
    found: dict[int, dt.datetime] = {}
    for community in Community.objects.filter(place=place):
        zone = measured.zone(community)
        today = dt.datetime.now(zone).date()
        for one in community.participants.exclude(person=None):
            if one.belongs(today) and one.person_id is not None:
                since = dt.datetime.combine(one.joined_on, dt.time(), zone)
                found[one.person_id] = min(since, found.get(one.person_id, since))
    rows = Membership.objects.filter(organisation__lab__place=place)
    for person, joined in rows.values_list("user_id", "since"):
        found[person] = min(joined, found.get(person, joined))
    return found


def stewards(key: str) -> Collection[int]:
    """Who keeps the books of the place's communities, and the stewards of its city."""
    rows = Membership.objects.filter(organisation__communities__place__slug=key, role__in=STEWARDS)
    return set(rows.values_list("user_id", flat=True))


def keys_of(person: User) -> Collection[str]:
    """The neighbourhoods in which a person's home or lab is."""
    rows = Place.objects.filter(
        Q(communities__participants__person=person, communities__participants__left_on=None)
        | Q(labs__organisation__memberships__user=person),
        kind=Place.Kind.NEIGHBOURHOOD,
        districts__current__isnull=False,
    )
    return sorted(set(rows.values_list("slug", flat=True)))


# --- the plan ------------------------------------------------------------------------------------------------------


def plan(place: Place | None, at: dt.datetime | None = None) -> ScenarioVersion | None:
    """The scenario that a neighbourhood adopted, as it was when it voted."""
    held = decisions.value(SLUG, f"{KIND}:{place.slug}", at) if place else None
    rows = ScenarioVersion.objects.select_related("scenario__district")
    return rows.filter(pk=held.value["scenario_version"]).first() if held else None


def _version(key: str, value: Mapping[str, Any]) -> ScenarioVersion:
    """The version that a value names, of a district of the place. Raises ScenarioNotFound."""
    asked = str(value.get("scenario_version", ""))
    rows = ScenarioVersion.objects.select_related("scenario__district__current")
    found = rows.filter(pk=int(asked), scenario__district__place__slug=key).first() if asked.isdecimal() else None
    if found is None:
        raise ScenarioNotFound(_("This neighbourhood has no such scenario. Choose one of its district."))
    return found


def fields(key: str) -> Sequence[sockets.EffectField]:
    """The newest versions of scenarios that are listed; others are named by the link of their page."""
    district = _district(key)
    found = list(queries.scenarios.scenarios(district)[:100]) if district else []
    choices = []
    for scenario in found:
        newest = scenario.versions.order_by("-number").first()
        if newest is not None:
            choices.append((str(newest.pk), f"{scenario.title} ({newest.number})"))
    return [sockets.EffectField("scenario_version", gettext_lazy("Scenario"), choices or [("", _("none yet"))])]


def now(key: str) -> Mapping[str, Any]:
    """The plan that holds."""
    found = plan(_place(key))
    return _told(found) if found else {}


def _told(version: ScenarioVersion) -> dict[str, Any]:
    return {"scenario_version": version.pk, "scenario": version.scenario_id, "number": version.number}


def check(key: str, value: Mapping[str, Any]) -> dict[str, Any]:
    """The version, with the scenario's name in addresses. Raises ScenarioNotFound."""
    return _told(_version(key, value))


def say(_key: str, value: Mapping[str, Any]) -> str | Promise:
    """In words."""
    found = ScenarioVersion.objects.select_related("scenario").filter(pk=value.get("scenario_version") or 0).first()
    if found is None:
        return _("no plan yet")
    return _("“%(title)s”, version %(n)d, is the plan") % {"title": found.scenario.title, "n": found.number}


def border(key: str, at: dt.datetime) -> dt.datetime:
    """The next midnight of the place."""
    place = _place(key)
    zone = ZoneInfo(place.timezone if place else "UTC")
    local = at.astimezone(zone)
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0)
    return local if local == midnight else dt.datetime.combine(local.date() + dt.timedelta(days=1), dt.time(), zone)


def apply(_key: str, _value: Mapping[str, Any], _at: dt.datetime, _url: str) -> None:
    """The value itself is the plan; the district's page reads it."""


def address(version: ScenarioVersion) -> str:
    """The page of a scenario; its district's, where there is no page of it."""
    try:
        return reverse("rooms:scenario", args=[version.scenario.district.slug, version.scenario_id])
    except NoReverseMatch:
        try:
            return reverse("rooms:scenario", args=[version.scenario_id])
        except NoReverseMatch:
            return reverse("rooms:district", args=[version.scenario.district.slug])


def propose_url(version: ScenarioVersion) -> str:
    """Where a vote on a scenario begins; nothing where its district is no neighbourhood's."""
    place = version.scenario.district.place
    if place is None or find(place.slug, None) is None:
        return ""
    query = {
        "kind": KIND, "key": place.slug, "effect": SLUG, "scenario_version-1": version.pk,
        "option-1": version.scenario.title,
    }  # fmt: skip
    return f"{reverse('rooms:decision_new')}?{urlencode(query)}"


def reckon(key: str, value: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The comparison with today, from the engines; asked for where nobody has yet. The changes of what will be measured
    stand by name, so that the measure can be held against them."""
    version = _version(key, value)
    found = scenario_runs.start(version=version, depth="quick")
    if isinstance(found, Run):
        return None
    names = ("key", "label", "unit", "baseline", "difference", "low", "high", "better", "how")
    rows = [{name: row.get(name) for name in names} for row in found.summary.get("figures", ())]
    labs = came_of.lab_promise(version, _place(key), timezone.now())
    moved = sorted((row for row in [*rows, labs] if row and row["difference"]), key=lambda row: str(row["key"]))
    changes = {name: told["change"] for name, told in came_of.promised(moved).items()}
    return {"figures": {"rows": moved, "depth": found.depth, "city_version": found.city_version, **changes}}


def measure(
    key: str, _before: Mapping[str, Any], after: Mapping[str, Any], since: dt.datetime, until: dt.datetime
) -> Mapping[str, Any] | None:
    """The same figures where they can be measured, before and since."""
    place = _place(key)
    return came_of.measure(_version(key, after), place, since, until) if place is not None else None


def enacted(place: Place | None) -> Enactment | None:
    """The decision by which the plan of a neighbourhood holds, with what was promised and measured."""
    held = decisions.value(SLUG, f"{KIND}:{place.slug}") if place else None
    rows = Enactment.objects.select_related("motion")
    return rows.filter(motion=held.decided_by_id).first() if held and held.decided_by_id else None


def preview(
    key: str, _value: Mapping[str, Any], _person: User | None, reckoned: Mapping[str, Any]
) -> sockets.Preview | None:
    """The comparison; what it means for one reader is on the scenario's own page."""
    figures = reckoned.get("figures")
    if not figures:
        return None
    basis = _("The scenario against today, by the twin’s engines on version %(n)d of the district.") % {
        "n": figures["city_version"]
    }
    return sockets.Preview("", shows(key, figures), basis)


def shows(_key: str, figures: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """What was measured; or the differences that were promised, those first that will be measured, each with its
    range."""
    if "days" in figures:
        return came_of.shows(figures)
    rows = sorted(figures.get("rows", ()), key=lambda row: row["key"] not in came_of.KINDS)
    measured = came_of.promised(rows)
    found = []
    for row in rows[: max(SHOWN, len(measured))]:
        value = f"{_signed(row['difference'])} {row['unit']}"
        if row["low"] is not None and row["high"] is not None:
            value += " " + _("(%(low)s to %(high)s)") % {"low": _signed(row["low"]), "high": _signed(row["high"])}
        told = {"title": _(row["label"]), "value": value}
        if row["key"] in measured:
            told["promised"] = came_of.promise_words(row["key"], measured[row["key"]])
        found.append(told)
    return found


def _signed(value: float) -> str:
    return ("+" if value > 0 else "−" if value < 0 else "") + numbers.number(abs(value), 0 if abs(value) >= 100 else 2)


def register() -> None:
    """Plug the body and what it can set into the sockets."""
    sockets.deciding_bodies.register(
        sockets.DecidingBody(KIND, gettext_lazy("Neighbourhood"), find, members, stewards, keys_of, CHARTER, order=40)
    )
    sockets.effects.register(
        sockets.Effect(
            slug=SLUG,
            body=KIND,
            title=gettext_lazy("Which scenario is the plan"),
            fields=fields,
            now=now,
            check=check,
            say=say,
            border=border,
            apply=apply,
            preview=preview,
            reckon=reckon,
            measure=measure,
            shows=shows,
            order=40,
        )
    )
