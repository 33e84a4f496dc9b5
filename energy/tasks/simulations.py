"""Long work of the room: parse, call the engine, hand the effect back."""

from typing import Any

from django.utils.translation import gettext_noop as _

from commons.runs.registry import Inputs, Job, Outcome, kind
from commons.said import said
from energy import services
from energy.engine import VERSION
from energy.errors import CommunityNotFound, from_engine
from energy.models import CommunityVersion

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
    from energy.engine.refusals import EngineRefusal  # noqa: PLC0415 as above

    version = CommunityVersion.objects.select_related("community").filter(pk=inputs["version"]).first()
    if version is None:
        raise CommunityNotFound("The community was taken away before its simulation began.")
    job.progress(0.01, said(_("reading the data")))
    community = loading.load(version)
    control = str(inputs["control"])
    try:
        result = engine.simulate(
            community,
            control=control,
            sharing_rule=inputs.get("sharing"),
            horizon_hours=inputs.get("horizon_hours"),
            seed=job.seed,
            progress=job.progress,
        )
    except EngineRefusal as refusal:
        raise from_engine(refusal) from None
    run = job.run
    slug = version.community.slug
    document: dict[str, Any] = {
        "community": slug,
        "version": version.number,
        "url": f"/energy/{slug}/",
        **result.document,
    }
    answer = document if inputs.get("full") else services.public_document(document=document, owner=run.owner)

    def effect() -> None:
        services.keep_simulation(version=version, run=run, control=control, result=result, demo=run.demo)

    return Outcome(result=answer, effect=effect)
