"""Reads of statements: a member's own, one of them, and for stewards the sums of months."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Prefetch
from django.utils.translation import gettext as _

from energy import policies
from energy.errors import StatementNotFound
from energy.models import (
    Community,
    MarketView,
    Participant,
    SchemeVersion,
    Settlement,
    Statement,
    StatementLine,
    TariffVersion,
)


def own(community: Community, viewer: policies.Viewer) -> list[Statement]:
    """The statements that this person may read as a member, newest first."""
    people = policies.own_participants(viewer, community)
    rows = Statement.objects.filter(participant__in=people).select_related("participant", "corrects")
    return list(rows.prefetch_related("corrected_by").order_by("-first_day", "-number"))


def statement(community: Community, number: int, viewer: policies.Viewer) -> Statement:
    """One statement with its lines. Raises StatementNotFound where it is not theirs to see."""
    found = (
        Statement.objects.filter(community=community, number=number)
        .select_related("participant", "participant__community", "settlement", "corrects", "community")
        .prefetch_related(Prefetch("lines", StatementLine.objects.order_by("position")))
        .first()
    )
    if found is None or not policies.may_see_bills(viewer, found.participant):
        raise StatementNotFound(_("There is no statement %(number)d, or it is not yours to see.") % {"number": number})
    return found


def correction_of(statement: Statement) -> Statement | None:
    """The statement that corrects this one."""
    return Statement.objects.filter(corrects=statement).first()


def terms_of(statement: Statement) -> tuple[list[TariffVersion], list[SchemeVersion]]:
    """The versions by which this statement was made, in the order of their days; not those of other members."""
    rows = [row for row in statement.settlement.inputs["terms"] if row[0] == statement.participant_id]
    tariffs = TariffVersion.objects.filter(pk__in={row[3] for row in rows}).select_related("tariff", "price_list")
    rules = SchemeVersion.objects.filter(pk__in={row[4] for row in rows})
    return list(tariffs.order_by("valid_from")), list(rules.order_by("valid_from"))


def settlements(community: Community) -> list[Settlement]:
    """What was worked out, newest first: sums without names."""
    return list(community.settlements.order_by("-first_day", "-number"))


def settlement(community: Community, number: int) -> Settlement:
    """One of them. Raises StatementNotFound."""
    found = community.settlements.filter(number=number).select_related("community", "community__place").first()
    if found is None:
        raise StatementNotFound(_("There is no settlement %(number)d.") % {"number": number})
    return found


@dataclass(frozen=True, slots=True)
class Terms:
    """What holds in a community on a day, what held, what will."""

    tariffs: Sequence[TariffVersion]
    rules: Sequence[SchemeVersion]
    tariff: TariffVersion | None
    rule: SchemeVersion | None


def terms(community: Community, day: dt.date) -> Terms:
    """Versions of tariffs and rules, newest first, and those that hold."""
    tariffs = list(
        TariffVersion.objects.filter(tariff__community=community)
        .select_related("tariff", "price_list")
        .order_by("-tariff__usual", "tariff__name", "-valid_from")
    )
    rules = list(SchemeVersion.objects.filter(scheme__community=community).order_by("-valid_from"))
    tariff = next((v for v in tariffs if v.tariff.usual and v.valid_from <= day), None)
    rule = next((v for v in rules if v.valid_from <= day), None)
    return Terms(tariffs, rules, tariff, rule)


def market_view(participant: Participant) -> MarketView | None:
    """The newest comparison of a participant."""
    return participant.market_views.order_by("-made_at").first()


def tariff_of_view(view: MarketView) -> TariffVersion | None:
    """The version of the tariff by which a comparison was made, if it is still there."""
    return TariffVersion.objects.filter(pk=view.result["tariff_version"]).select_related("tariff").first()


def document(statement: Statement) -> dict[str, Any]:
    """A statement as data: money and energies as decimals in text."""
    return {
        "number": statement.number,
        "participant": statement.participant.name,
        "first_day": statement.first_day,
        "last_day": statement.last_day,
        "final": statement.final,
        "corrects": statement.corrects.number if statement.corrects else None,
        "currency": statement.currency,
        "use_kwh": str(statement.use_kwh),
        "received_kwh": str(statement.received_kwh),
        "feed_in_kwh": str(statement.feed_in_kwh),
        "given_kwh": str(statement.given_kwh),
        "steps": statement.steps,
        "missing_steps": statement.missing_steps,
        "lines": [
            {
                "code": line.code,
                "first_day": line.first_day,
                "last_day": line.last_day,
                "kwh": str(line.kwh),
                "days": line.days or None,
                "rate": None if line.rate is None else str(line.rate),
                "tax_pct": str(line.tax_pct),
                "exact": str(line.exact),
                "amount": str(line.amount),
            }
            for line in statement.lines.all()
        ],
        "net": str(statement.net),
        "taxes": [{"rate_pct": rate, "amount": amount} for rate, amount in statement.taxes],
        "gross": str(statement.gross),
        "alone": str(statement.alone),
        "inputs_sha256": statement.settlement.inputs_sha256,
        "issued_at": statement.issued_at,
    }
