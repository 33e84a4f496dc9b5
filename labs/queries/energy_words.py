"""A figure of energy in words and as a picture: how it is known, how far off it may be and why, its phases as a bar."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.web import numbers
from labs.models import EnergyFigure

#: What a grade means, in a sentence.
GRADES: Mapping[str, str | Promise] = {
    "measured": lazy("A counter of its own knows all of it."),
    "integrated": lazy("Power that was measured all the time, added up."),
    "shared": lazy("A meter that several machines hang on, less what the others are known to take, shared out by usual "
                   "power and running time."),
    "partial": lazy("Only a part of the time was measured, so this is the least that it took."),
    "estimated": lazy("Nothing was measured: what machines of this class usually draw, for as long as it ran."),
    "none": lazy("Nobody knows what it took."),
}  # fmt: skip
#: A grade in a word, for chips.
SHORT: Mapping[str, str | Promise] = {
    "measured": lazy("measured"),
    "integrated": lazy("added up from power"),
    "shared": lazy("shared meter"),
    "partial": lazy("measured in part"),
    "estimated": lazy("estimated by class"),
    "none": lazy("not measured"),
}
TONES = {"measured": "good", "integrated": "good", "shared": "line", "partial": "warn", "estimated": "warn", "none": ""}
SPLITS: Mapping[str, str | Promise] = {
    "state": lazy("The machine itself said what it was doing."),
    "temperature": lazy("Warming up lasts until it first was hot; told by its temperature."),
    "progress": lazy("Warming up lasts until its progress first rose, waiting begins when it was done."),
    "power": lazy("Told apart by power alone: a clear leap at the start is warming up, next to nothing is waiting."),
    "none": lazy("Without a curve the parts cannot be told apart."),
}
KINDS: Mapping[str, str | Promise] = {"warm": lazy("Warming up"), "making": lazy("Making"), "idle": lazy("Waiting")}


def reason(why: Mapping[str, Any]) -> str:
    """One reason why the figure may be off, with by how much."""
    pm = _("± %(energy)s") % {"energy": numbers.kwh(why.get("kwh"))}
    words = {key: value for key, value in why.items() if key != "kwh"}
    match why.get("code"):
        case "class":
            said = _("meters of this kind may be %(pct)g %% off") % words
        case "edges":
            said = _("the counter was not read at the very start and end")
        case "shape":
            said = _("the power between two readings is taken as a straight line")
        case "gap":
            said = _("%(hours).1f h were not measured, and it may have drawn its most") % words
        case "bridged":
            said = _("%(hours).1f h without readings are known by the counter as a sum") % words
            return said
        case "closed":
            said = _("the readings of its first and last minutes are no longer kept")
        case "shared":
            said = _("%(others)d other machines hang on the meter, %(known)d of them measured by themselves") % words
        case "table":
            said = _("machines of this class draw %(low_w)d to %(high_w)d W") % words
        case _:
            said = str(why.get("code", ""))
    return f"{pm}: {said}"


@dataclass(frozen=True, slots=True)
class Part:
    """A phase in a bar: from where to where as a share of the whole time, in thousandths, and its kWh."""

    kind: str
    label: str
    x: float
    width: float
    kwh: float
    start: dt.datetime
    end: dt.datetime


@dataclass(frozen=True, slots=True)
class Told:
    """A figure as pages show it."""

    figure: EnergyFigure
    grade: str
    tone: str
    sentence: str
    split: str
    reasons: list[str]
    parts: list[Part]
    shares: list[tuple[str, str, float, float]]

    @property
    def plus_minus(self) -> str:
        """The figure with its uncertainty: “0.42 ± 0.03 kWh”."""
        return amount(self.figure.kwh, self.figure.pm_kwh)

    @property
    def co2_kg(self) -> float | None:
        """Carbon dioxide in kg."""
        return None if self.figure.co2_g is None else self.figure.co2_g / 1000


def amount(kwh: float | None, pm: float | None) -> str:
    """“0.42 ± 0.03 kWh”, with as many decimals as the uncertainty deserves."""
    if kwh is None:
        return numbers.MISSING
    if not pm:
        return numbers.kwh(kwh)
    decimals = 3 if pm < 0.02 else 2 if pm < 1 else 1
    return numbers.with_unit(f"{numbers.number(kwh, decimals)} ± {numbers.number(pm, decimals)}", "kWh")


def told(figure: EnergyFigure | None) -> Told | None:
    """The figure in words; None without one."""
    if figure is None:
        return None
    kwh = figure.kwh or 0.0
    rows = (("warm", figure.warm_kwh), ("making", figure.making_kwh), ("idle", figure.idle_kwh))
    shares = [(kind, str(KINDS[kind]), part or 0.0, (part or 0.0) / kwh if kwh else 0.0) for kind, part in rows]
    return Told(
        figure=figure,
        grade=str(SHORT.get(figure.quality, figure.quality)),
        tone=TONES.get(figure.quality, ""),
        sentence=str(GRADES.get(figure.quality, "")),
        split=str(SPLITS.get(figure.split_by, "")),
        reasons=[reason(one) for one in figure.why],
        parts=_parts(figure.phases),
        shares=shares,
    )


def _parts(phases: Sequence[Sequence[Any]]) -> list[Part]:
    if not phases:
        return []
    first, last = phases[0][1], phases[-1][2]
    whole = max(last - first, 1)
    return [
        Part(
            kind, str(KINDS.get(kind, kind)), round(1000 * (start - first) / whole, 2),
            round(1000 * (end - start) / whole, 2), wh / 1000, _moment(start), _moment(end),
        )
        for kind, start, end, wh in phases
    ]  # fmt: skip


def _moment(ms: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(ms / 1000, dt.UTC)


@dataclass(frozen=True, slots=True)
class Picture:
    """The power of a job with its phases under it: an SVG of 1000 × 200 whose paths the page puts in."""

    bands: list[Part]
    lines: list[str]
    areas: list[str]
    top_w: float
    ticks: list[tuple[float, dt.datetime]]


def picture(figure: EnergyFigure | None, chart: Mapping[str, Any] | None) -> Picture | None:
    """The curve (as `lc-chart` has it) over the phases of the figure; None where there are no phases."""
    bands = _parts(figure.phases) if figure is not None else []
    if figure is None or not bands:
        return None
    first, last = figure.phases[0][1] / 1000, figure.phases[-1][2] / 1000
    whole = max(last - first, 1e-9)
    points = list(zip(chart["x"], chart["series"][0]["values"], strict=True)) if chart else []
    top = max((value for _at, value in points if value is not None), default=0.0) or 1.0
    runs: list[list[tuple[float, float]]] = [[]]
    for at, value in points:
        if value is None:
            runs.append([])
            continue
        runs[-1].append((min(max(1000 * (at - first) / whole, 0), 1000), 196 - 180 * max(value, 0) / top))
    drawn = [run for run in runs if len(run) > 1]
    lines = ["M" + " L".join(f"{x:.1f} {y:.1f}" for x, y in run) for run in drawn]
    areas = [f"{line} L{run[-1][0]:.1f} 200 L{run[0][0]:.1f} 200 Z" for line, run in zip(lines, drawn, strict=True)]
    ticks = [(part.x, part.start) for part in bands if part.width > 60 or part.x == 0]
    return Picture(bands, lines, areas, top if points else 0.0, ticks)
