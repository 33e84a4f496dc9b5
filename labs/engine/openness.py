"""The share of production from open designs, out of finished jobs: version 2 of the definition; pure, no numpy.

Of four amounts (jobs, machine hours, grams of material, kWh) it says what share went into open designs: at least
(what is proven open, all else counts as closed), at most (what is proven closed is closed, all else counts as open)
and how much of it is known at all. The page /figures/open-production/ is this definition in words, and its test set
(`labs/figures/open_production_2.json`) is run against this module and against a program that shares no line with it.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

VERSION = "2"
Unit = Literal["jobs", "machine_hours", "mass_g", "energy_kwh"]
UNITS: tuple[Unit, ...] = ("jobs", "machine_hours", "mass_g", "energy_kwh")
Class = Literal[
    "proven_open", "proven_closed", "probable_open", "probable_closed", "declared_open", "declared_closed", "unknown"
]
CLASSES: tuple[Class, ...] = (
    "proven_open", "proven_closed", "probable_open", "probable_closed", "declared_open", "declared_closed", "unknown",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Part:
    """What a share of a job's volume was made from. `open`: the licence of that file in that version is open, and
    everybody could see it when the job ended."""

    provenance: str
    open: bool
    share: float = 1.0

    @property
    def cls(self) -> Class:
        """Its class of the figure."""
        if self.provenance not in {"proven", "probable", "declared"}:
            return "unknown"
        return f"{self.provenance}_{'open' if self.open else 'closed'}"  # type: ignore[return-value]


@dataclass(frozen=True, slots=True)
class Made:
    """A finished job. An amount of None is not known: the job is then left out of that unit alone."""

    machine_hours: float
    mass_g: float | None = None
    energy_kwh: float | None = None
    parts: Sequence[Part] = (Part("unknown", open=False),)

    def amount(self, unit: Unit) -> float | None:
        """How much of the unit it is."""
        return 1.0 if unit == "jobs" else float(v) if (v := getattr(self, unit)) is not None else None


@dataclass(slots=True)
class Tally:
    """Amounts of one unit by class; `jobs` of how many jobs the amount is known."""

    by_class: dict[Class, float] = field(default_factory=lambda: dict.fromkeys(CLASSES, 0.0))
    jobs: float = 0.0

    @property
    def total(self) -> float:
        """All of it."""
        return sum(self.by_class.values())

    def _share(self, amount: float) -> float | None:
        return min(max(amount / self.total, 0.0), 1.0) if self.total > 0 else None

    @property
    def lower(self) -> float | None:
        """At least: proven open of all. None where there is nothing."""
        return self._share(self.by_class["proven_open"])

    @property
    def upper(self) -> float | None:
        """At most: all that is not proven closed."""
        return self._share(self.total - self.by_class["proven_closed"])

    @property
    def coverage(self) -> float | None:
        """The share whose file is known, proven or probable. A word alone is no knowledge."""
        known = sum(self.by_class[c] for c in CLASSES if c.startswith(("proven", "probable")))
        return self._share(known)


Tallies = dict[Unit, Tally]


def empty() -> Tallies:
    """Nothing yet."""
    return {unit: Tally() for unit in UNITS}


def whole(parts: Sequence[Part]) -> list[Part]:
    """The parts with shares that sum to 1: what they leave out is unknown, more than all is scaled down."""
    kept = [part for part in parts if part.share > 0]
    said = sum(part.share for part in kept)
    if said > 1:
        return [Part(part.provenance, part.open, part.share / said) for part in kept]
    return kept if said == 1 else [*kept, Part("unknown", open=False, share=1 - said)]


def add(tallies: Tallies, made: Made) -> None:
    """Count a finished job."""
    parts = whole(made.parts)
    for unit, tally in tallies.items():
        amount = made.amount(unit)
        if amount is None:
            continue
        tally.jobs += 1
        for part in parts:
            tally.by_class[part.cls] += amount * part.share


def count(jobs: Iterable[Made]) -> Tallies:
    """The four tallies of some finished jobs."""
    tallies = empty()
    for made in jobs:
        add(tallies, made)
    return tallies


def told(tallies: Mapping[Unit, Tally]) -> dict[str, dict[str, object]]:
    """The figures as JSON."""
    return {
        unit: {
            "lower": tally.lower,
            "upper": tally.upper,
            "coverage": tally.coverage,
            "total": tally.total,
            "jobs": tally.jobs,
            "by_class": dict(tally.by_class),
        }
        for unit, tally in tallies.items()
    }
