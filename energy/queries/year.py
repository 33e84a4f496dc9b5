"""A whole period of a community at one look: each hour as a cell, each month as a row, and where the sums stand."""

import datetime as dt
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from energy import policies
from energy.models import CommunityVersion, Simulation
from energy.queries import public

HOURS = 24


@dataclass(frozen=True, slots=True)
class Month:
    """Sums of a local calendar month, kWh. `bought` and `sent` are at the community's one connection to the grid."""

    first: dt.date
    made: float
    used: float
    bought: float
    sent: float

    @property
    def balance(self) -> float:
        """Sent on less bought: above zero the month gave more than it took."""
        return self.sent - self.bought


@dataclass(frozen=True, slots=True)
class Year:
    """Hours of a period, mean kW by local day and hour of the day (None: no data), and its months."""

    days: Sequence[dt.date]
    solar: Sequence[Sequence[float | None]]
    use: Sequence[Sequence[float | None]]
    grid: Sequence[Sequence[float | None]]
    months: Sequence[Month]
    stored: Sequence[tuple[dt.date, float, float]]

    def shown(self, what: str) -> list[list[float | None]]:
        """Cells of what the map shows: `solar`, `use`, `grid`, or `spare`, solar less use."""
        if what != "spare":
            return [list(row) for row in getattr(self, what)]
        pairs = zip(self.solar, self.use, strict=True)
        return [
            [None if s is None or u is None else s - u for s, u in zip(sun, use, strict=True)] for sun, use in pairs
        ]

    @property
    def balance(self) -> float:
        """Sent on less bought over all months, kWh."""
        return sum(month.balance for month in self.months)


def year(version: CommunityVersion, simulation: Simulation | None, viewer: policies.Viewer) -> Year | None:
    """The whole period as this person may see it, with storage as a simulation ran it; None where hours are not
    shown.
    """
    curves = public.curves(version, viewer, "load", "pv")
    if "load" not in curves:
        return None
    flows = public.flows(simulation, viewer) if simulation else {}
    use = _together(curves["load"], flows.get("vehicles"))
    net = array("d", (u - p for u, p in zip(use, curves["pv"], strict=True)))
    bought = flows.get("import") or array("d", (max(n, 0.0) for n in net))
    sent = flows.get("export") or array("d", (max(-n, 0.0) for n in net))
    local = list(moments(version))
    days = list(dict.fromkeys(moment.date() for moment in local))
    sources = {"s": curves["pv"], "u": use, "g": bought}
    cells = {name: _cells(values, local, days, version) for name, values in sources.items()}
    months = _months(local, {"made": curves["pv"], "used": use, "bought": bought, "sent": sent})
    stored = _spans(flows.get("stored"), local)
    return Year(days, cells["s"], cells["u"], cells["g"], months, stored)


def moments(version: CommunityVersion) -> Iterator[dt.datetime]:
    """The local time at which each step begins."""
    zone, step = ZoneInfo(version.timezone), dt.timedelta(minutes=version.step_minutes)
    return ((version.start + i * step).astimezone(zone) for i in range(version.steps))


def _together(load: "array[float]", vehicles: "array[float] | None") -> "array[float]":
    return load if vehicles is None else array("d", (a + b for a, b in zip(load, vehicles, strict=True)))


def _cells(
    values: "array[float]", local: Sequence[dt.datetime], days: Sequence[dt.date], version: CommunityVersion
) -> list[list[float | None]]:
    place = {day: i for i, day in enumerate(days)}
    sums = [[0.0] * HOURS for _day in days]
    counts = [[0] * HOURS for _day in days]
    for moment, value in zip(local, values, strict=True):
        row = place[moment.date()]
        sums[row][moment.hour] += value
        counts[row][moment.hour] += 1
    hours = version.step_minutes / 60
    return [
        [total / (n * hours) if n else None for total, n in zip(row, count, strict=True)]
        for row, count in zip(sums, counts, strict=True)
    ]


def _months(local: Sequence[dt.datetime], series: "Mapping[str, array[float]]") -> list[Month]:
    sums: dict[dt.date, dict[str, float]] = {}
    for i, moment in enumerate(local):
        row = sums.setdefault(moment.date().replace(day=1), dict.fromkeys(series, 0.0))
        for name, values in series.items():
            row[name] += values[i]
    return [Month(first, **row) for first, row in sorted(sums.items())]


def _spans(stored: "array[float] | None", local: Sequence[dt.datetime]) -> list[tuple[dt.date, float, float]]:
    """The least and the most that storage holds in each day, kWh."""
    if stored is None or not any(stored):
        return []
    found: dict[dt.date, tuple[float, float]] = {}
    for moment, held in zip(local, stored, strict=True):
        low, high = found.get(moment.date(), (held, held))
        found[moment.date()] = (min(low, held), max(high, held))
    return [(day, low, high) for day, (low, high) in found.items()]


def capacity(version: CommunityVersion) -> float:
    """What all batteries hold when they are full, kWh, vehicles' included."""
    members = version.members.values_list("battery_kwh", "ev_kwh")
    return (version.battery_kwh or 0.0) + sum((battery or 0.0) + (car or 0.0) for battery, car in members)


def by_month(story: Year, what: str) -> list[tuple[dt.date, list[float | None]]]:
    """The picture as a table: the mean of each hour of the day in each month, kW."""
    rows: dict[dt.date, list[list[float]]] = {}
    for day, cells in zip(story.days, story.shown(what), strict=True):
        into = rows.setdefault(day.replace(day=1), [[] for _hour in range(HOURS)])
        for hour, value in enumerate(cells):
            if value is not None:
                into[hour].append(value)
    return [
        (first, [sum(values) / len(values) if values else None for values in hours]) for first, hours in rows.items()
    ]
