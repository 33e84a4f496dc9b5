"""Long work of the room: parse, call the engine, hand the effect back."""

import dataclasses
from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_noop as _

from commons.runs.registry import Inputs, Job, Outcome, kind
from commons.said import said
from energy import services
from energy.engine import VERSION
from energy.errors import CommunityNotFound, from_engine
from energy.models import CommunityVersion
from energy.tasks import slices

if TYPE_CHECKING:
    from energy.engine.answer import Result
    from energy.engine.community import Community

#: What the engine, which knows no language, says of how far it is; runs are shown in the reader's.
STAGES = (
    _("running the storage"),
    _("the community together"),
    _("planning day by day"),
    _("working out the figures"),
    _("sharing the saving"),
    _("trying groups"),
    _("writing it down"),
)


@kind(services.KIND, queue="simulations", engine_version=VERSION)
def simulate(job: Job, inputs: Inputs) -> Outcome:
    """Simulate a version of a community and keep the answer."""
    from energy import loading  # noqa: PLC0415 numpy and numba are loaded by workers alone
    from energy.engine import simulate as engine  # noqa: PLC0415 as above
    from energy.engine.answer import Result  # noqa: PLC0415 as above
    from energy.engine.refusals import EngineRefusal  # noqa: PLC0415 as above
    from energy.engine.slices import needed as in_slices  # noqa: PLC0415 as above

    version = CommunityVersion.objects.select_related("community").filter(pk=inputs["version"]).first()
    if version is None:
        raise CommunityNotFound("The community was taken away before its simulation began.")
    job.progress(0.01, said(_("reading the data")))
    control = str(inputs["control"])
    large = control != "optimal" and in_slices(version.members.count(), version.steps)
    try:
        if large:
            engine.check(control, horizon_hours=inputs.get("horizon_hours"), strategy=inputs.get("strategy"))
            data = loading.shell(version)
            result = slices.simulate(job, version, inputs)
        else:
            data = loading.load(version)
            result = engine.simulate(
                data,
                control=control,
                sharing_rule=inputs.get("sharing"),
                horizon_hours=inputs.get("horizon_hours"),
                strategy=inputs.get("strategy"),
                seed=job.seed,
                progress=job.progress,
            )
    except EngineRefusal as refusal:
        raise from_engine(refusal) from None
    plain = control == "rule" and inputs.get("strategy") in (None, "self-consumption")
    further = _further(data, result, island=plain)
    run = job.run
    slug = version.community.slug
    document: dict[str, Any] = {
        "community": slug,
        "version": version.number,
        "url": f"/energy/{slug}/",
        **result.document,
        "more": further,
    }
    answer = document if inputs.get("full") else services.public_document(document=document, owner=run.owner)

    def effect() -> None:
        if large:
            slices.forget(run)
        kept = Result({**result.document, "more": further}, result.series)
        services.keep_simulation(version=version, run=run, control=control, result=kept, demo=run.demo)

    return Outcome(result=answer, effect=effect)


def _further(data: "Community", result: "Result", *, island: bool) -> dict[str, Any]:
    """Figures beside the totals; an island's hours where members' series are there (not in slices)."""
    from energy.engine import island as cut_off  # noqa: PLC0415 numpy and numba are loaded by workers alone
    from energy.engine import kpi  # noqa: PLC0415 as above

    found = kpi.more(data, result.series)
    if island and len(data.load_kwh):
        found["island"] = [dataclasses.asdict(row) for row in cut_off.survival(data)]
    return found
