"""A comparison of a scenario with today, as pages, tables and papers show it. Pure but for the language.

A comparison is the JSON of `twin.engine.scenario`: figures with an interval of their difference where seeds were drawn,
who gains and who loses, limits, engines. Everything here reads that JSON alone, so that page, CSV and PDF say the same.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, pgettext_lazy

from commons.web import numbers
from twin.engine.measures.energy import USES

Comparison = Mapping[str, Any]

#: In the order of the page.
GROUPS: Mapping[str, str | Promise] = {
    "energy": gettext_lazy("Energy"),
    "traffic": gettext_lazy("Traffic"),
    "access": gettext_lazy("What is in reach"),
    "carbon": gettext_lazy("Greenhouse gases"),
    "risk": gettext_lazy("When something goes wrong"),
}
WHO: Mapping[str, str | Promise] = {
    "use": gettext_lazy("By use of the building"),
    "age": gettext_lazy("By age"),
    "member": gettext_lazy("By kind of member"),
}
VERDICTS: Mapping[str, str | Promise] = {
    "better": pgettext_lazy("of a figure", "better"),
    "worse": pgettext_lazy("of a figure", "worse"),
    "unclear": gettext_lazy("no clear change"),
    "same": gettext_lazy("no change"),
    "moved": pgettext_lazy("of a figure", "other than today"),
}
#: Parts of a sum say of what they are parts where they stand alone.
LABELS: Mapping[str, str | Promise] = {
    "carbon_buildings": gettext_lazy("Greenhouse gases of heat"),
    "carbon_electricity": gettext_lazy("Greenhouse gases of power"),
    "carbon_mobility": gettext_lazy("Greenhouse gases of driving"),
}
#: Ends of the common axis, as shares of today's value: the least that holds all changes is taken.
REACHES = (0.05, 0.1, 0.2, 0.4, 1.0)
WHO_FIGURES: Mapping[str, str | Promise] = {
    "walk_min": gettext_lazy("To everyday services on foot"),
    "street_db": gettext_lazy("Noise of the street in front"),
    "cost": gettext_lazy("Bill for power, a year"),
    "outage_day": gettext_lazy("Lit a day into a power cut"),
}
GROUP_WORDS: Mapping[str, str | Promise] = {
    **{name: gettext_lazy(words) for name, words in USES},
    "under_15": gettext_lazy("under 15"),
    "15_to_64": gettext_lazy("15 to 64"),
    "over_65": gettext_lazy("65 and older"),
}
MEMBER_WORDS: Mapping[str, str | Promise] = {
    "home": gettext_lazy("homes"),
    "business": gettext_lazy("businesses"),
    "public": gettext_lazy("public buildings"),
}
WIDTH = 260.0
MARK = 5.0
LEAST = 1e-9


@dataclass(frozen=True, slots=True)
class Span:
    """An interval on the axis, in units of the drawing: the band from `x`, `width` wide, and the mark's left edge.

    `beyond` is -1 or 1 where the change lies off the axis on that side.
    """

    x: float
    width: float
    mark: float
    beyond: int = 0


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure today, in the scenario and what is between, in words; `span` where it can be drawn."""

    key: str
    label: str
    unit: str
    group: str
    today: str
    scenario: str
    difference: str
    band: str
    verdict: str
    engine: str
    how: str
    span: Span | None
    change: str
    period: str
    words: str

    @property
    def verdict_words(self) -> str:
        """The verdict as it is said."""
        return str(VERDICTS[self.verdict])


@dataclass(frozen=True, slots=True)
class Who:
    """A group of people or buildings: of each hundred, how many gain, lose, stay; `median` in words."""

    group: str
    figure: str
    count: str
    gain: str
    lose: str
    same: str
    gain_share: float
    lose_share: float
    same_share: float
    median: str


def known(row: Mapping[str, Any], name: str) -> float | None:
    """A number of a row, or None where it is missing or no number."""
    return numbers.as_number(row.get(name))


def in_unit(value: object, unit: str, *, signed: bool = False) -> str:
    """A value in its unit by the rules of the guide: "1 240 kWh", "12.4 min", "68 %", "0.61"."""
    amount = numbers.as_number(value)
    if amount is None:
        return numbers.MISSING
    if amount == 0:
        return numbers.with_unit("0", "%" if unit == "share" else _unit(unit).removesuffix("/year"))
    match unit:
        case "kWh" | "kWh/year":
            text = numbers.kwh(amount)
        case "kW":
            text = numbers.kw(amount)
        case "share":
            text = numbers.with_unit(numbers.number(amount * 100, 0 if abs(amount) >= 0.1 else 1), "%")
        case "ratio" | "":
            text = numbers.number(amount, 2 if abs(amount) < 100 else 0)
        case _:
            text = numbers.with_unit(numbers.number(amount, _decimals(amount)), _unit(unit))
    plus = signed and amount > 0 and text[:1].isdigit() and any(letter in "123456789" for letter in text)
    return f"+{text}" if plus else text


def _decimals(amount: float) -> int:
    return 0 if float(amount).is_integer() else numbers.digits(amount)


def _unit(unit: str) -> str:
    said = {"EUR": "€", "EUR/year": "€", "t CO2e/year": "t CO₂e", "min": _("min"), "1/h": _("an hour")}
    return said.get(unit, unit)


def period(unit: str) -> str:
    """What a figure's unit is per, where the number does not say it: "a year"."""
    return _("a year") if unit.endswith("/year") else ""


def verdict(row: Mapping[str, Any]) -> str:
    """better, worse, unclear (the interval holds zero), same, or moved (neither way is the better one)."""
    difference, low, high = known(row, "difference"), known(row, "low"), known(row, "high")
    if difference is None:
        return "unclear"
    scale = max(abs(known(row, "baseline") or 0.0), abs(known(row, "scenario") or 0.0), 1.0)
    if low is not None and high is not None and low < 0 < high:
        return "unclear"
    if abs(difference) <= LEAST * scale:
        return "same"
    if row.get("better") not in {"up", "down"}:
        return "moved"
    return "better" if (difference > 0) == (row["better"] == "up") else "worse"


def relative(row: Mapping[str, Any], name: str) -> float | None:
    """A difference as a share of today's value; None where today is nothing."""
    value, base = known(row, name), known(row, "baseline")
    return None if value is None or not base else value / abs(base)


def reach(rows: Iterable[Mapping[str, Any]]) -> float:
    """How far the common axis goes to both sides: the least of REACHES that holds nine in ten changes."""
    sizes = sorted(
        abs(value)
        for row in rows
        for value in [max((relative(row, name) or 0.0 for name in ("difference", "low", "high")), key=abs)]
        if value
    )
    if not sizes:
        return REACHES[0]
    most = sizes[min(int(len(sizes) * 0.9), len(sizes) - 1)]
    return next((end for end in REACHES if most <= end), REACHES[-1])


def span(row: Mapping[str, Any], end: float) -> Span | None:
    """Where the change stands on an axis from -end to +end; None where today is nothing or the change unknown."""
    middle = relative(row, "difference")
    if middle is None:
        return None
    low, high = relative(row, "low"), relative(row, "high")
    left, right = (
        _x(min(low, middle) if low is not None else middle, end),
        _x(max(high, middle) if high is not None else middle, end),
    )
    beyond = 1 if middle > end else -1 if middle < -end else 0
    mark = min(max(_x(middle, end) - MARK / 2, 0.0), WIDTH - MARK)
    return Span(round(left, 1), round(max(right - left, 0.0), 1), round(mark, 1), beyond)


def _x(share: float, end: float) -> float:
    return min(max((share / end + 1) / 2, 0.0), 1.0) * WIDTH


def figures(comparison: Comparison) -> list[Figure]:
    """The figures in the order they came, with their drawings on one axis."""
    rows: Sequence[Mapping[str, Any]] = comparison["figures"]
    end = reach(rows)
    return [_figure(row, end) for row in rows]


def _figure(row: Mapping[str, Any], end: float) -> Figure:
    unit = str(row.get("unit") or "")
    said = verdict(row)
    low, high = known(row, "low"), known(row, "high")
    band = ""
    if low is not None and high is not None and (low or high):
        band = _("likely %(low)s to %(high)s") % {
            "low": in_unit(low, unit, signed=True),
            "high": in_unit(high, unit, signed=True),
        }
    share = relative(row, "difference")
    change = numbers.change(share) if share is not None and abs(share) >= 0.005 else ""
    parts = [
        label(row) + ":",
        _("today %(today)s, in the scenario %(scenario)s") % _pair(row, unit) + ";",
        str(VERDICTS[said]) + (f", {band}" if band else ""),
    ]
    return Figure(
        key=str(row["key"]),
        label=label(row),
        unit=unit,
        group=str(row.get("group") or ""),
        today=in_unit(row.get("baseline"), unit),
        scenario=in_unit(row.get("scenario"), unit),
        difference=in_unit(row.get("difference"), unit, signed=True),
        band=band,
        verdict=said,
        engine=str(row.get("engine") or ""),
        how=_translated(str(row.get("how") or "")),
        span=span(row, end),
        change=change,
        period=period(unit),
        words=" ".join(parts),
    )


def label(row: Mapping[str, Any]) -> str:
    """What a figure is called."""
    return str(LABELS.get(str(row["key"]), "")) or _translated(str(row["label"]))


def _pair(row: Mapping[str, Any], unit: str) -> dict[str, str]:
    return {"today": in_unit(row.get("baseline"), unit), "scenario": in_unit(row.get("scenario"), unit)}


def _translated(text: str) -> str:
    """The sentence in the language of now where it is one of ours; the engine says it in English."""
    return _(text) if text else ""


def grouped(shown: Sequence[Figure]) -> list[dict[str, Any]]:
    """Figures by group, those that moved first within each and `still` ones apart; groups without any are left out."""
    order = {"better": 0, "worse": 0, "moved": 0, "unclear": 1, "same": 2}
    found = []
    for slug in dict.fromkeys([*GROUPS, *(figure.group for figure in shown)]):
        rows = sorted((f for f in shown if f.group == slug), key=lambda f: order[f.verdict])
        if rows:
            moving = [f for f in rows if f.verdict != "same"]
            still = [f for f in rows if f.verdict == "same"]
            title = GROUPS.get(slug, slug)
            found.append({"slug": slug, "title": title, "figures": rows, "moving": moving, "still": still})
    return found


def axis(comparison: Comparison) -> dict[str, str]:
    """The ends of the axis in words."""
    end = reach(comparison["figures"])
    return {"left": numbers.change(-end), "right": numbers.change(end)}


def answer_words(shown: Sequence[Figure]) -> str:
    """The answer in one sentence: how many figures are better, worse and without a clear change."""
    count = {said: sum(figure.verdict == said for figure in shown) for said in VERDICTS}
    still = count["unclear"] + count["same"]
    if not count["better"] and not count["worse"] and not count["moved"]:
        return _("Nothing that we can reckon would clearly change.")
    return _("%(better)s figures better, %(worse)s worse, %(still)s without a clear change.") % {
        "better": count["better"],
        "worse": count["worse"],
        "still": still + count["moved"],
    }


def most_telling(shown: Sequence[Figure], most: int = 4) -> list[Figure]:
    """What the head of a page says: up to two figures that get worse, then the best of each group, at most `most`.

    Within each, those that moved most come first, by the share of today's value; what is new today most of all.
    """
    moved = sorted((f for f in shown if f.verdict in {"better", "worse"}), key=_weight)
    worse = [figure for figure in moved if figure.verdict == "worse"][:2]
    better: dict[str, Figure] = {}
    for figure in moved:
        if figure.verdict == "better":
            better.setdefault(figure.group, figure)
    return [*list(better.values())[: most - len(worse)], *worse]


def _weight(figure: Figure) -> float:
    return -WIDTH if figure.span is None else -abs(figure.span.mark + MARK / 2 - WIDTH / 2)


def who(comparison: Comparison) -> list[dict[str, Any]]:
    """Who gains and who loses, by what people are sorted; the largest losers first, for they are easily overlooked.

    Groups in which nobody does either are only counted (`still`).
    """
    labels = {str(row["key"]): label(row) for row in comparison["figures"]}
    labels |= {key: str(words) for key, words in WHO_FIGURES.items()}
    found: dict[str, list[Who]] = {}
    still: dict[str, int] = {}
    rows: Sequence[Mapping[str, Any]] = comparison.get("who") or ()
    for row in sorted(rows, key=lambda row: -(known(row, "lose") or 0) / max(known(row, "count") or 1, 1)):
        by = str(row["by"])
        found.setdefault(by, [])
        if known(row, "gain") or known(row, "lose"):
            found[by].append(_who(row, labels))
        else:
            still[by] = still.get(by, 0) + 1
    order = [by for by in WHO if by in found] + [by for by in found if by not in WHO]
    return [{"slug": by, "title": WHO.get(by, by), "rows": found[by], "still": still.get(by, 0)} for by in order]


def _who(row: Mapping[str, Any], labels: Mapping[str, str]) -> Who:
    gain, lose, same = (known(row, name) or 0.0 for name in ("gain", "lose", "same"))
    total = max(gain + lose + same, LEAST)
    figure = str(row.get("figure") or "")
    return Who(
        group=_group(str(row["by"]), str(row["group"])),
        figure=labels.get(figure, _translated(figure)),
        count=numbers.number(row.get("count")),
        gain=numbers.number(gain),
        lose=numbers.number(lose),
        same=numbers.number(same),
        gain_share=gain / total,
        lose_share=lose / total,
        same_share=same / total,
        median=in_unit(row.get("median"), str(row.get("unit") or ""), signed=True),
    )


def _group(by: str, name: str) -> str:
    words = MEMBER_WORDS if by == "member" else GROUP_WORDS
    return str(words.get(name, name.replace("_", " ")))


def took(comparison: Comparison) -> str:
    """How long it took, in words."""
    return numbers.duration(comparison.get("took_s"))
