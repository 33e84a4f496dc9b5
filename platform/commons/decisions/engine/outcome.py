"""What a count answers."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any, Literal, TypeAlias

Why: TypeAlias = Literal["passed", "no-votes", "no-quorum", "not-enough", "objection", "nothing-fits"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """The options that won, in order, and why; `figures` hold every number that led there, `ties` each tie that the
    order of the options broke.
    """

    winners: tuple[str, ...]
    why: Why
    figures: Mapping[str, Any] = field(default_factory=dict)
    ties: tuple[tuple[str, ...], ...] = ()

    @property
    def passed(self) -> bool:
        """Whether anything was decided."""
        return bool(self.winners)

    def document(self) -> bytes:
        """The outcome as bytes that are the same wherever it is counted: JSON, sorted keys, fractions as “p/q”."""
        told = {"winners": self.winners, "why": self.why, "figures": self.figures, "ties": self.ties}
        return json.dumps(told, sort_keys=True, separators=(",", ":"), default=_plain).encode()


def _plain(value: object) -> str:
    if isinstance(value, Fraction):
        return f"{value.numerator}/{value.denominator}"
    raise TypeError(f"{value!r} has no place in an outcome")
