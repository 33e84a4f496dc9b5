"""What machines do and draw now, in words, for pages that stand open: one document, whether asked for or streamed."""

import datetime as dt
from typing import Any

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.devices import queries as device_queries
from commons.people.models import User
from commons.sockets import Watched
from commons.web import numbers
from labs.errors import UnknownMachine
from labs.models import Lab, Machine, PowerMeter
from labs.queries import board, catalogue, curves
from labs.queries import profile as profiles

QUARTER = dt.timedelta(seconds=curves.DAY_STEP_S)


def of_lab(lab: Lab) -> dict[str, dict[str, Any]]:
    """{machine: {"watts", "heard", "state", "tone", "since", "percent", "sign"}}, the lab as a whole, and its circuits.

    It is told to everybody, so it is made as a stranger sees the lab. A page draws the tile of a machine anew, as its
    own reader may see it, when the machine's `sign` is another one.
    """
    with timezone.override(lab.zone):
        tiles = board.tiles(list(catalogue.machines(lab)), viewer=None, now=timezone.now(), spark=False)
        said = {tile.machine.slug: _words(tile) for tile in tiles}
        told = [t.power for t in tiles if t.power.watts is not None and not t.power.old]
        heard = max((p.heard_at for p in told if p.heard_at), default=None)
        said["lab"] = {
            "watts": numbers.watts(sum(p.watts or 0.0 for p in told) if told else None),
            "heard": _("machines, heard %(time)s") % {"time": numbers.ago(heard)},
            "running": working(tiles),
        }
        for load in profiles.loads(tiles):
            said[f"circuit-{load.circuit.pk}"] = {
                "watts": numbers.watts(load.watts),
                "percent": round(100 * load.share),
                "left": load.words,
            }
        return said


def working(tiles: list[board.Tile]) -> str:
    """“2 of 7” machines at work."""
    return _("%(running)s of %(all)s") % {"running": sum(t.running for t in tiles), "all": len(tiles)}


def hours_of(lab: Lab) -> dict[str, dict[str, str]]:
    """{machine: {"line", "area"}}: the last hour of each machine as SVG paths."""
    machines = list(catalogue.machines(lab))
    power = board.power_of(machines, now=timezone.now())
    return {m.slug: power[m.pk].spark._asdict() for m in machines if m.pk in power}


def hour_of(machine: Machine) -> dict[str, dict[str, str]]:
    """The last hour of the machine as SVG paths."""
    power = board.power_of([machine], now=timezone.now())
    return {machine.slug: power[machine.pk].spark._asdict()} if power else {}


def of_machine(machine: Machine) -> dict[str, dict[str, Any]]:
    """The words of the machine, and the last quarters of its day: {"curve": {"x": [unix s], "values": [W]}}."""
    now = timezone.now()
    with timezone.override(machine.lab.zone):
        said = {machine.slug: _words(board.tiles([machine], viewer=None, now=now, spark=False)[0])}
    meter = board.meter_of(machine)
    if meter is None:
        return said
    points = device_queries.series(meter, "power_w", now - 2 * QUARTER, now, curves.DAY_STEP_S)
    curve = {
        "x": [int(point.start.timestamp()) for point in points],
        "values": [None if point.mean is None else round(point.mean, 1) for point in points],
    }
    return {**said, "curve": curve}


def lab_board(key: str, person: User | None, token: Any) -> Watched:
    """The board of a lab, which everybody may see. Raises UnknownLab."""
    lab = catalogue.find_lab(key)
    machines = {m.device_id for m in catalogue.machines(lab) if m.device_id}
    tied = PowerMeter.objects.filter(Q(circuit__lab=lab) | Q(machine__lab=lab)).values_list("device", flat=True)
    devices = frozenset(machines | set(tied))
    return Watched(devices, lambda: of_lab(lab), lambda: hours_of(lab))


def machine_board(key: str, person: User | None, token: Any) -> Watched:
    """A machine by its number, which everybody may see. Raises UnknownMachine."""
    if not key.isdecimal() or len(key) > 18:
        raise UnknownMachine(_("There is no machine “%(name)s”.") % {"name": key})
    machine = catalogue.find_machine(pk=int(key))

    def tell() -> dict[str, Any]:
        return of_machine(catalogue.find_machine(pk=machine.pk))  # its state may have changed since the page opened

    meters = {device.pk for devices in board.meters_of([machine]).values() for device in devices}
    return Watched(frozenset(meters), tell, lambda: hour_of(machine))


def _words(tile: board.Tile) -> dict[str, Any]:
    found: dict[str, Any] = {
        "state": tile.state,
        "tone": tile.tone,
        "since": tile.since,
        "percent": tile.percent,
        "sign": tile.sign,
    }
    if tile.metered:
        found["watts"] = numbers.watts(tile.power.watts)
        found["heard"] = _("heard %(time)s") % {"time": numbers.ago(tile.power.heard_at)}
    return found
