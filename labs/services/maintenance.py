"""Maintenance plans: made, ended, done; and the clock that says when one is due."""

import datetime as dt
import uuid
from collections.abc import Mapping, Sequence
from decimal import Decimal

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from commons.notices.services import tell
from commons.people.models import User
from labs.errors.interlocks import BadPlan
from labs.models import Booking, Consumable, Lab, Machine, MaintenancePlan, MaintenanceRecord, StockEntry
from labs.queries import maintenance
from labs.services.bookings import close_machine, reopen_machine, rows
from labs.services.bookings.telling import managers
from labs.services.stock import enter

MOST_H, MOST_DAYS, MOST_PLANS = 100_000, 3650, 40
AHEAD = dt.timedelta(hours=24)
"""So far ahead a machine that waits for its maintenance keeps its time; next week's bookings stand."""
REFILL = dt.timedelta(hours=12)
"""When less than this is left, the clock moves the end on."""


def add_plan(
    *,
    machine: Machine,
    by: User,
    name: str,
    every_h: float | None = None,
    every_days: int | None = None,
    steps: str = "",
    since: dt.datetime | None = None,
    when_due: str = MaintenancePlan.WhenDue.WARN,
    demo: bool = False,
) -> MaintenancePlan:
    """What is to be done every so many hours of work or days, whichever comes first. Raises BadPlan."""
    now, name = timezone.now(), " ".join(name.split())
    if not name or len(name) > 120:
        raise BadPlan(_("Give the plan a name of at most 120 letters."))
    if not every_h and not every_days:
        raise BadPlan(_("Say after how many hours of work, or after how many days."))
    if not 0 <= (every_h or 0) <= MOST_H or not 0 <= (every_days or 0) <= MOST_DAYS:
        raise BadPlan(_("A plan comes again within 100,000 hours or ten years."))
    if when_due not in MaintenancePlan.WhenDue.values:
        raise BadPlan(_("A plan that is due either warns or closes the machine."))
    if since is not None and since > now:
        raise BadPlan(_("It cannot have been done in the future."))
    if MaintenancePlan.objects.filter(machine=machine, active=True).count() >= MOST_PLANS:
        raise BadPlan(_("A machine has at most %(most)s plans; end one first.") % {"most": MOST_PLANS})
    try:
        with transaction.atomic():
            return MaintenancePlan.objects.create(
                machine=machine,
                name=name,
                steps=steps[:4000],
                every_h=every_h or None,
                every_days=every_days or None,
                since=since or now,
                when_due=when_due,
                by=by,
                demo=demo,
            )
    except IntegrityError:
        words = {"machine": machine.name, "name": name}
        raise BadPlan(_("%(machine)s has a plan “%(name)s” already.") % words) from None


@transaction.atomic
def end_plan(*, plan: MaintenancePlan) -> None:
    """It holds no longer, and what it closed is open; what was done stays written."""
    rows.lock_machines([plan.machine_id])
    held = MaintenancePlan.objects.select_for_update().get(pk=plan.pk)
    held.active = False
    held.save(update_fields=["active"])
    _open_again(held, timezone.now())


@transaction.atomic
def choose_when_due(*, plan: MaintenancePlan, when_due: str) -> MaintenancePlan:
    """Let the plan warn, or close the machine, when it is due; one that warns opens what it closed. Raises BadPlan."""
    if when_due not in MaintenancePlan.WhenDue.values:
        raise BadPlan(_("A plan that is due either warns or closes the machine."))
    rows.lock_machines([plan.machine_id])
    held = MaintenancePlan.objects.select_for_update().get(pk=plan.pk)
    held.when_due = when_due
    held.save(update_fields=["when_due"])
    if when_due == MaintenancePlan.WhenDue.WARN:
        _open_again(held, timezone.now())
    return held


@transaction.atomic
def log_done(
    *,
    plan: MaintenancePlan,
    by: User,
    at: dt.datetime | None = None,
    note: str = "",
    used: str = "",
    parts: Sequence[tuple[Consumable, Decimal]] = (),
) -> MaintenanceRecord:
    """It was done: the hours begin again at nought, the parts leave the stock, and what it closed is open.

    Raises BadPlan when it was ended, or done before the last time; BadStock when there are fewer parts than that.
    """
    now = timezone.now()
    rows.lock_machines([plan.machine_id])
    held = MaintenancePlan.objects.select_for_update().get(pk=plan.pk)
    when = at or now
    if not held.active:
        raise BadPlan(_("This plan holds no longer."))
    if when > now or when < held.since:
        raise BadPlan(_("That is in the future, or before it was done last."))
    hours = maintenance.worked_h([held], when)[held.pk]
    record = MaintenanceRecord.objects.create(
        plan=held, at=when, person=by, name=held.name, hours=hours, note=note[:1000], used=used[:300]
    )
    held.since, held.told_at = when, None
    held.save(update_fields=["since", "told_at"])
    for part, amount in sorted(parts, key=lambda one: one[0].pk):
        if part.lab_id != held.machine.lab_id:
            raise BadPlan(_("These parts are not of this lab."))
        use = StockEntry.Why.USED
        enter(consumable=part, why=use, amount=amount, by=by, note=held.name, machine=held.machine, record=record)
    _open_again(held, now)
    return record


def parts_named(lab: Lab, amounts: Mapping[int, Decimal]) -> list[tuple[Consumable, Decimal]]:
    """Parts of the lab's stock by their numbers. Raises BadPlan for one that the lab does not have."""
    found = {part.pk: part for part in Consumable.objects.filter(lab=lab, pk__in=amounts)}
    for key in amounts:
        if key not in found:
            raise BadPlan(
                _("There is nothing with the number %(n)s in the stock of %(lab)s.") % {"n": key, "lab": lab.name}
            )
    return [(found[key], amount) for key, amount in amounts.items()]


def tell_due(now: dt.datetime) -> int:
    """By the clock: those who run the lab hear once that a plan is due; of how many."""
    plans = MaintenancePlan.objects.filter(active=True, told_at=None).select_related("machine__lab")
    due = [standing.plan for standing in maintenance.standings(plans, now) if standing.due.state == "due"]
    told = 0
    for plan in due:
        with transaction.atomic():
            if MaintenancePlan.objects.filter(pk=plan.pk, active=True, told_at=None).update(told_at=now):
                _tell(plan)
                told += 1
    return told


def close_overdue(now: dt.datetime) -> int:
    """By the clock: machines that a due plan closes are kept closed, a day ahead, from when nobody uses them.

    How many closures were made or moved on; one transaction each.
    """
    plans = MaintenancePlan.objects.filter(active=True, when_due=MaintenancePlan.WhenDue.CLOSE)
    due = [s.plan for s in maintenance.standings(plans.select_related("machine__lab"), now) if s.due.state == "due"]
    done = 0
    for plan in due:
        with transaction.atomic():
            machine = rows.lock_machines([plan.machine_id])[0]
            held = MaintenancePlan.objects.select_for_update().get(pk=plan.pk)
            still = held.active and held.when_due == MaintenancePlan.WhenDue.CLOSE and held.since == plan.since
            if still and _close(held, machine, now):
                done += 1
    return done


def _close(plan: MaintenancePlan, machine: Machine, now: dt.datetime) -> bool:
    """Hold the machine from now (or from when who uses it is done) for a day; whether anything had to be written."""
    holds = Booking.objects.filter(machine=machine, status__in=Booking.OPEN, end__gt=now)
    if plan.closure is not None and holds.filter(together=plan.closure, end__gte=now + REFILL).exists():
        return False
    by = plan.by or next(iter(managers(machine.lab)), None)
    if by is None:
        return False
    in_use = holds.filter(kind=Booking.Kind.USE, start__lte=now).order_by("-end").first()
    start = max(now, in_use.blocked.upper) if in_use is not None else now
    plan.closure = plan.closure or uuid.uuid4()
    plan.save(update_fields=["closure"])
    with translation.override(settings.LANGUAGE_CODE):
        reason = _("Maintenance is due: %(name)s") % {"name": plan.name}
    close_machine(
        machine=machine,
        start=start,
        end=max(start, now) + AHEAD,
        kind=Booking.Kind.MAINTENANCE,
        reason=reason,
        by=by,
        cancel_conflicting=True,
        together=plan.closure,
        now=now,
    )
    return True


def _open_again(plan: MaintenancePlan, now: dt.datetime) -> None:
    if plan.closure is None:
        return
    closure, plan.closure = plan.closure, None
    plan.save(update_fields=["closure"])
    reopen_machine(machine=plan.machine, together=closure, now=now)


def _tell(plan: MaintenancePlan) -> None:
    with translation.override(settings.LANGUAGE_CODE):
        text = _("Maintenance is due: %(machine)s, %(name)s.") % {"machine": plan.machine.name, "name": plan.name}
        url = reverse("rooms:lab_maintenance", args=[plan.machine.lab.slug])
    people = managers(plan.machine.lab)
    tell(people=people, kind="labs.maintenance", text=text, url=url, about=f"maintenance {plan.pk}")
