"""Figures of a community as a viewer may see them: the one place where sums are cut for the public.

Stewards see sums as they are, and everybody where data are generated. All others see the newest *published* version
(`energy.publishing`), sums over cells (`energy.engine.disclosure`) rounded to 0.1 kWh and spread evenly over the steps
of their cell as the ledger has them (`energy.veil`), households together in one sum, and storage only where nobody's
own battery or car shows through it.
Below 15 households there are no sums at all: labs, public buildings and the solar of all are what is left.
"""

from array import array
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from energy import policies, publishing, series, veil
from energy.models import Community, CommunityVersion, Member, Simulation
from energy.queries import unpacked

ROUND_KWH = veil.ROUND_KWH
HOUSEHOLDS = "load:households"
OPEN_LOADS = tuple(f"load:{kind}" for kind in sorted(policies.OPEN_KINDS))
NOT_SHOWN = veil.NOT_SHOWN
EVERY = slice(None)
over_cells = veil.over_cells


@dataclass(frozen=True, slots=True)
class Standing:
    """What a viewer may see of a version's sums. `households`: members to protect; `coarse`: hours are cut longer."""

    version: CommunityVersion
    households: int
    exact: bool
    enough: bool
    curves: bool
    coarse: bool
    storage: bool
    live: bool

    @property
    def generated(self) -> bool:
        """Whether it is all shown because it is nobody's."""
        return self.version.demo


def version(community: Community, viewer: policies.Viewer) -> CommunityVersion | None:
    """The data whose sums this person may see: the newest for stewards, else the newest that was published."""
    found = community.versions.order_by("-number").select_related("community", "community__place")
    if not policies.is_steward(viewer, community):
        found = found.filter(publication__isnull=False)
    return found.first()


def standing(version: CommunityVersion, viewer: policies.Viewer) -> Standing:
    """What this person may see of a version's sums; three queries."""
    exact = policies.sees_exactly(viewer, version)
    stores = list(version.members.values_list("kind", "battery_kwh", "ev_kwh_per_day"))
    households = sum(kind not in policies.OPEN_KINDS for kind, _kwh, _car in stores)
    if exact:
        return Standing(version, households, True, True, True, False, True, True)
    enough = households >= policies.LEAST_MEMBERS
    cells = _cells(version) if enough else None
    shown = cells is not None and len(cells) > 0 and cells[0] != NOT_SHOWN
    coarse = bool(cells is not None and shown and cells[-1] + 1 < len(cells))
    storage = _nobody_stands_out(version, stores) and publishing.of_same_households(version)
    live = households >= policies.LEAST_MEMBERS_BELOW_AN_HOUR
    return Standing(version, households, False, enough, shown, coarse, shown and storage, live)


def _nobody_stands_out(version: CommunityVersion, stores: Sequence[tuple[str, float | None, float | None]]) -> bool:
    """Whether no household has more than its share of what all batteries hold, nor of what all vehicles drive."""
    batteries = [(kind, kwh or 0.0) for kind, kwh, _car in stores]
    cars = [(kind, car or 0.0) for kind, _kwh, car in stores]
    return _even(batteries, version.battery_kwh or 0.0) and _even(cars, 0.0)


def _even(owned: Iterable[tuple[str, float]], common: float) -> bool:
    rows = list(owned)
    most = max((size for kind, size in rows if kind not in policies.OPEN_KINDS), default=0.0)
    return most <= policies.LARGEST_SHARE * (common + sum(size for _kind, size in rows))


def _cells(version: CommunityVersion) -> "array[float] | None":
    row = version.series.filter(name="cells").values_list("packed", flat=True).first()
    return series.unpack(row) if row is not None else None


def curves(
    version: CommunityVersion, viewer: policies.Viewer, *names: str, steps: slice = EVERY
) -> "dict[str, array[float]]":
    """Series of a version by name, kWh a step, as this person may see them; a name that they may not see is left out.
    Of all steps, or of these alone.

    Beside the stored ones there is `load:households`, all members that are not shown by name.
    """
    exact = policies.sees_exactly(viewer, version)
    if exact and HOUSEHOLDS not in names:
        return {name: values[steps] for name, values in unpacked.of(version, names).items()}
    wanted = {*names, "load", *OPEN_LOADS} if exact else {*names, "load", "cells", *OPEN_LOADS}
    whole = unpacked.of(version, wanted)
    found = {name: values[EVERY if name == "cells" else steps] for name, values in whole.items()}
    open_loads = [found[name] for name in OPEN_LOADS if name in found]
    if exact:
        load = found.get("load", array("d"))
        households = array("d", (all_of_it - sum(part) for all_of_it, *part in zip(load, *open_loads, strict=True)))
    else:
        cells = found.pop("cells", None)
        shown = cells is not None and len(cells) > 0 and cells[0] != NOT_SHOWN
        for name in ("load", "load:home", "load:business"):
            found.pop(name, None)
        households = (veil.lift(version) if shown else array("d"))[steps]
        if households:
            found["load"] = array("d", (sum(parts) for parts in zip(households, *open_loads, strict=True)))
    if households:
        found[HOUSEHOLDS] = households
    return {name: values for name, values in found.items() if name in names}


def used_kwh(version: CommunityVersion, *, exact: bool) -> float | None:
    """What all members used in the whole of a version, as it is published: the sum of what its hours say, so that no
    total tells more than they do; None where they are not shown."""
    if exact or version.demo:
        return version.load_kwh
    load = curves(version, None, "load").get("load")
    return round(sum(load), 1) if load else None


def flows(
    simulation: Simulation, viewer: policies.Viewer, *names: str, steps: slice = EVERY
) -> "dict[str, array[float]]":
    """Series of a simulation, kWh a step (stored: kWh held), as this person may see them; {} where they may not.
    All, or those of these names; of all steps, or of these alone."""
    known = standing(simulation.version, viewer)
    if not known.storage:
        return {}
    found = unpacked.of(simulation, names)
    if known.exact:
        return {name: values[steps] for name, values in found.items()}
    cells = veil.cells(simulation.version)
    return {name: over_cells(values, cells)[steps] for name, values in found.items()} if cells else {}


def totals(figures: Mapping[str, Any], *, exact: bool) -> dict[str, Any]:
    """Sums of a period as they are published: energies to 0.1 kWh, power to 0.1 kW, money to the hundredth."""
    if exact:
        return dict(figures)
    return {name: _rounded(name, value) for name, value in figures.items()}


def _rounded(name: str, value: Any) -> Any:
    if not isinstance(value, float):
        return value
    if name.endswith(("_kwh", "_kw", "_kg")):
        return round(value, 1)
    return round(value, 2 if name == "cost" else 4)


def sharing(figures: Mapping[str, Any], *, exact: bool) -> dict[str, Any]:
    """How a saving is shared, as it is published: what one member gets is said to the whole unit of money, unnamed."""
    found = {name: value for name, value in figures.items() if name != "worst_coalition"}
    if not exact:
        for name in ("least_saving", "most_saving", "worst_excess"):
            if found.get(name) is not None:
                found[name] = float(round(found[name]))
        found["total_saving"] = round(found["total_saving"], 2)
    return found


def open_members(version: CommunityVersion) -> list[Member]:
    """Labs and public buildings, which are shown by name, step by step."""
    return list(version.members.filter(kind__in=policies.OPEN_KINDS).order_by("position"))


def place_version(community: Community) -> CommunityVersion | None:
    """What enters figures of a place: the published data, with enough households or generated."""
    found = version(community, None)
    return found if found is not None and standing(found, None).enough else None
