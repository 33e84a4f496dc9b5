"""A day of a community: what was made, used, stored, bought and sent on, step by step, and its sums."""

import datetime as dt
from array import array
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from zoneinfo import ZoneInfo

from django.utils import timezone

from commons.places.models import Place
from energy import policies
from energy.models import CommunityVersion, Simulation
from energy.queries import public
from energy.queries.communities import community_of, latest_simulation
from energy.queries.hours import Steps, steps_of_day

GROUPS = {"home": ("load:home", public.HOUSEHOLDS), "lab": ("load:lab",), "other": ("load:business", "load:public")}
FLOWS = ("vehicles", "import", "export", "charge", "discharge", "stored")


@dataclass(frozen=True, slots=True)
class Step:
    """One step in kW. `sun_used` is solar used at once; `charge` and `export` are what went into storage and
    out; `stored` is what is held at its end, kWh, where that is known.
    """

    start: dt.datetime
    solar: float
    use: float
    sun_used: float
    grid: float
    export: float
    charge: float
    discharge: float
    homes: float
    labs: float
    others: float
    vehicles: float
    stored: float | None = None

    @property
    def spare(self) -> float:
        """Solar less use: what is to spare before storage; below zero what is lacking."""
        return self.solar - self.use


@dataclass(frozen=True, slots=True)
class Day:
    """A local day. `exact`: these very hours, not the same hours of the data's year. Energies in kWh up to
    `until`.
    """

    date: dt.date
    zone: ZoneInfo
    exact: bool
    hours: float
    steps: Sequence[Step]
    now: int | None
    storage: bool

    @property
    def past(self) -> Sequence[Step]:
        """Steps that have ended; all of them on another day."""
        return self.steps if self.now is None else self.steps[: self.now + 1]

    def kwh(self, name: str) -> float:
        """Energy of a column over the past steps."""
        return float(sum(getattr(step, name) for step in self.past) * self.hours)

    @property
    def current(self) -> Step | None:
        """The step that runs, if the day is today."""
        return None if self.now is None else self.steps[self.now]

    @property
    def mean(self) -> Step:
        """The mean power of the whole day, as a step."""
        n = len(self.steps)
        names = [f.name for f in fields(Step) if f.name != "start"]
        return Step(start=self.steps[0].start, **{k: sum(getattr(s, k) or 0.0 for s in self.steps) / n for k in names})

    def good_hours(self, after: dt.datetime | None = None) -> tuple[dt.datetime, dt.datetime] | None:
        """The longest time with sun to spare that is not over yet, from and until."""
        best: tuple[dt.datetime, dt.datetime] | None = None
        length, first = dt.timedelta(hours=self.hours), None
        for step in self.steps:
            if step.spare > 0 and (after is None or step.start + length > after):
                first = first or step.start
                if best is None or step.start + length - first > best[1] - best[0]:
                    best = (first, step.start + length)
            else:
                first = None
        return best

    def least_lacking(self) -> dt.datetime | None:
        """When the least is lacking in what is left of the day."""
        left = self.steps if self.now is None else self.steps[self.now :]
        return max(left, key=lambda s: s.spare).start if left else None

    def clock(self, moment: dt.datetime) -> str:
        """The time on the wall there; midnight at the end of the day is 24:00."""
        local = moment.astimezone(self.zone)
        return "24:00" if local.date() > self.date else f"{local:%H:%M}"


def story(
    version: CommunityVersion, date: dt.date, simulation: Simulation | None, viewer: policies.Viewer
) -> Day | None:
    """A local day of a version as this person may see it, with storage as a simulation ran it; None where the data do
    not cover it or may not be shown.
    """
    found = steps_of_day(version, date)
    if found is None:
        return None
    names = ["load", "pv", public.HOUSEHOLDS, *(name for group in GROUPS.values() for name in group)]
    shown = slice(found.first, found.first + len(found.starts))
    curves = public.curves(version, viewer, *names, steps=shown)
    if "load" not in curves:
        return None
    flows = public.flows(simulation, viewer, *FLOWS, steps=shown) if simulation else {}
    if any(name in curves for name in GROUPS["home"]):
        del curves[public.HOUSEHOLDS]
    hours = version.step_minutes / 60
    steps = [_step(curves, flows, found, i, hours) for i in range(len(found.starts))]
    zone = ZoneInfo(version.timezone)
    now = timezone.now()
    running = None
    if now.astimezone(zone).date() == date:
        running = max((i for i, s in enumerate(steps) if s.start <= now), default=None)
    return Day(date, zone, found.exact, hours, steps, running, any(s.charge or s.discharge for s in steps))


def _step(
    curves: "Mapping[str, array[float]]",
    flows: "Mapping[str, array[float]]",
    found: Steps,
    i: int,
    hours: float,
) -> Step:
    def kw(source: "Mapping[str, array[float]]", *names: str) -> float:
        return sum(source[name][i] for name in names if name in source) / hours

    solar, load, vehicles = kw(curves, "pv"), kw(curves, "load"), kw(flows, "vehicles")
    grid = kw(flows, "import") if flows else max(load - solar, 0.0)
    export = kw(flows, "export") if flows else max(solar - load, 0.0)
    charge, discharge = kw(flows, "charge"), kw(flows, "discharge")
    return Step(
        start=found.starts[i],
        solar=solar,
        use=load + vehicles,
        sun_used=max(0.0, solar - export - charge),
        grid=grid,
        export=export,
        charge=charge,
        discharge=discharge,
        homes=kw(curves, *GROUPS["home"]),
        labs=kw(curves, *GROUPS["lab"]),
        others=kw(curves, *GROUPS["other"]),
        vehicles=vehicles,
        stored=flows["stored"][i] if "stored" in flows else None,
    )


@dataclass(frozen=True, slots=True)
class OpenDay:
    """What everybody may see of a day however few the households are: all solar, labs and public buildings, kW."""

    starts: Sequence[dt.datetime]
    solar: Sequence[float]
    labs: Sequence[float]
    public: Sequence[float]
    exact: bool


def open_day(version: CommunityVersion, date: dt.date) -> OpenDay | None:
    """That of a local day; None where the data do not cover it."""
    found = steps_of_day(version, date)
    if found is None:
        return None
    shown = slice(found.first, found.first + len(found.starts))
    curves = public.curves(version, None, "pv", *public.OPEN_LOADS, steps=shown)
    hours = version.step_minutes / 60

    def kw(name: str) -> list[float]:
        values = curves.get(name)
        return [kwh / hours for kwh in values] if values else [0.0] * len(found.starts)

    return OpenDay(found.starts, kw("pv"), kw("load:lab"), kw("load:public"), found.exact)


def day_of_place(place: Place) -> tuple[CommunityVersion, Day] | None:
    """Today in the place's community, with storage by rule where that was simulated; None without data."""
    community = community_of(place)
    version = public.version(community, None) if community else None
    if version is None:
        return None
    today = timezone.now().astimezone(ZoneInfo(version.timezone)).date()
    day = story(version, today, latest_simulation(version, "rule", "none"), None)
    return (version, day) if day else None
