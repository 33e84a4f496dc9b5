"""What is asked of SensorThings, answered as its version 1.1 writes it: `@iot.id`, links, pages, what is expanded."""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from django.utils.translation import gettext as _

from commons.errors import BadInput, NotFound
from twin.sensorthings import judge
from twin.sensorthings.ask import Observations, observations
from twin.sensorthings.model import KINDS, SETS, Entity, Kind, Span
from twin.sensorthings.odata import Options, Path, Step, Tree
from twin.sensorthings.source import Source

TOP, MOST, MOST_INNER = 100, 1000, 100
MOST_TOLD = 20_000
"""How many entities one answer holds, those that are expanded counted in."""


@dataclass(frozen=True, slots=True)
class Many:
    """A set, or what a navigation leads to: entities of a kind, or observations of some datastreams (None: all)."""

    kind: Kind
    entities: list[Entity] | None = None
    streams: list[int] | None = None


Found = Many | Entity | tuple[Entity, str]
"""What an address means: several, one, or a property of one."""


class Reply:
    """One answer. `root` is the address of the service, with a stroke at its end."""

    def __init__(self, source: Source, root: str) -> None:
        self.source, self.root, self.told = source, root, 0

    # --- the address -------------------------------------------------------------------------------------------------

    def find(self, steps: list[Step]) -> Found:
        """What the segments mean. Raises NotFound."""
        first, *rest = steps
        kind = SETS.get(first.name)
        if kind is None:
            raise _nothing(first.name)
        now: Found = self._keyed(self._all(kind), first)
        for step in rest:
            now = self._next(now, step)
        return now

    def _all(self, kind: Kind) -> Many:
        if kind.name == "Observation":
            return Many(kind)
        return Many(kind, list(self.source.sets[kind.name].values()))

    def _keyed(self, many: Many, step: Step) -> Found:
        if not step.keyed:
            return many
        one = self.source.entity(many.kind.name, step.id)
        if one is None or not self._among(many, one):
            raise _nothing(f"{step.name}({step.id if step.id is not None else '…'})")
        return one

    def _among(self, many: Many, one: Entity) -> bool:
        if many.entities is not None:
            return any(other.id == one.id for other in many.entities)
        return many.streams is None or one.id >> 23 in many.streams

    def _next(self, now: Found, step: Step) -> Found:
        if not isinstance(now, Entity):
            raise _nothing(step.name)
        if step.name in now.kind.many:
            return self._keyed(self.lead(now, step.name), step)
        if step.name in now.kind.one and not step.keyed:
            return self.source.related(now, step.name)[0]
        if step.name in {*now.kind.properties, "id", "@iot.id"} and not step.keyed:
            return (now, step.name)
        raise _nothing(step.name)

    def lead(self, of: Entity, name: str) -> Many:
        """What a navigation to several leads to."""
        kind = KINDS[of.kind.many[name]]
        if kind.name == "Observation":
            return Many(kind, streams=self.source.streams_of(of))
        return Many(kind, self.source.related(of, name))

    # --- filters -----------------------------------------------------------------------------------------------------

    def weigh(self, tree: Tree, one: Entity) -> bool:
        """Whether a filter holds for an entity."""
        return judge.holds(tree, lambda path: self.values(one, path.steps), self.source.now)

    def values(self, one: Entity, steps: tuple[str, ...]) -> Iterator[Any]:
        """What names lead to from an entity. Raises BadInput for a name that there is not."""
        name, *rest = steps
        if name in {"id", "@iot.id"} and not rest:
            yield float(one.id)
        elif name in one.kind.one:
            for other in self.source.related(one, name):
                yield from self.values(other, tuple(rest or ["id"]))
        elif name in one.kind.many:
            for other in self._each(self.lead(one, name)):
                yield from self.values(other, tuple(rest or ["id"]))
        elif name in one.kind.properties:
            value = one.values.get(name)
            for inner in rest:
                value = value.get(inner) if isinstance(value, dict) else None
            yield float(value) if isinstance(value, int) and not isinstance(value, bool) else value
        else:
            raise BadInput(_unknown(one.kind, name), where="$filter")

    def _each(self, many: Many) -> Iterator[Entity]:
        if many.entities is not None:
            yield from many.entities
            return
        for looked, one in enumerate(self.source.observations(self.source.rows(many.streams))):
            if looked >= MOST_TOLD:
                raise BadInput(_("Ask the observations themselves; there are too many to look through them from here."))
            yield one

    # --- several -----------------------------------------------------------------------------------------------------

    def chosen(self, many: Many, asked: Options) -> "Chosen":
        """Those that are meant, in order."""
        self._check(many.kind, asked)
        if many.entities is None:
            return observations(self.source, many.streams, asked, self.weigh)
        found = [one for one in many.entities if asked.filter is None or self.weigh(asked.filter, one)]
        for key in reversed(asked.orderby):
            found.sort(key=lambda one: self._rank(one, key.by), reverse=key.falling)
        return Listed(found)

    def _check(self, kind: Kind, asked: Options) -> None:
        """Names that no entity of the kind has are refused, also where there is none to look at."""
        trees = [asked.filter] if asked.filter is not None else []
        for tree in (*trees, *(key.by for key in asked.orderby)):
            for path in judge.paths(tree):
                _check_path(kind, path)

    def _rank(self, one: Entity, by: Tree) -> tuple[int, Any]:
        value = judge.first(by, lambda path: self.values(one, path.steps), self.source.now)
        if isinstance(value, Span):
            value = value.start
        order = {bool: 1, float: 2, str: 3}.get(type(value), 4)
        if isinstance(value, dict):
            value = str(value)
        return (0, 0) if value is None else (order, value)

    def page(
        self, many: Many, asked: Options, address: str, query: dict[str, str], *, most: int = MOST
    ) -> dict[str, Any]:
        """A page of several, with its count and where it goes on."""
        top = min(asked.top if asked.top is not None else min(TOP, most), most)
        chosen = self.chosen(many, asked)
        found, more = chosen.page(asked.skip, top)
        document: dict[str, Any] = {"@iot.count": chosen.count()} if asked.count else {}
        if more and top:
            following = {**query, "$top": str(top), "$skip": str(asked.skip + top)}
            document["@iot.nextLink"] = f"{address}?{urlencode(following, quote_via=quote, safe='$@(),/;=')}"
        document["value"] = [self.told_of(one, asked) for one in found]
        return document

    # --- one ---------------------------------------------------------------------------------------------------------

    def told_of(self, one: Entity, asked: Options) -> dict[str, Any]:
        """An entity as JSON."""
        self.told += 1
        if self.told > MOST_TOLD:
            raise BadInput(
                _("This would tell more than %(n)d things at once; expand fewer, or take a smaller $top.")
                % {"n": MOST_TOLD},
                where="$expand",
            )
        kind, here = one.kind, self.address(one)
        names = {*kind.properties, *kind.one, *kind.many, "id"}
        for name in asked.select:
            if name.removeprefix("@iot.") not in names:
                raise BadInput(_unknown(kind, name), where="$select")
        expanded = dict(asked.expand)
        for name in expanded:
            if kind.leads(name) is None:
                raise BadInput(_unknown(kind, name), where="$expand")
        wanted = {name.removeprefix("@iot.") for name in asked.select} or names
        said: dict[str, Any] = {}
        if "id" in wanted:
            said = {"@iot.id": one.id, "@iot.selfLink": here}
        said |= {name: _json(one.values.get(name)) for name in kind.properties if name in wanted}
        for name in (*kind.one, *kind.many):
            if name in expanded:
                said |= self._expanded(one, name, expanded[name])
            elif name in wanted:
                said[f"{name}@iot.navigationLink"] = f"{here}/{name}"
        return said

    def _expanded(self, one: Entity, name: str, asked: Options) -> dict[str, Any]:
        if name in one.kind.one:
            return {name: self.told_of(self.source.related(one, name)[0], asked)}
        page = self.page(
            self.lead(one, name), asked, f"{self.address(one)}/{name}", dict(asked.written), most=MOST_INNER
        )
        more = {f"{name}{word}": page[word] for word in ("@iot.count", "@iot.nextLink") if word in page}
        return {name: page["value"], **more}

    def address(self, one: Entity) -> str:
        """Where an entity is told."""
        return f"{self.root}{one.kind.plural}({one.id})"


@dataclass(frozen=True, slots=True)
class Listed:
    """Entities that are all at hand."""

    found: list[Entity]

    def count(self) -> int:
        """How many."""
        return len(self.found)

    def page(self, skip: int, top: int) -> tuple[list[Entity], bool]:
        """Some of them, and whether there are more."""
        return self.found[skip : skip + top], len(self.found) > skip + top


Chosen = Listed | Observations


def _check_path(kind: Kind, path: Path) -> None:
    now = kind
    for position, step in enumerate(path.steps):
        if step in {"id", "@iot.id"} and position == len(path.steps) - 1:
            return
        target = now.leads(step)
        if target is None:
            if step not in now.properties:
                raise BadInput(_unknown(now, step), where="$filter")
            return
        now = KINDS[target]


def _unknown(kind: Kind, name: str) -> str:
    known = ", ".join(("id", *kind.properties, *kind.one, *kind.many))
    return _("%(kind)s have no “%(name)s”; they have %(known)s.") % {
        "kind": kind.plural,
        "name": name[:60],
        "known": known,
    }


def _nothing(name: str) -> NotFound:
    return NotFound(_("There is no “%(name)s” here.") % {"name": name[:80]})


def _json(value: Any) -> Any:
    if isinstance(value, Span):
        return f"{stamp(value.start)}/{stamp(value.end)}"
    return stamp(value) if isinstance(value, dt.datetime) else value


def stamp(moment: dt.datetime) -> str:
    """A moment as SensorThings tells it."""
    return moment.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")


def json_of(value: Any) -> Any:
    """A property's value as JSON."""
    return _json(value)
