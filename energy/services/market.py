"""Writes about the market view: rung for by the member, worked out by a worker, kept."""

import datetime as dt
from typing import Any

from django.db.models import Max, Min
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.people.models import User
from commons.runs import services as runs
from commons.runs.models import Run
from commons.said import said
from energy.errors import BadPeriod
from energy.kinds import MARKET_KIND
from energy.models import MarketView, MeterDay, Participant
from energy.queries import measured

YEAR = dt.timedelta(days=365)


def ask_market(*, participant: Participant, by: User | None = None, demo: bool = False) -> Run:
    """Ring for a comparison over the participant's last year of readings. Raises BadPeriod without any."""
    days = MeterDay.objects.filter(meter__participant=participant, current=True).exclude(meter__proof="claimed")
    read = days.aggregate(first=Min("day"), last=Max("day"))
    last: dt.date | None = read["last"]
    if last is None:
        raise BadPeriod(_("Nothing is measured yet; bring readings first."))
    today = timezone.now().astimezone(measured.zone(participant.community)).date()
    until = min(last + dt.timedelta(days=1), today)
    first = max(until - YEAR, participant.joined_on, read["first"])
    if first >= until:
        raise BadPeriod(_("Nothing is measured yet; bring readings first."))
    return runs.start(
        kind=MARKET_KIND,
        inputs={"participant": participant.pk, "first_day": first.isoformat(), "until": until.isoformat()},
        title=said(gettext_lazy("What tariffs and sharing would be worth to %(name)s"), name=participant.name),
        subject=f"energy.participant:{participant.pk}",
        owner=by,
        demo=demo,
    )


def keep_market(*, participant: Participant, run: Run, result: dict[str, Any], version: str) -> MarketView:
    """Keep a run's answer; called inside the transaction that ends the run."""
    return MarketView.objects.create(
        participant=participant,
        run=run,
        first_day=dt.date.fromisoformat(str(run.inputs["first_day"])),
        until=dt.date.fromisoformat(str(run.inputs["until"])),
        currency=result["currency"],
        result=result,
        engine_version=version,
        demo=run.demo,
    )
