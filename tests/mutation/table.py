"""What is mutated by which tests, which mutants are equivalent, and what became of them."""

import json
import tomllib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
TARGET = 85.0
OTHERS = ("timeouts", "survived", "uncovered", "equivalent")
FOUND, MISSED = frozenset({"killed", "timeout"}), frozenset({"survived", "uncovered"})


@dataclass(frozen=True)
class Group:
    """Modules and the tests that are to find their mutants."""

    name: str
    modules: tuple[str, ...]
    tests: tuple[str, ...]
    blind: tuple[str, ...] = ()


def groups() -> dict[str, Group]:
    """All of them, by name."""
    table = tomllib.loads((HERE / "modules.toml").read_text(encoding="utf-8"))
    parts = ("modules", "tests", "blind")
    return {name: Group(name, *(tuple(row.get(part, ())) for part in parts)) for name, row in table.items()}


def group_of(name: str) -> Group:
    """The group of that name."""
    return groups()[name]


def _folder() -> Path:
    return HERE.parents[1] / "var" / "mutation"


def verdicts(group: str) -> dict[str, dict[str, Any]]:
    """What became of each mutant when the group was run last, by its key."""
    file = _folder() / f"{group}.json"
    return {row["key"]: row for row in json.loads(file.read_text())["rows"]} if file.exists() else {}


def write_verdicts(group: str, rows: Sequence[dict[str, Any]], *, partial: bool) -> None:
    """Keep what became of the mutants; after a partial run beside what is known of the others."""
    kept = (verdicts(group) if partial else {}) | {row["key"]: row for row in rows}
    _folder().mkdir(parents=True, exist_ok=True)
    asked = [row["key"] for row in rows]
    file = _folder() / f"{group}.json"
    file.write_text(json.dumps({"rows": list(kept.values()), "asked": asked}, indent=1, ensure_ascii=False))


def asked_last(group: str) -> list[dict[str, Any]]:
    """The verdicts of the mutants of the last run."""
    document = json.loads((_folder() / f"{group}.json").read_text())
    asked = set(document["asked"])
    return [row for row in document["rows"] if row["key"] in asked]


def equivalent() -> list[dict[str, str]]:
    """Mutants that do the same as the code, each with the reason."""
    return list(tomllib.loads((HERE / "equivalent.toml").read_text(encoding="utf-8")).get("mutant", []))


def is_listed(row: dict[str, Any], listed: Iterable[dict[str, str]]) -> bool:
    """Whether a mutant is on the list: of that function, with these lines after the change."""
    now = _after(row["change"])
    return any(f"{row['module']}:{row['function']}" == one["where"] and now == one["now"] for one in listed)


def _after(change: str) -> str:
    """The lines of a change as they are with the mutant."""
    return "\n".join(line[2:] for line in change.splitlines() if line.startswith("+"))


@dataclass(frozen=True)
class Score:
    """How many mutants of a module were found."""

    module: str
    killed: int
    timeouts: int
    survived: int
    uncovered: int
    equivalent: int

    @property
    def counted(self) -> int:
        """All that could be found."""
        return self.killed + self.timeouts + self.survived + self.uncovered

    @property
    def share(self) -> float:
        """Found of a hundred that could be."""
        return 100.0 * (self.killed + self.timeouts) / self.counted if self.counted else 100.0

    def line(self) -> str:
        """A row of the table."""
        numbers = "".join(f"{getattr(self, word):11d}" for word in ("killed", *OTHERS))
        return f"{self.module:45s}{numbers}{self.share:9.1f} %"


def score(name: str, rows: Iterable[dict[str, Any]], listed: Sequence[dict[str, str]]) -> Score:
    """The score of these verdicts; equivalent ones are counted apart, however they ended."""
    counts: Counter[str] = Counter()
    for row in rows:
        counts["equivalent" if row["verdict"] in MISSED and is_listed(row, listed) else row["verdict"]] += 1
    return Score(name, *(counts[k] for k in ("killed", "timeout", "survived", "uncovered", "equivalent")))
