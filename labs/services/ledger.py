"""The books of a lab: charge, refund, pay in, grant. Everything is a posting whose entries come to nothing.

A wallet is locked before it is looked at, so that two charges at once see each other; the lab's own accounts are never
locked. The database keeps balances and refuses what was overlooked (see the triggers of the first migration of money).
"""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import Membership, User
from labs.engine import prices as engine
from labs.engine import rules as rules_engine
from labs.engine.hours import Span
from labs.engine.prices import NOTHING
from labs.errors.money import BadAmount, NoFunds, NoMoneyHere
from labs.models import Account, Booking, Entry, Job, Lab, Posting, Till
from labs.queries import books, prices, rules
from labs.queries.prices import Price, amount, price_of
from labs.queries.roles import role_of

if TYPE_CHECKING:
    from labs.services.hooks import What

__all__ = ["Price", "charge", "charge_energy", "fee", "grant_week", "heard", "price_of", "refund", "settle"]

Kind = Account.Kind
LARGEST = Decimal(1_000_000)
LINES_OF_DAYS = dt.timedelta(days=14)
MINUTE = dt.timedelta(minutes=1)
#: Nobody pays for a share of a meter, nor for an estimate.
NOT_ASKED_FOR = (Job.Quality.SHARED, Job.Quality.ESTIMATED)


@dataclass(frozen=True, slots=True)
class About:
    """What a posting is about, and who made it."""

    memo: str = ""
    booking: Booking | None = None
    job: Job | None = None
    by: User | None = None
    once: str | None = None
    tax_pct: Decimal = NOTHING


NOTHING_MORE = About()


def wallet(lab: Lab, user: User, till: Till) -> Account:
    """The person's wallet in what the lab asks for, locked; made when it is needed, with the points of this week."""
    found, made = Account.objects.get_or_create(
        lab=lab, kind=Kind.WALLET, unit=till.unit, user=user, defaults={"floor": -till.credit}
    )
    if made and till.mode == Till.Mode.POINTS:
        _grant(lab, user, timezone.now())
    return Account.objects.select_for_update(no_key=True).get(pk=found.pk)


def _own(lab: Lab, kind: str, unit: str) -> Account:
    """One of the lab's own accounts."""
    found, _made = Account.objects.get_or_create(lab=lab, kind=kind, unit=unit, user=None)
    return found


def _post(
    lab: Lab, what: str, lines: Sequence[tuple[Account, Decimal]], *, unit: str, about: About = NOTHING_MORE
) -> Posting:
    posting = Posting.objects.create(
        lab=lab,
        what=what,
        at=timezone.now(),
        unit=unit,
        memo=about.memo[:200],
        booking=about.booking,
        job=about.job,
        by=about.by,
        once=about.once,
        tax_pct=about.tax_pct,
    )
    Entry.objects.bulk_create([Entry(posting=posting, account=a, amount=sum_) for a, sum_ in lines if sum_])
    return posting


def _use(lab: Lab, what: str, held: Account, gross: Decimal, about: About) -> Posting:
    """Use that a person pays for (below nothing: that is given back): wallet to income and tax."""
    net, tax = engine.split(gross, about.tax_pct)
    lines = [(held, -gross), (_own(lab, Kind.INCOME, held.unit), net)]
    if tax:
        lines.append((_own(lab, Kind.TAX, held.unit), tax))
    return _post(lab, what, lines, unit=held.unit, about=about)


@transaction.atomic
def settle(
    *,
    booking: Booking,
    target: Decimal,
    tax_pct: Decimal = NOTHING,
    by: User | None = None,
    once: str | None = None,
    till: Till | None = None,
) -> Posting | None:
    """Bring what the person has paid for a booking to `target`, by one charge or one refund; None if it is that.

    Doing it twice does nothing the second time. Raises NoFunds.
    """
    lab = booking.machine.lab
    till = till or prices.till_of(lab)
    if till is None:
        return None
    held = wallet(lab, booking.user, till)
    more = target - books.charged(booking)
    if not more:
        return None
    about = About(_memo(booking), booking=booking, by=by, tax_pct=tax_pct)
    if more < 0:
        last = Posting.objects.filter(booking=booking, what=Posting.What.CHARGE).order_by("-at").first()
        tax_pct = last.tax_pct if last else tax_pct
        about = About(_memo(booking), booking=booking, by=by, tax_pct=tax_pct, once=once)
        return _use(lab, Posting.What.REFUND, held, more, about)
    _refuse_if_short(lab, held, more)
    return _use(lab, Posting.What.CHARGE, held, more, about)


def _refuse_if_short(lab: Lab, held: Account, more: Decimal) -> None:
    floor = held.floor if held.floor is not None else NOTHING
    if held.balance - more < floor:
        raise short(lab, more, held.balance, held.unit)


def short(lab: Lab, costs: Decimal, holds: Decimal, unit: str) -> NoFunds:
    """The refusal of what a wallet cannot pay."""
    return NoFunds(" ".join(prices.short(lab, costs, holds, unit)), price=str(costs), funds=str(holds), unit=unit)


def _memo(booking: Booking) -> str:
    there = booking.start.astimezone(booking.machine.lab.zone)
    return f"{booking.machine.name}, {there:%Y-%m-%d %H:%M}, {_hours(booking)} h"


def _hours(booking: Booking) -> str:
    start, end = rules_engine.absolute(Span(booking.start, booking.end))
    return f"{engine.hours_of(end - start):.2f}"


def charge(booking: Booking, by: User | None = None) -> Posting | None:
    """Let the person pay for a booking by today's tariff; None when it is paid for or free. Raises NoFunds."""
    till, lab = prices.till_of(booking.machine.lab_id), booking.machine.lab
    if till is None:
        return None
    span = Span(booking.start, booking.end)
    price = prices.price_in(till, booking.machine, role_of(booking.user, lab), span)
    return settle(booking=booking, target=price.gross, tax_pct=price.tax_pct, by=by, till=till)


def refund(
    booking: Booking, share: float | Decimal = 1, by: User | None = None, *, once: str | None = None
) -> Posting | None:
    """Give back this share (0..1) of what the person has paid for a booking; None when that is nothing.

    With `once`, a name that stands in the books already, nothing is given back again.
    """
    if once is not None and Posting.objects.filter(lab=booking.machine.lab_id, once=once).exists():
        return None
    paid = books.charged(booking)
    back = engine.cents(paid * Decimal(str(share)))
    return settle(booking=booking, target=paid - back, by=by, once=once) if back > 0 else None


@transaction.atomic
def fee(booking: Booking) -> Posting | None:
    """What a person who did not come owes, once for a booking; None where the lab asks for none."""
    lab = booking.machine.lab
    till = prices.till_of(lab)
    once = f"fee:{booking.pk}"
    if till is None or not till.no_show_fee or Posting.objects.filter(lab=lab, once=once).exists():
        return None
    tax_pct = till.tax_pct if till.mode == Till.Mode.MONEY else NOTHING
    gross = till.no_show_fee + engine.tax_on(till.no_show_fee, tax_pct)
    about = About(_memo(booking), booking=booking, once=once, tax_pct=tax_pct)
    return _use(lab, Posting.What.FEE, wallet(lab, booking.user, till), gross, about)


@transaction.atomic
def charge_energy(job: Job) -> Posting | None:
    """Ask for the measured energy of a job by the tariff of its time; later readings bring the difference."""
    booking, lab = job.booking, job.machine.lab
    till = prices.till_of(lab)
    if booking is None or till is None or job.energy_kwh is None or booking.kind != Booking.Kind.USE:
        return None
    if job.energy_quality in NOT_ASKED_FOR:
        return None
    tariff = prices.tariff_for(job.machine, role_of(booking.user, lab), job.started_at)
    tax_pct = till.tax_pct if till.mode == Till.Mode.MONEY else NOTHING
    net = engine.energy(job.energy_kwh, prices.rates_of(tariff).per_kwh)
    held = wallet(lab, booking.user, till)
    paid = sum(
        (-e.amount for e in Entry.objects.filter(account=held, posting__job=job, posting__what=Posting.What.ENERGY)),
        NOTHING,
    )
    more = net + engine.tax_on(net, tax_pct) - paid
    if not more:
        return None
    memo = f"{_memo(booking)}: {job.energy_kwh:.3f} kWh"
    return _use(lab, Posting.What.ENERGY, held, more, About(memo, booking=booking, job=job, tax_pct=tax_pct))


def charge_all_energy(now: dt.datetime) -> int:
    """Ask for the energy of all jobs that ended lately in labs that ask for it; how many postings were made."""
    ended = Job.objects.filter(
        finished_at__gt=now - LINES_OF_DAYS,
        finished_at__lte=now,
        energy_kwh__isnull=False,
        booking__isnull=False,
        machine__lab__tariffs__per_kwh__gt=0,
    ).exclude(Q(machine__lab__till__mode=Till.Mode.NONE) | Q(energy_quality__in=NOT_ASKED_FOR))
    rows = ended.select_related("machine__lab__place", "booking__user", "booking__machine__lab__place").distinct()
    return sum(charge_energy(job) is not None for job in rows)


@transaction.atomic
def pay_in(*, lab: Lab, user: User, sum_: Decimal, by: User, memo: str = "") -> Posting:
    """Note what a person paid at the desk (below nothing: what was paid out). Raises NoMoneyHere, BadAmount."""
    till = _money(lab)
    _check(sum_)
    held = wallet(lab, user, till)
    if sum_ < 0 and held.balance + sum_ < 0:
        raise BadAmount(
            _("The wallet holds %(sum)s; no more can be paid out.") % {"sum": amount(held.balance, held.unit)}
        )
    what = Posting.What.TOP_UP if sum_ > 0 else Posting.What.PAY_OUT
    lines = [(held, sum_), (_own(lab, Kind.CASH, held.unit), -sum_)]
    return _post(lab, what, lines, unit=held.unit, about=About(memo, by=by))


@transaction.atomic
def correct(*, lab: Lab, user: User, sum_: Decimal, by: User, memo: str) -> Posting:
    """Put right by hand what went wrong, with the reason. Raises NoMoneyHere, BadAmount."""
    till = prices.till_of(lab)
    if till is None:
        raise NoMoneyHere(_("%(lab)s asks for nothing, so there is nothing to correct.") % {"lab": lab.name})
    _check(sum_)
    if not memo.strip():
        raise BadAmount(_("Say why: a correction stands in the books with its reason."))
    held = wallet(lab, user, till)
    lines = [(held, sum_), (_own(lab, Kind.CORRECTIONS, held.unit), -sum_)]
    return _post(lab, Posting.What.CORRECTION, lines, unit=held.unit, about=About(memo, by=by))


def _money(lab: Lab) -> Till:
    till = prices.till_of(lab)
    if till is None or till.mode != Till.Mode.MONEY:
        raise NoMoneyHere(_("%(lab)s asks for no money, so nothing can be paid in.") % {"lab": lab.name})
    return till


def _check(sum_: Decimal) -> None:
    if not sum_.is_finite() or sum_ != engine.cents(sum_) or not NOTHING < abs(sum_) <= LARGEST:
        raise BadAmount(_("Write an amount up to %(most)s, with at most two decimals.") % {"most": LARGEST})


@transaction.atomic
def grant_week(*, lab: Lab, user: User, now: dt.datetime) -> bool:
    """Let a person's unused points fade and give those of the new week, once a week of the lab's calendar; whether it
    was done now."""
    till = prices.till_of(lab)
    if till is None or till.mode != Till.Mode.POINTS:
        return False
    held, _made = Account.objects.get_or_create(
        lab=lab, kind=Kind.WALLET, unit=till.unit, user=user, defaults={"floor": -till.credit}
    )
    Account.objects.select_for_update(no_key=True).get(pk=held.pk)
    return _grant(lab, user, now)


def _grant(lab: Lab, user: User, now: dt.datetime) -> bool:
    year, week, _day = now.astimezone(lab.zone).date().isocalendar()
    name = f"{year}-W{week:02d}"
    once, faded = f"grant:{user.pk}:{name}", f"decay:{user.pk}:{name}"
    if Posting.objects.filter(lab=lab, once__in=[once, faded]).exists():
        return False
    points, keep_pct = _points(lab, user)
    held = Account.objects.get(lab=lab, kind=Kind.WALLET, unit="points", user=user)
    pool = _own(lab, Kind.GRANTS, "points")
    gone = engine.faded(held.balance, keep_pct)
    try:
        with transaction.atomic():
            if gone:
                about = About(name, once=faded)
                _post(lab, Posting.What.DECAY, [(held, -gone), (pool, gone)], unit="points", about=about)
            if points:
                _post(
                    lab,
                    Posting.What.GRANT,
                    [(held, points), (pool, -points)],
                    unit="points",
                    about=About(name, once=once),
                )
    except IntegrityError:  # somebody else gave them at the same moment
        return False
    return bool(points or gone)


def _points(lab: Lab, user: User) -> tuple[Decimal, Decimal]:
    """The points of a week for this person, and how many per cent of the old ones stay."""
    ruled = rules_engine.resolve(rules.rows_of(lab), machine=0, cls="", role=role_of(user, lab))
    keep = ruled.number("points_keep_pct")
    return Decimal(str(ruled.number("points_week") or 0)), Decimal(str(50 if keep is None else keep))


def grant_all(now: dt.datetime) -> int:
    """Give the points of the week to all members of labs with points, and to all who have a wallet there; to how
    many."""
    done = 0
    for till in Till.objects.filter(mode=Till.Mode.POINTS).select_related("lab__place", "lab__organisation"):
        lab = till.lab
        members = Membership.objects.filter(organisation=lab.organisation_id).values("user")
        holders = Account.objects.filter(lab=lab, kind=Kind.WALLET, unit="points").values("user")
        people = User.objects.filter(is_active=True, pk__in=members).union(
            User.objects.filter(is_active=True, pk__in=holders)
        )
        done += sum(grant_week(lab=lab, user=user, now=now) for user in people)
    return done


def heard(booking: Booking, what: "What") -> None:
    """What a change of a booking means for the books; called inside its transaction."""
    if booking.kind != Booking.Kind.USE:
        return
    act: Any = ACTS.get(what)
    if act is not None:
        act(booking)


def _paid_when_held(booking: Booking) -> None:
    if booking.status in {Booking.Status.BOOKED, Booking.Status.RUNNING}:
        charge(booking, booking.booked_by)


def _moved(booking: Booking) -> None:
    """The price of the new time; but late, or when it has begun, a shorter time gives nothing back."""
    if booking.status not in {Booking.Status.BOOKED, Booking.Status.RUNNING}:
        return
    price = price_of(booking.machine, booking.user, Span(booking.start, booking.end))
    target = price.gross
    if cancelling(booking, timezone.now()).share < 1:
        target = max(target, books.charged(booking))
    settle(booking=booking, target=target, tax_pct=price.tax_pct)


def _cut_short(booking: Booking) -> None:
    """The lab took the rest of the time: only what was left of it is paid, and nothing if that is nothing."""
    span = Span(booking.start, booking.end)
    left = price_of(booking.machine, booking.user, span).gross if span.end - span.start >= MINUTE else NOTHING
    settle(booking=booking, target=min(left, books.charged(booking)))


@dataclass(frozen=True, slots=True)
class Cancelling:
    """What cancelling now would give back: the share of what was paid, and until when all of it."""

    share: Decimal
    until: dt.datetime


def cancelling(booking: Booking, now: dt.datetime) -> Cancelling:
    """What the lab's rules say of cancelling this booking then; all of it when the lab itself needs the time."""
    held = rules.for_machine(booking.machine, booking.user)
    until = booking.start - dt.timedelta(minutes=held.cancel_until_min)
    if now <= until or _closed_by_lab(booking):
        return Cancelling(Decimal(1), until)
    return Cancelling(Decimal(str(held.late_refund_share)), until)


def _closed_by_lab(booking: Booking) -> bool:
    """Whether maintenance or a closure stands where the booking was."""
    meeting = Booking.objects.filter(machine=booking.machine_id, start__lt=booking.end, end__gt=booking.start)
    return meeting.filter(status__in=Booking.HOLDING).exclude(kind=Booking.Kind.USE).exists()


def _cancelled(booking: Booking) -> None:
    if books.charged(booking):
        refund(booking, cancelling(booking, timezone.now()).share, once=f"cancelled:{booking.pk}")


def _excused(booking: Booking) -> None:
    """All that was paid, and the fee for not coming: each given back once."""
    refund(booking, once=f"excused:{booking.pk}")
    lab = booking.machine.lab
    asked = Posting.objects.filter(lab=lab, once=f"fee:{booking.pk}").first()
    once = f"fee-back:{booking.pk}"
    if asked is None or Posting.objects.filter(lab=lab, once=once).exists():
        return
    entry = Entry.objects.select_related("account").get(posting=asked, account__kind=Kind.WALLET)
    held = Account.objects.select_for_update(no_key=True).get(pk=entry.account_id)
    about = About(_memo(booking), booking=booking, once=once, tax_pct=asked.tax_pct)
    _use(lab, Posting.What.FEE, held, entry.amount, about)


ACTS: dict[str, Any] = {
    "created": _paid_when_held,
    "approved": _paid_when_held,
    "moved": _moved,
    "cut-short": _cut_short,
    "cancelled": _cancelled,
    "lapsed": _cancelled,
    "declined": refund,
    "missed": fee,
    "excused": _excused,
}
