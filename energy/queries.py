"""Reads of communities: the latest version, its series, its figures, the same hour of its year, sun to spare."""

import datetime as dt
from array import array
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from django.db.models import Case, IntegerField, Max, Q, QuerySet, Value, When

from commons.places.models import Place
from energy import policies, series
from energy.errors import CommunityNotFound
from energy.models import Community, CommunityVersion, Simulation
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from energy.engine.community import Community as EngineCommunity

HOUR = dt.timedelta(hours=1)
SLOT_LOAD_KW = 1.0


def community(slug: str, viewer: policies.Viewer) -> Community:
    """A community that this person may know of. Raises CommunityNotFound."""
    found = policies.visible(viewer).select_related("place").filter(slug=slug).first()
    if found is None:
        raise CommunityNotFound(_("There is no community “%(slug)s”, or it is not yours to see.") % {"slug": slug})
    return found


def latest(community: Community) -> CommunityVersion | None:
    """Its newest version."""
    return community.versions.order_by("-number").select_related("community", "community__place").first()


def of_place(place: Place) -> QuerySet[Community]:
    """Communities of the place and of its parts, the place's own first."""
    own = Case(When(place=place, then=Value(0)), default=Value(1), output_field=IntegerField())
    return Community.objects.filter(Q(place=place) | Q(place__parent=place)).annotate(own=own).order_by("own", "slug")


def community_of(place: Place) -> Community | None:
    """The community that stands for a place: its own, else one of its parts'."""
    return of_place(place).filter(public=True, versions__isnull=False).distinct().first()


def latest_versions(place: Place) -> list[CommunityVersion]:
    """The newest version of each community of the place."""
    newest = of_place(place).annotate(newest=Max("versions__number")).exclude(newest=None).values_list("pk", "newest")
    wanted = Q()
    for pk, number in newest:
        wanted |= Q(community=pk, number=number)
    return list(CommunityVersion.objects.filter(wanted).select_related("community").order_by("pk")) if wanted else []


def of_version(version: CommunityVersion, *names: str) -> "dict[str, array[float]]":
    """Series of a version by name, kWh a step; a name that it does not have is left out."""
    rows = version.series.filter(name__in=names).values_list("name", "packed")
    return {name: series.unpack(packed) for name, packed in rows}


def of_simulation(simulation: Simulation) -> "dict[str, array[float]]":
    """All series of a simulation, kWh a step (stored: kWh held)."""
    return {name: series.unpack(packed) for name, packed in simulation.series.values_list("name", "packed")}


def latest_simulation(version: CommunityVersion, *controls: str) -> Simulation | None:
    """The newest simulation of a version, of the first of these controls that has one."""
    for control in controls or ("rule", "none", "optimal"):
        found = version.simulations.filter(control=control).order_by("-created_at").first()
        if found:
            return found
    return None


def simulations_by_rule(version: CommunityVersion, control: str) -> list[Simulation]:
    """The newest simulation of each rule of sharing under a control."""
    rows = version.simulations.filter(control=control).order_by("sharing_rule", "-created_at")
    return list(rows.distinct("sharing_rule"))


# --- the same hour of the year -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Located:
    """Where in a version's series a moment lies. `exact`: it is that very hour, not the same hour of the data's year."""

    index: int
    exact: bool


def locate(version: CommunityVersion, moment: dt.datetime) -> Located | None:
    """The step of a moment, else of the same local month, day and time in the data's year; None if there is none."""
    step = dt.timedelta(minutes=version.step_minutes)
    if version.start <= moment < version.end:
        return Located((moment - version.start) // step, True)
    zone = ZoneInfo(version.timezone)
    local = moment.astimezone(zone)
    first = version.start.astimezone(zone).year
    for year in (first, first + 1):
        day = 28 if (local.month, local.day) == (2, 29) else local.day
        there = local.replace(year=year, day=day).astimezone(dt.UTC)
        if version.start <= there < version.end:
            return Located((there - version.start) // step, False)
    return None


@dataclass(frozen=True, slots=True)
class Day:
    """A local day of a version: the step at which it begins, and the start of each step as it is now called."""

    first: int
    starts: Sequence[dt.datetime]
    exact: bool


def day_of(version: CommunityVersion, day: dt.date) -> Day | None:
    """The steps of a local calendar day; None where the data do not cover it."""
    zone = ZoneInfo(version.timezone)
    midnight = dt.datetime.combine(day, dt.time(), tzinfo=zone)
    found = locate(version, midnight.astimezone(dt.UTC))
    if found is None:
        return None
    step = dt.timedelta(minutes=version.step_minutes)
    count = min(dt.timedelta(days=1) // step, version.steps - found.index)
    return Day(found.index, [midnight.astimezone(dt.UTC) + i * step for i in range(count)], found.exact)


# --- sun to spare ------------------------------------------------------------------------------------------------


def surplus(place: Place, start: dt.datetime, end: dt.datetime, step: dt.timedelta) -> list[tuple[dt.datetime, float, float]]:
    """Sun to spare in slots of a time: (start, mean kW of solar less use, share).

    Read from the data of the place's community at the same hour of the year; below zero the neighbourhood draws from the grid. `share` is the part of
    a load of 1 kW that the spare sun would cover, the mean over the slot of min(1, max(0, spare / 1 kW)): a lab's machine draws about that.
    Storage is left out: what is spare is spare before batteries. Empty where the place has no data.
    """
    found = community_of(place)
    version = latest(found) if found else None
    if version is None:
        return []
    curves = of_version(version, "load", "pv")
    load, made = curves["load"], curves["pv"]
    data_step = dt.timedelta(minutes=version.step_minutes)
    hours = version.step_minutes / 60
    slots: list[tuple[dt.datetime, float, float]] = []
    at = start
    while at < end:
        spare, covered, samples = 0.0, 0.0, 0
        inner = at
        while inner < at + step:
            where = locate(version, inner)
            if where is not None:
                kw = (made[where.index] - load[where.index]) / hours
                spare, covered, samples = spare + kw, covered + min(1.0, max(0.0, kw / SLOT_LOAD_KW)), samples + 1
            inner += data_step
        if samples:
            slots.append((at, spare / samples, covered / samples))
        at += step
    return slots


def engine_community(version: CommunityVersion) -> "EngineCommunity":
    """The version as the engine takes it; loads numpy."""
    from energy.loading import load  # noqa: PLC0415 numpy stays out of the web process until it is needed

    return load(version)
