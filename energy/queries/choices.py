"""Whose tariff is which: the choices of a participant by day, and what of them is settled already."""

import datetime as dt

from django.db.models import Max, Q, QuerySet

from energy.models import Participant, Statement, Tariff, TariffChoice, TariffVersion
from energy.queries.participants import today


def choices(participant: Participant) -> list[TariffChoice]:
    """What was chosen, newest first."""
    return list(participant.tariff_choices.select_related("tariff").order_by("-since"))


def version_on(participant: Participant, day: dt.date) -> TariffVersion | None:
    """The version of a tariff that holds for somebody on a day: of the chosen tariff, else of the usual one."""
    choice = participant.tariff_choices.filter(since__lte=day).order_by("-since").first()
    rows = TariffVersion.objects.filter(valid_from__lte=day).select_related("tariff", "price_list")
    whose = Q(tariff=choice.tariff_id) if choice else Q(tariff__community=participant.community_id, tariff__usual=True)
    return rows.filter(whose).order_by("-valid_from").first()


def billed_until(participant: Participant) -> dt.date | None:
    """The last day of which there is a statement; what held until then stays."""
    last: dt.date | None = Statement.objects.filter(participant=participant).aggregate(last=Max("last_day"))["last"]
    return last


def first_open_day(participant: Participant) -> dt.date:
    """The first day for which a tariff can still be chosen."""
    billed = billed_until(participant)
    return max(participant.joined_on, billed + dt.timedelta(days=1)) if billed else participant.joined_on


def to_choose(participant: Participant) -> "QuerySet[Tariff]":
    """Tariffs of the community that have prices, in the currency in which it settles."""
    rows = participant.community.tariffs.filter(versions__isnull=False).distinct()
    usual = participant.community.tariffs.filter(usual=True).first()
    return rows.filter(currency=usual.currency) if usual else rows


def usual_day(participant: Participant) -> dt.date:
    """What the form proposes: today, or the first open day where that is later."""
    return max(today(participant.community), first_open_day(participant))
