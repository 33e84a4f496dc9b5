"""What came of an adopted plan: the figures of its ballot, measured before it held and since.

A scenario speaks of a district in a typical year, a meter of what was used this week. So both are told as changes: the
promise as the scenario's difference over its own today, with its range; the measure as the time since over the same
days before. Measured are the published sums of the place's energy community (`energy.queries.public`), hour by hour and
without storage, and, where the plan moves the hours of labs, the share of their kWh on local surplus (`SunDay`).

The days before are the same weeks of the year before where those are measured, else as many days just before. What is
measured is what happened; that the plan alone did it, nobody can say. Numpy is not needed.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.places.models import Place
from commons.web import numbers
from twin.models import ScenarioVersion

#: Before this much is measured nothing is said.
ENOUGH = dt.timedelta(days=7)
#: Share of the hours since that must be measured before it is proof of a closed loop.
PROVES = 0.8
YEAR = dt.timedelta(days=364)  # of whole weeks, so that weekdays fall on weekdays
ONE = dt.timedelta(days=1)
LAB_HOURS, LAB_SHARE = "lab_hours", "lab_sun_share"
LAB_OPEN = (8, 20)
#: Days of labs behind what moving their hours could give.
LAB_DAYS = 28


@dataclass(frozen=True, slots=True)
class Kind:
    """A figure that is measured: how it is written, whether its change is a share of what it was or a difference."""

    title: str | Promise
    write: str
    relative: bool


KINDS: Mapping[str, Kind] = {
    "made_kwh": Kind(gettext_lazy("Solar power made"), "daily", True),
    "used_kwh": Kind(gettext_lazy("Power used"), "daily", True),
    "import_kwh": Kind(gettext_lazy("Bought from the grid"), "daily", True),
    "export_kwh": Kind(gettext_lazy("Sent to the grid"), "daily", True),
    "peak_kw": Kind(gettext_lazy("Highest draw from the grid"), "kw", True),
    "prosumer_ratio": Kind(gettext_lazy("Prosumer ratio"), "ratio", False),
    "self_sufficiency": Kind(gettext_lazy("Use met by the district itself"), "percent", False),
    LAB_SHARE: Kind(gettext_lazy("Labs’ power on local sun"), "percent", False),
}


# --- what was promised -------------------------------------------------------------------------------------------


def promised(rows: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, float | None]]:
    """Of a comparison's rows those that will be measured, as changes: {"change", "low", "high"}."""
    found = {}
    for row in rows:
        kind, base = KINDS.get(row["key"]), row.get("baseline")
        if kind is None or (kind.relative and not base):
            continue
        over = float(base) if kind.relative else 100.0 if kind.write == "percent" else 1.0  # type: ignore[arg-type]
        found[row["key"]] = {
            "change": row["difference"] / over,
            "low": None if row.get("low") is None else row["low"] / over,
            "high": None if row.get("high") is None else row["high"] / over,
        }
    return found


def lab_promise(version: ScenarioVersion, place: Place | None, now: dt.datetime) -> dict[str, Any] | None:
    """What moving the labs' hours could give, as a row of the comparison: from nobody who moves to everybody who does.

    The middle is half of the way. Reckoned on the measured days of the last four weeks: of each day's kWh as much is on
    local sun at most as was to spare between eight and twenty o'clock.
    """
    if place is None or not _moves_labs(version) or not apps.is_installed("labs"):
        return None
    from labs.models import SunDay  # noqa: PLC0415 only where the labs' room is there
    from labs.queries.catalogue import of_place  # noqa: PLC0415 as above
    from labs.services import sunshine  # noqa: PLC0415 as above

    since = (now - LAB_DAYS * ONE).date()
    rows = SunDay.objects.filter(of_place(place, "lab__"), day__gte=since, day__lt=now.date(), kwh__gt=0)
    days = list(rows.select_related("lab__place"))
    kwh = sum(row.kwh for row in days)
    if not kwh:
        return None
    best = 0.0
    for row in days:
        first, last = (dt.datetime.combine(row.day, dt.time(hour), tzinfo=row.lab.zone) for hour in LAB_OPEN)
        spare = sunshine.spare_of(row.lab, first, last)
        most = sum(max(one, 0.0) for one in spare.kwh) if spare is not None else 0.0
        best += max(min(row.kwh, most), row.sun_kwh)
    was, high = sum(row.sun_kwh for row in days) / kwh, best / kwh
    return {
        "key": LAB_SHARE, "label": "Labs’ power on local sun", "unit": "%", "baseline": 100 * was,
        "difference": 50 * (high - was), "low": 0.0, "high": 100 * (high - was), "better": "up",
        "how": "From nobody who moves their jobs to everybody who does, on the measured days of the last four weeks.",
    }  # fmt: skip


def _moves_labs(version: ScenarioVersion) -> bool:
    return any(measure["kind"] == LAB_HOURS for measure in version.measures)


# --- what was measured -------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Window:
    """What was measured in a time: figures by name, and which share of its hours is known."""

    figures: Mapping[str, float]
    coverage: float


def measure(
    version: ScenarioVersion, place: Place, since: dt.datetime, until: dt.datetime
) -> Mapping[str, Any] | None:
    """Before and since, figure by figure, with the changes by name; None while too little is known."""
    if until - since < ENOUGH:
        return None
    rows = _power_rows(place, since, until)
    labs = _lab_row(place, since, until) if _moves_labs(version) else None
    if labs is not None:
        rows.append(labs)
    if not rows:
        return None
    changes = {row["key"]: row["change"] for row in rows if row["change"] is not None}
    figures = {"rows": rows, "days": (until - since) / ONE, **changes}
    proves = [row for row in rows if row["coverage"] >= PROVES and row["change"] is not None]
    if not proves:
        return {"figures": figures}
    moved = any(row["key"] == LAB_SHARE for row in proves)
    return {"figures": figures, "system": "production" if moved else "electricity"}


def _power_rows(place: Place, since: dt.datetime, until: dt.datetime) -> list[dict[str, Any]]:
    """The figures of the place's community, as everybody may see them."""
    if not apps.is_installed("energy"):
        return []
    from energy.dashboards import curves_of  # noqa: PLC0415 only where the energy room is there

    curves = curves_of(place)
    if curves is None:
        return []
    steps = list(zip(curves.local, curves.made, curves.used, strict=True))
    now = _window(steps, since, until, curves.step_hours)
    if now is None:
        return []
    year = _window(steps, since - YEAR, until - YEAR, curves.step_hours)
    whole = year is not None and year.coverage >= PROVES
    before = year if whole else _window(steps, since - (until - since), since, curves.step_hours)
    if before is None:
        return []
    basis = "year" if whole else "days"
    return [
        _row(key, before.figures[key], now.figures[key], min(now.coverage, before.coverage), basis)
        for key in now.figures
        if key in before.figures
    ]


def _window(
    steps: Iterable[tuple[dt.datetime, float, float]], since: dt.datetime, until: dt.datetime, hours: float
) -> Window | None:
    """Sums of the steps of a time; None where none is known."""
    inside = [(made, used) for at, made, used in steps if since <= at < until]
    if not inside:
        return None
    made, used = sum(m for m, _u in inside), sum(u for _m, u in inside)
    bought, sent = sum(max(u - m, 0.0) for m, u in inside), sum(max(m - u, 0.0) for m, u in inside)
    days = len(inside) * hours / 24
    figures = {"made_kwh": made / days, "used_kwh": used / days, "import_kwh": bought / days, "export_kwh": sent / days}
    figures["peak_kw"] = max(max(u - m, 0.0) for m, u in inside) / hours
    if used > 0:
        figures |= {"prosumer_ratio": made / used, "self_sufficiency": 1 - bought / used}
    return Window(figures, min(1.0, len(inside) * hours / ((until - since) / dt.timedelta(hours=1))))


def _lab_row(place: Place, since: dt.datetime, until: dt.datetime) -> dict[str, Any] | None:
    """The share of the labs' kWh on local surplus, since and in as many days before. Its coverage is the share of
    those kWh whose surplus was measured in those very hours."""
    if not apps.is_installed("labs"):
        return None
    from labs.models import SunDay  # noqa: PLC0415 only where the labs' room is there
    from labs.queries.catalogue import of_place  # noqa: PLC0415 as above

    first = (since - (until - since)).date()
    rows = SunDay.objects.filter(of_place(place, "lab__"), day__lt=until.date(), day__gte=first)
    told = list(rows.values_list("day", "kwh", "sun_kwh", "exact"))
    old = [(kwh, sun) for day, kwh, sun, _exact in told if day < since.date()]
    new = [(kwh, sun) for day, kwh, sun, _exact in told if day >= since.date()]
    was, now = (sum(kwh for kwh, _sun in part) for part in (old, new))
    if not was or not now:
        return None
    exact = sum(kwh for day, kwh, _sun, exact in told if exact and day >= since.date())
    shares = [sum(sun for _kwh, sun in part) / total for part, total in ((old, was), (new, now))]
    return _row(LAB_SHARE, shares[0], shares[1], exact / now, "days")


def _row(key: str, before: float, now: float, coverage: float, basis: str) -> dict[str, Any]:
    change: float | None = now - before
    if KINDS[key].relative:
        change = (now - before) / before if before else None
    told = {"before": before, "now": now, "change": change, "coverage": coverage}
    return {"key": key, "basis": basis, **{n: None if v is None else round(v, 6) for n, v in told.items()}}


# --- in words ----------------------------------------------------------------------------------------------------


def promise_words(key: str, told: Mapping[str, Any]) -> str:
    """“−12 % (−20 % to −3 %)”."""
    kind = KINDS[key]
    words = change_words(kind, told["change"])
    if told.get("low") is None or told.get("high") is None:
        return words
    ends = {"low": change_words(kind, told["low"]), "high": change_words(kind, told["high"])}
    return words + " " + _("(%(low)s to %(high)s)") % ends


def change_words(kind: Kind, change: float | None) -> str:
    """A change by its kind: per cent of what was, points of a share, or a plain difference."""
    if change is None:
        return numbers.MISSING
    if kind.relative:
        return numbers.change(change)
    if kind.write == "percent":
        return numbers.points(change)
    return numbers.number(change, 2, signed=True)


def value_words(kind: Kind, value: float) -> str:
    """A value by its kind."""
    if kind.write == "daily":
        return _("%(kwh)s a day") % {"kwh": numbers.kwh(value)}
    return str(getattr(numbers, kind.write)(value))


def shows(figures: Mapping[str, Any]) -> list[dict[str, Any]]:
    """What was measured, in words: each figure's change, what it was and is, and how much of the time is known."""
    basis = {"year": _("the same weeks of the year before"), "days": _("as many days before")}
    return [
        {
            "title": str(kind.title),
            "value": change_words(kind, row["change"]),
            "before": value_words(kind, row["before"]),
            "since": value_words(kind, row["now"]),
            "coverage": numbers.percent(row["coverage"]),
            "basis": basis[row["basis"]],
        }
        for row in figures.get("rows", ())
        if (kind := KINDS.get(row["key"])) is not None
    ]
