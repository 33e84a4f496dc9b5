"""What changed between two parts lists."""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from designs.bom.lines import Line
from designs.bom.words import plain

#: What a change of a line is told by; rows and notes move without meaning.
TOLD = ("name", "quantity", "unit", "mass_g", "cost", "currency", "source_url", "supplier_ref", "path", "design",
        "version", "designators", "material", "note")  # fmt: skip


@dataclass(frozen=True, slots=True)
class LineChange:
    """A line that came (`before` is None), went (`after` is None) or changed in `fields`."""

    kind: str
    before: Line | None
    after: Line | None
    fields: tuple[str, ...] = ()


Key = Callable[[Line], str]
#: By what two lines are the same part, strictest first; a name alone is weakest, since people reword it.
KEYS: tuple[Key, ...] = (
    lambda line: repr([getattr(line, name) for name in TOLD]),
    lambda line: f"{plain(line.name)}|{line.supplier_ref}|{line.path}|{line.design}",
    lambda line: line.design,
    lambda line: plain(line.supplier_ref),
    lambda line: line.path,
    lambda line: plain(line.name),
    lambda line: line.designators,
)


def compare(a: Iterable[Line], b: Iterable[Line]) -> list[LineChange]:
    """What turns list `a` into list `b`: changed and added lines in the order of `b`, then removed ones of `a`.

    Lines are paired by all they say, then by sub-assembly, supplier's number, file, name; equal ones are left out. Each
    line is used once, so a part that stands twice is two parts.
    """
    before, after = list(a), list(b)
    pairs: dict[int, int] = {}
    free = set(range(len(before)))
    for key in KEYS:
        waiting: dict[str, list[int]] = defaultdict(list)
        for index in sorted(free):
            if named := key(before[index]):
                waiting[named].append(index)
        for index, line in enumerate(after):
            named = key(line)
            if index not in pairs and named and waiting[named]:
                pairs[index] = waiting[named].pop(0)
                free.discard(pairs[index])
    changes = [_change(before[pairs[i]] if i in pairs else None, line) for i, line in enumerate(after)]
    changes += [LineChange("removed", before[index], None) for index in sorted(free)]
    return [change for change in changes if change is not None]


def _change(before: Line | None, after: Line) -> LineChange | None:
    if before is None:
        return LineChange("added", None, after)
    fields = tuple(name for name in TOLD if getattr(before, name) != getattr(after, name))
    return LineChange("changed", before, after, fields) if fields else None
