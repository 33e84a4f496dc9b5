"""Writes of what engines find out about a version."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext_lazy

from commons.people.models import User
from commons.runs import services as runs
from commons.runs.models import Run
from commons.said import said
from twin import queries
from twin.models import DistrictVersion, Reckoning

TITLES = {
    "roofs": gettext_lazy("Sun on the roofs of %(name)s"),
    "risk": gettext_lazy("Risk and carbon of %(name)s"),
    "energy": gettext_lazy("Power of %(name)s over a year"),
}


@transaction.atomic
def start_reckoning(*, of: DistrictVersion, kind: str, owner: User | None = None, demo: bool = False) -> Run:
    """Queue an engine's work on a version, or answer the run that already does it. `kind`: roofs, risk or energy."""
    at_work = queries.reckoning_run(of, kind)
    if at_work and not at_work.is_over:
        return at_work
    return runs.start(
        kind=f"twin.{kind}",
        inputs={
            "district": of.district.slug,
            "version": of.number,
            **({"until": timezone.now().date().isoformat()} if kind in {"risk", "energy"} else {}),
        },
        title=said(TITLES[kind], name=of.district.name),
        subject=f"twin.district:{of.district.slug}",
        owner=owner,
        public=True,
        demo=demo or of.district.demo,
    )


@transaction.atomic
def store_reckoning(
    *,
    of: DistrictVersion,
    kind: str,
    engine_version: str,
    inputs: Mapping[str, Any],
    summary: Mapping[str, Any],
    keys: list[str],
    columns: Mapping[str, list[Any]],
    drawings: Mapping[str, str] | None = None,
) -> Reckoning:
    """Keep an answer; one of the same engine is replaced."""
    Reckoning.objects.filter(version=of, kind=kind, engine_version=engine_version).delete()
    return Reckoning.objects.create(
        version=of,
        kind=kind,
        engine_version=engine_version,
        inputs=dict(inputs),
        summary=dict(summary),
        keys=keys,
        columns=dict(columns),
        drawings=dict(drawings or {}),
    )
