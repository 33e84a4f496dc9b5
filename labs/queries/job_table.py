"""Finished jobs as a table for everybody: no persons, no private files."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from designs.licences import is_open
from labs.models import EnergyFigure, Job, Lab
from labs.queries import jobs

FIGURE = ("pm_kwh", "warm_kwh", "making_kwh", "idle_kwh", "cost", "currency", "co2_g")
CHUNK = 500


def rows(lab: Lab | None = None) -> Iterator[Mapping[str, Any]]:
    """A row for each finished job, newest first; figures of energy are read in chunks."""
    found = jobs.rows().filter(outcome=Job.Outcome.FINISHED)
    held: list[Job] = []
    for job in (found if lab is None else found.filter(machine__lab=lab)).iterator(chunk_size=CHUNK):
        held.append(job)
        if len(held) >= CHUNK:
            yield from _told(held)
            held = []
    yield from _told(held)


def _told(listed: list[Job]) -> Iterator[Mapping[str, Any]]:
    figures = jobs.figures_of(listed)
    for job in listed:
        yield _row(job, figures.get(job.pk))


def _row(job: Job, figure: EnergyFigure | None) -> Mapping[str, Any]:
    known = job.design is not None and job.design.is_shown and job.public_made
    licence = job.licence_made if known else ""
    return {
        "id": str(job.pk),
        "lab": job.machine.lab.slug,
        "machine_class": job.machine.cls,
        "started_at": job.started_at.isoformat(),
        "finished_at": job.finished_at.isoformat() if job.finished_at else "",
        "design": f"{job.design.owner.name}/{job.design.slug}" if known and job.design else "",
        "path": job.design_path if known else "",
        "commit": job.design_commit if known else "",
        "licence": licence,
        "open": bool(known and is_open(licence)),
        "provenance": job.provenance if known else "unknown",
        "material_g": job.material_g,
        "energy_kwh": job.energy_kwh,
        "energy_quality": job.energy_quality,
        **{name: getattr(figure, name, None) for name in FIGURE},
        "solar_share": job.solar_share,
        "demo": job.demo,
    }


def job_table(lab: Lab) -> tuple[list[str], Iterable[list[str]]]:
    """The lab's finished jobs as columns and rows of text."""
    columns = [
        "id", "lab", "machine_class", "started_at", "finished_at", "design", "path", "commit", "licence", "open",
        "provenance", "material_g", "energy_kwh", "energy_quality", *FIGURE, "solar_share", "demo",
    ]  # fmt: skip
    return columns, ([_text(row[name]) for name in columns] for row in rows(lab))


def _text(value: Any) -> str:
    return "" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
