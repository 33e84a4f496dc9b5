"""The adapter for tables: one of members, one of machines, one of bookings, with headings in common words."""

import datetime as dt
import hashlib
import re
from collections.abc import Mapping, Sequence
from zoneinfo import ZoneInfo

from labs.imports import classes, dates, tables
from labs.imports.rows import Kept, Member, Reading, Slot, Tool, Weight, Where
from labs.imports.tables import Row, Table

#: Our name of a column, and the headings that mean it (lower case, spaces for underscores).
COLUMNS: dict[str, dict[str, tuple[str, ...]]] = {
    "members": {
        "id": ("id", "member id", "number", "member number", "user id"),
        "email": ("email", "e-mail", "mail", "email address", "e-mail address", "sähköposti"),
        "name": ("name", "full name", "nimi"),
        "first": ("first name", "firstname", "given name", "etunimi"),
        "last": ("last name", "lastname", "surname", "family name", "sukunimi"),
        "handle": ("handle", "username", "user name", "login"),
        "role": ("role", "rooli"),
        "badges": ("badges", "trainings", "qualifications", "certificates"),
    },
    "machines": {
        "id": ("id", "machine id", "number", "tool id"),
        "name": ("name", "machine", "tool", "kone"),
        "class": ("class", "kind", "type", "category"),
        "model": ("model", "make and model"),
        "rated_w": ("rated w", "power w", "watts", "highest power, w"),
        "x": ("x mm", "width mm", "volume x mm"),
        "y": ("y mm", "depth mm", "volume y mm"),
        "z": ("z mm", "height mm", "volume z mm"),
        "materials": ("materials", "material"),
        "badges": ("badges", "required badges", "requires"),
    },
    "bookings": {
        "id": ("id", "booking id", "reservation id", "number"),
        "machine": ("machine", "tool", "resource", "kone"),
        "person": ("person", "member", "user", "email", "e-mail", "booked by"),
        "date": ("date", "day", "päivä"),
        "start": ("start", "from", "start time", "begin", "starts"),
        "end": ("end", "to", "until", "end time", "ends"),
        "status": ("status", "state"),
        "note": ("note", "title", "comment", "purpose"),
    },
}
NEEDED = {"members": ("email",), "machines": ("name",), "bookings": ("machine", "person", "start", "end")}
ROLES = {
    "": "member", "member": "member", "user": "member", "student": "member", "jäsen": "member",
    "trainer": "trainer", "instructor": "trainer", "teacher": "trainer", "staff": "trainer",
    "manager": "manager", "admin": "manager", "administrator": "manager",
}  # fmt: skip
STATUS = {
    "": Kept.BOOKED, "booked": Kept.BOOKED, "confirmed": Kept.BOOKED, "approved": Kept.BOOKED, "done": Kept.BOOKED,
    "cancelled": Kept.CANCELLED, "canceled": Kept.CANCELLED, "missed": Kept.MISSED, "no-show": Kept.MISSED,
}  # fmt: skip
EMAIL = re.compile(r"^[^@\s,;<>\"']{1,64}@[^@\s,;<>\"']+\.[^@\s,;<>\"'.]{2,}$")
_LIST = re.compile(r"\s*[;,|]\s*")
_NUMBERS = {"rated_w": "rated_w", "x": "volume_x_mm", "y": "volume_y_mm", "z": "volume_z_mm"}
LARGEST = 1_000_000


def read(files: Mapping[str, tuple[str, bytes]], *, zone: ZoneInfo, days: str = "") -> Reading:
    """The reading of tables by kind (members, machines, bookings): (name of the file, bytes).

    Times without a zone are of `zone`; `days` names the form of dates (`dates.DAYS`) where the file leaves it open.
    """
    reading = Reading()
    for kind, work in (("members", _members), ("machines", _machines)):
        table = _table(kind, files, reading)
        if table is not None:
            work(table, reading)
    table = _table("bookings", files, reading)
    if table is not None:
        _bookings(table, reading, zone, days)
    return reading


def _table(kind: str, files: Mapping[str, tuple[str, bytes]], reading: Reading) -> Table | None:
    """The table of a kind, its columns under our names; None when there is none or a column is missing."""
    if kind not in files:
        return None
    file, body = files[kind]
    table = tables.read(file, body, reading)
    if table is None:
        return None
    names: dict[str, str] = {}
    unknown: list[str] = []
    for heading in table.columns:
        ours = next((our for our, theirs in COLUMNS[kind].items() if heading in theirs), "")
        if ours and ours not in names.values():
            names[heading] = ours
        elif heading:
            unknown.append(heading)
    has = set(names.values())
    missing = [need for need in NEEDED[kind] if need not in has]
    if missing:
        has_said = ", ".join(column for column in table.columns if column)[:300] or "—"
        reading.say(Where(file, 1), "missing-columns", missing=", ".join(missing), has=has_said)
        return None
    if unknown:
        reading.say(Where(file, 1), "unknown-columns", Weight.NOTE, columns=", ".join(unknown)[:200])
    rows = tuple(Row(row.line, {names[k]: v for k, v in row.cells.items() if k in names}) for row in table.rows)
    told = {"file": file, "kind": kind, "encoding": table.encoding, "delimiter": table.delimiter, "rows": len(rows)}
    reading.files.append(told)
    reading.count(kind, len(rows))
    return Table(file, table.encoding, table.delimiter, tuple(names.values()), rows)


def _items(text: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item[:120] for item in _LIST.split(text) if item))


def _members(table: Table, reading: Reading) -> None:
    for row in table.rows:
        cell = row.cells.get
        email = cell("email", "").lower()
        if not EMAIL.match(email) or len(email) > 254:
            code = "bad-email" if email else "no-email"
            reading.say(table.where(row, "email"), code, text=email[:100])
            continue
        role = ROLES.get(cell("role", "").lower())
        if role is None:
            reading.say(table.where(row, "role"), "unknown-role", text=cell("role", "")[:60])
            continue
        name = cell("name", "") or f"{cell('first', '')} {cell('last', '')}".strip()
        foreign, handle = cell("id", "")[:100], cell("handle", "")[:60]
        names = tuple(dict.fromkeys(filter(None, (foreign.lower(), email, handle.lower(), name.lower()))))
        badges = _items(cell("badges", ""))
        where = table.where(row)
        reading.members.append(Member(where, foreign or email, email, name[:120], handle, role, badges, names))


def _machines(table: Table, reading: Reading) -> None:
    for row in table.rows:
        cell = row.cells.get
        name = cell("name", "")[:120]
        if not name:
            reading.say(table.where(row, "name"), "no-name")
            continue
        facts = _facts(table, row, reading)
        if facts is None:
            continue
        said = cell("class", "")
        cls = classes.guess(said) if said else classes.guess(name)
        if not cls:
            cls = "other"
            reading.say(table.where(row, "class"), "unknown-class", Weight.NOTE, text=(said or name)[:100])
        foreign = cell("id", "")[:100]
        names = tuple(dict.fromkeys(filter(None, (foreign.lower(), name.lower()))))
        badges = _items(cell("badges", ""))
        reading.tools.append(Tool(table.where(row), foreign or name, name, cls, facts, badges, names))


def _facts(table: Table, row: Row, reading: Reading) -> dict[str, object] | None:
    facts: dict[str, object] = {}
    for column, ours in _NUMBERS.items():
        text = row.cells.get(column, "")
        if not text:
            continue
        number = _number(text)
        if number is None:
            reading.say(table.where(row, column), "not-a-number", text=text[:60])
            return None
        facts[ours] = round(number) if ours == "rated_w" else number
    if row.cells.get("model"):
        facts["model"] = row.cells["model"][:120]
    materials = [item[:40] for item in _items(row.cells.get("materials", ""))]
    return {**facts, "materials": materials} if materials else facts


def _number(text: str) -> float | None:
    """A number above nothing, with a point or a comma; None when it is none."""
    plain = text.replace(" ", "").replace("\u00a0", "").replace(",", ".")
    try:
        number = float(plain) if re.fullmatch(r"\d{1,9}(\.\d{1,6})?", plain) else 0.0
    except ValueError:
        return None
    return number if 1 <= number <= LARGEST else None


def _bookings(table: Table, reading: Reading, zone: ZoneInfo, days: str) -> None:
    form = _form(table, reading, days)
    if form is None:
        return
    reading.files[-1] |= {"dates": dates.DAYS[form][1], "zone": zone.key}
    for row in table.rows:
        slot = _booking(table, row, reading, zone, form)
        if slot is not None:
            reading.slots.append(slot)


def _form(table: Table, reading: Reading, days: str) -> str | None:
    """The form of the dates in all columns of time; None, with a message, when day and month cannot be told apart."""
    if days:
        return days
    cells = [row.cells.get(column, "") for row in table.rows for column in ("date", "start", "end")]
    forms = dates.forms_of(cells)
    if len(forms) > 1:
        example = next((cell for cell in cells if cell), "")[:40]
        reading.say(Where(table.file), "dates-open", forms=", ".join(forms), example=example)
        return None
    return forms[0]


def _booking(table: Table, row: Row, reading: Reading, zone: ZoneInfo, form: str) -> Slot | None:
    cell = row.cells.get
    kept = STATUS.get(cell("status", "").lower())
    if kept is None:
        reading.say(table.where(row, "status"), "unknown-status", text=cell("status", "")[:60])
        return None
    tool, person = cell("machine", ""), cell("person", "")
    if not tool or not person:
        reading.say(table.where(row, "machine" if not tool else "person"), "empty-cell")
        return None
    start = _time(table.where(row, "start"), row, reading, zone, form)
    end = _time(table.where(row, "end"), row, reading, zone, form)
    if start is None or end is None:
        return None
    text = f"{tool}\n{person}\n{start.isoformat()}\n{end.isoformat()}".lower()
    foreign = cell("id", "")[:100] or hashlib.sha256(text.encode()).hexdigest()[:32]
    return Slot(table.where(row), foreign, tool.lower(), person.lower(), start, end, kept, note=cell("note", "")[:200])


def _time(where: Where, row: Row, reading: Reading, zone: ZoneInfo, form: str) -> dt.datetime | None:
    column = where.column
    text = row.cells.get(column, "")
    if dates.is_clock(text) and row.cells.get("date"):
        text = f"{row.cells['date']} {text}"
    try:
        found = dates.read(text, form, zone)
    except dates.NoSuchTime:
        reading.say(where, "no-such-time", text=text[:60], zone=zone.key)
        return None
    except (ValueError, OverflowError):
        reading.say(where, "bad-time", text=text[:60], form=dates.DAYS[form][1])
        return None
    if found.twice:
        reading.say(where, "twice", Weight.NOTE, text=text[:60], zone=zone.key, utc=f"{found.at:%H:%M}")
    return found.at


TEMPLATES: dict[str, Sequence[Sequence[str]]] = {
    "members": (
        ("id", "email", "name", "role", "badges"),
        ("17", "aino@example.org", "Aino Korhonen", "member", "Laser cutter; 3D printing"),
        ("18", "mikko@example.org", "Mikko Laine", "trainer", ""),
    ),
    "machines": (
        ("id", "name", "class", "model", "rated w", "x mm", "y mm", "z mm", "materials", "badges"),
        (
            "L1",
            "Laser 1",
            "laser cutter",
            "Epilog Fusion",
            "1500",
            "810",
            "500",
            "",
            "plywood; acrylic",
            "Laser cutter",
        ),
    ),
    "bookings": (
        ("id", "machine", "person", "start", "end", "status", "note"),
        ("901", "Laser 1", "aino@example.org", "2027-01-14 10:00", "2027-01-14 12:00", "booked", "Chair parts"),
    ),
}
"""What a file may look like; the pages hand them out."""
