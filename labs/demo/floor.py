"""What happens on the demo's floors: faults, maintenance, interlocks, lines of the log, a kiosk."""

import datetime as dt
from collections.abc import Mapping
from contextlib import suppress

from django.utils import timezone

from commons.errors import CityError
from commons.people.models import User
from labs.models import Fault, Interlock, Kiosk, Lab, LogEntry, Machine, MaintenancePlan
from labs.services import faults, interlocks, kiosk, log, maintenance

HOUR, DAY = dt.timedelta(hours=1), dt.timedelta(days=1)
HOME = "kamppi-open-lab"
#: Machine, who saw it, how bad it is, what, days until it is back, who looks after it.
FAULTS = (
    ("Lokka", "otto", Fault.Severity.DOWN, "The belt is worn after 1 904 h; the part is ordered.", 5, "otto"),
    ("Saimaa", "leila", Fault.Severity.CARE, "It squeaks on the left side at high speed. Prints come out well.", 0, ""),
    ("Oulujärvi", "mikko", Fault.Severity.NOTE, "The lamp inside flickers when the lid opens.", 0, "aino"),
)
#: What is over: machine, who saw it, what, days ago, hours that it took, what was done.
PAST = (
    ("Pielinen", "leila", "The spindle stopped in the middle of a cut and smells warm.", 8, 5,
     "A chip had blocked the fan. Blown out, run for half an hour without load, no more heat."),
    ("Inari", "mikko", "The nozzle is clogged; three prints in a row failed.", 6, 2, "New nozzle, 0.4 mm."),
)  # fmt: skip
#: Machine, name, after how many hours of work, after how many days, done last so many days ago, how.
PLANS = (
    ("Saimaa", "Grease the rods", 40.0, None, 12, "Wipe them dry first. One drop a rod, then home the axes twice."),
    ("Oulujärvi", "Clean the lens", 12.0, None, 12, "Isopropanol and a lens cloth; never dry. Gloves on."),
    ("Pielinen", "Belts and dust bag", None, 14, 15, "The belt gives 4 mm in the middle. Empty the bag outside."),
    ("Inari", "Level the bed", 200.0, 60, 9, "Warm it up first."),
)
#: What people wrote down: kind, days ago, who, machine, what, what was done, what is for those who run the lab alone.
LINES = (
    (LogEntry.Kind.CHECK, 7, "otto", "", "First-aid box and fire blanket looked at.", "Plasters put in.", ""),
    (LogEntry.Kind.NEAR_MISS, 4, "leila", "Oulujärvi", "A small flame for a second at 4 mm plywood, slow and near.",
     "Lid shut, the air assist was off. Turned on, the cut went well.", "The hose had been unplugged for cleaning."),
    (LogEntry.Kind.NOTE, 2, "aino", "", "The compressor is at the service until Friday.", "", ""),
)  # fmt: skip
KIOSK = "By the door"


def seed_past(lab: Lab, people: Mapping[str, User]) -> None:
    """Faults that are over, before anybody books: nobody is told of them."""
    if lab.slug != HOME or Fault.objects.filter(machine__lab=lab).exists():
        return
    now = timezone.now()
    for name, who, what, days, hours, remedy in PAST:
        machine = Machine.objects.filter(lab=lab, name=name).first()
        if machine is None:
            continue
        at = now - days * DAY
        with suppress(CityError):
            fault = faults.report_fault(machine=machine, by=people[who], what=what, now=at)
            faults.keep_fault(fault=fault, keeper=people["otto"], by=people["aino"])
            faults.fix_fault(fault=fault, by=people["otto"], remedy=remedy, now=at + hours * HOUR)


def seed(lab: Lab, people: Mapping[str, User]) -> None:
    """What is missing of all that."""
    if lab.slug != HOME:
        return
    machines = {machine.name: machine for machine in lab.machines.filter(demo=True)}
    now = timezone.now()
    _faults(lab, machines, people, now)
    _plans(machines, people, now)
    if not LogEntry.objects.filter(lab=lab, kind=LogEntry.Kind.CHECK).exists():
        for kind, days, who, name, text, done, private in LINES:
            log.write_entry(
                lab=lab, kind=kind, text=text, by=people[who], machine=machines.get(name), done=done, private=private,
                happened_at=now - days * DAY, now=now - days * DAY + HOUR,
            )  # fmt: skip
    for name in ("Oulujärvi", "Pielinen"):
        if name in machines and not Interlock.objects.filter(machine=machines[name]).exists():
            interlocks.set_interlock(machine=machines[name], by=people["aino"], driver=Interlock.Driver.NONE)
    if not Kiosk.objects.filter(lab=lab).exists():
        _made, code = kiosk.add_kiosk(lab=lab, name=KIOSK, by=people["aino"])
        kiosk.pair(lab=lab, code=code)


def _faults(lab: Lab, machines: Mapping[str, Machine], people: Mapping[str, User], now: dt.datetime) -> None:
    today = now.astimezone(lab.zone).date()
    for name, who, severity, what, days, keeper in FAULTS:
        if name not in machines or Fault.objects.filter(machine=machines[name], what=what).exists():
            continue
        back = today + days * DAY if days else None
        fault = faults.report_fault(machine=machines[name], by=people[who], what=what, severity=severity, back_on=back)
        if keeper:
            faults.keep_fault(fault=fault, keeper=people[keeper], by=people["aino"])


def _plans(machines: Mapping[str, Machine], people: Mapping[str, User], now: dt.datetime) -> None:
    for name, what, hours, days, ago, steps in PLANS:
        if name not in machines or MaintenancePlan.objects.filter(machine=machines[name], name=what).exists():
            continue
        plan = maintenance.add_plan(
            machine=machines[name], by=people["aino"], name=what, every_h=hours, every_days=days, steps=steps,
            since=now - ago * DAY, demo=True,
        )  # fmt: skip
        if name == "Inari":
            maintenance.log_done(plan=plan, by=people["otto"], at=now - 6 * DAY, note="0.1 mm low at the back left.")
