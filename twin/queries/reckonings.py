"""Reads of what engines found out about a version."""

import datetime as dt
from typing import Any

from django.apps import apps
from django.db import connection
from django.db.models.fields.json import KeyTextTransform, KeyTransform

from commons.places.models import Place
from commons.runs.models import Run
from commons.shelf import Stamp
from twin.models import DistrictVersion, Reckoning


def reckoning(of: DistrictVersion, kind: str) -> Reckoning | None:
    """The newest answer of a kind for a version, without its drawings; None when nobody asked yet."""
    return of.reckonings.filter(kind=kind).defer("drawings").order_by("-created_at", "-pk").first()


def engine_of(of: DistrictVersion, kind: str) -> str:
    """The engine of that answer, without what it says of each building; "" when nobody asked yet."""
    newest = of.reckonings.filter(kind=kind).order_by("-created_at", "-pk").values_list("engine_version", flat=True)
    return newest.first() or ""


def reckoning_in_short(of: DistrictVersion, kind: str) -> Reckoning | None:
    """The same without what is known of each building; `stamp` changes whenever any of it does."""
    rows = of.reckonings.filter(kind=kind).defer("drawings", "keys", "columns", "inputs")
    return rows.annotate(stamp=Stamp(Reckoning)).order_by("-created_at", "-pk").first()


def column(kept: Reckoning, name: str) -> list[Any]:
    """What an answer says of each building under a name; nothing where it says nothing."""
    rows = Reckoning.objects.filter(pk=kept.pk).annotate(column=KeyTransform(name, "columns"))
    return rows.values_list("column", flat=True).first() or []


def drawing(of: DistrictVersion, kind: str, name: str) -> str | None:
    """One drawing of the newest answer."""
    newest = of.reckonings.filter(kind=kind).order_by("-created_at", "-pk")
    path: str | None = newest.annotate(path=KeyTextTransform(name, "drawings")).values_list("path", flat=True).first()
    return path


def drawings(of: DistrictVersion, kind: str) -> list[str]:
    """The names of the drawings of the newest answer."""
    found = of.reckonings.filter(kind=kind).order_by("-created_at", "-pk").values_list("pk", flat=True)[:1]
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT jsonb_object_keys(drawings) FROM twin_reckoning WHERE id = %s", [next(iter(found), None)]
        )
        return [name for (name,) in cursor.fetchall()]


def reckoned_at(of: DistrictVersion) -> str:
    """What names the answers that a version has now, for the address of what is drawn from them."""
    return ".".join(str(pk) for pk in of.reckonings.order_by("pk").values_list("pk", flat=True))


def of_building(kept: Reckoning | None, key: str) -> dict[str, Any]:
    """What an answer says of one building; nothing where it is not in it."""
    if kept is None or key not in kept.keys:
        return {}
    number = kept.keys.index(key)
    return {name: column[number] for name, column in kept.columns.items()}


def reckoning_run(of: DistrictVersion, kind: str) -> Run | None:
    """The run that works on an answer now, or the last one if it failed."""
    run: Run | None = (
        Run.objects.filter(kind=f"twin.{kind}", inputs__district=of.district.slug, inputs__version=of.number)
        .order_by("-created_at")
        .first()
    )
    return run if run and run.status != Run.Status.DONE else None


def measured_kwh(place: Place | None, until: dt.date) -> float:
    """What the finished jobs of a place's labs took in the year that ends with a day, as far as it was measured."""
    if place is None or not apps.is_installed("labs"):
        return 0.0
    from labs.queries import production  # noqa: PLC0415 only where the labs' room is there

    rows = production.sums(production.of_place(place), until - dt.timedelta(days=364), until)
    return float(sum(row["energy_kwh"] or 0 for row in rows))
