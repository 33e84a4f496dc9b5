"""Makes that a machine measured, by the keys that other rooms give them; this room knows no machines."""

from collections.abc import Iterable

from commons.people.models import User
from commons.sockets import MeasuredThing, measured_makes
from designs.models import Design, Make


def own_measured(design: Design, person: User | None) -> list[MeasuredThing]:
    """What machines made of the design for this person and nobody has told of yet, newest first."""
    if person is None:
        return []
    told = set(Make.objects.filter(design=design).exclude(measured="").values_list("measured", flat=True))
    found = [thing for plug in measured_makes for thing in plug.of_person(design, person)]
    return sorted((thing for thing in found if thing.key not in told), key=lambda thing: thing.at, reverse=True)


def measured_of(makes: Iterable[Make]) -> dict[str, MeasuredThing]:
    """What the makes point to, by key; what is gone is left out."""
    keys = {make.measured for make in makes if make.measured}
    return {thing.key: thing for plug in measured_makes for thing in plug.named(keys)} if keys else {}
