"""Meters by themselves: devices' days each hour, and a version out of what was measured."""

import datetime as dt

from celery import shared_task

from commons.runs.registry import Inputs, Job, Outcome, kind
from energy.engine import VERSION
from energy.errors import CommunityNotFound
from energy.kinds import MEASURED_KIND
from energy.models import Community

BEAT = {
    "energy.meters": {"task": "energy.meters", "schedule": 3600.0, "options": {"queue": "default", "expires": 3000}},
}
"""Entries for CELERY_BEAT_SCHEDULE."""


@shared_task(name="energy.meters")
def meters() -> int:
    """Each hour: what devices measured becomes days of their meters; old invitations forget whom they were for."""
    from energy.services import device_days, participants  # noqa: PLC0415 services need the models

    participants.forget_invitations()
    return device_days.bring_all()


@kind(MEASURED_KIND, queue="simulations", engine_version=VERSION)
def measured_version(_job: Job, inputs: Inputs) -> Outcome:
    """Make the community's next version of what its meters measured, and of what those without would look like."""
    from energy.services import measured  # noqa: PLC0415 numpy is loaded by workers alone

    community = Community.objects.select_related("place").filter(pk=inputs["community"]).first()
    if community is None:
        raise CommunityNotFound("The community was taken away before its data were put together.")
    built = measured.build(
        community,
        start=dt.date.fromisoformat(str(inputs["start"])),
        end=dt.date.fromisoformat(str(inputs["end"])),
        fill=str(inputs.get("fill") or ""),
        import_price=inputs.get("import_price"),
        export_price=inputs.get("export_price"),
    )
    document = {
        "community": community.slug,
        "source": built.source,
        "steps": built.data.steps,
        "modelled": len(built.modelled),
        "url": f"/energy/{community.slug}/simulations/",
    }

    def effect() -> None:
        measured.keep_built(community, built)

    return Outcome(result=document, effect=effect)
