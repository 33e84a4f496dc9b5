"""Statements: worked out, kept, checked; last month's by the clock; prices of feeds each hour."""

import datetime as dt
from typing import Any

from celery import shared_task
from django.utils import timezone
from django.utils.translation import gettext_noop as _

from commons.runs.registry import Inputs, Job, Outcome, kind
from commons.said import said
from energy.errors import BadPeriod, CommunityNotFound
from energy.kinds import STATEMENTS_KIND, VERIFY_KIND
from energy.models import Community, Participant, Settlement
from energy.queries import measured
from energy.services import feeds, statements

ENGINE_VERSION = "1"
#: Readings of the last days of a month come late: its statements are made on this day of the next.
FROM_DAY = 3
BEAT: dict[str, Any] = {
    "energy.monthly": {"task": "energy.monthly", "schedule": 6 * 3600.0, "options": {"expires": 3600}},
    "energy.prices": {"task": "energy.prices", "schedule": 3600.0, "options": {"expires": 3000}},
}


@kind(STATEMENTS_KIND, queue="simulations", engine_version=ENGINE_VERSION)
def make(job: Job, inputs: Inputs) -> Outcome:
    """Work a period out and keep the statements that are new or correct another."""
    from energy import settling  # noqa: PLC0415 numpy is loaded by workers alone

    community = Community.objects.select_related("place").filter(pk=inputs["community"]).first()
    if community is None:
        raise CommunityNotFound("The community was taken away before its statements were made.")
    only = Participant.objects.filter(pk=inputs["only"]).first() if inputs.get("only") else None
    job.progress(0.1, said(_("reading the meters")))
    settled = settling.work_out(
        community, dt.date.fromisoformat(inputs["first_day"]), dt.date.fromisoformat(inputs["until"])
    )
    job.progress(0.8, said(_("writing it down")))
    run, result = job.run, dict[str, Any]()

    def effect() -> None:
        kept = statements.keep(settled=settled, only=only, by=run.owner, demo=run.demo)
        result["settlement"] = kept.number if kept else None
        result["statements"] = kept.statements.count() if kept else 0
        result["corrections"] = kept.statements.exclude(corrects=None).count() if kept else 0
        result["inputs_sha256"] = settled.sha256
        result["url"] = f"/energy/{community.slug}/bills/"

    return Outcome(result=result, effect=effect)


@kind(VERIFY_KIND, queue="simulations", engine_version=ENGINE_VERSION)
def verify(job: Job, inputs: Inputs) -> Outcome:
    """Work a settlement out again and compare."""
    settlement = (
        Settlement.objects.select_related("community", "community__place").filter(pk=inputs["settlement"]).first()
    )
    if settlement is None:
        raise BadPeriod("The settlement was taken away before it was checked.")
    job.progress(0.1, said(_("reading the meters")))
    return Outcome(result=statements.verify(settlement=settlement))


@shared_task(name="energy.monthly")
def monthly() -> int:
    """Ring for last month's statements of communities that have a tariff and rules and no settlement of it yet."""
    rung = 0
    for community in Community.objects.filter(sharing_scheme__versions__isnull=False, tariffs__usual=True).distinct():
        today = timezone.now().astimezone(measured.zone(community)).date()
        first = (today.replace(day=1) - dt.timedelta(days=1)).replace(day=1)
        rung += _leavers(community, today)
        people = community.participants.filter(joined_on__lt=today.replace(day=1))
        settled = community.settlements.filter(only=None, first_day=first).exists()
        if today.day < FROM_DAY or settled or not people.exists():
            continue
        statements.ask_statements(community=community, month=f"{first:%Y-%m}", demo=community.demo)
        rung += 1
    return rung


def _leavers(community: Community, today: dt.date) -> int:
    """Ring for the last statement of who left since yesterday's month began and has none that says so."""
    since = (today.replace(day=1) - dt.timedelta(days=1)).replace(day=1)
    gone = community.participants.filter(left_on__gt=since, left_on__lte=today).exclude(statements__final=True)
    found = [person for person in gone if person.left_on and person.joined_on < person.left_on]
    for person in found:
        statements.final_statement(participant=person)
    return len(found)


@shared_task(name="energy.prices")
def prices() -> int:
    """Ask the feeds of all price lists; how many answered."""
    return feeds.ask_all()
