"""Green Button: Atom with ESPI's UsagePoint, MeterReading, ReadingType and IntervalBlock (NAESB REQ.21).

Read with expat and no document type: a file with a DOCTYPE, and so with any entity, is refused before it can expand.
Times are seconds since 1970 UTC, so summer time needs no care.
"""

import datetime as dt
import re
from collections import defaultdict
from dataclasses import dataclass, field
from xml.parsers import expat

from django.utils.translation import gettext as _

from energy.meterfiles.readings import Raw, Read, to_series

WH, WATTS = "72", "38"
DELIVERED, RECEIVED = frozenset({"", "1"}), frozenset({"19"})
#: accumulationBehaviour: 1 bulk quantity, 3 cumulative, 9 summation are counters; 4 is energy of the interval.
COUNTERS = frozenset({"1", "3", "9"})
POWER_WORDS = 12
DEEPEST = 40
READINGS_AT_MOST = 600_000


class BadXml(ValueError):
    """Not XML, or XML of a kind that we do not open."""


@dataclass(slots=True)
class _Type:
    uom: str = WH
    power: int = 0
    flow: str = ""
    behaviour: str = "4"


@dataclass(slots=True)
class _Entry:
    hrefs: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    kind: str = ""
    type: _Type = field(default_factory=_Type)
    readings: list[tuple[int, str, str, str]] = field(default_factory=list)


class _Atom:
    """Collects entries as expat reports them."""

    def __init__(self) -> None:
        self.entries: list[_Entry] = []
        self.path: list[str] = []
        self.text: list[str] = []
        self.values: dict[str, str] = {}
        self.count = 0
        self.line = 0

    def doctype(self, *_rest: object) -> None:
        raise BadXml(_("The file has a document type (DOCTYPE), which Green Button never has; it is not opened."))

    def start(self, name: str, attributes: dict[str, str]) -> None:
        local = name.rpartition(" ")[2]
        self.path.append(local)
        self.text = []
        if len(self.path) > DEEPEST:
            raise BadXml(_("The file is nested deeper than Green Button ever is."))
        if local == "entry":
            self.entries.append(_Entry())
        elif local == "link" and self.entries:
            self.entries[-1].hrefs[attributes.get("rel", "")].append(attributes.get("href", "").rstrip("/"))
        elif local in {"UsagePoint", "MeterReading", "ReadingType", "IntervalBlock"} and self.entries:
            self.entries[-1].kind = local
        elif local == "IntervalReading":
            self.values = {}

    def data(self, text: str) -> None:
        self.text.append(text)

    def end(self, name: str) -> None:
        local, text = name.rpartition(" ")[2], "".join(self.text).strip()
        self.path.pop()
        self.text = []
        if not self.entries:
            return
        entry = self.entries[-1]
        inside = "IntervalReading" in self.path
        if local == "IntervalReading":
            self.count += 1
            if self.count > READINGS_AT_MOST:
                raise BadXml(_("more than %(n)d readings; ask for a shorter time") % {"n": READINGS_AT_MOST})
            v = self.values
            entry.readings.append((self.count, v.get("start", ""), v.get("duration", ""), v.get("value", "")))
        elif inside and local in {"start", "duration", "value"}:
            self.values[local] = text
        elif entry.kind == "ReadingType":
            _of_type(entry.type, local, text)


def _of_type(found: _Type, name: str, text: str) -> None:
    if name == "uom":
        found.uom = text
    elif name == "powerOfTenMultiplier":
        if not re.fullmatch("-?[0-9]{1,6}", text) or abs(int(text)) > POWER_WORDS:
            raise BadXml(_("powerOfTenMultiplier is “%(text)s”, which is no power of ours.") % {"text": text[:20]})
        found.power = int(text)
    elif name == "flowDirection":
        found.flow = text
    elif name == "accumulationBehaviour":
        found.behaviour = text


def looks_like(data: bytes) -> bool:
    """Whether these bytes begin as XML does."""
    return data.lstrip(b"\xef\xbb\xbf \r\n\t")[:1] == b"<"


def read(data: bytes) -> Read:
    """All readings of a file; the “line” of a reading is its number in the file. Raises BadXml."""
    atom, parser = _Atom(), expat.ParserCreate(namespace_separator=" ")
    parser.StartDoctypeDeclHandler = atom.doctype
    parser.EntityDeclHandler = atom.doctype
    parser.StartElementHandler, parser.EndElementHandler = atom.start, atom.end
    parser.CharacterDataHandler = atom.data
    try:
        parser.Parse(data, True)
    except expat.ExpatError as error:
        raise BadXml(_("Line %(line)d is not XML: %(what)s.") % {"line": error.lineno, "what": error}) from None
    return _read(atom)


def _read(atom: _Atom) -> Read:
    result = Read(lines=atom.count)
    types = {href: e.type for e in atom.entries if e.kind == "ReadingType" for href in e.hrefs["self"]}
    only = next(iter(types.values())) if len(types) == 1 else None
    of_meter = {
        href: next((types[r] for r in e.hrefs["related"] if r in types), None)
        for e in atom.entries
        if e.kind == "MeterReading"
        for href in e.hrefs["self"]
    }
    raws: dict[tuple[str, str, bool, bool], list[Raw]] = defaultdict(list)
    for entry in atom.entries:
        if not entry.readings:
            continue
        above = [href.rpartition("/IntervalBlock")[0] or href for href in entry.hrefs["up"] + entry.hrefs["self"]]
        measures = next((told for href in above if (told := of_meter.get(href)) is not None), only)
        _block(entry, measures or (_Type() if not types else None), result, raws)
    if not atom.count:
        result.refuse(0, "", _("there is no IntervalReading in this file; ask the utility for interval data"))
    for (_key, direction, is_power, is_counter), found in raws.items():
        series = to_series(
            found, result, meter="", direction=direction, is_power=is_power, is_counter=is_counter, wraps_kwh=None
        )
        if series is not None:
            result.series.append(series)
    return result


def _block(entry: _Entry, kind: _Type | None, result: Read, raws: dict[tuple[str, str, bool, bool], list[Raw]]) -> None:
    first = entry.readings[0][0]
    if kind is None:
        wrong = _("it is not said what these readings measure (no ReadingType leads to them); ask for the whole file")
        result.refuse(first, "", wrong)
        return
    if kind.uom not in {WH, WATTS}:
        result.left_out += len(entry.readings)
        return
    if kind.flow not in DELIVERED | RECEIVED:
        wrong = _("flowDirection %(flow)s is neither delivered (1) nor received (19); it cannot be told which it is")
        result.refuse(first, "", wrong % {"flow": kind.flow})
        return
    direction = "feed_in" if kind.flow in RECEIVED else "use"
    key = (direction, direction, kind.uom == WATTS, kind.uom == WH and kind.behaviour in COUNTERS)
    for number, start, _duration, value in entry.readings:
        try:
            at = dt.datetime.fromtimestamp(int(start), tz=dt.UTC)
            kilo = int(value) * 10.0**kind.power / 1000.0 if value else None
        except (ValueError, OverflowError, OSError):
            wrong = _(
                "start “%(start)s” and value “%(value)s” are not whole numbers; the file is damaged, get it again"
            )
            result.refuse(number, "", wrong % {"start": start[:20], "value": value[:20]})
            continue
        raws[key].append(Raw(number, at, kilo))
