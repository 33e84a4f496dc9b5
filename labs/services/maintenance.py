"""Maintenance plans: made, ended, done; and the clock that says when one is due."""

import datetime as dt

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from commons.notices.services import tell
from commons.people.models import User
from labs.errors.interlocks import BadPlan
from labs.models import Machine, MaintenancePlan, MaintenanceRecord
from labs.queries import maintenance
from labs.services.bookings.telling import managers

MOST_H, MOST_DAYS, MOST_PLANS = 100_000, 3650, 40


def add_plan(
    *,
    machine: Machine,
    by: User,
    name: str,
    every_h: float | None = None,
    every_days: int | None = None,
    steps: str = "",
    since: dt.datetime | None = None,
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
                by=by,
                demo=demo,
            )
    except IntegrityError:
        words = {"machine": machine.name, "name": name}
        raise BadPlan(_("%(machine)s has a plan “%(name)s” already.") % words) from None


def end_plan(*, plan: MaintenancePlan) -> None:
    """It holds no longer; what was done stays written."""
    MaintenancePlan.objects.filter(pk=plan.pk).update(active=False)


@transaction.atomic
def log_done(
    *, plan: MaintenancePlan, by: User, at: dt.datetime | None = None, note: str = "", used: str = ""
) -> MaintenanceRecord:
    """It was done: the hours begin again at nought. Raises BadPlan when it was ended, or done before the last time."""
    now = timezone.now()
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
    return record


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


def _tell(plan: MaintenancePlan) -> None:
    with translation.override(settings.LANGUAGE_CODE):
        text = _("Maintenance is due: %(machine)s, %(name)s.") % {"machine": plan.machine.name, "name": plan.name}
        url = reverse("rooms:lab_maintenance", args=[plan.machine.lab.slug])
    people = managers(plan.machine.lab)
    tell(people=people, kind="labs.maintenance", text=text, url=url, about=f"maintenance {plan.pk}")
