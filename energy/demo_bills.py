"""The demonstration's bills: members with meters, a tariff, an exchange's prices, rules, and one month's statements.

Readings are the generated use and solar of the community's data for the month, each hour in four equal quarters.
"""

import datetime as dt
import math
from collections.abc import Callable
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.utils import timezone

from commons.people.models import User
from commons.runs import services as runs
from commons.runs.models import Run
from commons.runs.work import do
from energy import queries, series
from energy.kinds import MARKET_KIND, STATEMENTS_KIND, VERIFY_KIND
from energy.models import (
    Community,
    CommunityVersion,
    Member,
    MeterDay,
    MeterPoint,
    Participant,
    PriceDay,
    Settlement,
    Statement,
)
from energy.services import choices, market, statements, tariffs

Say = Callable[[str], None]
D = Decimal
LIST = "Exchange, made up for demonstration"
BY_THE_HOUR = "Power by the hour"


def seed(community: Community, say: Say) -> None:
    """Make what is not there yet; nothing twice."""
    version = queries.latest(community)
    if version is None or not community.demo or community.settlements.exists():
        return
    first, until = _month(version)
    _terms(community, version)
    if not community.participants.exists():
        _participants(community, version)
    for person in community.participants.filter(demo=True).prefetch_related("meters"):
        _read(person, version, first, until)
    made = Run.objects.filter(kind=STATEMENTS_KIND, subject=f"energy.community:{community.slug}", status="queued")
    run = made.first() or statements.ask_statements(community=community, month=f"{first:%Y-%m}", demo=True)
    _do(run)
    say(f"energy: {community.statements.count()} statements of {first:%B %Y}")
    shown = community.participants.filter(demo=True, person__isnull=False).first()
    if shown is not None:
        _do(market.ask_market(participant=shown, demo=True))
        hourly = community.tariffs.filter(name=BY_THE_HOUR).first()
        if hourly is not None and not shown.tariff_choices.exists():
            choices.choose_tariff(participant=shown, tariff=hourly, since=until)


def remove() -> None:
    """Take the demonstration's bills away, before its communities go."""
    Run.objects.filter(kind__in=[STATEMENTS_KIND, VERIFY_KIND, MARKET_KIND], demo=True).delete()
    Statement.objects.filter(demo=True, corrects__isnull=False).delete()
    Statement.objects.filter(demo=True).delete()
    Settlement.objects.filter(demo=True).delete()


def _do(run: Run) -> None:
    if not do(run.pk):
        runs.wait(run=run, timeout_s=300)


def _month(version: CommunityVersion) -> tuple[dt.date, dt.date]:
    """The newest month that is over and in the data."""
    zone = ZoneInfo(version.timezone)
    today = timezone.now().astimezone(zone).date()
    last = min(today.replace(day=1), version.end.astimezone(zone).date().replace(day=1))
    until = max(last, (version.first_day + dt.timedelta(days=62)).replace(day=1))
    return (until - dt.timedelta(days=1)).replace(day=1), until


def _terms(community: Community, version: CommunityVersion) -> None:
    start = version.first_day.replace(day=1)
    if not community.tariffs.exists():
        tariffs.add_tariff_version(
            community=community, name="City power", currency=version.currency, valid_from=start, demo=True,
            decided_by="The supplier's letter, made up", energy_price=D("0.092"), grid_fee=D("0.048"),
            levies=D("0.028"), base_fee=D("4.90"), tax_pct=D("25.5"), feed_in_price=D("0.05"),
        )  # fmt: skip
        prices = tariffs.price_list(community=community, name=LIST, currency=version.currency)
        _prices(prices.pk, version)
        tariffs.add_tariff_version(
            community=community, name=BY_THE_HOUR, currency=version.currency, valid_from=start, demo=True,
            decided_by="The supplier's letter, made up", energy_price=D("0.095"), price_list=prices, markup=D("0.006"),
            grid_fee=D("0.048"), levies=D("0.028"), base_fee=D("6.90"), tax_pct=D("25.5"), feed_in_price=D("0.05"),
            feed_in_listed=True, feed_in_less=D("0.004"),
        )  # fmt: skip
    if not hasattr(community, "sharing_scheme"):
        tariffs.add_scheme_version(
            community=community, law="at-local", key="dynamic", price=D("0.075"), valid_from=start, demo=True,
            decided_by="Members' meeting, made up",
        )  # fmt: skip


def _prices(prices: int, version: CommunityVersion) -> None:
    """A price for each hour: low at noon and by night, high in the evening; one day has none."""
    days = []
    for i in range((version.last_day - version.first_day).days + 1):
        day = version.first_day + dt.timedelta(days=i)
        season = 1 + 0.3 * math.cos(2 * math.pi * i / 365)
        values = [round(season * (0.06 - 0.03 * math.cos((h - 17) * math.pi / 12 + math.pi)), 5) for h in range(24)]
        if day.day == 13:
            values[5] = math.nan
        missing = sum(1 for value in values if math.isnan(value))
        days.append(PriceDay(prices_id=prices, day=day, step_minutes=60, packed=series.pack(values), missing=missing))
    PriceDay.objects.bulk_create(days)


def _participants(community: Community, version: CommunityVersion) -> None:
    person = User.objects.filter(demo=True, is_active=True).order_by("pk").first()
    for member in version.members.order_by("position"):
        home = member.kind == Member.Kind.HOME
        participant = Participant.objects.create(
            community=community, name=member.name, kind=member.kind, joined_on=version.first_day, demo=True,
            person=person if home else None,
        )  # fmt: skip
        person = None if home else person
        for direction in ("use", "feed_in") if member.pv_kwh > 0 else ("use",):
            MeterPoint.objects.create(
                participant=participant, number=f"DEMO-{member.key.upper()}", direction=direction, proof="steward",
                valid_from=version.first_day,
            )  # fmt: skip


def _read(person: Participant, version: CommunityVersion, first: dt.date, until: dt.date) -> None:
    """Days of a participant's meters that are not there, from the member of the same name."""
    member = version.members.filter(name=person.name).first()
    if member is None:
        return
    load, made = series.unpack(member.load), series.unpack(member.pv)
    zone, step = ZoneInfo(version.timezone), dt.timedelta(minutes=version.step_minutes)
    rows = []
    for meter in person.meters.all():
        sign = 1 if meter.direction == "use" else -1
        have = set(meter.days.filter(day__gte=first, day__lt=until).values_list("day", flat=True))
        for i in range((until - first).days):
            day = first + dt.timedelta(days=i)
            start, end = (dt.datetime.combine(d, dt.time(), tzinfo=zone) for d in (day, day + dt.timedelta(days=1)))
            a, b = ((moment.astimezone(dt.UTC) - version.start) // step for moment in (start, end))
            if day in have or meter.direction == "solar" or not 0 <= a < b <= version.steps:
                continue
            hours = [max(0.0, sign * (load[t] - made[t])) for t in range(a, b)]
            parts = version.step_minutes // 15
            values = [round(kwh / parts, 4) for kwh in hours for _quarter in range(parts)]
            rows.append(
                MeterDay(
                    meter=meter,
                    day=day,
                    step_minutes=15,
                    packed=series.pack(values),
                    kwh=math.fsum(values),
                    missing=0,
                    source="file",
                )
            )
    MeterDay.objects.bulk_create(rows, batch_size=500)
