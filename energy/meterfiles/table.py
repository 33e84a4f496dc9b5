"""CSV files of utilities: what they look like, and their readings once the columns are known."""

import csv
import datetime as dt
import math
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import pairwise
from zoneinfo import ZoneInfo

from django.utils.translation import gettext as _

from energy.meterfiles import clock
from energy.meterfiles.mapping import DELIMITERS, POWERS, TIME_FORMATS, UNITS, Mapping, Value
from energy.meterfiles.readings import Raw, Read, to_series
from energy.meterfiles.words import (
    CLOCK_WORDS,
    COUNTER_WORDS,
    END_WORDS,
    FEED_IN_WORDS,
    METER_WORDS,
    SOLAR_WORDS,
    STATUS_WORDS,
    TIME_WORDS,
    VALUE_WORDS,
)

LINES_AT_MOST = 600_000
LOOKED_AT = 200
LEAST_COLUMNS = 2
EMPTY = frozenset({"", "-", "--", "n/a", "na", "nan", "null", "none"})


@dataclass(frozen=True, slots=True)
class Look:
    """What a file looks like: its lines split, for choosing columns by eye."""

    delimiter: str
    header_line: int
    names: tuple[str, ...]
    rows: tuple[tuple[int, tuple[str, ...]], ...]
    lines: int


def decode(data: bytes) -> str:
    """UTF-8 with or without mark, UTF-16 with one, else Windows-1252, which reads anything."""
    for codec in ("utf-16",) if data[:2] in {b"\xff\xfe", b"\xfe\xff"} else ("utf-8-sig",):
        try:
            return data.decode(codec)
        except UnicodeDecodeError:
            pass
    return data.decode("cp1252", errors="replace")


def split(text: str, delimiter: str) -> Iterator[tuple[int, list[str]]]:
    """Lines by their number (from 1), split; empty ones and remarks (#) are left out. Raises ValueError."""
    reader = csv.reader(text.splitlines(), delimiter=delimiter)
    try:
        for row in reader:
            if reader.line_num > LINES_AT_MOST:
                raise ValueError(_("more than %(n)d lines; cut the file into years") % {"n": LINES_AT_MOST})
            if any(cell.strip() for cell in row) and not row[0].lstrip().startswith("#"):
                yield reader.line_num, [cell.strip() for cell in row]
    except csv.Error as error:
        raise ValueError(_("line %(line)d: %(what)s") % {"line": reader.line_num, "what": error}) from None


def look(text: str, delimiter: str = "") -> Look:
    """What the file looks like: the separator that splits most lines alike, and the first line that names columns."""
    head = text.splitlines()[:LOOKED_AT]
    chosen = delimiter or _delimiter(head)
    rows = list(split("\n".join(head), chosen))
    width = max((len(cells) for _line, cells in rows), default=0)
    header = _header(rows)
    names = next((tuple(cells) for line, cells in rows if line == header), ())
    if not names:
        names = tuple(_("Column %(n)d") % {"n": i + 1} for i in range(width))
    below = tuple((line, tuple(cells)) for line, cells in rows if line > header)
    return Look(chosen, header, names, below, text.count("\n") + (not text.endswith("\n")))


def _header(rows: list[tuple[int, list[str]]]) -> int:
    """The line of names with the longest run of data below it; 0 where no line is one."""
    best, longest = 0, 0
    for i, (line, cells) in enumerate(rows):
        if len(cells) < LEAST_COLUMNS or any(_is_number(c) or _looks_like_time(c) for c in cells):
            continue
        run = 0
        for _line, below in rows[i + 1 :]:
            if not any(_looks_like_time(c) for c in below):
                break
            run += 1
        if run > longest:
            best, longest = line, run
    return best


def _delimiter(head: list[str]) -> str:
    def score(sign: str) -> tuple[int, int]:
        counts = [line.count(sign) for line in head if line.strip()]
        many = [c for c in counts if c]
        if not many:
            return (0, 0)
        usual = max(set(many), key=many.count)
        return (many.count(usual), usual)

    best = max(DELIMITERS, key=lambda sign: (score(sign)[0], score(sign)[1], -DELIMITERS.index(sign)))
    # A decimal comma splits as well as a separator does: any other sign that splits nearly all lines goes before it.
    if best == "," and any(score(sign)[0] >= 0.9 * score(",")[0] for sign in DELIMITERS if sign != ","):
        best = max((s for s in DELIMITERS if s != ","), key=score)
    return best


def _is_number(cell: str) -> bool:
    try:
        float(cell.replace(",", ".").replace(" ", ""))
    except ValueError:
        return False
    return True


def _looks_like_time(cell: str) -> bool:
    return sum(c.isdigit() for c in cell) >= 4 and any(sign in cell for sign in ".:/-")


def guess(found: Look) -> Mapping:
    """A first mapping by the names of the columns and what stands below; a person looks at it first."""
    names = [name.lower() for name in found.names]
    cells = [row for _line, row in found.rows]
    time = _named(names, TIME_WORDS, 0)
    clock_column = _clock_column(names, cells, time)
    taken = {time, clock_column}
    counters = {i for i, name in enumerate(names) if _has(name, COUNTER_WORDS)}
    meter = _find(names, METER_WORDS, taken | counters)
    status = _find(names, STATUS_WORDS, taken | {meter})
    values = _values(names, cells, taken | {meter, status})
    format_, is_end = _time_format(cells, time, clock_column)
    is_end = is_end or any(_has(names[c], END_WORDS) for c in (time, clock_column) if c is not None and c < len(names))
    return Mapping(
        delimiter=found.delimiter,
        decimal="." if found.delimiter == "," or _decimal(cells, values) == "." else ",",
        header_line=found.header_line,
        time=time,
        clock=clock_column,
        time_format=format_,
        is_end=is_end,
        values=tuple(values) or (Value(min(i for i in range(len(names) + 2) if i not in taken)),),
        meter=meter,
        status=status,
    )


def _has(name: str, words: tuple[str, ...]) -> bool:
    parts = "".join(c if c.isalnum() or c == "_" else " " for c in name).split()
    return any(word in parts or (len(word) > 4 and word in name) for word in words)


def _find(names: list[str], words: tuple[str, ...], taken: "Collection[int | None]") -> int | None:
    return next((i for i, name in enumerate(names) if i not in taken and _has(name, words)), None)


def _named(names: list[str], words: tuple[str, ...], otherwise: int) -> int:
    for word in words:
        for i, name in enumerate(names):
            if _has(name, (word,)):
                return i
    return otherwise


def _clock_column(names: list[str], cells: list[tuple[str, ...]], time: int) -> int | None:
    """A column of its own for the time of day: only where the date has none."""
    first = next((row[time] for row in cells if time < len(row) and row[time]), "")
    if ":" in first or len(first) > 10:
        return None
    return _find(names, CLOCK_WORDS, {time})


def _values(names: list[str], cells: list[tuple[str, ...]], taken: "Collection[int | None]") -> list[Value]:
    found: list[Value] = []
    for i, name in enumerate(names):
        column = [row[i] for row in cells if i < len(row) and row[i].lower() not in EMPTY]
        numbers = [c for c in column if _is_number(c)]
        if (
            i in taken
            or not numbers
            or len(numbers) < 0.8 * len(column)
            or not _has(name, VALUE_WORDS + FEED_IN_WORDS + SOLAR_WORDS + COUNTER_WORDS)
        ):
            continue
        direction = "feed_in" if _has(name, FEED_IN_WORDS) else "solar" if _has(name, SOLAR_WORDS) else "use"
        if any(v.direction == direction for v in found):
            continue
        unit = _unit(name)
        found.append(Value(i, direction, unit, unit not in POWERS and _is_counter(name, numbers)))
    return found


def _unit(name: str) -> str:
    for unit in ("MWh", "kWh", "Wh", "kW", "W"):
        if _has(name, (unit.lower(),)) or f"_{unit.lower()}" in name or f"[{unit.lower()}]" in name:
            return unit
    return "kWh"


def _is_counter(name: str, numbers: list[str]) -> bool:
    values = [float(n.replace(" ", "").replace(",", ".")) for n in numbers]
    grows = len(values) > 3 and all(a <= b for a, b in pairwise(values))
    return _has(name, COUNTER_WORDS) or (grows and values[0] > 0 and values[-1] - values[0] < values[0])


def _decimal(cells: list[tuple[str, ...]], values: list[Value]) -> str:
    column = [row[v.column] for v in values for row in cells if v.column < len(row)]
    return "," if any("," in c and "." not in c.split(",")[-1] for c in column) else "."


def _time_format(cells: list[tuple[str, ...]], time: int, clock_column: int | None) -> tuple[str, bool]:
    """The first format that reads all of the looked-at lines, and whether an hour 24 tells that it is the end."""
    texts = [_time_text(row, time, clock_column) for row in cells]
    texts = [t for t in texts if t and _looks_like_time(t)]
    is_end = any(" 24:" in t or t.endswith(" 24") for t in texts)
    for format_ in TIME_FORMATS:
        if texts and all(parse_time(t, format_) is not None for t in texts):
            return format_, is_end
    return "iso", is_end


def _time_text(row: "tuple[str, ...] | list[str]", time: int, clock_column: int | None) -> str:
    if time >= len(row):
        return ""
    if clock_column is None:
        return row[time]
    return f"{row[time]} {row[clock_column] if clock_column < len(row) else ''}".strip()


def parse_time(text: str, format_: str) -> dt.datetime | None:
    """A time in a format of `TIME_FORMATS`; the hour 24 is midnight, and a bare hour (1 to 25) is allowed."""
    date, sep, rest = text.rpartition(" ")
    late = dt.timedelta(0)
    if sep and rest.isdecimal() and len(rest) <= 2:
        rest = f"{int(rest):02d}:00"
    if sep and rest[:3] in {"24:", "25:"} and "%p" not in format_:
        late = dt.timedelta(days=1) if rest[:2] == "24" else dt.timedelta(days=1, hours=1)
        rest = "00" + rest[2:]
    text = f"{date} {rest}" if sep else text
    try:
        at = dt.datetime.fromisoformat(text) if format_ == "iso" else dt.datetime.strptime(text, format_)
    except ValueError:
        return None
    if format_ == "iso" and len(text) < 12:
        return None
    return at + late if 1990 <= at.year <= 2200 else None


def number(cell: str, decimal: str) -> float | None:
    """A number; None for a cell that says “nothing”. Raises ValueError."""
    plain = cell.strip().replace("\u00a0", "").replace("\u202f", "").replace(" ", "").replace("'", "")
    if plain.lower() in EMPTY:
        return None
    if decimal == ",":
        plain = plain.replace(".", "").replace(",", ".") if plain.count(",") == 1 else plain
    elif plain.count(",") and "." not in plain:
        raise ValueError(plain)
    else:
        plain = plain.replace(",", "")
    value = float(plain)
    if not math.isfinite(value):
        raise ValueError(plain)
    return value


@dataclass(slots=True)
class _Line:
    number: int
    at: dt.datetime
    values: list[float | None]
    text: str


def read(text: str, mapping: Mapping, zone: ZoneInfo) -> Read:
    """All readings of a file, and everything that is wrong with it; never raises for what a line says."""
    result = Read()
    of_meter: dict[str, list[_Line]] = defaultdict(list)
    try:
        for line, cells in split(text, mapping.delimiter):
            if line > mapping.header_line:
                result.lines += 1
                _line(line, cells, mapping, result, of_meter)
    except ValueError as error:
        result.refuse(0, "", str(error))
    if not of_meter and not result.bad_count:
        result.refuse(0, "", _("there is no line with a time and a value in this file"))
    for meter, lines in of_meter.items():
        _register(meter, lines, mapping, zone, result)
    return result


def _line(line: int, cells: list[str], mapping: Mapping, result: Read, into: dict[str, list[_Line]]) -> None:
    text = mapping.delimiter.join(cells)
    written = _time_text(cells, mapping.time, mapping.clock)
    at = parse_time(written, mapping.time_format)
    if at is None:
        if mapping.left_out:
            result.left_out += 1
            return
        wrong = _(
            "“%(time)s” is not a time of the form %(form)s; choose the column and the form of the time, or leave out "
            "lines without a time"
        )
        result.refuse(line, text, wrong % {"time": written[:40], "form": mapping.time_format})
        return
    mark = cells[mapping.status] if mapping.status is not None and mapping.status < len(cells) else ""
    if mark:
        result.marks[mark[:40]] += 1
    values: list[float | None] = []
    for value in mapping.values:
        try:
            if value.column >= len(cells):
                raise ValueError
            found = number(cells[value.column], mapping.decimal)
        except ValueError:
            cell = cells[value.column] if value.column < len(cells) else ""
            wrong = _("“%(cell)s” in column %(n)d is not a number with “%(sign)s” for decimals; correct it or empty it")
            result.refuse(line, text, wrong % {"cell": cell[:40], "n": value.column + 1, "sign": mapping.decimal})
            return
        values.append(None if found is None or mark in mapping.not_measured else found * UNITS[value.unit])
    meter = cells[mapping.meter] if mapping.meter is not None and mapping.meter < len(cells) else ""
    into[meter.replace(" ", "")].append(_Line(line, at, values, text))


def _register(meter: str, lines: list[_Line], mapping: Mapping, zone: ZoneInfo, result: Read) -> None:
    if lines[0].at.replace(tzinfo=None) > lines[-1].at.replace(tzinfo=None):
        lines.reverse()
    fixed = _fixed(mapping.zone)
    moments = [
        clock.Moment(one.number, one.at if fixed is None or one.at.tzinfo else one.at.replace(tzinfo=fixed))
        for one in lines
    ]
    step = _label_step([m.at for m in moments])
    # A counter is read at a moment, so its time is neither start nor end of a step.
    is_end = mapping.is_end and not all(v.counter for v in mapping.values)
    starts = clock.resolve(moments, zone, step=step, is_end=is_end)
    for i, at in starts.items():
        if at is None and any(v is not None for v in lines[i].values):
            wrong = _(
                "%(time)s did not exist: the clock was put forward; if the file keeps winter time all year, choose its "
                "fixed offset"
            )
            result.refuse(lines[i].number, lines[i].text, wrong % {"time": lines[i].at.strftime("%Y-%m-%d %H:%M")})
    for k, value in enumerate(mapping.values):
        raws = [Raw(one.number, at, one.values[k]) for i, one in enumerate(lines) if (at := starts[i]) is not None]
        series = to_series(
            raws,
            result,
            meter=meter,
            direction=value.direction,
            is_power=value.unit in POWERS,
            is_counter=value.counter,
            wraps_kwh=mapping.wraps_kwh,
        )
        if series is not None:
            result.series.append(series)


def _fixed(zone: str) -> dt.tzinfo | None:
    if zone == "local":
        return None
    if zone == "UTC":
        return dt.UTC
    return dt.timezone(dt.timedelta(hours=int(zone[:3]), minutes=int(zone[0] + zone[4:])))


def _label_step(times: list[dt.datetime]) -> dt.timedelta:
    """The usual difference of labels, for files that name the end of a step."""
    gaps = [b - a for a, b in pairwise(times[:LOOKED_AT]) if b > a]
    return max(set(gaps), key=gaps.count) if gaps else dt.timedelta(minutes=15)
