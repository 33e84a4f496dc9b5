"""Reading a community folder (the format of the contract): community.toml, members.csv, load_kwh.csv,
pv_kwh.csv, prices.csv, and for heat pumps heat_kwh.csv with weather.csv.

Tolerant where nothing can go wrong (byte-order mark, CRLF, order of columns, a blank last line), strict where
a silent repair would change a figure: a gap, a second row for a time, a negative load, a missing member are
refused with file, line and column. Nothing is ever interpolated.
"""

import csv
import datetime as dt
import hashlib
import io
import math
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np

from energy.engine import heat
from energy.engine.community import KINDS, Battery, Community, Floats, Heat, Member, Vehicle
from energy.engine.refusals import FolderRefusal, Infeasible, gettext_noop

FILES = ("community.toml", "members.csv", "load_kwh.csv", "pv_kwh.csv", "prices.csv")
CO2 = ("co2_kg_per_kwh", "co2_marginal_kg_per_kwh")
HEAT_FILES = ("heat_kwh.csv", "weather.csv")
MEMBER_COLUMNS = frozenset(
    [
        "id",
        "name",
        "kind",
        "pv_kwp",
        "battery_kwh",
        "battery_kw",
        "battery_efficiency",
        "ev_kwh",
        "ev_kw",
        "ev_kwh_per_day",
        "ev_away_from",
        "ev_away_until",
        "ev_efficiency",
        "ev_v2g",
        "heat_pump_kw",
        "tank_kwh",
        "tank_loss_per_hour",
    ]
)
STEPS_MIN = (15, 60)
MOST_KWH_IN_A_STEP = 1e6
MOST_KW = 1e5
MOST_BYTES = 200 * 1024 * 1024


def read(folder: Path) -> Community:
    """Read and check a folder. Raises FolderRefusal."""
    texts = {name: _text(folder, name) for name in FILES}
    about = _about(texts["community.toml"])
    members = _members(texts["members.csv"])
    ids = [m.id for m in members]
    load = _series("load_kwh.csv", texts["load_kwh.csv"], about, ids, required=ids)
    with_pv = [m.id for m in members if m.pv_kwp > 0]
    pv = _series("pv_kwh.csv", texts["pv_kwh.csv"], about, ids, required=with_pv)
    if pv.shape[1] != load.shape[1]:
        raise FolderRefusal("pv_kwh.csv", 0, "", _ROWS, rows=pv.shape[1], file="load_kwh.csv", other=load.shape[1])
    prices = _prices(texts["prices.csv"], about, load.shape[1])
    if (folder / "heat_kwh.csv").is_file():
        members = _heated(folder, about, members, load)
    return Community(
        name=about.name,
        currency=about.currency,
        timezone=about.timezone,
        start=about.start,
        step_minutes=about.step_minutes,
        members=members,
        load_kwh=load,
        pv_kwh=pv,
        import_price=prices["import_price"],
        export_price=prices["export_price"],
        co2_kg_per_kwh=prices.get("co2_kg_per_kwh"),
        co2_marginal_kg_per_kwh=prices.get("co2_marginal_kg_per_kwh"),
        grid_limit_kw=about.grid_limit_kw,
        cyclic=about.cyclic,
        battery=about.battery,
    )


def content_sha256(folder: Path) -> str:
    """One hash over the files' bytes, in their fixed order."""
    digest = hashlib.sha256()
    for name in (*FILES, *(f for f in HEAT_FILES if (folder / f).is_file())):
        content = (folder / name).read_bytes()
        digest.update(f"{name}\0{len(content)}\0".encode() + content)
    return digest.hexdigest()


_ROWS = gettext_noop("has %(rows)d rows of values and %(file)s has %(other)d; give both the same times")
_MISSING = gettext_noop(
    "the file is missing; a community folder has community.toml, members.csv, load_kwh.csv, pv_kwh.csv and prices.csv"
)


def _text(folder: Path, name: str) -> str:
    path = folder / name
    if not path.is_file():
        raise FolderRefusal(name, 0, "", _MISSING)
    if path.stat().st_size > MOST_BYTES:
        raise FolderRefusal(
            name,
            0,
            "",
            gettext_noop("the file is larger than 200 MB; split the period into several communities"),
        )
    content = path.read_bytes()
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        raise FolderRefusal(name, line, "", gettext_noop("this is not UTF-8 text; save the file as UTF-8")) from None
    if not text.strip():
        raise FolderRefusal(name, 0, "", gettext_noop("the file is empty"))
    return text


# --- community.toml -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class About:
    """What community.toml says."""

    name: str
    currency: str
    timezone: str
    start: dt.datetime
    step_minutes: int
    export_price: float | None
    grid_limit_kw: float | None
    cyclic: bool
    battery: Battery | None


def _about(text: str) -> About:
    file = "community.toml"
    try:
        table = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise FolderRefusal(file, 0, "", gettext_noop("this is not TOML: %(error)s"), error=error) from None
    for key in ("name", "currency", "timezone", "start", "step_minutes"):
        if key not in table:
            raise FolderRefusal(file, 0, key, gettext_noop("this setting is missing; add it"))
    if table["step_minutes"] not in STEPS_MIN:
        raise FolderRefusal(
            file,
            0,
            "step_minutes",
            gettext_noop("the step is %(step)s minutes; it must be 15 or 60"),
            step=table["step_minutes"],
        )
    zone = str(table["timezone"])
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError):
        raise FolderRefusal(
            file,
            0,
            "timezone",
            gettext_noop("“%(zone)s” is not a time zone; write one such as Europe/Helsinki"),
            zone=zone,
        ) from None
    return About(
        name=str(table["name"]),
        currency=str(table["currency"]),
        timezone=zone,
        start=_time(file, 0, "start", str(table["start"])),
        step_minutes=int(table["step_minutes"]),
        export_price=_setting(table, "export_price", -100, 100),
        grid_limit_kw=_setting(table, "grid_limit_kw", 0, MOST_KW),
        cyclic=table.get("cyclic", False) is True,
        battery=_community_battery(table.get("community_battery")),
    )


def _setting(table: Mapping[str, Any], key: str, least: float, most: float, path: str = "") -> float | None:
    value = table.get(key)
    if value is None:
        return None
    if (
        isinstance(value, bool)
        or not isinstance(value, int | float)
        or not math.isfinite(value)
        or not least <= value <= most
    ):
        raise FolderRefusal("community.toml", 0, path + key, _RANGE, value=value, least=least, most=most)
    return float(value)


_RANGE = gettext_noop("%(value)s is not a number from %(least)g to %(most)g; correct it")


def _community_battery(table: object) -> Battery | None:
    if table is None:
        return None
    if not isinstance(table, dict):
        raise FolderRefusal(
            "community.toml",
            0,
            "community_battery",
            gettext_noop("this must be a table [community_battery] with kwh and kw"),
        )
    path = "community_battery."
    kwh = _setting(table, "kwh", 0, MOST_KWH_IN_A_STEP, path)
    kw = _setting(table, "kw", 0, MOST_KW, path)
    efficiency = _setting(table, "efficiency", 0.01, 1, path)
    if kwh is None or kw is None:
        raise FolderRefusal(
            "community.toml",
            0,
            path + ("kwh" if kwh is None else "kw"),
            gettext_noop("this setting is missing; add it"),
        )
    return Battery(kwh, kw, 0.9 if efficiency is None else efficiency) if kwh > 0 and kw > 0 else None


# --- tables ---------------------------------------------------------------------------------------------


def _rows(file: str, text: str) -> tuple[list[str], Iterator[tuple[int, list[str]]]]:
    """The header, and the rows that are not blank with their line numbers; each row as wide as the header."""
    reader = csv.reader(io.StringIO(text, newline=""))
    header = [name.strip() for name in next(reader)]
    if len(header) == 1 and ";" in header[0]:
        raise FolderRefusal(
            file,
            1,
            "",
            gettext_noop("the columns are separated by semicolons; use commas, and a point for decimals"),
        )
    for name in header:
        if header.count(name) > 1:
            raise FolderRefusal(file, 1, name, gettext_noop("this column stands twice; remove one"))

    def rows() -> Iterator[tuple[int, list[str]]]:
        for row in reader:
            if not any(cell.strip() for cell in row):
                continue
            if len(row) != len(header):
                raise FolderRefusal(
                    file,
                    reader.line_num,
                    "",
                    gettext_noop("%(n)d values for %(m)d columns; complete the row"),
                    n=len(row),
                    m=len(header),
                )
            yield reader.line_num, row

    return header, rows()


def _time(file: str, line: int, column: str, cell: str) -> dt.datetime:
    try:
        moment = dt.datetime.fromisoformat(cell.strip())
    except ValueError:
        raise FolderRefusal(
            file,
            line,
            column,
            gettext_noop("“%(cell)s” is not a time; write it as 2026-01-31T13:00:00Z"),
            cell=cell,
        ) from None
    if moment.tzinfo is None:
        raise FolderRefusal(
            file,
            line,
            column,
            gettext_noop("“%(cell)s” has no time zone; add Z for UTC, as in 2026-01-31T13:00:00Z"),
            cell=cell,
        )
    return moment.astimezone(dt.UTC)


def _number(  # noqa: PLR0917 a place, a cell, a range
    file: str, line: int, column: str, cell: str, least: float, most: float
) -> float:
    try:
        value = float(cell)
    except ValueError:
        raise FolderRefusal(
            file,
            line,
            column,
            gettext_noop("“%(cell)s” is not a number; write it with a decimal point"),
            cell=cell,
        ) from None
    if not math.isfinite(value):
        raise FolderRefusal(
            file,
            line,
            column,
            gettext_noop("“%(cell)s” is not a measured value; fill it in or leave the period out"),
            cell=cell,
        )
    if value < least:
        raise FolderRefusal(
            file,
            line,
            column,
            gettext_noop("%(value)g is below %(least)g, which cannot be; correct the value"),
            value=value,
            least=least,
        )
    if value > most:
        raise FolderRefusal(
            file,
            line,
            column,
            gettext_noop("%(value)g is above %(most)g, which cannot be; check the unit"),
            value=value,
            most=most,
        )
    return value


def _check_time(  # noqa: PLR0917 a place, a time, what was expected
    file: str, line: int, moment: dt.datetime, index: int, about: About, before: dt.datetime | None
) -> None:
    step = dt.timedelta(minutes=about.step_minutes)
    expected = about.start + index * step
    if moment == expected:
        return
    if before is None:
        raise FolderRefusal(
            file,
            line,
            "time",
            gettext_noop("the first time is %(time)s, but community.toml starts at %(start)s; make them equal"),
            time=moment.isoformat(),
            start=about.start.isoformat(),
        )
    if moment == before:
        raise FolderRefusal(
            file, line, "time", gettext_noop("%(time)s stands twice; keep one row"), time=moment.isoformat()
        )
    if moment < before:
        raise FolderRefusal(
            file,
            line,
            "time",
            gettext_noop("%(time)s comes after a later time; sort the rows"),
            time=moment.isoformat(),
        )
    if moment > expected and (moment - before) % step == dt.timedelta(0):
        raise FolderRefusal(
            file,
            line,
            "time",
            gettext_noop("a gap: after %(before)s comes %(time)s, %(n)d rows are missing; fill them in from the meter"),
            before=before.isoformat(),
            time=moment.isoformat(),
            n=(moment - expected) // step,
        )
    raise FolderRefusal(
        file,
        line,
        "time",
        gettext_noop("%(time)s is not %(step)d minutes after %(before)s; give every row the same step"),
        time=moment.isoformat(),
        step=about.step_minutes,
        before=before.isoformat(),
    )


def _series(file: str, text: str, about: About, ids: Sequence[str], required: Sequence[str]) -> Floats:
    """Members by steps, kWh; members without a column have none of it."""
    header, rows = _rows(file, text)
    if "time" not in header:
        raise FolderRefusal(file, 1, "time", gettext_noop("this column is missing; add it"))
    for name in header:
        if name != "time" and name not in ids:
            raise FolderRefusal(
                file,
                1,
                name,
                gettext_noop("members.csv has no member “%(id)s”; add the member or remove the column"),
                id=name,
            )
    for member in required:
        if member not in header:
            raise FolderRefusal(
                file, 1, member, gettext_noop("there is no column for member “%(id)s”; add it"), id=member
            )
    at = header.index("time")
    columns = [(i, name) for i, name in enumerate(header) if i != at]
    values: list[list[float]] = []
    before: dt.datetime | None = None
    for line, row in rows:
        moment = _time(file, line, "time", row[at])
        _check_time(file, line, moment, len(values), about, before)
        values.append([_number(file, line, name, row[i], 0.0, MOST_KWH_IN_A_STEP) for i, name in columns])
        before = moment
    if not values:
        raise FolderRefusal(file, 0, "", gettext_noop("there is no row of values below the header"))
    table = np.array(values, dtype=np.float64).reshape(len(values), len(columns))
    series = np.zeros((len(ids), len(values)))
    for k, (_i, name) in enumerate(columns):
        series[ids.index(name)] = table[:, k]
    return series


def _prices(text: str, about: About, steps: int) -> dict[str, Floats]:
    file = "prices.csv"
    known = ("import_price", "export_price", *CO2)
    header, rows = _rows(file, text)
    for name in ("time", "import_price"):
        if name not in header:
            raise FolderRefusal(file, 1, name, gettext_noop("this column is missing; add it"))
    for name in header:
        if name not in ("time", *known):
            raise FolderRefusal(
                file,
                1,
                name,
                gettext_noop("this column is not known; there are %(known)s"),
                known=", ".join(known),
            )
    if "export_price" not in header and about.export_price is None:
        raise FolderRefusal(
            file,
            1,
            "export_price",
            gettext_noop("there is no export price; add the column, or export_price to community.toml"),
        )
    found: dict[str, list[float]] = {name: [] for name in known if name in header}
    found.setdefault("export_price", [])
    before: dt.datetime | None = None
    for index, (line, row) in enumerate(rows):
        cells = dict(zip(header, row, strict=True))
        moment = _time(file, line, "time", cells["time"])
        _check_time(file, line, moment, index, about, before)
        for name, values in found.items():
            least = 0.0 if name in CO2 else -100.0
            given = cells.get(name)
            values.append(
                float(about.export_price or 0) if given is None else _number(file, line, name, given, least, 100.0)
            )
        if found["import_price"][-1] < found["export_price"][-1]:
            raise FolderRefusal(
                file,
                line,
                "import_price",
                gettext_noop(
                    "the import price %(buy)g is below the export price %(sell)g, so power could be "
                    "bought to be sold; correct one"
                ),
                buy=found["import_price"][-1],
                sell=found["export_price"][-1],
            )
        before = moment
    if len(found["import_price"]) != steps:
        raise FolderRefusal(file, 0, "", _ROWS, rows=len(found["import_price"]), file="load_kwh.csv", other=steps)
    return {name: np.array(values) for name, values in found.items()}


# --- heat -----------------------------------------------------------------------------------------------


def _heated(folder: Path, about: About, members: tuple[Member, ...], load: Floats) -> tuple[Member, ...]:
    """Members with the heat their pumps make; adds the power of pumps that follow it to their loads."""
    file = "heat_kwh.csv"
    text = _text(folder, file)
    columns = [name for name in _rows(file, text)[0] if name != "time"]
    ids = [m.id for m in members]
    demand = _series(file, text, about, ids, required=())
    steps = load.shape[1]
    if demand.shape[1] != steps:
        raise FolderRefusal(file, 0, "", _ROWS, rows=demand.shape[1], file="load_kwh.csv", other=steps)
    cop = _cop(_text(folder, "weather.csv"), about, steps)
    found = list(members)
    for row, member in enumerate(members):
        if member.id not in columns:
            continue
        if member.heat_pump_kw is None:
            raise FolderRefusal(
                file, 1, member.id, gettext_noop("this member has no heat_pump_kw in members.csv; give it one")
            )
        warm = Heat(member.heat_pump_kw, demand[row], cop, member.tank_kwh, member.tank_loss_per_hour)
        try:
            load[row] += heat.follow(warm, about.step_minutes / 60, cyclic=about.cyclic)
        except Infeasible as refusal:
            raise FolderRefusal(file, 0, member.id, refusal.template) from None
        found[row] = replace(member, heat=warm)
    return tuple(found)


def _cop(text: str, about: About, steps: int) -> Floats:
    """COP in each step: its own column, or the standard curve of outdoor_c."""
    file = "weather.csv"
    header, rows = _rows(file, text)
    column = "cop" if "cop" in header else "outdoor_c"
    for name in ("time", column):
        if name not in header:
            raise FolderRefusal(file, 1, name, gettext_noop("this column is missing; add it"))
    least, most = (1.0, 20.0) if column == "cop" else (-70.0, 60.0)
    values: list[float] = []
    before: dt.datetime | None = None
    for line, row in rows:
        moment = _time(file, line, "time", row[header.index("time")])
        _check_time(file, line, moment, len(values), about, before)
        values.append(_number(file, line, column, row[header.index(column)], least, most))
        before = moment
    if len(values) != steps:
        raise FolderRefusal(file, 0, "", _ROWS, rows=len(values), file="load_kwh.csv", other=steps)
    return np.array(values) if column == "cop" else heat.standard_cop(np.array(values))


# --- members --------------------------------------------------------------------------------------------


def _members(text: str) -> tuple[Member, ...]:
    file = "members.csv"
    header, rows = _rows(file, text)
    for name in ("id", "name", "kind"):
        if name not in header:
            raise FolderRefusal(file, 1, name, gettext_noop("this column is missing; add it"))
    for name in header:
        if name not in MEMBER_COLUMNS:
            known = ", ".join(sorted(MEMBER_COLUMNS))
            raise FolderRefusal(
                file, 1, name, gettext_noop("this column is not known; there are %(known)s"), known=known
            )
    members: dict[str, Member] = {}
    for line, row in rows:
        member = _member(file, line, {name: cell.strip() for name, cell in zip(header, row, strict=True)})
        if member.id in members:
            raise FolderRefusal(
                file,
                line,
                "id",
                gettext_noop("member “%(id)s” stands twice; give each its own id"),
                id=member.id,
            )
        members[member.id] = member
    if not members:
        raise FolderRefusal(
            file, 0, "", gettext_noop("there is no member below the header; a community has at least one")
        )
    return tuple(members.values())


def _member(file: str, line: int, cells: Mapping[str, str]) -> Member:
    if not cells["id"] or len(cells["id"]) > 60:
        raise FolderRefusal(file, line, "id", gettext_noop("an id has 1 to 60 characters"))
    if cells["kind"] not in KINDS:
        raise FolderRefusal(
            file,
            line,
            "kind",
            gettext_noop("“%(kind)s” is not a kind; there are %(known)s"),
            kind=cells["kind"],
            known=", ".join(KINDS),
        )

    def value(column: str, most: float, default: float = 0.0, least: float = 0.0) -> float:
        cell = cells.get(column, "")
        return _number(file, line, column, cell, least, most) if cell else default

    battery_kwh, battery_kw = value("battery_kwh", MOST_KWH_IN_A_STEP), value("battery_kw", MOST_KW)
    if (battery_kwh > 0) != (battery_kw > 0):
        empty = "battery_kw" if battery_kwh > 0 else "battery_kwh"
        raise FolderRefusal(
            file,
            line,
            empty,
            gettext_noop("a battery has both battery_kwh and battery_kw; fill in the other"),
        )
    return Member(
        id=cells["id"],
        name=cells["name"] or cells["id"],
        kind=cells["kind"],
        pv_kwp=value("pv_kwp", MOST_KW),
        battery=Battery(battery_kwh, battery_kw, value("battery_efficiency", 1.0, 0.9, 0.01))
        if battery_kwh > 0
        else None,
        vehicle=_vehicle(file, line, cells),
        heat_pump_kw=value("heat_pump_kw", MOST_KW) or None,
        tank_kwh=value("tank_kwh", MOST_KWH_IN_A_STEP),
        tank_loss_per_hour=value("tank_loss_per_hour", 0.5, 0.01),
    )


def _vehicle(file: str, line: int, cells: Mapping[str, str]) -> Vehicle | None:
    def value(column: str, most: float, default: float = 0.0, least: float = 0.0) -> float:
        cell = cells.get(column, "")
        return _number(file, line, column, cell, least, most) if cell else default

    kwh = value("ev_kwh", 10_000)
    if kwh == 0:
        return None
    kw, trip = value("ev_kw", 10_000), value("ev_kwh_per_day", 10_000)
    first, until = _minute(file, line, "ev_away_from", cells), _minute(file, line, "ev_away_until", cells)
    efficiency = value("ev_efficiency", 1.0, 0.95, 0.01)
    home_h = 24 - ((until - first) % (24 * 60)) / 60
    most = min(kwh, home_h * kw * efficiency)
    if trip > most:
        raise FolderRefusal(
            file,
            line,
            "ev_kwh_per_day",
            gettext_noop(
                "the trip takes %(trip)g kWh, but at most %(most).4g kWh can be charged in a day; "
                "lower it or raise ev_kw"
            ),
            trip=trip,
            most=most,
        )
    flag = cells.get("ev_v2g", "").lower()
    if flag not in ("", "true", "false", "1", "0", "yes", "no"):
        raise FolderRefusal(file, line, "ev_v2g", gettext_noop("“%(cell)s” is neither true nor false"), cell=flag)
    return Vehicle(kwh, kw, trip, first, until, efficiency, flag not in ("false", "0", "no"))


def _minute(file: str, line: int, column: str, cells: Mapping[str, str]) -> int:
    cell = cells.get(column, "")
    try:
        moment = dt.time.fromisoformat(cell)
    except ValueError:
        raise FolderRefusal(
            file, line, column, gettext_noop("“%(cell)s” is not a time of day; write it as 07:30"), cell=cell
        ) from None
    return moment.hour * 60 + moment.minute
