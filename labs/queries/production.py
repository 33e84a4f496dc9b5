"""Sums of what was made, by day, provenance and licence: read from the days' rows, whatever the number of jobs."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from django.db.models import Q, Sum

from commons.places.models import Place
from designs.licences import is_open
from labs.engine import openness
from labs.engine.openness import Made, Part
from labs.models import Job, Lab, ProductionDay, ProductionDue

SUMS = ("jobs", "machine_s", "mass_g", "mass_jobs", "energy_kwh", "kwh_jobs")
FIELDS = (
    "started_at", "finished_at", "material_g", "energy_kwh", "provenance", "licence_made", "public_made", "made_of",
    "demo",
)  # fmt: skip


def parts_of(job: Mapping[str, Any]) -> list[tuple[Part, str]]:
    """What a job was made from, with the licence as it may be told; a plate of several designs is shared out."""
    told = job["made_of"] or [
        {
            "provenance": job["provenance"],
            "licence": job["licence_made"],
            "public": job["public_made"],
            "share": 1.0,
        }
    ]
    found = []
    for one in told:
        public, licence = bool(one.get("public")), str(one.get("licence") or "")
        part = Part(str(one.get("provenance")), public and is_open(licence), float(one.get("share") or 0.0))
        found.append((part, licence if public else ""))
    whole = openness.whole([part for part, _licence in found])
    licences = [licence for part, licence in found if part.share > 0]
    return list(zip(whole, [*licences, *[""] * (len(whole) - len(licences))], strict=True))


def made_of(job: Mapping[str, Any]) -> Made:
    """A finished job as the definition counts it."""
    hours = (job["finished_at"] - job["started_at"]).total_seconds() / 3600
    parts = [part for part, _licence in parts_of(job)]
    return Made(max(hours, 0.0), job["material_g"], job["energy_kwh"], parts)


def of_jobs(lab: int, day: dt.date) -> Iterator[ProductionDay]:
    """The sums of a lab's UTC day, worked out from its jobs; not saved."""
    start = dt.datetime.combine(day, dt.time(), dt.UTC)
    jobs = Job.objects.filter(
        machine__lab=lab, outcome=Job.Outcome.FINISHED, finished_at__gte=start,
        finished_at__lt=start + dt.timedelta(days=1),
    ).order_by("pk")  # fmt: skip
    found: dict[tuple[str, bool, str, bool], ProductionDay] = {}
    for job in jobs.values(*FIELDS):
        made = made_of(job)
        for part, licence in parts_of(job):
            key = (part.provenance, part.open, licence, job["demo"])
            row = found.setdefault(key, _empty(lab, day, key))
            row.jobs += part.share
            row.machine_s += 3600 * made.machine_hours * part.share
            if made.mass_g is not None:
                row.mass_g += made.mass_g * part.share
                row.mass_jobs += part.share
            if made.energy_kwh is not None:
                row.energy_kwh += made.energy_kwh * part.share
                row.kwh_jobs += part.share
    yield from found.values()


def _empty(lab: int, day: dt.date, key: tuple[str, bool, str, bool]) -> ProductionDay:
    provenance, is_open_, licence, demo = key
    return ProductionDay(
        lab_id=lab, day=day, provenance=provenance, open=is_open_, licence=licence, demo=demo,
        **dict.fromkeys(SUMS, 0.0),
    )  # fmt: skip


def of_place(place: Place | None) -> Q:
    """Which rows are of a place: its labs and those of its parts; all without one."""
    return Q() if place is None else Q(lab__place=place) | Q(lab__place__parent=place)


def sums(where: Q, start: dt.date, end: dt.date, *by: str) -> list[dict[str, Any]]:
    """The sums of the days from `start` to `end`, both inclusive, grouped by `by`.

    The due days are asked first and read from their jobs, so that nothing is counted twice or missed while a worker
    sums them.
    """
    due = set(ProductionDue.objects.filter(where, day__range=(start, end)).values_list("lab_id", "day"))
    rows = ProductionDay.objects.filter(where, day__range=(start, end))
    stale = Q()
    for lab, day in due:
        stale |= Q(lab=lab, day=day)
    if due:
        rows = rows.exclude(stale)
    found = list(rows.order_by().values(*by).annotate(**{f"sum_{name}": Sum(name) for name in SUMS}))
    told = [{**{name: row[name] for name in by}, **{name: row[f"sum_{name}"] for name in SUMS}} for row in found]
    live = [row for lab, day in sorted(due, key=lambda one: (one[1], one[0])) for row in of_jobs(lab, day)]
    return _merged([*told, *_as_rows(live, by)], by)


def _as_rows(rows: Sequence[ProductionDay], by: Sequence[str]) -> Iterator[dict[str, Any]]:
    names = {lab.pk: lab for lab in Lab.objects.filter(pk__in={row.lab_id for row in rows})} if rows else {}
    for row in rows:
        lab = names[row.lab_id]
        values = {"lab": row.lab_id, "lab__name": lab.name, "lab__slug": lab.slug}
        yield {name: values.get(name, getattr(row, name, None)) for name in by} | {n: getattr(row, n) for n in SUMS}


def _merged(rows: Iterable[dict[str, Any]], by: Sequence[str]) -> list[dict[str, Any]]:
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    for row in rows:
        key = tuple(row[name] for name in by)
        held = found.get(key)
        if held is None:
            found[key] = row
        else:
            for name in SUMS:
                held[name] += row[name]
    return sorted(found.values(), key=lambda row: tuple(str(row[name]) for name in by))


def tallies(rows: Iterable[Mapping[str, Any]]) -> openness.Tallies:
    """The four tallies of rows that are grouped by provenance and open."""
    found = openness.empty()
    amounts: tuple[tuple[openness.Unit, str, float, str], ...] = (
        ("jobs", "jobs", 1.0, "jobs"), ("machine_hours", "machine_s", 1 / 3600, "jobs"),
        ("mass_g", "mass_g", 1.0, "mass_jobs"), ("energy_kwh", "energy_kwh", 1.0, "kwh_jobs"),
    )  # fmt: skip
    for row in rows:
        cls = Part(str(row["provenance"]), bool(row["open"])).cls
        for unit, column, factor, count in amounts:
            found[unit].by_class[cls] += row[column] * factor
            found[unit].jobs += row[count]
    return found


def history(where: Q, days: Sequence[tuple[dt.date, dt.date]]) -> list[openness.Tallies]:
    """The tallies of several periods, each from and until a day, both inclusive; two queries in all."""
    if not days:
        return []
    rows = sums(where, min(a for a, _b in days), max(b for _a, b in days), "day", "provenance", "open")
    return [tallies(row for row in rows if first <= row["day"] <= last) for first, last in days]
