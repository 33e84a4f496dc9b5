"""The adapter for NEMO: a JSON fixture as its own `dumpdata` writes it, with natural keys or with numbers.

Read from the public model names and fields of NEMO 8 (usnistgov/NEMO). Users, tools, qualifications, reservations,
outages of tools and the log of past use are taken over; everything else is listed by model and count, with the reason.
A tool there may be used only by who is qualified for it, so each becomes a machine that asks for a badge of its name.
"""

import datetime as dt
import hashlib
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from zoneinfo import ZoneInfo

from labs.imports import classes, dates
from labs.imports.csv_files import EMAIL
from labs.imports.rows import Grant, Kept, Left, Member, Reading, Slot, Tool, Weight, Where
from labs.imports.tables import MAX_BYTES, decode

TAKEN = frozenset(
    {
        "nemo.user",
        "nemo.tool",
        "nemo.qualification",
        "nemo.reservation",
        "nemo.scheduledoutage",
        "nemo.usageevent",
    }
)
#: Beginnings of model names and why those models cannot be taken over; the first that fits tells.
WHY = (
    ("nemo.area", "no-areas"), ("nemo.door", "no-areas"), ("nemo.physicalaccess", "no-areas"),
    ("nemo.temporaryphysicalaccess", "no-areas"), ("nemo.buddy", "no-areas"), ("nemo.closure", "no-areas"),
    ("nemo.resource", "no-areas"),
    ("nemo.account", "no-money"), ("nemo.project", "no-money"), ("nemo.rate", "no-money"),
    ("nemo.trainingsession", "no-money"), ("nemo.staffcharge", "no-money"), ("nemo.adjustment", "no-money"),
    ("nemo.interlock", "no-interlocks"),
    ("nemo.toolusagecounter", "no-usage"),
    ("nemo.toolusagequestions", "no-questions"), ("nemo.reservationquestions", "no-questions"),
    ("nemo.consumable", "no-consumables"), ("nemo.recurringconsumable", "no-consumables"),
    ("nemo.task", "no-tasks"), ("nemo.comment", "no-tasks"),
    ("nemo.toolqualificationgroup", "no-groups"), ("nemo.qualificationlevel", "no-groups"),
    ("nemo.configuration", "no-configuration"), ("nemo.toolcredentials", "no-configuration"),
    ("nemo.customization", "no-configuration"),
    ("nemo.safety", "no-safety"), ("nemo.chemical", "no-safety"), ("nemo.onboarding", "no-safety"),
    ("nemo.user", "no-people-facts"), ("nemo.membershiphistory", "no-people-facts"),
    ("nemo.contactinformation", "no-people-facts"),
    ("nemo.staff", "no-staff"),
    ("nemo.news", "no-messages"), ("nemo.alert", "no-messages"), ("nemo.notification", "no-messages"),
    ("nemo.emaillog", "no-messages"), ("nemo.landingpage", "no-messages"), ("nemo.requestmessage", "no-messages"),
)  # fmt: skip


def clean(value: object) -> str:
    """Text that a database can hold: no NUL, no half of a pair of surrogates."""
    return str(value).replace("\0", "").encode("utf-8", "replace").decode()


@dataclass(frozen=True, slots=True)
class Item:
    """An object of the file: its number in the list from 1, its model as written, its key and fields."""

    where: Where
    model: str
    pk: object
    fields: Mapping[str, Any]

    def text(self, name: str, most: int = 120) -> str:
        """A field as one line of text; empty where it has none."""
        value = self.fields.get(name)
        return " ".join(clean(value).split())[:most] if isinstance(value, str | int | float) else ""


@dataclass(slots=True)
class Names:
    """How objects of a model are called elsewhere in the file: by number, or by their natural key."""

    by_pk: dict[str, str] = field(default_factory=dict)
    known: set[str] = field(default_factory=set)
    instead: dict[str, str] = field(default_factory=dict)

    def learn(self, item: Item, name: str) -> None:
        """An object of that name."""
        self.known.add(name.lower())
        if item.pk is not None:
            self.by_pk[str(item.pk)] = name

    def of(self, value: object) -> str:
        """The name that a reference means, in lower case; empty for none."""
        if isinstance(value, list):
            value = value[0] if value else None
            name = str(value) if value is not None else ""
        elif isinstance(value, int):
            name = self.by_pk.get(str(value), f"#{value}")
        else:
            name = self.by_pk.get(value, value) if isinstance(value, str) else ""
        name = clean(name).lower()[:250]
        return self.instead.get(name, name)


def read(file: str, body: bytes, *, now: dt.datetime) -> Reading:
    """The reading of a fixture. Times are UTC unless they say otherwise; `now` judges what has expired."""
    reading = Reading()
    items = _items(file, body, reading)
    sorts: dict[str, list[Item]] = {}
    for item in items:
        sorts.setdefault(item.model.lower(), []).append(item)
    users, tools = Names(), Names()
    for item in sorts.get("nemo.user", []):
        users.learn(item, item.text("username"))
    for item in sorts.get("nemo.tool", []):
        tools.learn(item, item.text("name"))
    for item in sorts.get("nemo.user", []):
        _user(item, reading, now)
    for item in sorts.get("nemo.tool", []):
        _tool(item, reading, tools)
    others = sum(tool.cls == "other" for tool in reading.tools)
    if others:
        reading.say(Where(file), "other-machines", Weight.NOTE, count=others, of=len(reading.tools))
    spelt = {tool.names[0]: tool.name for tool in reading.tools}
    for item in sorts.get("nemo.qualification", []):
        _qualification(item, reading, users, tools, spelt)
    for item in sorts.get("nemo.reservation", []):
        _slot(item, reading, users, tools, kind="use")
    for item in sorts.get("nemo.scheduledoutage", []):
        _slot(item, reading, users, tools, kind="maintenance")
    for item in sorts.get("nemo.usageevent", []):  # last, so that a reservation goes before the use of its time
        _use(item, reading, users, tools, now)
    _leave(items, reading)
    return reading


def _items(file: str, body: bytes, reading: Reading) -> list[Item]:
    where = Where(file)
    if len(body) > MAX_BYTES:
        reading.say(where, "too-large", most=MAX_BYTES // 1_000_000)
        return []
    text, encoding = decode(body)
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as fault:
        reading.say(where, "not-json", text=str(fault)[:100])
        return []
    if not isinstance(found, list):
        reading.say(where, "not-a-fixture")
        return []
    items = []
    for nth, one in enumerate(found, 1):
        good = isinstance(one, dict) and isinstance(one.get("model"), str) and isinstance(one.get("fields"), dict)
        if not good:
            reading.say(Where(file, nth), "not-a-fixture")
            reading.count("unread")
            continue
        items.append(Item(Where(file, nth), clean(one["model"])[:100], one.get("pk"), one["fields"]))
    told = {"file": file, "kind": "nemo", "encoding": encoding, "rows": len(found)}
    reading.files.append(told)
    return items


def _user(item: Item, reading: Reading, now: dt.datetime) -> None:
    reading.count("members")
    username, email = item.text("username"), item.text("email", 254).lower()
    called = username or email or f"#{item.pk}"
    if item.fields.get("is_active") is False:
        reading.say(item.where, "inactive", text=called)
        return
    if not username:
        reading.say(item.where, "bad-object", model=item.model, field="username")
        return
    if not EMAIL.match(email):
        reading.say(item.where, "bad-email" if email else "no-email", text=email[:100])
        return
    until = item.text("access_expiration", 10)
    if until and until < now.date().isoformat():
        reading.say(item.where, "expired", Weight.NOTE, text=called)
    name = f"{item.text('first_name', 60)} {item.text('last_name', 59)}".strip()
    names = tuple(dict.fromkeys((username.lower(), email)))
    reading.members.append(Member(item.where, username, email, name, username, _role(item), (), names))


def _role(item: Item) -> str:
    if item.fields.get("is_facility_manager") or item.fields.get("is_superuser"):
        return "manager"
    return "trainer" if item.fields.get("is_staff") else "member"


def _tool(item: Item, reading: Reading, tools: Names) -> None:
    reading.count("machines")
    name = item.text("name")
    if not name:
        reading.say(item.where, "no-name")
        return
    parent = tools.of(item.fields.get("parent_tool")) if item.fields.get("parent_tool") else ""
    if parent and parent in tools.known:
        tools.instead[name.lower()] = parent
        reading.say(item.where, "alternate", Weight.NOTE, text=name, parent=parent)
        return
    if item.fields.get("visible") is False:
        reading.say(item.where, "hidden", text=name)
        return
    category = item.text("_category") or item.text("category")
    cls = classes.guess(category.rpartition("/")[2]) or classes.guess(name) or "other"
    facts: dict[str, object] = {}
    operational = item.fields.get("_operational", item.fields.get("operational", True))
    if operational is False:
        facts["state"] = "repair"
    reading.tools.append(Tool(item.where, name, name, cls, facts, (name,), (name.lower(),)))


def _qualification(item: Item, reading: Reading, users: Names, tools: Names, spelt: Mapping[str, str]) -> None:
    reading.count("grants")
    person, tool = users.of(item.fields.get("user")), tools.of(item.fields.get("tool"))
    if not _refers(item, reading, "user", person, users) or not _refers(item, reading, "tool", tool, tools):
        return
    badge = spelt.get(tool, "")
    if not badge:
        reading.say(item.where, "hidden", text=tool)
        return
    at = _time(item.text("qualified_on", 40)) if item.fields.get("qualified_on") else None
    reading.grants.append(Grant(item.where, f"{person}/{tool}"[:250], person, badge, at))


def _refers(item: Item, reading: Reading, name: str, found: str, names: Names) -> bool:
    """Whether a reference leads to an object of the file; says so where it does not."""
    if found in names.known:
        return True
    reading.say(item.where, "unknown-reference", model=item.model, field=name, text=found or "—")
    return False


def _slot(item: Item, reading: Reading, users: Names, tools: Names, *, kind: str) -> None:
    reading.count("bookings")
    if not item.fields.get("tool"):
        reading.say(item.where, "area-booking")
        return
    person = users.of(item.fields.get("user") or item.fields.get("creator"))
    tool = tools.of(item.fields.get("tool"))
    if not _refers(item, reading, "tool", tool, tools):
        return
    if kind == "use" and not _refers(item, reading, "user", person, users):
        return
    start, end = _time(item.text("start", 40)), _time(item.text("end", 40))
    if start is None or end is None:
        reading.say(item.where, "bad-object", model=item.model, field="start" if start is None else "end")
        return
    kept = Kept.CANCELLED if item.fields.get("cancelled") or item.fields.get("shortened") else Kept.BOOKED
    if kept == Kept.BOOKED and item.fields.get("missed"):
        kept = Kept.MISSED
    text = f"{kind}\n{clean(item.pk)}\n{person}\n{tool}\n{start.isoformat()}\n{end.isoformat()}"
    foreign = clean(f"{kind}/{item.pk}") if item.pk is not None else hashlib.sha256(text.encode()).hexdigest()[:32]
    reading.slots.append(Slot(item.where, foreign[:250], tool, person, start, end, kept, kind, item.text("title", 200)))


def _use(item: Item, reading: Reading, users: Names, tools: Names, now: dt.datetime) -> None:
    """Past use of a tool, by whom it was for."""
    reading.count("bookings")
    person = users.of(item.fields.get("user") or item.fields.get("operator"))
    tool = tools.of(item.fields.get("tool"))
    if not _refers(item, reading, "tool", tool, tools) or not _refers(item, reading, "user", person, users):
        return
    start = _time(item.text("start", 40))
    if not item.fields.get("end"):
        reading.say(item.where, "use-not-over", text=tool)
        return
    end = _time(item.text("end", 40))
    if start is None or end is None or end > now:
        reading.say(item.where, "bad-object", model=item.model, field="start" if start is None else "end")
        return
    text = f"usage\n{person}\n{tool}\n{start.isoformat()}\n{end.isoformat()}"
    foreign = clean(f"usage/{item.pk}") if item.pk is not None else hashlib.sha256(text.encode()).hexdigest()[:32]
    reading.slots.append(Slot(item.where, foreign[:250], tool, person, start, end, Kept.USED))


def _time(text: str) -> dt.datetime | None:
    try:
        return dates.read(text, "iso", ZoneInfo("UTC")).at
    except (ValueError, OverflowError):
        return None


def _leave(items: list[Item], reading: Reading) -> None:
    """What is not taken over, by model."""
    counted = Counter(item.model for item in items if item.model.lower() not in TAKEN)
    for model, count in counted.items():
        why = next(_reasons(model.lower()), "no-counterpart")
        reading.left.append(Left(model, count, why))


def _reasons(model: str) -> Iterator[str]:
    return (why for beginning, why in WHY if model.startswith(beginning))
