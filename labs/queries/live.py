"""What machines draw now, in words, for pages that stand open: one document, whether asked for or streamed."""

import datetime as dt
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _

from commons.devices import queries as device_queries
from commons.people.models import User
from commons.sockets import Watched
from commons.web import numbers
from labs.errors import UnknownMachine
from labs.models import Lab, Machine
from labs.queries import board, catalogue, curves

QUARTER = dt.timedelta(seconds=curves.DAY_STEP_S)


def of_lab(lab: Lab) -> dict[str, dict[str, str]]:
    """{machine: {"watts", "heard"}}, the same of the lab as a whole, and the watts of its circuits."""
    machines = [m for m in catalogue.machines(lab) if m.device]
    power = board.powers([m.device for m in machines if m.device], now=timezone.now(), spark=False)
    said = {m.slug: _words(power[m.device.number]) for m in machines if m.device}
    fresh = [p for p in power.values() if p.watts is not None and not p.old]
    heard = max((p.heard_at for p in fresh if p.heard_at), default=None)
    watts = sum(p.watts or 0.0 for p in fresh) if fresh else None
    said["lab"] = {
        "watts": numbers.watts(watts),
        "heard": _("machines, heard %(time)s") % {"time": numbers.ago(heard)},
    }
    for circuit in lab.circuits.all():
        mine = [power[m.device.number] for m in machines if m.device and m.circuit_id == circuit.pk]
        drawn = [p.watts for p in mine if p.watts is not None and not p.old]
        said[f"circuit-{circuit.pk}"] = {"watts": numbers.watts(sum(drawn) if drawn else None)}
    return said


def hours_of(lab: Lab) -> dict[str, dict[str, str]]:
    """{machine: {"line", "area"}}: the last hour of each machine as SVG paths."""
    machines = [m for m in catalogue.machines(lab) if m.device]
    power = board.powers([m.device for m in machines if m.device], now=timezone.now())
    return {m.slug: power[m.device.number].spark._asdict() for m in machines if m.device}


def hour_of(machine: Machine) -> dict[str, dict[str, str]]:
    """The last hour of the machine as SVG paths."""
    if machine.device is None:
        return {}
    power = board.powers([machine.device], now=timezone.now())[machine.device.number]
    return {machine.slug: power.spark._asdict()}


def of_machine(machine: Machine) -> dict[str, dict[str, Any]]:
    """What the machine draws, and the last quarters of its day: {"curve": {"x": [unix s], "values": [W]}}."""
    if machine.device is None:
        return {}
    now = timezone.now()
    power = board.powers([machine.device], now=now, spark=False)[machine.device.number]
    points = device_queries.series(machine.device, "power_w", now - 2 * QUARTER, now, curves.DAY_STEP_S)
    curve = {
        "x": [int(point.start.timestamp()) for point in points],
        "values": [None if point.mean is None else round(point.mean, 1) for point in points],
    }
    return {machine.slug: _words(power), "curve": curve}


def lab_board(key: str, person: User | None, token: Any) -> Watched:
    """The board of a lab, which everybody may see. Raises UnknownLab."""
    lab = catalogue.find_lab(key)
    devices = frozenset(m.device_id for m in catalogue.machines(lab) if m.device_id)
    return Watched(devices, lambda: of_lab(lab), lambda: hours_of(lab))


def machine_board(key: str, person: User | None, token: Any) -> Watched:
    """A machine by its number, which everybody may see. Raises UnknownMachine."""
    if not key.isdecimal() or len(key) > 18:
        raise UnknownMachine(_("There is no machine “%(name)s”.") % {"name": key})
    machine = catalogue.find_machine(pk=int(key))
    return Watched(frozenset({machine.device_id} - {None}), lambda: of_machine(machine), lambda: hour_of(machine))


def _words(power: board.Power) -> dict[str, str]:
    return {
        "watts": numbers.watts(power.watts),
        "heard": _("heard %(time)s") % {"time": numbers.ago(power.heard_at)},
    }
