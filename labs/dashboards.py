"""What the room brings to dashboards: the third figure week by week, what was made of whose designs, kWh by kind.

Nothing here names a person, and a design only where everybody sees it and saw it when the job ended.
"""

import datetime as dt
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from statistics import median
from typing import Any, Literal

from django.db.models import Count, F, OuterRef, Q, Subquery, Sum
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from commons.dashboards import sockets
from commons.dashboards.sockets import CellState, Column, Panel, Point, SectorCells, Sheet
from commons.places.models import Place
from commons.web import numbers
from designs.models import Design
from labs.models import EnergyFigure, Job, Machine, Teaching
from labs.queries import figure, production
from labs.queries.catalogue import of_place

DAYS, WEEKS = 90, 26
FRESH = dt.timedelta(days=7)
MOST_JOBS = 20_000
MEASURED = (Job.Quality.MEASURED, Job.Quality.INTEGRATED, Job.Quality.SHARED)
#: What one job laid down, by mass; jobs whose mass nobody knows are a class of their own.
SIZES: tuple[tuple[float, Any], ...] = (
    (25, lazy("under 25 g")),
    (100, lazy("25 to 100 g")),
    (500, lazy("100 to 500 g")),
    (float("inf"), lazy("500 g and more")),
)
KINDS = dict(Machine.Kind.choices)


def past_of_openness(place: Place) -> list[Point]:
    """The share of each week with a machine hour in it; its bounds as in the headline."""
    today = timezone.now().astimezone(dt.UTC).date()
    found = []
    for week in figure.over_time(production.of_place(place), figure.weeks(today, WEEKS)):
        hours = week.tallies["machine_hours"]
        known = hours.lower is not None
        found.append(
            Point(
                week.first,
                week.last,
                hours.lower,
                hours.by_class["proven_open"] if known else None,
                hours.total if known else None,
                hours.upper,
                hours.coverage,
            )
        )
    first = next((nth for nth, point in enumerate(found) if point.value is not None), len(found))
    return found[first:]


def _period() -> tuple[dt.datetime, dt.datetime]:
    now = timezone.now()
    return now - dt.timedelta(days=DAYS), now


def _jobs(place: Place) -> Any:
    start, now = _period()
    return Job.objects.filter(
        of_place(place, "machine__lab__"), outcome=Job.Outcome.FINISHED, finished_at__gte=start, finished_at__lte=now
    )


def made_of(place: Place) -> Sheet | None:
    """What the labs of a place made in the last 90 days, of whose designs."""
    rows = list(
        _jobs(place)
        .order_by()
        .values("machine__lab__name", "machine__lab__slug", "design", "public_made", "demo")
        .annotate(
            jobs=Count("pk"),
            time=Sum(F("finished_at") - F("started_at")),
            kwh=Sum("energy_kwh"),
            grams=Sum("material_g"),
        )
    )
    if not rows:
        return None
    designs = _shown({row["design"] for row in rows if row["design"] and row["public_made"]})
    found: dict[tuple[str, int | None], dict[str, Any]] = {}
    for row in rows:
        design = designs.get(row["design"]) if row["public_made"] else None
        key = (row["machine__lab__slug"], design.pk if design else None)
        _add(found.setdefault(key, _first(row, design)), row)
    listed = sorted(found.values(), key=lambda row: (row["design"] == "", -row["hours"]))
    columns = [
        Column("title", _("Design")),
        Column("by", _("By")),
        Column("lab", _("Lab")),
        Column("jobs", _("Jobs"), "number"),
        Column("hours", _("Machine hours"), "hours"),
        Column("kwh", _("Energy"), "kwh"),
        Column("grams", _("Material"), "grams"),
    ]
    start, end = _period()
    notes = [_("Jobs whose file is unknown, or of a design that is not public, are one line for each lab.")]
    demo = any(row["demo"] for row in rows)
    return Sheet(columns, listed, _made_words(listed), start.date(), end.date(), None, notes, demo)


def _shown(keys: set[int]) -> dict[int, Design]:
    return {
        d.pk: d
        for d in Design.objects.filter(pk__in=keys).select_related("owner__user", "owner__organisation")
        if d.is_shown
    }


def _first(row: Mapping[str, Any], design: Design | None) -> dict[str, Any]:
    lab = {"lab": row["machine__lab__name"], "jobs": 0, "hours": 0.0, "kwh": None, "grams": None}
    if design is None:
        return {"title": _("not known or not public"), "design": "", "by": "", "url": "", **lab}
    return {
        "title": design.name,
        "design": f"{design.owner.name}/{design.slug}",
        "by": design.owner.title,
        "url": design.get_absolute_url(),
        **lab,
    }


def _add(into: dict[str, Any], row: Mapping[str, Any]) -> None:
    into["jobs"] += row["jobs"]
    into["hours"] = round(into["hours"] + row["time"].total_seconds() / 3600, 2)
    for name in ("kwh", "grams"):
        if row[name] is not None:
            into[name] = round((into[name] or 0.0) + row[name], 3)


def _made_words(listed: list[dict[str, Any]]) -> str:
    jobs = sum(row["jobs"] for row in listed)
    known = [row for row in listed if row["design"]]
    people = {row["design"].partition("/")[0] for row in known}
    return _(
        "%(jobs)s jobs in the last 90 days; %(known)s were of %(designs)d public designs by %(people)d authors."
    ) % {
        "jobs": numbers.number(jobs),
        "known": numbers.number(sum(row["jobs"] for row in known)),
        "designs": len({row["design"] for row in known}),
        "people": len(people),
    }


@dataclass(slots=True)
class ObjectClass:
    """Jobs of one kind and size, and what is known of each."""

    jobs: int = 0
    kwh: list[float] = field(default_factory=list)
    co2_g: list[float] = field(default_factory=list)
    grams: float = 0.0
    demo: bool = False


def by_class(place: Place) -> Sheet | None:
    """kWh and CO2 of one made object, by kind of machine and mass."""
    newest = EnergyFigure.objects.filter(job=OuterRef("pk")).order_by("-number")
    fields = ("machine__cls", "material_g", "energy_kwh", "energy_quality", "co2", "demo")
    rows = _jobs(place).order_by("-finished_at").annotate(co2=Subquery(newest.values("co2_g")[:1]))
    found: dict[tuple[str, int], ObjectClass] = {}
    for row in rows.values_list(*fields)[:MOST_JOBS]:
        _count(found, *row)
    if not found:
        return None
    ordered = sorted(found.items(), key=lambda item: (item[0][0], item[0][1]))
    listed = [_class_row(kind, size, one) for (kind, size), one in ordered]
    measured = sum(len(one.kwh) for one in found.values())
    jobs = sum(one.jobs for one in found.values())
    columns = [
        Column("kind", _("Made by")),
        Column("size", _("Mass")),
        Column("jobs", _("Objects"), "number"),
        Column("measured", _("Measured"), "number"),
        Column("kwh_median", _("Energy of one, median"), "kwh"),
        Column("co2_median_kg", _("CO₂ of one, median"), "co2"),
        Column("kwh_sum", _("Energy of all"), "kwh"),
    ]
    finding = _("%(measured)s of %(jobs)s objects were measured; the others are left out of the medians.") % {
        "measured": numbers.number(measured),
        "jobs": numbers.number(jobs),
    }
    start, end = _period()
    notes = [
        _("An object is what one finished job made, a whole plate too. CO₂ is of the grid’s share at those hours.")
    ]
    demo = any(one.demo for one in found.values())
    return Sheet(columns, listed, finding, start.date(), end.date(), None, notes, demo)


def _count(  # noqa: PLR0917 a row of the query
    found: dict[tuple[str, int], ObjectClass],
    cls: str,
    grams: float | None,
    kwh: float | None,
    quality: str,
    co2: float | None,
    demo: bool,
) -> None:
    size = len(SIZES) if grams is None else next(nth for nth, (top, _words) in enumerate(SIZES) if grams < top)
    one = found.setdefault((cls, size), ObjectClass())
    one.jobs, one.demo = one.jobs + 1, one.demo or demo
    if kwh is not None and quality in MEASURED:
        one.kwh.append(kwh)
        if co2 is not None:
            one.co2_g.append(co2)


def _class_row(cls: str, size: int, one: ObjectClass) -> dict[str, Any]:
    return {
        "class": cls,
        "kind": str(KINDS.get(cls, cls)),
        "size": str(SIZES[size][1]) if size < len(SIZES) else _("not known"),
        "jobs": one.jobs,
        "measured": len(one.kwh),
        "kwh_median": round(median(one.kwh), 4) if one.kwh else None,
        "co2_median_kg": round(median(one.co2_g) / 1000, 5) if one.co2_g else None,
        "kwh_sum": round(sum(one.kwh), 3) if one.kwh else None,
    }


def cells(place: Place) -> Iterator[CellState]:
    """Making, materials and learning: live where a machine measures, each job says, a lab teaches."""
    start, end = _period()
    count = Machine.objects.filter(of_place(place, "lab__")).count()
    jobs = Job.objects.filter(of_place(place, "machine__lab__"), outcome=Job.Outcome.FINISHED)
    if count:
        metered = jobs.filter(energy_quality__in=MEASURED).order_by("-finished_at")
        newest = metered.values_list("finished_at", flat=True).first()
        words = (
            _("%(n)d machines; the newest measured job ended %(ago)s")
            if newest
            else _("%(n)d machines, none measured yet")
        )
        live = newest is not None and newest > end - FRESH
        said = words % {"n": count, "ago": numbers.ago(newest)}
        yield CellState("making", "made", _status(live), said, count, _("machines"), newest, reverse("rooms:labs"))
    openness = figure.open_production(place)
    if openness.value is not None:
        url = f"{reverse('measure', args=['open_production'])}?place={place.slug}"
        live = (openness.completeness or 0.0) > 0
        yield CellState("making", "open", _status(live), openness.sentence, openness.value, "", openness.end, url)
    sums = jobs.filter(finished_at__gte=start).aggregate(
        all=Count("pk"), known=Count("pk", filter=Q(material_g__isnull=False)), g=Sum("material_g")
    )
    if sums["known"]:
        said = _("%(mass)s in the last 90 days, told by %(known)d of %(all)d jobs") % {
            "mass": numbers.grams(sums["g"]),
            "known": sums["known"],
            "all": sums["all"],
        }
        live = sums["known"] == sums["all"]
        yield CellState("materials", "used", _status(live), said, sums["g"], "g", end, reverse("rooms:labs"))
    taught = Teaching.objects.filter(of_place(place, "lab__"), ended_at=None).values("course").distinct().count()
    if taught:
        said = ngettext("%(n)d course is taught here", "%(n)d courses are taught here", taught) % {"n": taught}
        yield CellState("learning", "made", "live", said, taught, "", None, reverse("rooms:courses"))


def _status(live: bool) -> Literal["live", "partial"]:
    return "live" if live else "partial"


def register() -> None:
    """Fill the sockets of dashboards."""
    sockets.tabs.register(
        sockets.Tab("making", lazy("Making"), lazy("What was made here, and what did it take?"), 20, "labs")
    )
    sockets.histories.register(
        sockets.FigureHistory(
            "open_production",
            lazy("Each week by itself, from the sums of its days; the headline is of 90 days."),
            past_of_openness,
            30,
        )
    )
    sockets.panels.register(
        Panel(
            "labs-made",
            "making",
            lazy("What was made, and from whose designs"),
            lazy(
                "Finished jobs of the last 90 days by lab and design. A design is named where its file was public when "
                "the job ended and the design still is; how sure that is stands with each job."
            ),
            "1",
            made_of,
            10,
        )
    )
    sockets.panels.register(
        Panel(
            "labs-objects",
            "making",
            lazy("Energy and CO₂ of an object"),
            lazy(
                "Finished jobs of the last 90 days by kind of machine and mass: the median of what each took. "
                "Only jobs whose energy was metered count; estimates do not."
            ),
            "1",
            by_class,
            20,
        )
    )
    sockets.cells.register(SectorCells("labs", cells))
