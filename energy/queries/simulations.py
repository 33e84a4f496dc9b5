"""Simulations beside each other: which there are, what tells them apart, who gains and who loses, which are repeats."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import Q

from commons.people.models import User
from energy import policies
from energy.errors import CommunityNotFound
from energy.models import Community, Member, Simulation
from energy.queries import public

MOST = 6
LISTED = 60
SAME = 0.005


@dataclass(frozen=True, slots=True)
class Change:
    """What a simulation does to members against the first: how many pay less, more, or the same, and by how much."""

    gain: int
    lose: int
    same: int
    best: float
    worst: float
    own: float | None
    named: Sequence[tuple[str, float]]


@dataclass(frozen=True, slots=True)
class Column:
    """One simulation in the comparison; `change` is None for the first, which the others are held against."""

    simulation: Simulation
    totals: Mapping[str, Any]
    differences: Mapping[str, float | None]
    change: Change | None
    horizon: float | None


def of_community(community: Community, viewer: policies.Viewer) -> list[Simulation]:
    """Simulations that this person may see, newest first: on the data that they may see; none of few households."""
    version = public.version(community, viewer)
    if version is None or not may_see(version, viewer):
        return []
    found = version.simulations.select_related("version", "run").defer("members", "sharing", "separate")
    return list(found.order_by("-created_at", "-pk")[:LISTED])


def may_see(version: Any, viewer: policies.Viewer) -> bool:
    """Whether sums of the period may be shown to this person."""
    return public.standing(version, viewer).enough or policies.is_member(viewer, version)


def find(community: Community, number: str, viewer: policies.Viewer) -> Simulation:
    """One simulation by its number. Raises CommunityNotFound for what is not there or not theirs to see alike."""
    version = public.version(community, viewer)
    found = None
    if version is not None and number.isdecimal() and len(number) < 18 and may_see(version, viewer):
        found = (
            version.simulations.select_related("version", "version__community", "run").filter(pk=int(number)).first()
        )
    if found is None:
        raise CommunityNotFound.simulation(number)
    return found


def compare(community: Community, asked: Sequence[str], viewer: policies.Viewer) -> list[Column]:
    """Up to six simulations in the order asked for, held against the first; what is not there is left out."""
    version = public.version(community, viewer)
    if version is None or not may_see(version, viewer):
        return []
    numbers = list(dict.fromkeys(int(n) for n in asked if n.isdecimal() and len(n) < 18))[:MOST]
    rows = version.simulations.select_related("version", "run").in_bulk(numbers)
    found = [rows[n] for n in numbers if n in rows]
    exact = policies.sees_exactly(viewer, version)
    names = _names(version.members.defer("load", "pv"), viewer)
    own = _own(version.members, viewer)
    columns: list[Column] = []
    for simulation in found:
        totals = public.totals(simulation.totals, exact=exact)
        first = columns[0] if columns else None
        columns.append(
            Column(
                simulation,
                totals,
                _differences(first.totals, totals) if first else {},
                _change(first.simulation, simulation, names, own) if first else None,
                _horizon(simulation),
            )
        )
    return columns


def _differences(first: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, float | None]:
    return {
        name: other[name] - value if value is not None and other.get(name) is not None else None
        for name, value in first.items()
        if isinstance(value, int | float) or value is None
    }


def _names(members: Any, viewer: policies.Viewer) -> dict[str, str]:
    """Names of the members whose money this person may see: labs, public buildings and their own."""
    allowed = Q(kind__in=policies.OPEN_KINDS)
    if isinstance(viewer, User):
        allowed |= Q(person=viewer)
    return dict(members.filter(allowed).values_list("key", "name"))


def _own(members: Any, viewer: policies.Viewer) -> set[str]:
    return set(members.filter(person=viewer).values_list("key", flat=True)) if isinstance(viewer, User) else set()


def _change(first: Simulation, other: Simulation, names: Mapping[str, str], own: set[str]) -> Change:
    before = {m["id"]: float(m["cost_shared"]) for m in first.members}
    less = {m["id"]: before[m["id"]] - float(m["cost_shared"]) for m in other.members if m["id"] in before}
    mine = [saved for key, saved in less.items() if key in own]
    return Change(
        gain=sum(saved > SAME for saved in less.values()),
        lose=sum(saved < -SAME for saved in less.values()),
        same=sum(abs(saved) <= SAME for saved in less.values()),
        best=max(less.values(), default=0.0),
        worst=min(less.values(), default=0.0),
        own=sum(mine) if mine else None,
        named=[(names[key], saved) for key, saved in less.items() if key in names],
    )


def _horizon(simulation: Simulation) -> float | None:
    inputs = simulation.run.inputs if simulation.run else {}
    found = inputs.get("horizon_hours")
    return float(found) if found is not None else None


@dataclass(frozen=True, slots=True)
class Repeat:
    """A simulation that was asked the same thing: whether all figures and series are the same to the last bit."""

    simulation: Simulation
    equal: bool
    other_engine: bool


def repeats(simulation: Simulation) -> list[Repeat]:
    """Other answers to the very same question (inputs and seed), oldest first."""
    if not simulation.inputs_sha256:
        return []
    same = Simulation.objects.filter(
        version=simulation.version_id, inputs_sha256=simulation.inputs_sha256, seed=simulation.seed
    )
    others = same.exclude(pk=simulation.pk).select_related("run").order_by("created_at", "pk")
    return [
        Repeat(
            other,
            other.result_sha256 == simulation.result_sha256,
            other.engine.get("version") != simulation.engine.get("version"),
        )
        for other in others
    ]


def kinds_named() -> dict[str, str]:
    """Kinds of members in words."""
    return {kind.value: str(kind.label) for kind in Member.Kind}
