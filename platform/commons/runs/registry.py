"""Kinds of runs: a room registers the function that does the work, by name, from its `tasks.py`.

    @kind("energy.simulate", queue="simulations", engine_version=ENGINE_VERSION)
    def simulate(job: Job, inputs: Inputs) -> Outcome: ...

The function must be a pure effect of its inputs and seed until it answers: what it wants to write, it hands back as
`Outcome.effect`, which runs inside the transaction that ends the run, and only if this worker still holds the lease.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from django.utils.module_loading import autodiscover_modules
from django.utils.translation import gettext as _

from commons.runs.errors import UnknownKind

if TYPE_CHECKING:
    from commons.runs.models import Run

Inputs = Mapping[str, Any]


class Job(Protocol):
    """What a kind's function may ask and tell while it works."""

    run: "Run"

    @property
    def seed(self) -> int:
        """The seed of all randomness in this run."""
        ...

    def progress(self, share: float, stage: str = "") -> None:
        """Tell how far it is (0..1) and what it does now; raises `Cancelled` when it was asked to stop.

        A stage that `commons.said.said` made is read by everybody in their own language.
        """
        ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """The result (JSON) and what to write with it, in the same transaction."""

    result: dict[str, Any] = field(default_factory=dict)
    effect: Callable[[], None] | None = None


Work = Callable[[Job, Inputs], Outcome]
Warm = Callable[[], None]


@dataclass(frozen=True, slots=True)
class Kind:
    """A registered kind of run."""

    slug: str
    work: Work
    queue: str
    engine_version: str
    max_attempts: int
    warm: Warm | None = None


_kinds: dict[str, Kind] = {}


def kind(
    slug: str, *, queue: str = "default", engine_version: str = "1", max_attempts: int = 3, warm: Warm | None = None
) -> Callable[[Work], Work]:
    """Register the work of a kind. `warm` loads what the first work in a process needs (`commons.runs.warming`)."""

    def register(work: Work) -> Work:
        _kinds[slug] = Kind(slug, work, queue, engine_version, max_attempts, warm)
        return work

    return register


def kinds_of(queues: Collection[str]) -> list[Kind]:
    """The kinds that workers of these queues do, of rooms whose `tasks.py` is loaded."""
    return [one for one in _kinds.values() if one.queue in queues]


def find(slug: str) -> Kind:
    """The kind of that name; raises UnknownKind if no room brings it.

    A web process has not imported the rooms' `tasks.py`; the first question it asks does that.
    """
    if slug not in _kinds:
        autodiscover_modules("tasks")
    if slug not in _kinds:
        raise UnknownKind(_("This site has no work called “%(kind)s”.") % {"kind": slug})
    return _kinds[slug]
