"""What the pages of bills draw: a statement's days and money, and what the community was worth month by month."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from commons.web import numbers
from energy import bills
from energy.charts import bars, line, noon, span
from energy.models import Statement
from energy.queries import mine

#: Kinds of lines that read as one thing on a bill, and the colour of each.
SORTS: tuple[tuple[str, frozenset[str], str], ...] = (
    ("grid", frozenset({"energy", "energy_no_price"}), "grid"),
    ("shared", frozenset({"shared"}), "export"),
    (
        "fees",
        frozenset({"grid_fee", "levies", "shared_grid_fee", "shared_levies", "base"}),
        "line-strong",
    ),
    ("earned", frozenset({"given", "feed_in", "feed_in_no_price"}), "solar"),
)


def days_chart(statement: Statement) -> dict[str, Any]:
    """kWh a day: drawn above zero, from neighbours and from the grid; fed in below, to neighbours and sent on."""
    days = [dt.date.fromisoformat(row[0]) for row in statement.days]
    drawn, received, fed, given = ([row[k] for row in statement.days] for k in (1, 2, 3, 4))
    rest = [a - b for a, b in zip(drawn, received, strict=True)]
    sent = [b - a for a, b in zip(fed, given, strict=True)]
    kinds = (
        (_("from the grid"), "grid", rest),
        (_("from the community"), "export", received),
        (_("to the community"), "export", [-value for value in given]),
        (_("sent on"), "line-strong", sent),
    )
    return {
        "x": [noon(day) for day in days],
        "series": [bars(label, colour, values, "kWh", 1) for label, colour, values in kinds if any(values)]
        or [bars(_("from the grid"), "grid", rest, "kWh", 1)],
        "stack": True,
        "span": span(days, 1),
    }


def days_words(statement: Statement) -> str:
    """The days in one sentence."""
    if not statement.use_kwh:
        return _("Nothing was drawn in this time.")
    most = max(statement.days, key=lambda row: row[2], default=None)
    words = {
        "share": numbers.percent(float(statement.received_kwh / statement.use_kwh)),
        "kwh": numbers.kwh(most[2]) if most else "",
        "day": numbers.day(dt.date.fromisoformat(most[0])) if most else "",
    }
    return _("%(share)s of what you drew came from neighbours; most on %(day)s, %(kwh)s.") % words


@dataclass(frozen=True, slots=True)
class Money:
    """One part of a bill as a bar: what it is, the money in words, its length against the longest."""

    name: str
    amount: str
    share: float
    colour: str
    earned: bool = False


def parts(statement: Statement) -> list[Money]:
    """What the money went for and what was earned, net, the largest as long as the bar."""
    names = {
        "grid": _("Power from the grid"),
        "shared": _("Power from the community"),
        "fees": _("Grid, levies and base fee"),
        "earned": _("Earned by your sun"),
    }
    sums = [
        (name, sum((x.amount for x in statement.lines.all() if x.code in codes), Decimal(0)), colour)
        for name, codes, colour in SORTS
    ]
    sums.append(("tax", sum((Decimal(tax) for _rate, tax in statement.taxes), Decimal(0)), "line-strong"))
    names["tax"] = _("Tax")
    most = max((abs(value) for _name, value, _colour in sums), default=Decimal(0)) or Decimal(1)
    return [
        Money(names[name], bills.amount(value, statement.currency), float(abs(value) / most), colour, value < 0)
        for name, value, colour in sums
        if value
    ]


def both(statement: Statement) -> list[Money]:
    """To pay without the community and with it."""
    most = max(abs(statement.alone), abs(statement.gross)) or Decimal(1)
    return [
        Money(name, bills.amount(value, statement.currency), float(abs(value) / most), colour, value < 0)
        for name, value, colour in (
            (_("without the community"), statement.alone, "grid"),
            (_("with it"), statement.gross, "act"),
        )
    ]


@dataclass(frozen=True, slots=True)
class Worth:
    """What the community was worth to a participant in a month: by its statement, and by the simulation of the data."""

    first: dt.date
    billed: Decimal
    simulated: float | None


def worth(statements: Sequence[Statement], months: Sequence[mine.Month]) -> list[Worth]:
    """Month by month, oldest first, of the statements that stand; simulated where the data have that very month."""
    simulated = {month.first: month.saving for month in months}
    sums: dict[dt.date, Decimal] = {}
    for one in statements:
        first = one.first_day.replace(day=1)
        sums[first] = sums.get(first, Decimal(0)) + bills.saved(one)
    return [Worth(first, money, simulated.get(first)) for first, money in sorted(sums.items())]


def worth_chart(rows: Sequence[Worth], currency: str) -> dict[str, Any]:
    """Bars: what statements say was saved; a line: what was simulated."""
    series = [bars(_("saved, by your statements"), "battery", [float(row.billed) for row in rows], currency, 2)]
    if any(row.simulated is not None for row in rows):
        series.append(
            line(_("saved, simulated"), "line-strong", [row.simulated for row in rows], currency) | {"dashed": True}
        )
    return {
        "x": [noon(row.first) for row in rows],
        "series": series,
        "height": 230,
        "span": span([r.first for r in rows], 32),
    }
