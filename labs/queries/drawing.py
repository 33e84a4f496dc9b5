"""What machines are planned to draw while they are booked: learned profiles, else the table of their class."""

import datetime as dt
from collections.abc import Iterable

from django.db.models import Q

from commons.shelf import once
from labs.engine import draw, planning
from labs.engine.planning import Profile
from labs.models import Machine, PowerProfile


def profiles(machines: Iterable[Machine]) -> dict[int, Profile]:
    """What each machine draws while it is booked: its own profile, its class's, or the table's; one query."""
    every = list(machines)
    rows = PowerProfile.objects.filter(Q(machine=None) | Q(machine__in=every), cls__in={m.cls for m in every})
    newest = rows.order_by("cls", "machine_id", "-number").distinct("cls", "machine_id")
    own, classes = dict[int, Profile](), dict[str, Profile]()
    for row in newest:
        if row.machine_id is None:
            classes[row.cls] = profile_of(row)
        else:
            own[row.machine_id] = profile_of(row)
    return {m.pk: own.get(m.pk) or _plated(classes.get(m.cls), m) for m in every}


def profile_of(row: PowerProfile) -> Profile:
    """A stored profile as the engine reads it."""
    return Profile(row.warm_w, row.warm_min, row.making_w, row.idle_w, row.used, row.spread, row.jobs)


def _plated(of_class: Profile | None, machine: Machine) -> Profile:
    """The class's profile where it was learned, never above the machine's own plate; else the table's."""
    if of_class is None or machine.rated_w:
        table = planning.of_table(draw.of_class(machine.cls, machine.rated_w))
        if of_class is None:
            return table
        most = float(machine.rated_w or 0)
        return Profile(
            min(of_class.warm_w, most), of_class.warm_min, min(of_class.making_w, most), min(of_class.idle_w, most),
            of_class.used, of_class.spread, of_class.jobs,
        )  # fmt: skip
    return of_class


def kw_of(machine: Machine, length: dt.timedelta = dt.timedelta(hours=1)) -> float:
    """The mean power of a booking of that length on the machine; one query."""
    return once(("profile", machine.pk), lambda: profiles([machine])[machine.pk]).mean_kw(length)
