"""Where a moment lies in a community's data: that very hour, or the same hour of the data's year; and the sun
to spare in it.
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from commons.places.models import Place
from energy.models import CommunityVersion
from energy.queries import public
from energy.queries.communities import community_of

SLOT_LOAD_KW = 1.0


@dataclass(frozen=True, slots=True)
class Located:
    """Where in a version's series a moment lies. `exact`: it is that very hour, not the same hour of the
    data's year.
    """

    index: int
    exact: bool


def locate(version: CommunityVersion, moment: dt.datetime) -> Located | None:
    """The step of a moment, else of the same local month, day and time in the data's year; None if there is
    none.
    """
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
class Steps:
    """A local day of a version: the step at which it begins, and the start of each step as asked for."""

    first: int
    starts: Sequence[dt.datetime]
    exact: bool


def steps_of_day(version: CommunityVersion, day: dt.date) -> Steps | None:
    """The steps of a local calendar day; None where the data do not cover it."""
    zone = ZoneInfo(version.timezone)
    midnight = dt.datetime.combine(day, dt.time(), tzinfo=zone)
    found = locate(version, midnight.astimezone(dt.UTC))
    if found is None:
        return None
    step = dt.timedelta(minutes=version.step_minutes)
    count = min(dt.timedelta(days=1) // step, version.steps - found.index)
    return Steps(found.index, [midnight.astimezone(dt.UTC) + i * step for i in range(count)], found.exact)


def surplus(
    place: Place, start: dt.datetime, end: dt.datetime, step: dt.timedelta
) -> list[tuple[dt.datetime, float, float]]:
    """Sun to spare in slots of a time: (start, mean kW of solar less use, share).

    Read from the data of the place's community at the same hour of the year; below zero the neighbourhood
    draws from the grid. `share` is the part of a load of 1 kW that the spare sun would cover, the mean over
    the slot of min(1, max(0, spare / 1 kW)): a lab's machine draws about that. Storage is left out: what is
    spare is spare before batteries. Empty where the place has no data that everybody may see.
    """
    found = community_of(place)
    version = public.version(found, None) if found else None
    if version is None:
        return []
    curves = public.curves(version, None, "load", "pv")
    if "load" not in curves:
        return []
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
                spare, covered, samples = (
                    spare + kw,
                    covered + min(1.0, max(0.0, kw / SLOT_LOAD_KW)),
                    samples + 1,
                )
            inner += data_step
        if samples:
            slots.append((at, spare / samples, covered / samples))
        at += step
    return slots
