"""Series as numbers, unpacked once for each state of their row: pages ask for the same ones again and again."""

from array import array
from collections.abc import Collection
from typing import Any

from commons.shelf import Shelf, Stamp
from energy import series
from energy.models import CommunityVersion, Simulation

# By table, row and its stamp; in bytes.
_kept: "Shelf[array[float]]" = Shelf(8_000_000)


def of(owner: CommunityVersion | Simulation, names: Collection[str]) -> "dict[str, array[float]]":
    """The series of a version or a simulation by name, or all of them; a name that it does not have is left out. Nobody
    may change them."""
    rows = owner.series.filter(name__in=names) if names else owner.series.all()
    model = rows.model
    told = list(rows.annotate(stamp=Stamp(model)).values_list("name", "pk", "stamp"))
    lacking = [pk for _name, pk, stamp in told if not _kept.holds((model, pk, stamp))]
    packed: dict[int, Any] = dict(rows.filter(pk__in=lacking).values_list("pk", "packed")) if lacking else {}
    return {name: _one(model, pk, stamp, packed) for name, pk, stamp in told}


def _one(model: type[Any], pk: int, stamp: str, packed: dict[int, Any]) -> "array[float]":
    def unpack() -> "array[float]":
        found = packed.get(pk)
        if found is None:  # it made room for others meanwhile
            found = model._default_manager.values_list("packed", flat=True).get(pk=pk)
        return series.unpack(found)

    return _kept.get((model, pk, stamp), unpack, lambda numbers: 8 * len(numbers))
