"""Writes of answers to scenarios: asked for, found again, kept."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.errors import BadInput
from commons.people.models import User
from commons.runs import services as runs
from commons.runs.models import Run
from commons.said import said
from twin.errors import ScenarioNotFound, TooManyRuns
from twin.models import ScenarioResult, ScenarioVersion
from twin.queries import scenarios as reads

DEPTHS = tuple(ScenarioResult.Depth.values)
MOST_OPEN = {"quick": 60, "seeds": 12, "deep": 4}
"""How many runs of a depth may wait or work at once in a district."""
MOST_OPEN_OF_ONE = {"quick": 8, "seeds": 3, "deep": 1}
TITLE = gettext_lazy("What if, in %(name)s")


@transaction.atomic
def start(
    *, version: ScenarioVersion, depth: str = "quick", by: User | None = None, demo: bool = False, bell: bool = True
) -> ScenarioResult | Run:
    """The kept answer, or the run that works on it, started if nobody has asked. Raises BadInput, NoSumo, TooManyRuns.

    Its title and subject tell nothing of the scenario, so that a link that is not listed stays with those who have it.
    """
    if depth not in DEPTHS:
        raise BadInput(_("“%(depth)s” is not a depth; there are %(known)s.") % {
            "depth": str(depth)[:40], "known": ", ".join(DEPTHS)}, where="depth")  # fmt: skip
    inputs = reads.inputs(version, depth)
    name = reads.inputs_hash(inputs)
    kept = ScenarioResult.objects.filter(inputs_hash=name, depth=depth).first()
    if kept is not None:
        return kept
    if depth != "quick":
        from twin import sumo  # noqa: PLC0415 light: it only looks for the program

        sumo.check()
    district = version.scenario.district
    at_work = reads.open_runs(district).filter(inputs__depth=depth)
    same = at_work.filter(inputs__inputs_hash=name).first()
    if same is not None:
        return same
    if not demo:
        _room_for(at_work, depth, by)
    return runs.start(
        kind=reads.KIND,
        inputs={**inputs, "version": version.pk, "inputs_hash": name},
        title=said(TITLE, name=district.name),
        subject=f"twin.district:{district.slug}",
        owner=by,
        public=True,
        seed=1,
        demo=demo,
        bell=bell,
    )


def _room_for(at_work: Any, depth: str, by: User | None) -> None:
    """Raises TooManyRuns: nobody fills the queue alone, and all together no more than it can work off."""
    if at_work.count() >= MOST_OPEN[depth]:
        raise TooManyRuns(_("Many scenarios are being reckoned just now. Try again in a minute."))
    if by is not None and at_work.filter(owner=by).count() >= MOST_OPEN_OF_ONE[depth]:
        raise TooManyRuns(_("Your earlier runs are still at work. Wait for them."))


@transaction.atomic
def store(
    *,
    inputs: Mapping[str, Any],
    summary: Mapping[str, Any],
    detail_sha256: str,
    took_s: float,
    run: Run | None = None,
) -> ScenarioResult:
    """Keep an answer; one that is there already stands. Raises ScenarioNotFound when the version is gone."""
    version = ScenarioVersion.objects.filter(pk=inputs["version"]).first()
    if version is None:
        raise ScenarioNotFound(_("This scenario was taken away meanwhile."))
    kept, _created = ScenarioResult.objects.get_or_create(
        inputs_hash=inputs["inputs_hash"],
        depth=inputs["depth"],
        defaults={
            "version": version,
            "city_version": inputs["city_version"],
            "engines": summary["engines"],
            "seeds": inputs["seeds"],
            "summary": dict(summary),
            "detail_sha256": detail_sha256,
            "took_s": took_s,
            "run": run,
        },
    )
    return kept
