"""Writes about traffic: ask for an answer, keep it. The same question of the same version is answered once."""

import datetime as dt
import gzip
import hashlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.people.models import User
from commons.runs import registry
from commons.runs import services as runs
from commons.runs.models import Run
from commons.runs.services import canonical_json
from commons.said import said
from twin.assumptions import checked
from twin.errors import TooManyRuns
from twin.models import DistrictVersion
from twin.models.traffic import Traffic

if TYPE_CHECKING:
    from twin.engine.traffic import Traffic as Found

HOURLY = 30
"""Runs that one person may begin in an hour."""
KIND_OF = {
    Traffic.Method.EQUILIBRIUM: "twin.traffic",
    Traffic.Method.SEEDS: "twin.traffic_seeds",
    Traffic.Method.DEEP: "twin.traffic_deep",
}
_TITLES = {
    Traffic.Method.EQUILIBRIUM: gettext_lazy("Traffic of %(name)s"),
    Traffic.Method.SEEDS: gettext_lazy("Traffic of %(name)s, several seeds"),
    Traffic.Method.DEEP: gettext_lazy("Traffic of %(name)s, vehicle by vehicle"),
}


def ask_traffic(*, version: DistrictVersion, method: str, assumptions: Mapping[str, Any], owner: User) -> Run | Traffic:
    """The kept answer, or the run that works on it, started if nobody has asked. Raises BadAssumption, TooManyRuns,
    NoSumo.
    """
    kind = Traffic.Method(method)
    changed = checked(assumptions)
    kept = Traffic.objects.filter(
        version=version,
        method=kind,
        assumptions_sha256=fingerprint(changed),
        engine_version=registry.find(KIND_OF[kind]).engine_version,
    ).first()
    if kept is not None:
        return kept
    if kind != Traffic.Method.EQUILIBRIUM:
        from twin import sumo  # noqa: PLC0415 light: it only looks for the program

        sumo.check()
    inputs = _inputs(version, changed)
    sha256 = hashlib.sha256(canonical_json(inputs)).hexdigest()
    open_ = Run.objects.filter(
        kind=KIND_OF[kind], inputs_sha256=sha256, status__in=(Run.Status.QUEUED, Run.Status.RUNNING)
    ).first()
    if open_ is not None:
        return open_
    lately = Run.objects.filter(
        kind__in=KIND_OF.values(), owner=owner, created_at__gte=timezone.now() - dt.timedelta(hours=1)
    )
    if lately.count() >= HOURLY:
        raise TooManyRuns(_("You may begin up to %(n)d runs of traffic in an hour. Wait a little.") % {"n": HOURLY})
    return start_traffic(version=version, method=kind, assumptions=changed, owner=owner)


def start_traffic(
    *,
    version: DistrictVersion,
    method: str = Traffic.Method.EQUILIBRIUM,
    assumptions: Mapping[str, Any] | None = None,
    owner: User | None = None,
    demo: bool = False,
) -> Run:
    """Queue an hour of traffic of a version. Raises BadAssumption."""
    kind = Traffic.Method(method)
    return runs.start(
        kind=KIND_OF[kind],
        inputs=_inputs(version, checked(assumptions or {})),
        title=said(_TITLES[kind], name=version.district.name),
        subject=f"twin.district:{version.district.slug}",
        owner=owner,
        public=True,
        seed=1,
        demo=demo,
    )


def _inputs(version: DistrictVersion, changed: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "district": version.district.slug,
        "version": version.number,
        "sources_sha256": version.sources_sha256,
        "assumptions": dict(changed),
    }


def fingerprint(changed: Mapping[str, Any]) -> str:
    """What names the assumptions: only what differs from ours counts."""
    return hashlib.sha256(canonical_json(dict(changed))).hexdigest()


@transaction.atomic
def store_traffic(
    *,
    version: DistrictVersion,
    method: str,
    assumptions: Mapping[str, Any],
    engine_version: str,
    summary: Mapping[str, Any],
    found: "Found | None" = None,
    run: Run | None = None,
) -> Traffic:
    """Keep an answer; the same answer again replaces it."""
    kept, _created = Traffic.objects.update_or_create(
        version=version,
        method=method,
        assumptions_sha256=fingerprint(assumptions),
        engine_version=engine_version,
        defaults={
            "assumptions": dict(assumptions),
            "summary": dict(summary),
            "streets": found.streets if found else {},
            "zones": found.zones if found else [],
            "picture": gzip.compress(found.svg.encode(), mtime=0) if found else b"",
            "run": run,
        },
    )
    return kept
