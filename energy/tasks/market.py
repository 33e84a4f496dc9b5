"""The market view of a household."""

import datetime as dt

from django.utils.translation import gettext_noop as _

from commons.runs.registry import Inputs, Job, Outcome, kind
from commons.said import said
from energy.errors import BadPeriod
from energy.kinds import MARKET_KIND
from energy.models import Participant, Tariff
from energy.services import market

ENGINE_VERSION = "1"


@kind(MARKET_KIND, queue="simulations", engine_version=ENGINE_VERSION)
def compare(job: Job, inputs: Inputs) -> Outcome:
    """The participant's year under other terms."""
    from energy import worth  # noqa: PLC0415 numpy is loaded by workers alone

    person = (
        Participant.objects.select_related("community", "community__place").filter(pk=inputs["participant"]).first()
    )
    if person is None:
        raise BadPeriod("The participant was taken away before the comparison began.")
    first, until = (dt.date.fromisoformat(str(inputs[name])) for name in ("first_day", "until"))
    job.progress(0.05, said(_("reading the meters")))
    result = worth.work_out(person, first, until, lambda share: job.progress(share, said(_("comparing"))))
    result["currency"] = Tariff.objects.get(versions=result["tariff_version"]).currency
    run = job.run

    def effect() -> None:
        market.keep_market(participant=person, run=run, result=result, version=ENGINE_VERSION)

    # the run's page is its owner's; the figures stand on the member's own
    return Outcome(result={"url": f"/energy/{person.community.slug}/worth/"}, effect=effect)
