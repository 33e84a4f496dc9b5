"""Which machines can make a design, in words, and which of them first (docs/matching.md)."""

import datetime as dt
import heapq
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, overload

from django.db.backends.postgresql.psycopg_any import DateTimeTZRange
from django.utils import timezone
from django.utils.translation import gettext_lazy as lazy
from django.utils.translation import ngettext

from commons.people.models import User
from commons.web import numbers
from labs.engine import matching as engine
from labs.engine import times
from labs.engine.hours import Span
from labs.engine.matching import Part, Row
from labs.engine.times import Buffers
from labs.materials import normal
from labs.models import Booking, BookingRule, Lab, Machine, Till
from labs.queries import bookings, catalogue, opening, prices, rules, sun
from labs.queries.parts import parts_of, things
from labs.queries.prices import Price
from labs.queries.rules import Rules

if TYPE_CHECKING:
    from designs.models import Design
    from designs.queries.files import File

Where = tuple[float, float]
HOUR = dt.timedelta(hours=1)
#: How many of the nearest that fit are asked for their queue, sun and price; how far ahead.
CANDIDATES, AHEAD = 60, dt.timedelta(days=14)
MOST_SHOWN = 100
#: A price takes three queries, so it is asked for the nearest alone.
PRICED = 12
#: So many of the best matches are asked for their sunniest time, within so many days.
SUNNY, SUNNY_DAYS = 8, 7
ORDERS = ("best", "near", "soon", "sunny", "cheap")


class Sentences(Sequence[str]):
    """Reasons, put into words when they are read: a list shows few of them."""

    def __init__(self, machine: Machine, reasons: Sequence[engine.Reason]) -> None:
        self.machine, self.reasons = machine, reasons

    def __len__(self) -> int:
        return len(self.reasons)

    @overload
    def __getitem__(self, at: int) -> str: ...

    @overload
    def __getitem__(self, at: slice) -> list[str]: ...

    def __getitem__(self, at: int | slice) -> str | list[str]:
        if isinstance(at, slice):
            return [say(self.machine, reason) for reason in self.reasons[at]]
        return say(self.machine, self.reasons[at])


@dataclass(frozen=True, slots=True)
class Match:
    """A machine for a design: whether it fits, the files it can make, and reasons as sentences.

    `distance_km` from the place that was asked about, `free` the first time that could be booked, `share` of local sun
    then, `price` of it; None where nobody knows or nobody was asked. `score` as `labs.engine.matching.score`.
    """

    machine: Machine
    fits: bool
    makes: tuple[str, ...]
    reasons_for: "Sentences"
    reasons_against: "Sentences"
    distance_km: float | None = None
    free: Span | None = None
    share: float | None = None
    price: Price | None = None
    score: float = 0.0
    best: "times.Offer | None" = None
    """The free time with the most local sun expected in the coming week; asked of the best matches alone."""

    @property
    def free_at(self) -> dt.datetime | None:
        """When the first free time begins."""
        return self.free.start if self.free else None


@dataclass(frozen=True, slots=True)
class Asked:
    """What a person asks: from where (latitude, longitude), in which material, for how long, in which order; who."""

    near: Where | None = None
    material: str = ""
    length: dt.timedelta = HOUR
    by: str = "best"
    person: User | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The matches that are shown, best first, out of how many machines, of which how many fit."""

    parts: list[Part]
    matches: list[Match]
    machines: int
    fitting: int
    screen: engine.Screen
    screened: engine.Screened


def machines_for(file: "File") -> list[Machine] | None:
    """The machines of all labs, in order, that can make this one file as large as it is; None where its format or its
    size is for no machine to judge."""
    parts = things([(file.path, file.blob)]) if file.blob else []
    if not parts or not parts[0].extents_mm or not parts[0].sound:
        return None
    whole = engine.Screen(parts).screen(_rows()).whole
    fitting = [row.machine for row in whole if row.in_order and row.x is not None]
    return list(catalogue.machines().filter(pk__in=fitting).order_by("lab__name", "name"))


def matches(design: "Design", ref: str = "", *, asked: Asked | None = None, most: int = MOST_SHOWN) -> list[Match]:
    """The machines for a design with reasons for and against, best first, those that do not fit last."""
    return find(design, ref, asked=asked, most=most).matches


def find(
    design: "Design",
    ref: str = "",
    *,
    asked: Asked | None = None,
    most: int = MOST_SHOWN,
    now: dt.datetime | None = None,
    sunny: bool = True,
) -> Found:
    """The same with how many there are; a dozen queries, however many machines. Raises BadRevision."""
    parts = parts_of(design, ref)
    return search(parts, asked=asked or Asked(), most=most, now=now or timezone.now(), sunny=sunny)


def search(parts: list[Part], *, asked: Asked, most: int, now: dt.datetime, sunny: bool = True) -> Found:
    """The machines for some parts: all are screened, the nearest are asked for their time, the best are told of; with
    `sunny` also their sunniest time."""
    rows, screen = _rows(), engine.Screen(parts)
    screened = screen.screen(rows)
    far = distances(asked.near)
    fitting = [row for row in screened.whole if row.in_order]
    near = heapq.nsmallest(max(CANDIDATES, most), fitting, key=lambda row: (far(row.lab) or 0.0, row.machine))
    if len(near) < most:
        near += _rest(rows, near, screen, far, most - len(near))
    told = _told([row.machine for row in near], parts, asked, far)
    candidates, sunniest = _ranked(told[:CANDIDATES], asked, now)
    ranked, order = candidates + told[CANDIDATES:], _order(asked.by)
    ranked.sort(key=lambda match: (not match.fits, not match.makes, *order(match), match.machine.pk))
    shown = [sunniest(match) for match in ranked[:SUNNY]] + ranked[SUNNY:most] if sunny else ranked
    return Found(parts, shown[:most], len(rows), len(fitting), screen, screened)


def _rest(
    rows: Sequence[Row], chosen: Sequence[Row], screen: engine.Screen, far: "Callable[[int], float | None]", most: int
) -> list[Row]:
    """Machines that do not fit, the nearest: those whose process is asked for first, and of them those that make
    something."""
    have = {row.machine for row in chosen}
    others = (row for row in rows if row.machine not in have)
    nearest = heapq.nsmallest(
        4 * most, others, key=lambda row: (row.process not in screen.needs, far(row.lab) or 0.0, row.machine)
    )
    nearest.sort(key=lambda row: (not screen.makes(row), row.process not in screen.needs))
    return nearest[:most]


def _rows() -> list[Row]:
    """Every machine of a lab that is open to be used, as the engine screens it."""
    rows = Machine.objects.exclude(lab__status=Lab.Status.CLOSED).order_by("pk")
    fields = ("pk", "lab_id", "process", "volume_x_mm", "volume_y_mm", "volume_z_mm", "state")
    ok = Machine.State.OK.value
    return [
        Row(machine, lab, process, x, y, z, state == ok)
        for machine, lab, process, x, y, z, state in rows.values_list(*fields)
    ]


def distances(near: Where | None) -> "Callable[[int], float | None]":
    """How many km each lab is away; None for one that has no position, or when nobody said from where."""
    if near is None:
        return lambda _lab: None
    rows = Lab.objects.exclude(lat=None).exclude(lon=None).values_list("pk", "lat", "lon")
    known = {pk: engine.distance_km(near, (lat, lon)) for pk, lat, lon in rows if lat is not None and lon is not None}
    return known.get


def _told(
    chosen: Sequence[int], parts: Sequence[Part], asked: Asked, far: "Callable[[int], float | None]"
) -> list[Match]:
    by_key = catalogue.machines().in_bulk(list(chosen))
    return [_match(by_key[key], parts, asked.material, far(by_key[key].lab_id)) for key in chosen if key in by_key]


def _match(machine: Machine, parts: Sequence[Part], material: str = "", km: float | None = None) -> Match:
    verdict = engine.match(
        parts,
        process=machine.process,
        volume_mm=machine.volume_mm,
        in_order=machine.state == Machine.State.OK,
        materials=[normal(one) for one in machine.materials],
        wanted=normal(material) if material else "",
    )
    return Match(machine, verdict.fits, verdict.makes, Sentences(machine, verdict.reasons_for),
                 Sentences(machine, verdict.reasons_against), km)  # fmt: skip


def _ranked(told: Sequence[Match], asked: Asked, now: dt.datetime) -> "tuple[list[Match], Callable[[Match], Match]]":
    """The same with the first free time, the sun then, and the price of it; the same queries however many. And what
    tells of one of them its sunniest free time of the week."""
    fitting = [match for match in told if match.fits]
    machines = [match.machine for match in fitting]
    opening.know(machine.lab for machine in machines)
    labs = {machine.lab_id for machine in machines}
    kept = BookingRule.objects.filter(lab__in=labs, active=True, name="blackout").values_list("lab_id", flat=True)
    diary = _Diary(now, asked.length, _taken(machines, now), rules.for_machines(machines, asked.person), set(kept))
    free = {machine.pk: diary.free(machine) for machine in machines}
    costs = _prices(machines, asked.person, free, now)
    suns: dict[int, list[times.Sun]] = {}
    found = []
    for match in told:
        span, place = free.get(match.machine.pk), match.machine.lab.place
        if span and place and place.pk not in suns:
            suns[place.pk] = sun.outlook(place, now, now + AHEAD)
        share = times.share_of(span, suns[place.pk]) if span and place else None
        price = costs.get(match.machine.pk)
        score = engine.score(
            km=match.distance_km if asked.near else 0.0,
            wait_days=(span.start - now) / dt.timedelta(days=1) if span else None,
            share=share,
            price=float(price.gross) if price else None,
        )
        found.append(replace(match, free=span, share=share, price=price, score=score))

    def sunniest(match: Match) -> Match:
        place = match.machine.lab.place
        known = suns.get(place.pk) if place is not None else None
        return replace(match, best=diary.best(match.machine, known)) if match.free and known else match

    return found, sunniest


def _prices(
    machines: Sequence[Machine], person: User | None, free: dict[int, Span | None], now: dt.datetime
) -> dict[int, Price]:
    """What the free times cost, where a lab asks for something: its tariffs are read once."""
    asking = set(Till.objects.filter(lab__in={m.lab_id for m in machines}).exclude(mode=Till.Mode.NONE)
                 .values_list("lab_id", flat=True))  # fmt: skip
    told: dict[int, Price] = {}
    for machine in machines:
        span = free[machine.pk]
        if machine.lab_id in asking and span and len(told) < PRICED:
            told[machine.pk] = prices.price_of(machine, person, span, at=now)
    return told


def _taken(machines: Sequence[Machine], now: dt.datetime) -> dict[int, list[Span]]:
    """What is taken on many machines, in one query."""
    rows = Booking.objects.filter(
        machine__in=[machine.pk for machine in machines],
        status__in=Booking.HOLDING,
        blocked__overlap=DateTimeTZRange(now - HOUR, now + AHEAD),
    )
    found: dict[int, list[Span]] = {}
    for machine, blocked in rows.values_list("machine_id", "blocked"):
        found.setdefault(machine, []).append(Span(blocked.lower, blocked.upper))
    for spans in found.values():
        spans.sort()
    return found


class _Diary:
    """What is known of many machines' time: bookings, rules, and when their labs are open."""

    def __init__(
        self,
        now: dt.datetime,
        length: dt.timedelta,
        taken: dict[int, list[Span]],
        ruled: dict[int, Rules],
        kept: set[int],
    ) -> None:
        self.now, self.length, self.taken, self.ruled = now, length, taken, ruled
        #: Labs whose rules keep some hours from booking: only their machines are asked one by one.
        self.kept = kept
        self.opened: dict[int, list[Span]] = {}

    def free(self, machine: Machine) -> Span | None:
        """The first time of the wanted length, or of the longest that the machine can be had."""
        ruled = self.ruled[machine.pk]
        length = min(self.length, dt.timedelta(hours=ruled.longest_h))
        start = times.up_to_quarter(self.now + max(dt.timedelta(minutes=ruled.lead_min), dt.timedelta(minutes=5)))
        before, after = (dt.timedelta(minutes=n) for n in (ruled.buffer_before_min, ruled.buffer_after_min))
        taken = self.taken.get(machine.pk, [])
        spans, wanted = self._open(machine), Span(start, start + length)
        if machine.unattended and machine.lab.opening_hours:  # first when somebody can be there to start it
            manned = times.both(spans, self._manned(machine))
            found = times.next_free(wanted, Buffers(before, after), taken, manned)
            if found is not None:
                return found
        return times.next_free(wanted, Buffers(before, after), taken, spans)

    def best(self, machine: Machine, suns: Sequence[times.Sun]) -> times.Offer | None:
        """The sunniest free time of the wanted length in the coming week, while somebody can be there."""
        ruled = self.ruled[machine.pk]
        length = min(self.length, dt.timedelta(hours=ruled.longest_h))
        start = self.now + max(dt.timedelta(minutes=ruled.lead_min), dt.timedelta(minutes=5))
        week = [Span(start, self.now + min(SUNNY_DAYS, ruled.horizon_days) * dt.timedelta(days=1))]
        spans = self._open(machine)
        if machine.unattended and machine.lab.opening_hours:
            spans = times.both(spans, self._manned(machine))
        buffers = Buffers(*(dt.timedelta(minutes=n) for n in (ruled.buffer_before_min, ruled.buffer_after_min)))
        found = times.best(length, buffers, self.taken.get(machine.pk, []), times.both(spans, week), suns, count=1)
        return found[0] if found else None

    def _open(self, machine: Machine) -> list[Span]:
        if machine.lab_id in self.kept:
            return bookings.bookable(machine, self.now, self.now + AHEAD)
        if machine.unattended:
            return [Span(self.now, self.now + AHEAD)]
        return self._manned(machine)

    def _manned(self, machine: Machine) -> list[Span]:
        if machine.lab_id not in self.opened:
            self.opened[machine.lab_id] = opening.open_spans(machine.lab, self.now, self.now + AHEAD)
        return self.opened[machine.lab_id]


def _order(by: str) -> "Callable[[Match], tuple[float, ...]]":
    late = dt.datetime.max.replace(tzinfo=dt.UTC)
    return {
        "near": lambda m: (engine.UNKNOWN_KM if m.distance_km is None else m.distance_km, m.score),
        "soon": lambda m: ((m.free_at or late).timestamp(), m.score),
        "sunny": lambda m: (-round(100 * (m.share or 0.0)), m.score),
        "cheap": lambda m: (float(m.price.gross) if m.price else 0.0, m.score),
    }.get(by, lambda m: (m.score,))


# --- plans -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Step:
    """What one lab makes: its machines, each with the files that it can make; how far away it is."""

    lab: Lab
    machines: list[tuple[Machine, list[Part]]]
    distance_km: float | None

    @property
    def parts(self) -> int:
        """How many things it makes."""
        return sum(len(parts) for _machine, parts in self.machines)


@dataclass(frozen=True, slots=True)
class Plan:
    """Which part is made where; `missing` are the parts that no machine can make."""

    steps: list[Step]
    missing: list[str]
    things: int


def plan(found: Found, near: Where | None = None) -> Plan:
    """The fewest labs that make all parts of a design together, within one lab if one can, else the nearest."""
    far = distances(near)
    names = found.screen.things
    able = _able(found, far)
    chosen = engine.plan(names, able, lambda lab: far(lab) or 0.0)
    labs = {lab.pk: lab for lab in Lab.objects.select_related("place").filter(pk__in=chosen.labs)}
    ready = [row for some in found.screened for row in some if row.in_order and row.lab in labs]
    machines = catalogue.machines().in_bulk([row.machine for row in ready])
    steps = []
    for lab in chosen.labs:
        mine = [(row.machine, found.screen.makes(row)) for row in ready if row.lab == lab]
        picked: dict[int, list[Part]] = {}
        for thing, where in chosen.where:
            if where == lab:
                _give(thing, names.index(thing), mine, machines, found.parts, picked)
        steps.append(Step(labs[lab], [(machines[key], parts) for key, parts in picked.items()], far(lab)))
    return Plan(steps, list(chosen.missing), len(names))


def _able(found: Found, far: "Callable[[int], float | None]") -> dict[int, int]:
    """The things that each lab can make, as bits. Machines that can make only some are looked at in labs that are
    nearer than the nearest that is known to make all."""
    able: dict[int, int] = {}
    for row in found.screened.whole:
        if row.in_order:
            able[row.lab] = able.get(row.lab, 0) | found.screen.needs[row.process].all
    everything = (1 << len(found.screen.things)) - 1
    limit = min((far(lab) or 0.0 for lab, bits in able.items() if bits == everything), default=None)
    for row in found.screened.others:
        if row.in_order and (limit is None or (far(row.lab) or 0.0) <= limit):
            able[row.lab] = able.get(row.lab, 0) | found.screen.makes(row)
    return able


def _give(  # noqa: PLR0917 one step of `plan`
    thing: str,
    bit: int,
    mine: Sequence[tuple[int, int]],
    machines: dict[int, Machine],
    parts: Sequence[Part],
    picked: dict[int, list[Part]],
) -> None:
    """The thing to a machine of the lab: one that has work already if it can, else the one with the most use."""
    able = [(key in picked, bits.bit_count(), -key) for key, bits in mine if bits >> bit & 1]
    best = -max(able)[2]
    files = [part for part in parts if part.of == thing and engine.takes(part, machines[best].process)]
    room = machines[best].volume_mm
    fitting = [p for p in files if not (p.extents_mm and room) or engine.turned(p.extents_mm, room) is not None]
    picked.setdefault(best, []).append((fitting or files)[0])


# --- words -------------------------------------------------------------------------------------------------------


def say(machine: Machine, reason: engine.Reason) -> str:
    """A reason as a sentence."""
    words: dict[str, object] = {"path": reason.path, "process": machine.get_process_display(), "machine": machine.name}
    words["material"], words["materials"] = reason.material, ", ".join(machine.materials)
    match reason.word:
        case "size-fits" | "size-turned" | "size-not":
            words["volume"] = " × ".join(f"{v:g}" for v in machine.volume_mm or () if v is not None)
            words["degrees"] = round(reason.amount)
        case "thin-wall":
            words |= {"wall": f"{reason.amount:.2f}", "least": f"{engine.THINNEST_MM.get(machine.process, 0.0):g}"}
        case "overhang":
            words["share"] = numbers.percent(reason.amount)
        case "cut-length":
            words["cut"] = f"{reason.amount / 1000:.1f} m" if reason.amount >= 1000 else f"{reason.amount:.0f} mm"
    return str(SENTENCES[reason.word]) % words


SENTENCES = {
    "format-fits": lazy("%(path)s is a file for %(process)s."),
    "format-not": lazy("No file of this design is one for %(process)s."),
    "size-fits": lazy("%(path)s fits into %(volume)s mm."),
    "size-turned": lazy("%(path)s fits into %(volume)s mm when it is turned by %(degrees)s°."),
    "size-not": lazy("%(path)s is larger than %(volume)s mm."),
    "size-unknown": lazy("The size of %(path)s, or of the machine, is not known."),
    "open-mesh": lazy("%(path)s is not closed; a printer may leave a hole."),
    "thin-wall": lazy("%(path)s has walls of %(wall)s mm; %(process)s makes %(least)s mm and more well."),
    "overhang": lazy("%(path)s needs support: %(share)s of its surface hangs, whichever side is up."),
    "cut-length": lazy("%(path)s has %(cut)s of cuts."),
    "material-fits": lazy("It works %(material)s."),
    "material-not": lazy("It does not work %(material)s; it works %(materials)s."),
    "material-other": lazy("The parts list wants %(material)s for %(path)s; it works %(materials)s."),
    "broken": lazy("%(path)s could not be read, so nobody knows what it would make."),
    "in-repair": lazy("%(machine)s is in repair."),
}


def summary(found: Found) -> str:
    """“12 of 80 machines fit.”"""
    return ngettext("%(fitting)s of %(n)s machine fits.", "%(fitting)s of %(n)s machines fit.", found.machines) % {
        "fitting": found.fitting,
        "n": found.machines,
    }
