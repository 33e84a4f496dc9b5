"""A line of a parts list, and what is said about lines that cannot be read as they stand."""

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Line:
    """A part. Masses (g) and costs are of one unit of `quantity`; None where the list does not say.

    `design` is `owner/slug` of a sub-assembly and `version` the branch, tag or commit that it is pinned to. `row` is
    the line of the file, from 1.
    """

    name: str
    quantity: float | None = 1.0
    unit: str = ""
    mass_g: float | None = None
    cost: Decimal | None = None
    currency: str = ""
    source_url: str = ""
    supplier_ref: str = ""
    path: str = ""
    design: str = ""
    version: str = ""
    designators: str = ""
    material: str = ""
    note: str = ""
    row: int = 0


@dataclass(frozen=True, slots=True)
class Finding:
    """Something about a line: `level` is error, warning or hint; `row` 0 is the whole list."""

    level: str
    row: int
    sentence: str


@dataclass(frozen=True, slots=True)
class Bom:
    """A parts list: where it stands (`path` in the design), its lines, and what was found while reading it."""

    path: str
    lines: tuple[Line, ...]
    findings: tuple[Finding, ...] = ()
    kind: str = "table"
