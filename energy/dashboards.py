"""What the room brings to dashboards. Every sum comes from `energy/queries/public.py`, as a stranger may see it."""

import datetime as dt
from array import array
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal
from zoneinfo import ZoneInfo

from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from commons.dashboards import sockets
from commons.dashboards.sockets import CellState, Chart, Column, Line, Panel, Point, SectorCells, Sheet
from commons.places.models import Place
from commons.web import numbers
from energy.models import CommunityVersion
from energy.queries import public
from energy.queries.communities import community_of, latest_versions, of_place

HOURS = 24
MWH_FROM_KWH = 10_000
WEEK = dt.timedelta(days=7)
BEST, FRESH = 3, dt.timedelta(days=7)
#: A week at the edge of the data counts with six whole days of it.
WHOLE_WEEK = 6 * 24


@dataclass(frozen=True, slots=True)
class Curves:
    """Solar and use of a published version as everybody may see them, kWh a step, and the local time of each step."""

    version: CommunityVersion
    made: "array[float]"
    used: "array[float]"
    local: Sequence[dt.datetime]

    @property
    def step_hours(self) -> float:
        """Hours of a step."""
        return self.version.step_minutes / 60


@dataclass(frozen=True, slots=True)
class Week:
    """Sums of a week from its Monday, kWh."""

    monday: dt.date
    made: float
    used: float
    spare_hours: float
    hours: float

    @property
    def ratio(self) -> float | None:
        """Made per used."""
        return self.made / self.used if self.used > 0 else None


def curves_of(place: Place) -> Curves | None:
    """The public curves of the community that stands for a place."""
    found = community_of(place)
    version = public.version(found, None) if found else None
    if version is None:
        return None
    curves = public.curves(version, None, "load", "pv")
    if "load" not in curves or "pv" not in curves:
        return None
    zone, step = ZoneInfo(version.timezone), dt.timedelta(minutes=version.step_minutes)
    local = [(version.start + i * step).astimezone(zone) for i in range(len(curves["load"]))]
    return Curves(version, curves["pv"], curves["load"], local)


def weeks_of(curves: Curves) -> list[Week]:
    """The weeks of the data that are there whole, or nearly; oldest first."""
    sums: dict[dt.date, list[float]] = {}
    for moment, made, used in zip(curves.local, curves.made, curves.used, strict=True):
        day = moment.date()
        row = sums.setdefault(day - dt.timedelta(days=day.weekday()), [0.0, 0.0, 0.0, 0.0])
        row[0] += made
        row[1] += used
        row[2] += curves.step_hours if made > used else 0.0
        row[3] += curves.step_hours
    return [Week(monday, *row) for monday, row in sorted(sums.items()) if row[3] >= WHOLE_WEEK]


def past_of_ratio(place: Place) -> list[Point]:
    """The prosumer ratio of each week of the newest data."""
    curves = curves_of(place)
    if curves is None:
        return []
    return [
        Point(w.monday, w.monday + dt.timedelta(days=6), w.ratio, round(w.made, 1), round(w.used, 1))
        for w in weeks_of(curves)
    ]


def by_hour(place: Place) -> Sheet | None:
    """Mean power made and used in each hour of the day, over the whole of the newest data."""
    curves = curves_of(place)
    if curves is None:
        return None
    sums = [[0.0, 0.0, 0.0] for _hour in range(HOURS)]
    for moment, made, used in zip(curves.local, curves.made, curves.used, strict=True):
        row = sums[moment.hour]
        row[0], row[1], row[2] = row[0] + made, row[1] + used, row[2] + curves.step_hours
    rows: list[dict[str, Any]] = [
        {
            "hour": f"{hour:02d}:00",
            "made_kw": round(made / hours, 3),
            "used_kw": round(used / hours, 3),
            "spare_kw": round((made - used) / hours, 3),
        }
        for hour, (made, used, hours) in enumerate(sums)
        if hours
    ]
    spare = [row for row in rows if row["spare_kw"] > 0]
    finding = (
        _("On the mean of all days more is made than used from %(first)s to %(last)s.")
        % {"first": spare[0]["hour"], "last": f"{(int(spare[-1]['hour'][:2]) + 1) % HOURS:02d}:00"}
        if spare
        else _("On the mean of all days every hour uses more than it makes.")
    )
    chart = Chart(
        [row["hour"] if nth % 3 == 0 else "" for nth, row in enumerate(rows)],
        [
            Line(_("made"), "solar", [row["made_kw"] for row in rows], "bar"),
            Line(_("used"), "load", [row["used_kw"] for row in rows]),
        ],
        "kW",
    )
    columns = [
        Column("hour", _("Hour")),
        Column("made_kw", _("Made"), "kw"),
        Column("used_kw", _("Used"), "kw"),
        Column("spare_kw", _("Made less used"), "kw"),
    ]
    return _sheet(curves, columns, rows, finding, chart)


def by_week(place: Place) -> Sheet | None:
    """Every week of the data, with the best and the worst in words."""
    curves = curves_of(place)
    weeks = weeks_of(curves) if curves else []
    if curves is None or not weeks:
        return None
    ranked = sorted((w for w in weeks if w.ratio is not None), key=lambda w: -(w.ratio or 0.0))
    order = {w.monday: nth for nth, w in enumerate(ranked)}
    rows: list[dict[str, Any]] = [
        {
            "week_of": w.monday,
            "made_kwh": round(w.made, 1),
            "used_kwh": round(w.used, 1),
            "ratio": None if w.ratio is None else round(w.ratio, 4),
            "spare_hours": round(w.spare_hours, 1),
            "place": order[w.monday] + 1 if w.monday in order else None,
        }
        for w in weeks
    ]
    columns = [
        Column("week_of", _("Week of"), "date"),
        Column("made_kwh", _("Made"), "kwh"),
        Column("used_kwh", _("Used"), "kwh"),
        Column("ratio", _("Made per used"), "ratio"),
        Column("spare_hours", _("Hours with sun to spare"), "hours"),
        Column("place", _("Place from the best"), "number"),
    ]
    by, unit = (1000.0, "MWh") if max(max(w.made, w.used) for w in weeks) >= MWH_FROM_KWH else (1.0, "kWh")
    chart = Chart(
        [date_format(w.monday, _("j M")) for w in weeks],
        [
            Line(_("made"), "solar", [w.made / by for w in weeks], "bar"),
            Line(_("used"), "load", [w.used / by for w in weeks]),
        ],
        unit,
    )
    return _sheet(curves, columns, rows, _best_and_worst(ranked), chart)


def _best_and_worst(ranked: Sequence[Week]) -> str:
    def said(week: Week) -> str:
        return f"{numbers.day(week.monday)} ({numbers.ratio(week.ratio)})"

    most = min(BEST, max(len(ranked) // 2, 1))
    return _("Best weeks: %(best)s. Worst weeks: %(worst)s.") % {
        "best": ", ".join(said(w) for w in ranked[:most]),
        "worst": ", ".join(said(w) for w in ranked[::-1][:most]),
    }


def _sheet(
    curves: Curves, columns: Sequence[Column], rows: Sequence[dict[str, Any]], finding: str, chart: Chart
) -> Sheet:
    version = curves.version
    notes = [
        _("Data of %(community)s, version %(n)d.") % {"community": version.community.name, "n": version.number},
        _("Homes and shops are one sum, cut and rounded as published; nobody’s own figures are in it."),
    ]
    if version.demo:
        notes.append(_("generated for demonstration"))
    return Sheet(columns, rows, finding, curves.local[0].date(), curves.local[-1].date(), chart, notes, version.demo)


def cells(place: Place) -> Iterator[CellState]:
    """Energy: whether what is made and used is metered and fresh, and what everybody may read of it."""
    versions = [v for v in latest_versions(place) if v.community.public and public.standing(v, None).curves]
    if versions:
        version = max(versions, key=lambda v: v.end)
        url = reverse("rooms:community_year", args=[version.community.slug])
        fresh = version.end > timezone.now() - FRESH and not version.demo
        words = {"community": version.community.name, "kwh": ""}
        made = sum(v.pv_kwh for v in versions)
        used = sum(public.used_kwh(v, exact=False) or 0.0 for v in versions)
        tail = "" if fresh else f" ({_how_old(version)})"
        for respect, kwh, said in (
            ("made", made, _("%(kwh)s of sun made in the newest data of %(community)s")),
            ("used", used, _("%(kwh)s used in the newest data of %(community)s")),
        ):
            sentence = said % (words | {"kwh": numbers.kwh(kwh)}) + tail
            status: Literal["live", "partial"] = "live" if fresh else "partial"
            yield CellState("energy", respect, status, sentence, round(kwh, 1), "kWh", version.end, url)  # type: ignore[arg-type]
    found = list(of_place(place).filter(public=True, versions__publication__isnull=False).distinct())
    if found:
        said = ngettext(
            "%(n)d community publishes its sums and rules", "%(n)d communities publish their sums and rules", len(found)
        ) % {"n": len(found)}
        url = reverse("rooms:community", args=[found[0].slug])
        yield CellState("energy", "open", "live", said, len(found), "", None, url)


def _how_old(version: CommunityVersion) -> str:
    return _("generated") if version.demo else _("until %(day)s") % {"day": numbers.day(version.last_day)}


def register() -> None:
    """Fill the sockets of dashboards."""
    sockets.tabs.register(sockets.Tab("energy", lazy("Energy"), lazy("When does the sun carry us?"), 10, "energy"))
    sockets.histories.register(
        sockets.FigureHistory(
            "prosumer",
            lazy("Week by week over the newest published data; the headline is the whole of them."),
            past_of_ratio,
            10,
        )
    )
    sockets.panels.register(
        Panel(
            "energy-hours",
            "energy",
            lazy("Made and used by the hour of the day"),
            lazy(
                "Mean power in each local hour, over all steps of the newest published data of the place’s community: "
                "solar made, and use of all members, before storage."
            ),
            "1",
            by_hour,
            10,
        )
    )
    sockets.panels.register(
        Panel(
            "energy-weeks",
            "energy",
            lazy("Best and worst weeks"),
            lazy(
                "Solar made and use in each week from Monday, with at least six days of data. The order is by made per "
                "used. An hour has sun to spare when more is made in it than used."
            ),
            "1",
            by_week,
            20,
        )
    )
    sockets.cells.register(SectorCells("energy", cells))
