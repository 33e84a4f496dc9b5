"""A large community's simulation as a Celery group of runs, one for each slice of its members.

The run that was asked for starts a run for each slice, rings for all of them at once as a group, and then
works on them itself until none is left: workers that are free take the others. So it never waits for a worker
that it occupies itself, a slice whose worker died is taken up by whoever comes next, and each process holds
one slice's series at a time.
"""

import logging
import time
from typing import TYPE_CHECKING, Any

from celery import group
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from commons.runs import services as runs
from commons.runs.errors import Cancelled
from commons.runs.models import Run
from commons.runs.registry import Inputs, Job, Outcome, kind
from commons.runs.tasks import work
from commons.runs.work import do
from commons.said import said
from energy import series
from energy.engine import VERSION
from energy.errors import CommunityNotFound, SliceFailed, from_engine
from energy.models import CommunityVersion, SimulationPart

if TYPE_CHECKING:
    from energy.engine.answer import Result
    from energy.engine.slices import Part

log = logging.getLogger(__name__)

KIND = "energy.simulate-slice"
QUEUE = "simulations"
POLL_S = 0.2


@kind(KIND, queue=QUEUE, engine_version=VERSION)
def slice_of_members(job: Job, inputs: Inputs) -> Outcome:
    """Simulate some members of a version by themselves and keep their part."""
    from energy import loading  # noqa: PLC0415 numpy and numba are loaded by workers alone
    from energy.engine import slices  # noqa: PLC0415 as above
    from energy.engine.refusals import EngineRefusal  # noqa: PLC0415 as above

    version = CommunityVersion.objects.select_related("community").filter(pk=inputs["version"]).first()
    if version is None:
        raise CommunityNotFound("The community was taken away before its simulation ended.")
    first, members = int(inputs["first"]), int(inputs["members"])
    job.progress(0.05, said(gettext_noop("reading the data")))
    shell = loading.shell(version)
    part = loading.some(version, shell, first, members)
    job.progress(0.5, said(gettext_noop("running the storage")))
    try:
        found = slices.one(shell, part, control=inputs["control"], strategy=inputs["strategy"])
    except EngineRefusal as refusal:
        raise from_engine(refusal) from None

    def effect() -> None:
        SimulationPart.objects.update_or_create(
            run_id=inputs["run"],
            number=inputs["number"],
            defaults={
                "first": first,
                "members": members,
                "totals": series.pack(found.totals.reshape(-1)),
                "series": series.pack(found.series.reshape(-1)),
            },
        )

    return Outcome(result={"members": members}, effect=effect)


def simulate(job: Job, version: CommunityVersion, inputs: Inputs, *, most_values: int | None = None) -> "Result":
    """All slices and the whole. Raises Cancelled, SliceFailed or the engine's refusals."""
    from energy import loading  # noqa: PLC0415 numpy and numba are loaded by workers alone
    from energy.engine import slices  # noqa: PLC0415 as above

    control, strategy = str(inputs["control"]), str(inputs.get("strategy") or "self-consumption")
    rule = slices.sharing_rule(inputs.get("sharing"))
    members = version.members.count()
    bounds = slices.bounds(members, version.steps, most_values or slices.MOST_VALUES)
    asked = {"version": version.pk, "run": str(job.run.pk), "control": control, "strategy": strategy}
    children = _children(job.run, asked, bounds)
    try:
        _work(job, children)
    except Cancelled:
        for child in children:
            runs.cancel(run=child)
        raise
    shell = loading.shell(version)
    sums = loading.sums(version)
    parts = _parts(job.run, version.steps)
    return slices.together(
        shell,
        parts,
        sums["load"],
        sums["pv"],
        control=control,
        strategy=strategy,
        sharing_rule=rule,
        progress=job.progress,
    )


def _children(run: Run, asked: dict[str, Any], bounds: list[tuple[int, int]]) -> list[Run]:
    """The runs of the slices, begun once: a second attempt finds those of the first."""
    subject = f"{KIND}:{run.pk}"
    there = {child.inputs["number"]: child for child in Run.objects.filter(kind=KIND, subject=subject)}
    new: list[Run] = []
    for number, (first, members) in enumerate(bounds):
        if number not in there:
            inputs = {**asked, "number": number, "first": first, "members": members}
            there[number] = runs.start(
                kind=KIND, inputs=inputs, title=run.title, subject=subject, demo=run.demo, bell=False
            )
            new.append(there[number])
    if len(new) > 1:
        _ring(new)
    return [there[number] for number in range(len(bounds))]


def _ring(children: list[Run]) -> None:
    """One Celery group; if the broker is away the sweep rings later, and this worker does them meanwhile."""
    try:
        group(work.s(str(child.pk)).set(queue=QUEUE) for child in children).apply_async(retry=False)
    except Exception:
        log.warning("the bell for %d slices did not ring", len(children), exc_info=True)


def _work(job: Job, children: list[Run]) -> None:
    """Do what nobody else does, until all is done."""
    keys = [child.pk for child in children]
    while True:
        states = dict(Run.objects.filter(pk__in=keys).values_list("pk", "status"))
        done = sum(state == Run.Status.DONE for state in states.values())
        words = said(gettext_noop("members in slices: %(done)s of %(all)s"), done=done, all=len(keys))
        job.progress(0.02 + 0.88 * done / len(keys), words)
        bad = next((k for k in keys if states.get(k) in {Run.Status.FAILED, Run.Status.CANCELLED}), None)
        if bad is not None:
            raise SliceFailed(Run.objects.get(pk=bad).error or _("A slice of the members was stopped."))
        if done == len(keys):
            return
        open_ = [key for key in keys if states.get(key) != Run.Status.DONE]
        if not any(do(key) for key in open_[:1]) and not any(do(key) for key in reversed(open_)):
            time.sleep(POLL_S)


def _parts(run: Run, steps: int) -> "list[Part]":
    """The slices' answers in their order."""
    import numpy as np  # noqa: PLC0415 numpy and numba are loaded by workers alone

    from energy.engine import fleet, slices  # noqa: PLC0415 as above

    def unpacked(packed: bytes | memoryview, rows: int) -> Any:
        return np.frombuffer(series.raw(packed), dtype="<f8").reshape(rows, -1)

    return [
        slices.Part(unpacked(row.totals, len(slices.ROWS)), unpacked(row.series, len(fleet.SERIES)))
        for row in SimulationPart.objects.filter(run=run).order_by("number").iterator(chunk_size=8)
    ]


def forget(run: Run) -> None:
    """Take the slices away; called inside the transaction that keeps the whole."""
    SimulationPart.objects.filter(run=run).delete()
    Run.objects.filter(kind=KIND, subject=f"{KIND}:{run.pk}").delete()
