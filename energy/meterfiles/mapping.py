"""Which column of a utility's CSV means what, as a person said or as we guess it."""

import hashlib
from collections.abc import Mapping as Dict
from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext as _

DELIMITERS = (";", ",", "\t", "|")
UNITS = {"kWh": 1.0, "Wh": 0.001, "MWh": 1000.0, "kW": 1.0, "W": 0.001}
POWERS = frozenset({"kW", "W"})
DIRECTIONS = ("use", "feed_in", "solar")
#: "iso" is anything that ISO 8601 allows; the others are strptime's.
TIME_FORMATS = (
    "iso",
    "%d.%m.%Y %H:%M",
    "%d.%m.%Y %H:%M:%S",
    "%d.%m.%y %H:%M",
    "%d/%m/%Y %H:%M",
    "%d/%m/%Y %H:%M:%S",
    "%Y/%m/%d %H:%M",
    "%Y/%m/%d %H:%M:%S",
    "%m/%d/%Y %H:%M",
    "%m/%d/%Y %I:%M %p",
    "%d-%m-%Y %H:%M",
    "%Y%m%d %H%M",
    "%Y%m%d%H%M",
)
#: "local": the community's clock with summer time; the others never change.
ZONES = ("local", "UTC", "+01:00", "+02:00")


class BadMapping(ValueError):
    """A mapping that means nothing; the message says what to choose."""


@dataclass(frozen=True, slots=True)
class Value:
    """A column of values: what it measures, in which unit, and whether it is a counter that only grows."""

    column: int
    direction: str = "use"
    unit: str = "kWh"
    counter: bool = False


@dataclass(frozen=True, slots=True)
class Mapping:
    """How to read a CSV. Columns are numbered from 0; `header_line` is the line (from 1) of their names, or 0.

    `time` is the column of date and time, `clock` that of the time of day where it stands by itself. `is_end`: the time
    is the end of the step (the hours 1 to 24 of Spain are). `meter` is the column of the meter number, `status` that of
    a mark; lines whose mark is in `not_measured` count as not measured. `left_out`: lines without a time are left out
    (sums and remarks below a table) instead of refused.
    """

    delimiter: str = ";"
    decimal: str = ","
    header_line: int = 1
    time: int = 0
    clock: int | None = None
    time_format: str = "iso"
    zone: str = "local"
    is_end: bool = False
    values: tuple[Value, ...] = (Value(1),)
    meter: int | None = None
    status: int | None = None
    not_measured: tuple[str, ...] = ()
    left_out: bool = False
    wraps_kwh: float | None = None

    def check(self) -> None:
        """Raises BadMapping."""
        if self.delimiter not in DELIMITERS or self.decimal not in {",", "."} or self.decimal == self.delimiter:
            raise BadMapping(_("Choose what separates the columns, and another sign for decimals."))
        if self.time_format not in TIME_FORMATS:
            raise BadMapping(_("Choose how the time is written."))
        if self.zone not in ZONES:
            raise BadMapping(_("Choose which clock the times are of."))
        if not self.values:
            raise BadMapping(_("Choose at least one column of values."))
        columns = [v.column for v in self.values]
        if len(set(columns)) < len(columns) or self.time in columns or self.clock in columns:
            raise BadMapping(_("A column means one thing; two choices name the same one."))
        if min([self.time, self.header_line, *columns]) < 0:
            raise BadMapping(_("Columns are counted from the first."))
        for value in self.values:
            if value.unit not in UNITS or value.direction not in DIRECTIONS:
                raise BadMapping(_("Choose unit and direction of each column of values."))
            if value.counter and value.unit in POWERS:
                raise BadMapping(_("A counter counts energy (kWh), not power."))

    def document(self) -> dict[str, Any]:
        """As JSON keeps it."""
        return asdict(self)


def from_document(document: Dict[str, Any]) -> Mapping:
    """Back from JSON. Raises BadMapping."""
    try:
        rest = {k: v for k, v in document.items() if k not in {"values", "not_measured"}}
        found = Mapping(
            **rest,
            values=tuple(Value(**v) for v in document.get("values", ())),
            not_measured=tuple(str(w) for w in document.get("not_measured", ())),
        )
        found.check()
    except (TypeError, AttributeError, ValueError) as error:
        if isinstance(error, BadMapping):
            raise
        raise BadMapping(_("This mapping is not one of ours: %(what)s.") % {"what": error}) from None
    return found


def fingerprint(header: str) -> str:
    """By what a utility's files are known again: the names of their columns. Dates in them (“Wert 01.2026”) do not
    matter."""
    plain = "".join("0" if c.isdigit() else c for c in " ".join(header.lower().split()))
    return hashlib.sha256(plain.encode()).hexdigest()
