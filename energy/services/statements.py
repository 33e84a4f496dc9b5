"""Writes about statements: work a period out, keep what is new, say who is told; check what was kept."""

import datetime as dt
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from django.db import transaction
from django.db.models import Max
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.notices.services import tell
from commons.people.models import User
from commons.runs import services as runs
from commons.runs.models import Run
from commons.said import said
from energy.errors import BadPeriod
from energy.kinds import STATEMENTS_KIND, VERIFY_KIND
from energy.models import Community, Participant, SchemeVersion, Settlement, Statement, StatementLine
from energy.queries import measured as readings

if TYPE_CHECKING:
    from energy.engine.billing import Line
    from energy.settling import Bill, Settled

NOTHING = Decimal("0.00")
MICRO = Decimal("0.000001")


def month_of(text: str) -> tuple[dt.date, dt.date]:
    """First day of a month and of the next, from "2026-03". Raises BadPeriod."""
    try:
        first = dt.date.fromisoformat(f"{text.strip()}-01")
        until = (first + dt.timedelta(days=32)).replace(day=1)
    except (ValueError, OverflowError):
        raise BadPeriod(_("“%(text)s” is no month; write it as 2026-03.") % {"text": text[:20]}) from None
    return first, until


def check_period(community: Community, until: dt.date) -> None:
    """Only what is over can be settled. Raises BadPeriod."""
    today = timezone.now().astimezone(ZoneInfo(str(readings.zone(community)))).date()
    if until > today:
        raise BadPeriod(
            _("This period is not over yet; it can be settled from %(day)s on.") % {"day": until.isoformat()}
        )


def ask_statements(
    *, community: Community, month: str, by: User | None = None, only: Participant | None = None, demo: bool = False
) -> Run:
    """Ring for the statements of a month; `only` makes one participant's, up to the day on which they left. Raises
    BadPeriod.
    """
    first, until = month_of(month)
    if only is not None and only.left_on is not None:
        until = min(until, only.left_on)
    check_period(community, until)
    return runs.start(
        kind=STATEMENTS_KIND,
        inputs={
            "community": community.pk,
            "first_day": first.isoformat(),
            "until": until.isoformat(),
            "only": only.pk if only else None,
            "by": by.pk if by else None,
        },
        title=said(gettext_lazy("Statements of %(community)s, %(month)s"), community=community.name, month=month),
        subject=f"energy.community:{community.slug}",
        owner=by,
        demo=demo,
    )


def final_statement(*, participant: Participant, by: User | None = None) -> Run | None:
    """Ring for the last statement of who has left, up to their last day; None if they left on the first of a month,
    whose statement the month's own run makes. For the service that lets a participant go.
    """
    if participant.left_on is None:
        raise BadPeriod(_("%(name)s has not left.") % {"name": participant.name})
    last = participant.left_on - dt.timedelta(days=1)
    return ask_statements(
        community=participant.community, month=f"{last:%Y-%m}", by=by, only=participant, demo=participant.demo
    )


def settles(community: Community) -> bool:
    """Whether statements are made here at all: there is a usual tariff, and rules."""
    ruled = SchemeVersion.objects.filter(scheme__community=community).exists()
    return ruled and community.tariffs.filter(usual=True).exists()


def on_leaving(participant: Participant) -> None:
    """When somebody leaves: the last statement, now if the last day is over; else the clock's round makes it."""
    today = timezone.now().astimezone(readings.zone(participant.community)).date()
    left = participant.left_on
    if left is not None and participant.joined_on < left <= today and settles(participant.community):
        final_statement(participant=participant)


def days_to_keep(participant: Participant) -> list[tuple[dt.date, dt.date]]:
    """Days of readings of which statements were made, or still will be; from the first until before the second."""
    spans = [
        (first, last + dt.timedelta(days=1))
        for first, last in participant.statements.values_list("first_day", "last_day")
    ]
    left = participant.left_on
    if left is not None and settles(participant.community):
        month = (left - dt.timedelta(days=1)).replace(day=1)
        spans.append(((month - dt.timedelta(days=1)).replace(day=1), left))
    return spans


def ask_check(*, settlement: Settlement, by: User | None = None) -> Run:
    """Ring for a second working out of a settlement, compared with what was kept."""
    return runs.start(
        kind=VERIFY_KIND,
        inputs={"settlement": settlement.pk},
        title=said(gettext_lazy("Check the statements of %(settlement)s"), settlement=str(settlement)),
        subject=f"energy.community:{settlement.community.slug}",
        owner=by,
    )


@transaction.atomic
def keep(
    *, settled: "Settled", only: Participant | None = None, by: User | None = None, demo: bool = False
) -> Settlement | None:
    """Write the statements that are new or correct another; None where all of them stand already. Locks the community.

    Cents: for each kind of line the members' come to the community's; who has nothing new keeps the cents of before.
    """
    from energy.engine import billing  # noqa: PLC0415 pure, but the engines are for workers

    community = Community.objects.select_for_update(no_key=True).get(pk=settled.community.pk)
    bills = [bill for bill in settled.bills if only is None or bill.participant.pk == only.pk]
    if not bills:
        raise BadPeriod(_("Nobody belonged to this community in that time."))
    former = _former(community, settled, [bill.participant.pk for bill in bills])
    same = {i: held for i, bill in enumerate(bills) if (held := former.get(bill.participant.pk)) and _same(held, bill)}
    fresh = [i for i in range(len(bills)) if i not in same]
    if not fresh:
        return None
    kept = {i: [line.amount for line in held.lines.all()] for i, held in same.items()}
    amounts = billing.in_cents([bill.lines for bill in bills], kept)
    number = (community.settlements.aggregate(last=Max("number"))["last"] or 0) + 1
    settlement = Settlement.objects.create(
        community=community,
        number=number,
        first_day=settled.first_day,
        until=settled.until,
        only=only,
        currency=settled.currency,
        step_minutes=settled.step_minutes,
        steps=settled.steps,
        missing_steps=sum(bill.missing_steps for bill in bills),
        inputs=settled.inputs,
        inputs_sha256=settled.sha256,
        engine_version=settled.inputs["engine"],
        sums=_sums(bills, amounts),
        by=by,
        demo=demo or community.demo,
    )
    settlement.tariff_versions.set(settled.tariff_versions)
    settlement.scheme_versions.set(settled.scheme_versions)
    next_number = (community.statements.aggregate(last=Max("number"))["last"] or 0) + 1
    for place, i in enumerate(fresh):
        held = former.get(bills[i].participant.pk)
        _write(settlement, bills[i], amounts[i], next_number + place, held)
    return settlement


def _former(community: Community, settled: "Settled", people: Sequence[int]) -> dict[int, Statement]:
    """The statement that stands of each participant for days of the period: the newest that nothing corrects."""
    standing = (
        community.statements.filter(
            participant__in=people,
            first_day__lt=settled.until,
            last_day__gte=settled.first_day,
            corrected_by=None,
        )
        .order_by("number")
        .prefetch_related("lines")
    )
    return {statement.participant_id: statement for statement in standing}


def _row(line: "Line") -> tuple[Any, ...]:
    rate = None if line.rate is None else Decimal(line.rate) * MICRO
    return (line.code, line.first_day, line.last_day, line.kwh, line.days, rate, line.tax_pct, line.exact)


def _same(held: Statement, bill: "Bill") -> bool:
    """Whether a bill says what the statement says, but for its cents."""
    if (held.first_day, held.last_day, held.final) != (bill.first_day, bill.last_day, bill.final):
        return False
    if [tuple(gap) for gap in held.gaps] != bill.gaps:
        return False
    rows = [(x.code, x.first_day, x.last_day, x.kwh, x.days, x.rate, x.tax_pct, x.exact) for x in held.lines.all()]
    return rows == [_row(line) for line in bill.lines]


def _sums(bills: Sequence["Bill"], amounts: Sequence[Sequence[Decimal]]) -> dict[str, Any]:
    from energy.engine import billing  # noqa: PLC0415 as above

    lines: dict[str, dict[str, Any]] = {}
    net = tax = NOTHING
    for bill, money in zip(bills, amounts, strict=True):
        for line, amount in zip(bill.lines, money, strict=True):
            held = lines.setdefault(line.code, {"units": 0, "amount": NOTHING})
            held["units"] += line.units
            held["amount"] += amount
        net += sum(money, NOTHING)
        taxes = billing.tax_of([(a, line.tax_pct) for line, a in zip(bill.lines, money, strict=True)])
        tax += sum(taxes.values(), NOTHING)
    return {
        "lines": {
            code: {"kwh": str(Decimal(lines[code]["units"]) * MICRO), "amount": str(lines[code]["amount"])}
            for code in billing.CODES
            if code in lines
        },
        "members": len(bills),
        "net": str(net),
        "tax": str(tax),
        "gross": str(net + tax),
        "alone": str(sum((bill.alone for bill in bills), NOTHING)),
        "use_kwh": str(sum(Decimal(bill.use) * MICRO for bill in bills)),
        "received_kwh": str(sum(Decimal(bill.received) * MICRO for bill in bills)),
        "feed_in_kwh": str(sum(Decimal(bill.feed_in) * MICRO for bill in bills)),
        "given_kwh": str(sum(Decimal(bill.given) * MICRO for bill in bills)),
    }


def _write(
    settlement: Settlement, bill: "Bill", amounts: Sequence[Decimal], number: int, former: Statement | None
) -> Statement:
    from energy.engine import billing  # noqa: PLC0415 as above

    person = bill.participant
    taxes = billing.tax_of([(a, line.tax_pct) for line, a in zip(bill.lines, amounts, strict=True)])
    net, tax = sum(amounts, NOTHING), sum(taxes.values(), NOTHING)
    statement = Statement.objects.create(
        settlement=settlement,
        community_id=settlement.community_id,
        participant=person,
        number=number,
        first_day=bill.first_day,
        last_day=bill.last_day,
        final=bill.final,
        corrects=former,
        payer=f"{person.name}\n{person.address}".strip(),
        currency=settlement.currency,
        use_kwh=Decimal(bill.use) * MICRO,
        received_kwh=Decimal(bill.received) * MICRO,
        feed_in_kwh=Decimal(bill.feed_in) * MICRO,
        given_kwh=Decimal(bill.given) * MICRO,
        steps=bill.steps,
        missing_steps=bill.missing_steps,
        gaps=bill.gaps,
        net=net,
        taxes=[[str(rate), str(amount)] for rate, amount in taxes.items()],
        gross=net + tax,
        alone=bill.alone,
        days=bill.days,
        demo=settlement.demo,
    )
    StatementLine.objects.bulk_create(
        StatementLine(
            statement=statement,
            position=place,
            code=line.code,
            first_day=line.first_day,
            last_day=line.last_day,
            kwh=line.kwh,
            days=line.days,
            rate=None if line.rate is None else Decimal(line.rate) * MICRO,
            tax_pct=line.tax_pct,
            exact=line.exact,
            amount=amount,
        )
        for place, (line, amount) in enumerate(zip(bill.lines, amounts, strict=True))
    )
    _tell(statement, former)
    return statement


def _tell(statement: Statement, former: Statement | None) -> None:
    person = statement.participant.person
    if person is None:
        return
    words = {
        "month": date_format(statement.first_day, "F Y"),
        "community": statement.community.name,
    }
    pattern = (
        gettext_lazy("Your statement of %(month)s from %(community)s was corrected.")
        if former
        else gettext_lazy("Your statement of %(month)s from %(community)s is there.")
    )
    url = reverse("rooms:community_bill", args=[statement.community.slug, statement.number])
    tell(people=[person], kind="energy.statement", text=said(pattern, **words), url=url)


def verify(*, settlement: Settlement) -> dict[str, Any]:
    """Work a settlement out again from the revisions that it names and compare every line, sum and hash; then say
    whether newer readings are there. Loads the engine: for workers and commands.

    {"same": bool, "differences": [words], "newer_readings": bool, "sums": bool}
    """
    from energy import settling  # noqa: PLC0415 loads numpy
    from energy.engine import billing  # noqa: PLC0415 as above

    found = settling.again(settlement)
    differences = []
    if found.sha256 != settlement.inputs_sha256:
        differences.append(_("what it is made of is no longer what it was"))
    bills = {bill.participant.pk: bill for bill in found.bills}
    for statement in settlement.statements.prefetch_related("lines"):
        bill = bills.get(statement.participant_id)
        if bill is None or not _same(statement, bill):
            differences.append(_("statement %(number)d has other lines") % {"number": statement.number})
        elif not _adds_up(statement, billing.tax_of):
            differences.append(_("statement %(number)d does not add up") % {"number": statement.number})
    newest = readings.curves(settlement.community, start=settlement.first_day, end=settlement.until)
    named = {(meter, dt.date.fromisoformat(day)): rev for meter, day, rev in settlement.inputs["readings"]}
    return {
        "settlement": settlement.number,
        "statements": settlement.statements.count(),
        "inputs_sha256": settlement.inputs_sha256,
        "same": not differences,
        "differences": differences,
        "newer_readings": newest.revisions != named,
    }


def _adds_up(statement: Statement, tax_of: Any) -> bool:
    """Whether each line is within a cent of what is exact, and lines, tax and foot are one."""
    lines = list(statement.lines.all())
    net = sum((line.amount for line in lines), NOTHING)
    taxes: Mapping[Decimal, Decimal] = tax_of([(line.amount, line.tax_pct) for line in lines])
    stated = {Decimal(rate): Decimal(amount) for rate, amount in statement.taxes}
    return (
        net == statement.net
        and stated == dict(taxes)
        and statement.gross == net + sum(taxes.values(), NOTHING)
        and all(abs(line.amount - line.exact) <= Decimal("0.02") for line in lines)
    )
