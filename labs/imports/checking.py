"""What taking a reading over would do, line by line: the one plan that the dry run tells and the real run carries out.

Pure: `Known` is all that the lab and the site have that matters here. Lines are judged in the order of the files, so of
two that exclude each other the earlier stays, and the later is told with the line that it meets.
"""

import datetime as dt
import re
import unicodedata
from bisect import bisect_left, insort
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from labs.imports.rows import Grant, Kept, Member, Message, Reading, Slot, Tool, Weight, Where

LONGEST = dt.timedelta(days=366)


class Account(NamedTuple):
    """An account that has an e-mail of the files; `sure` when that address is known to be its owner's."""

    pk: int
    sure: bool


class Busy(NamedTuple):
    """A blocked span of a machine; `line` of this import that blocks it, or 0 for a booking that stood before."""

    start: dt.datetime
    end: dt.datetime
    line: int = 0
    file: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What stands already. Names are in lower case; `imported` maps (kind, foreign id) to the number of what it became,
    empty where that is gone."""

    now: dt.datetime
    lab_slug: str
    zone: dt.tzinfo = dt.UTC
    imported: Mapping[tuple[str, str], str] = field(default_factory=dict)
    accounts: Mapping[str, Account] = field(default_factory=dict)
    roles: Mapping[int, str] = field(default_factory=dict)
    people: Mapping[str, int] = field(default_factory=dict)
    handles: Set[str] = frozenset()
    machines: Mapping[str, int] = field(default_factory=dict)
    slugs: Set[str] = frozenset()
    taken: Mapping[int, Sequence[Busy]] = field(default_factory=dict)
    badges: Mapping[str, int] = field(default_factory=dict)
    badge_slugs: Set[str] = frozenset()
    grants: Set[tuple[int, int]] = frozenset()


class Ref(NamedTuple):
    """Something that stands (its number), or that this plan makes (its place in the plan)."""

    made: bool
    key: int


@dataclass(frozen=True, slots=True)
class Person:
    """A member to take over: a `new` account under `handle`, an account that `joins`, or one who `stands` already."""

    member: Member
    does: str
    pk: int = 0
    handle: str = ""


@dataclass(frozen=True, slots=True)
class Thing:
    """A machine to take over: `new` under `slug`, or one that `stands` already."""

    tool: Tool
    does: str
    pk: int = 0
    slug: str = ""


@dataclass(frozen=True, slots=True)
class NewBadge:
    """A badge of the lab to make."""

    name: str
    slug: str


@dataclass(frozen=True, slots=True)
class Given:
    """A badge to give."""

    foreign: str
    person: Ref
    badge: Ref
    at: dt.datetime | None


@dataclass(frozen=True, slots=True)
class Placed:
    """A booking to write. `person` is None for maintenance that nobody here asked for."""

    slot: Slot
    machine: Ref
    person: Ref | None


@dataclass(slots=True)
class Plan:
    """All steps, all messages, and how many rows of each kind do what."""

    people: list[Person] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)
    badges: list[NewBadge] = field(default_factory=list)
    asks: list[tuple[int, Ref]] = field(default_factory=list)  # place of the thing, badge that it asks for
    given: list[Given] = field(default_factory=list)
    placed: list[Placed] = field(default_factory=list)
    messages: list[Message] = field(default_factory=list)
    counts: dict[str, dict[str, int]] = field(default_factory=dict)

    def tally(self, kind: str, does: str, rows: int = 1) -> None:
        """Count rows that do something: new, joins, stands, kept (from an earlier import)."""
        found = self.counts.setdefault(kind, {})
        found[does] = found.get(does, 0) + rows

    @property
    def stops(self) -> int:
        """How many messages leave a row or a file out."""
        return sum(message.weight == Weight.STOP for message in self.messages)


def plan(reading: Reading, known: Known) -> Plan:
    """What would be done with every row of the reading."""
    work = _Work(reading, known)
    for member in reading.members:
        work.member(member)
    for tool in reading.tools:
        work.tool(tool)
    for member in reading.members:
        for badge in member.badges:
            foreign = f"{member.foreign}/{badge.lower()}"
            work.grant(Grant(member.where, foreign, member.email, badge), of=member)
    for grant in reading.grants:
        work.grant(grant)
    for slot in reading.slots:
        work.slot(slot)
    made = work.made
    made.messages.sort(key=lambda m: (m.where.file, m.where.line))
    for kind, rows in reading.read.items():
        done = sum(made.counts.get(kind, {}).values())
        made.counts.setdefault(kind, {})["left_out"] = rows - done
        made.counts[kind]["read"] = rows
    return made


def report(reading: Reading, made: Plan) -> dict[str, object]:
    """The plan as a document that is kept, told and compared."""
    return {
        "files": reading.files,
        "counts": {kind: dict(sorted(counts.items())) for kind, counts in sorted(made.counts.items())},
        "stops": made.stops,
        "messages": [message.told() for message in made.messages],
        "not_taken": [
            {"model": left.model, "count": left.count, "why": left.why}
            for left in sorted(reading.left, key=lambda left: left.model)
        ],
    }


def plain(text: str, most: int = 60) -> str:
    """A name as an address: a–z, digits, single hyphens."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", ascii_only).strip("-")[:most].strip("-")


def handle_of(member: Member) -> str:
    """The name that the account would have if it were free."""
    named = plain(member.handle, 34) or plain(member.name, 34) or plain(member.email.partition("@")[0], 34)
    return named or "member"


def numbered(base: str, most: int = 20) -> Iterable[str]:
    """A name, and what it becomes where it is taken."""
    yield base
    yield from (f"{base}-{n}" for n in range(2, most))


class _Work:
    """The plan while it is made."""

    def __init__(self, reading: Reading, known: Known) -> None:
        self.known = known
        self.made = Plan(messages=list(reading.messages))
        self.seen: dict[tuple[str, str], Where] = {}
        self.persons: dict[str, set[Ref]] = {}
        self.tools: dict[str, set[Ref]] = {}
        self.new_badges: dict[str, Ref] = {}
        self.handles: set[str] = set()
        self.slugs: set[str] = set()
        self.granted: set[tuple[Ref, Ref]] = set()
        self.busy: dict[Ref, list[Busy]] = {}
        for name, pk in known.people.items():
            self.persons.setdefault(name, set()).add(Ref(False, pk))
        for name, pk in known.machines.items():
            self.tools.setdefault(name, set()).add(Ref(False, pk))

    def say(self, where: Where, code: str, weight: Weight = Weight.STOP, **words: str | int) -> None:
        self.made.messages.append(Message(where, code, weight, words))

    def once(self, kind: str, key: str, where: Where) -> bool:
        """Whether this is the first row with that key; a second one is told with the line of the first."""
        first = self.seen.setdefault((kind, key), where)
        if first is not where:
            self.say(where, "twice-in-file", key=key[:100], line=first.line)
        return first is where

    def earlier(self, kind: str, foreign: str, where: Where) -> str | None:
        """The number of what an earlier import made of the row, None if there was none; one that is gone stays gone."""
        found = self.known.imported.get((kind, foreign))
        if found is None:
            return None
        self.made.tally(f"{kind}s", "kept")
        if not found:
            self.say(where, "gone", Weight.NOTE)
        return found

    # people

    def member(self, member: Member) -> None:
        if not self.once("member", member.foreign, member.where) or not self._once_by_mail(member):
            return
        earlier = self.earlier("member", member.foreign, member.where)
        if earlier is not None:
            if earlier:
                self._call(self.persons, member.names, Ref(False, int(earlier)))
            return
        account = self.known.accounts.get(member.email)
        if account is None:
            self._new_person(member)
        elif not account.sure and account.pk not in self.known.roles:
            self.say(member.where, "mail-not-proven", text=member.email)
        else:
            self._known_person(member, account.pk)

    def _once_by_mail(self, member: Member) -> bool:
        return member.foreign == member.email or self.once("mail", member.email, member.where)

    def _new_person(self, member: Member) -> None:
        taken = self.known.handles | self.handles
        handle = next((name for name in numbered(handle_of(member)) if name not in taken), "")
        if not handle:
            self.say(member.where, "no-handle", text=handle_of(member))
            return
        self.handles.add(handle)
        asked = plain(member.handle, 34)
        if member.handle and handle != member.handle.lower():
            self.say(member.where, "other-handle", Weight.NOTE, asked=asked or member.handle, handle=handle)
        self._role_told(member)
        self._call(self.persons, member.names, Ref(True, len(self.made.people)))
        self.made.people.append(Person(member, "new", handle=handle))
        self.made.tally("members", "new")

    def _known_person(self, member: Member, pk: int) -> None:
        role = self.known.roles.get(pk)
        if role is None:
            self._role_told(member)
        elif member.role not in {role, "member"}:
            self.say(member.where, "role-stays", Weight.NOTE, role=member.role)
        does = "joins" if role is None else "stands"
        self._call(self.persons, member.names, Ref(False, pk))
        self.made.people.append(Person(member, does, pk=pk))
        self.made.tally("members", does)

    def _role_told(self, member: Member) -> None:
        if member.role != "member":
            self.say(member.where, "gets-role", Weight.NOTE, role=member.role, text=member.name or member.email)

    def _call(self, book: dict[str, set[Ref]], names: Iterable[str], ref: Ref) -> None:
        for name in names:
            book.setdefault(name.lower(), set()).add(ref)

    # machines

    def tool(self, tool: Tool) -> None:
        if not self.once("machine", tool.foreign, tool.where):
            return
        earlier = self.earlier("machine", tool.foreign, tool.where)
        if earlier is not None:
            if earlier:
                self._call(self.tools, tool.names, Ref(False, int(earlier)))
            return
        slug = plain(tool.name)
        standing = self.known.machines.get(tool.name.lower()) or self.known.machines.get(slug)
        if standing:
            self.say(tool.where, "machine-stands", Weight.NOTE, name=tool.name)
            self._call(self.tools, tool.names, Ref(False, standing))
            self.made.things.append(Thing(tool, "stands", pk=standing))
            self.made.tally("machines", "stands")
            return
        slug = next((name for name in numbered(slug[:56]) if name and name not in self.known.slugs | self.slugs), "")
        if not slug:
            self.say(tool.where, "no-address", name=tool.name)
            return
        self.slugs.add(slug)
        self._call(self.tools, tool.names, Ref(True, len(self.made.things)))
        for badge in tool.badges:
            self.made.asks.append((len(self.made.things), self.badge(badge)))
        self.made.things.append(Thing(tool, "new", slug=slug))
        self.made.tally("machines", "new")

    # badges

    def badge(self, name: str) -> Ref:
        """The badge of that name, made by this plan where the lab has none."""
        key = name.lower()
        standing = self.known.badges.get(key)
        if standing:
            return Ref(False, standing)
        if key not in self.new_badges:
            taken = self.known.badge_slugs | {badge.slug for badge in self.made.badges}
            base = plain(f"{self.known.lab_slug}-{name}", 54)
            slug = next(s for s in numbered(base, 10_000) if s not in taken)
            self.new_badges[key] = Ref(True, len(self.made.badges))
            self.made.badges.append(NewBadge(name, slug))
            self.made.tally("badges", "new")
        return self.new_badges[key]

    def grant(self, grant: Grant, of: Member | None = None) -> None:
        person = self._one(self.persons, grant.person)
        if person is None:
            if of is None:  # a member's own row has told already why it is left out
                self._unknown("person", self.persons, grant.where, grant.person)
            return
        if of is not None and not self._own(of, person):
            return
        if self.known.imported.get(("grant", grant.foreign)) is not None:
            self.made.tally("grants", "kept")
            return
        badge = self.badge(grant.badge)
        held = (person, badge) in self.granted
        if held or (not person.made and not badge.made and (person.key, badge.key) in self.known.grants):
            self.made.tally("grants", "stands")
            return
        self.granted.add((person, badge))
        self.made.given.append(Given(grant.foreign, person, badge, grant.at))
        self.made.tally("grants", "new")

    def _own(self, member: Member, person: Ref) -> bool:
        """Whether the row of this member is the one that was taken over, not a second one with the same number."""
        return self.seen.get(("member", member.foreign)) is member.where and bool(person)

    # bookings

    def slot(self, slot: Slot) -> None:
        if not self.once("booking", slot.foreign, slot.where):
            return
        if self.earlier("booking", slot.foreign, slot.where) is not None or not self._sane(slot):
            return
        machine = self._one(self.tools, slot.tool)
        if machine is None:
            self._unknown("machine", self.tools, slot.where, slot.tool)
            return
        person = self._one(self.persons, slot.person) if slot.person else None
        if person is None and slot.kind == "use":
            self._unknown("person", self.persons, slot.where, slot.person)
            return
        if slot.kept in {Kept.BOOKED, Kept.USED} and not self._fits(slot, machine):
            return
        self.made.placed.append(Placed(slot, machine, person))
        self.made.tally("bookings", "new")

    def _sane(self, slot: Slot) -> bool:
        if slot.end <= slot.start:
            self.say(slot.where, "ends-before-start")
        elif slot.end - slot.start > LONGEST:
            self.say(slot.where, "too-long", days=LONGEST.days)
        return dt.timedelta(0) < slot.end - slot.start <= LONGEST

    def _fits(self, slot: Slot, machine: Ref) -> bool:
        """Whether nothing holds a part of its time; takes the time then."""
        if machine not in self.busy:
            self.busy[machine] = sorted(self.known.taken.get(machine.key, ())) if not machine.made else []
        asked = Busy(slot.start, slot.end, slot.where.line, slot.where.file)
        busy = self.busy[machine]
        at = bisect_left(busy, asked.start, key=lambda span: span.start)
        for other in busy[max(at - 1, 0) : at + 1]:
            if other.start < asked.end and asked.start < other.end:
                self._meets(slot, other)
                return False
        insort(busy, asked, key=lambda span: span.start)
        return True

    def _meets(self, slot: Slot, other: Busy) -> None:
        first, last = (moment.astimezone(self.known.zone) for moment in (other.start, other.end))
        same_day = first.date() == last.date()
        when = f"{first:%Y-%m-%d %H:%M}–{last:{'%H:%M' if same_day else '%Y-%m-%d %H:%M'}} {last:%Z}"
        if slot.kept == Kept.USED:
            self.made.tally("bookings", "covered")
            self.say(slot.where, "use-covered", Weight.NOTE, machine=slot.tool, when=when)
        elif other.line:
            self.say(slot.where, "overlaps-line", line=other.line, file=other.file, machine=slot.tool, when=when)
        else:
            self.say(slot.where, "overlaps", machine=slot.tool, when=when)

    def _one(self, book: Mapping[str, Set[Ref]], name: str) -> Ref | None:
        found = book.get(name.lower(), set())
        return next(iter(found)) if len(found) == 1 else None

    def _unknown(self, sort: str, book: Mapping[str, Set[Ref]], where: Where, name: str) -> None:
        several = len(book.get(name.lower(), ())) > 1
        self.say(where, f"several-{sort}" if several else f"unknown-{sort}", text=name[:100])
