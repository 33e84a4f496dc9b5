"""A lab and its machines as Open Know-Where knows them, and what is said about a document that was read."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

Week = Mapping[str, list[list[str]]]


@dataclass(frozen=True, slots=True)
class Equipment:
    """A machine. `cls` and `process` are our words, empty where the document's are unknown to us; sizes in mm, W.

    `more` are properties that we have no place for, as they were written; they leave with the machine again.
    """

    name: str
    cls: str = ""
    process: str = ""
    make: str = ""
    model: str = ""
    notes: str = ""
    power_w: int | None = None
    x_mm: float | None = None
    y_mm: float | None = None
    z_mm: float | None = None
    tolerance_mm: float | None = None
    materials: tuple[str, ...] = ()
    working: bool = True
    quantity: int = 1
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Agent:
    """A person or an organisation."""

    name: str
    url: str = ""
    part: str = "partner"


@dataclass(frozen=True, slots=True)
class Facility:
    """A lab. `week` is None where the hours are not said or cannot be read; an empty one means always open."""

    name: str
    about: str = ""
    address: str = ""
    lat: float | None = None
    lon: float | None = None
    directions: str = ""
    week: Week | None = None
    access: str = ""
    status: str = ""
    wheelchair: str = ""
    email: str = ""
    phone: str = ""
    website: str = ""
    languages: tuple[str, ...] = ()
    owner: str = ""
    agents: tuple[Agent, ...] = ()
    equipment: tuple[Equipment, ...] = ()
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a document: `level` is error or warning; `line` from 1; `where` names the field."""

    level: str
    line: int
    where: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Reading:
    """The labs of a document, and what was found. With an error nothing of it should be taken over."""

    facilities: tuple[Facility, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing in it is wrong."""
        return not any(finding.level == "error" for finding in self.findings)
