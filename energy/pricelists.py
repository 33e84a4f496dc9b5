"""Prices of an exchange from text: CSV or JSON, small and bounded, read line by line (pure).

CSV: a heading with a column of times (`time`, `start`, `timestamp`, `mtu`…) and one of prices (`price…`, or the only
other). JSON: a list of objects, such a list under `data`, `prices` or `results`, or two lists (`unix_seconds` and
`price`). Times carry their zone. An empty price stays a gap.
"""

import csv
import datetime as dt
import io
import itertools
import json
import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from energy.errors import BadPrices

MOST_BYTES, MOST_ROWS = 8 * 1024 * 1024, 400_000
MOST_A_KWH = 100.0
STEPS_MIN = (15, 30, 60)
TIMES = ("time", "start", "start_time", "start_timestamp", "timestamp", "datetime", "date", "utc")
LISTS = ("data", "prices", "results")
MILLISECONDS_FROM = 1e11


@dataclass(frozen=True, slots=True)
class Read:
    """Prices for a kWh by their moment (UTC), NaN for a gap; how long each holds; what was odd."""

    prices: dict[dt.datetime, float]
    step_minutes: int


def read(text: str, *, per_mwh: bool | None = None) -> Read:
    """The prices of a text. `per_mwh`: they are for a MWh; without it the name of the column says so (`…mwh…`), and
    a column that does not is of kWh. Raises BadPrices with the line.
    """
    if len(text) > MOST_BYTES:
        raise BadPrices(_("The prices are more than 8 MB; give a year at a time."))
    rows = _json(text) if text.lstrip()[:1] in {"[", "{"} else _csv(text)
    found: dict[dt.datetime, float] = {}
    for line, (name, when, value) in enumerate(rows, start=2):
        if line > MOST_ROWS:
            raise BadPrices(_("The prices are more than 400 000 lines; give a year at a time."))
        at, price = _moment(when, line), _number(value, line)
        price = price / 1000 if (("mwh" in name.lower()) if per_mwh is None else per_mwh) else price
        if abs(price) > MOST_A_KWH:
            words = {"line": line, "price": value}
            raise BadPrices(_("Line %(line)d: %(price)s is no price of a kWh; check the unit.") % words, line=line)
        if at in found and found[at] != price and not (math.isnan(found[at]) and math.isnan(price)):
            words = {"line": line, "time": at.isoformat()}
            raise BadPrices(_("Line %(line)d: %(time)s is there twice with two prices.") % words, line=line)
        found[at] = price
    if not found:
        raise BadPrices(_("There is no price in it."))
    return Read(found, _step(sorted(found)))


def _csv(text: str) -> Iterator[tuple[str, str, str]]:
    first = text.lstrip("\ufeff").splitlines()[:1] or [""]
    separator = ";" if first[0].count(";") > first[0].count(",") else ","
    reader = csv.reader(io.StringIO(text.lstrip("\ufeff")), delimiter=separator)
    heading = [name.strip().lower() for name in next(reader, [])]
    when = next((i for i, name in enumerate(heading) if name in TIMES), None)
    priced = [i for i, name in enumerate(heading) if "price" in name] or [i for i in range(len(heading)) if i != when]
    if when is None or len(priced) != 1:
        raise BadPrices(
            _("Line 1: give a heading with one column of times, “time”, and one of prices, “price”."), line=1
        )
    for row in reader:
        if not any(cell.strip() for cell in row):
            continue
        if len(row) <= max(when, priced[0]):
            line = reader.line_num
            raise BadPrices(_("Line %(line)d: a column is missing.") % {"line": line}, line=line)
        price = row[priced[0]].strip()
        yield heading[priced[0]], row[when].strip(), price.replace(",", ".") if separator == ";" else price


def _json(text: str) -> Iterator[tuple[str, Any, Any]]:
    try:
        whole = json.loads(text)
    except (ValueError, RecursionError):
        raise BadPrices(_("This is not JSON; give JSON or CSV.")) from None
    if isinstance(whole, dict) and isinstance(whole.get("unix_seconds"), list):
        priced = next((name for name in ("price", "prices") if isinstance(whole.get(name), list)), None)
        if priced is None or len(whole[priced]) != len(whole["unix_seconds"]):
            raise BadPrices(_("The lists of times and of prices differ in length."))
        yield from (
            (str(whole.get("unit", "")), t, p) for t, p in zip(whole["unix_seconds"], whole[priced], strict=True)
        )
        return
    rows = whole if isinstance(whole, list) else next(
        (whole[name] for name in LISTS if isinstance(whole, dict) and isinstance(whole.get(name), list)), None
    )  # fmt: skip
    if rows is None:
        raise BadPrices(_("There is no list of prices in this JSON; it belongs under “data” or “prices”."))
    for row in rows:
        keys = {str(key).lower(): key for key in row} if isinstance(row, dict) else {}
        when = next((keys[name] for name in TIMES if name in keys), None)
        price = next((keys[name] for name in keys if "price" in name), None)
        if when is None or price is None:
            raise BadPrices(_("Each entry of the list needs a time and a price."))
        yield f"{price} {row.get('unit', '')}", row[when], row[price]


def _moment(when: Any, line: int) -> dt.datetime:
    try:
        if isinstance(when, int | float) and not isinstance(when, bool):
            seconds = when / 1000 if abs(when) > MILLISECONDS_FROM else when
            return dt.datetime.fromtimestamp(seconds, dt.UTC)
        at = dt.datetime.fromisoformat(str(when))
    except (ValueError, OverflowError, OSError):
        words = {"line": line, "time": str(when)[:40]}
        raise BadPrices(
            _("Line %(line)d: “%(time)s” is no time; write 2026-01-31T13:00Z.") % words, line=line
        ) from None
    if at.tzinfo is None:
        words = {"line": line, "time": str(when)[:40]}
        raise BadPrices(_("Line %(line)d: “%(time)s” does not say its zone; add Z or +02:00.") % words, line=line)
    return at.astimezone(dt.UTC)


def _number(value: Any, line: int) -> float:
    if value is None or str(value).strip().lower() in {"", "nan", "null"}:
        return math.nan
    try:
        price = float(value)
    except (TypeError, ValueError):
        price = math.inf
    if isinstance(value, bool) or math.isinf(price):
        words = {"line": line, "price": str(value)[:40]}
        raise BadPrices(_("Line %(line)d: “%(price)s” is no price.") % words, line=line)
    return price


def _step(times: list[dt.datetime]) -> int:
    if len(times) == 1:
        return 60
    step = min(b - a for a, b in itertools.pairwise(times)) // dt.timedelta(minutes=1)
    step = 60 if step >= 60 else step
    if step not in STEPS_MIN or any((t.minute * 60 + t.second) % (step * 60) or t.microsecond for t in times):
        raise BadPrices(_("The prices must be for each hour, half hour or quarter, from the full hour on."))
    return step
