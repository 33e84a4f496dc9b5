"""The directory of labs: searched, filtered, by way or by name, with pins for the map."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db.models import Q
from django.urls import reverse
from django.utils.translation import ngettext

from labs.materials import normal
from labs.models import Lab, Machine
from labs.queries import catalogue, opening
from labs.queries.matching import Where, distances

MOST = 200


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person looks for: words, a class and a process of machine, a material, open now, from where."""

    words: str = ""
    cls: str = ""
    process: str = ""
    material: str = ""
    open_now: bool = False
    near: Where | None = None

    @property
    def any(self) -> bool:
        """Whether anything is asked."""
        return bool(self.words or self.cls or self.process or self.material or self.open_now)


@dataclass(slots=True)
class Row:
    """A lab in the list: whether it is open, its distance, and the machines that were asked for or all."""

    lab: Lab
    open: bool
    distance_km: float | None
    kinds: list[str] = field(default_factory=list)
    machines: int = 0


def wanted(query: Mapping[str, Any], near: Where | None) -> Wanted:
    """What an address asks; what is no class or process is not asked."""
    cls, process = str(query.get("class", "")), str(query.get("process", ""))
    return Wanted(
        words=str(query.get("q", "")).strip()[:80],
        cls=cls if cls in Machine.Kind.values else "",
        process=process if process in Machine.Process.values else "",
        material=str(query.get("material", "")).strip()[:40],
        open_now=bool(query.get("open")),
        near=near,
    )


def search(asked: Wanted, now: dt.datetime) -> list[Row]:
    """The labs that have what is asked, open ones and nearest first; five queries, however many labs."""
    machines = Machine.objects.exclude(lab__status=Lab.Status.CLOSED)
    if asked.cls:
        machines = machines.filter(cls=asked.cls)
    if asked.process:
        machines = machines.filter(process=asked.process)
    if asked.material:
        known, said = [normal(asked.material)], [asked.material]
        machines = machines.filter(Q(materials__contains=known) | Q(materials__contains=said))
    rows = catalogue.labs().exclude(status=Lab.Status.CLOSED)
    for word in asked.words.split()[:8]:
        told = Q(name__icontains=word) | Q(model__icontains=word) | Q(materials__icontains=word)
        rows = rows.filter(
            Q(name__icontains=word)
            | Q(about__icontains=word)
            | Q(address__icontains=word)
            | Q(place__name__icontains=word)
            | Q(pk__in=Machine.objects.filter(told).values("lab"))
        )
    if asked.cls or asked.process or asked.material:
        rows = rows.filter(pk__in=machines.values("lab"))
    labs = list(rows[: 5 * MOST])
    opening.know(labs)
    far = distances(asked.near)
    found = {lab.pk: Row(lab, bool(_open(lab, now)), far(lab.pk)) for lab in labs}
    for lab, cls in machines.filter(lab__in=list(found)).order_by("pk").values_list("lab_id", "cls"):
        row, label = found[lab], str(Machine.Kind(cls).label)
        row.machines += 1
        if label not in row.kinds:
            row.kinds.append(label)
    listed = [row for row in found.values() if row.open or not asked.open_now]
    listed.sort(key=lambda row: (1e9 if row.distance_km is None else row.distance_km, row.lab.name.casefold()))
    return listed[:MOST]


def _open(lab: Lab, now: dt.datetime) -> bool:
    return bool(opening.open_spans(lab, now, now + dt.timedelta(seconds=1)))


def pins(rows: list[Row]) -> list[dict[str, Any]]:
    """The labs of a list that have a position."""
    return [
        {
            "lat": row.lab.lat,
            "lon": row.lab.lon,
            "title": row.lab.name,
            "url": reverse("rooms:lab", args=[row.lab.slug]),
            "detail": ngettext("%(n)d machine", "%(n)d machines", row.machines) % {"n": row.machines},
        }
        for row in rows
        if row.lab.lat is not None and row.lab.lon is not None
    ]
