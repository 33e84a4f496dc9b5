"""Mutants are made, put in and taken out again as the drill counts on it."""

import sys
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from tests.mutation import table
from tests.mutation.mutants import apply, mutants_of, source_of

TEXT = '''
from contextlib import contextmanager
from functools import cache, wraps

_ = str


def twice(function):
    @wraps(function)
    def inner(*args, **more):
        return 2 * function(*args, **more)

    return inner


@twice
def add(a, b=1):
    return a + b


@cache
def kept():
    return "kept"


@contextmanager
def held():
    yield "held"


def refuse():
    raise ValueError(_("This is a sentence."))


class Box:
    size: int = 3

    def __init__(self):
        self.full = False

    @property
    def half(self):
        return self.size / 2

    @classmethod
    def made(cls, full=True):
        box = cls()
        box.full = full
        return box
'''


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    made = ModuleType("small")
    made.__file__ = str(tmp_path / "small.py")
    exec(compile(TEXT, made.__file__, "exec"), vars(made))  # noqa: S102 the text above
    monkeypatch.setitem(sys.modules, "small", made)
    return made


def test_what_is_mutated_and_what_is_not() -> None:
    changes = {(one.function, one.change) for one in mutants_of("small", TEXT)}
    assert ("add", "- return a + b\n+ return a - b") in changes, "under a decorator too"
    assert ("add", "- def add(a, b=1):\n+ def add(a, b=2):") in changes
    assert ("Box.half", "- return self.size / 2\n+ return self.size * 2") in changes
    assert ("Box.__init__", "- self.full = False\n+ self.full = True") in changes
    assert ("held", '- yield "held"\n+ yield "HELD"') in changes
    texts = [change for name, change in changes if name == "refuse"]
    assert texts == ['- raise ValueError(_("This is a sentence."))\n+ raise ValueError(None)'], "no texts for people"
    assert len(changes) == len(list(mutants_of("small", TEXT)))


@pytest.mark.parametrize(
    ("function", "now", "ask", "right", "wrong"),
    [
        ("add", "a - b", lambda m: m.add(5), 12, 8),
        ("add", "b=2", lambda m: m.add(5), 12, 14),
        ("Box.half", "* 2", lambda m: m.Box().half, 1.5, 6),
        ("Box.made", "full=False", lambda m: m.Box.made().full, True, False),
        ("kept", "KEPT", lambda m: m.kept(), "kept", "KEPT"),
        ("held", "HELD", lambda m: m.held().__enter__(), "held", "HELD"),
    ],
)
def test_a_mutant_is_put_in_and_taken_out(
    module: ModuleType, function: str, now: str, ask: Any, right: object, wrong: object
) -> None:
    known = ask  # what others imported before is mutated too
    mutant = next(one for one in mutants_of("small", TEXT) if one.function == function and now in one.change)
    assert known(module) == right
    back = apply(mutant, module)
    assert known(module) == wrong
    back()
    assert known(module) == right


def test_the_table_names_what_is_there() -> None:
    for group in table.groups().values():
        assert group.modules and all(source_of(module).is_file() for module in group.modules)
        assert group.tests and all((table.HERE.parents[1] / name.partition("::")[0]).is_file() for name in group.tests)
        assert set(group.blind) <= set(group.tests)
    with pytest.raises(ValueError, match=r"no module labs\.nothing"):
        source_of("labs.nothing")


def test_every_equivalent_mutant_exists_and_has_a_reason() -> None:
    listed = table.equivalent()
    modules = {one["where"].partition(":")[0] for one in listed}
    rows = [
        {"module": one.module, "function": one.function, "change": one.change}
        for module in modules
        for one in mutants_of(module)
    ]
    gone = [one for one in listed if not any(table.is_listed(row, [one]) for row in rows)]
    assert not gone, "take them off the list"
    assert all(len(one["why"]) > 20 for one in listed)
    assert len({(one["where"], one["now"]) for one in listed}) == len(listed), "each once"


def test_a_score_counts_equivalent_ones_apart() -> None:
    def row(verdict: str, change: str = "- a\n+ b") -> dict[str, Any]:
        return {"module": "m", "function": "f", "verdict": verdict, "change": change}

    listed = [{"where": "m:f", "now": "same", "why": "it is the same"}]
    rows = [row("killed"), row("timeout"), row("survived"), row("uncovered"), row("survived", "- x\n+ same")]
    score = table.score("m", rows, listed)
    assert (score.killed, score.timeouts, score.survived, score.uncovered, score.equivalent) == (1, 1, 1, 1, 1)
    assert (score.counted, score.share) == (4, 50.0)
    assert table.score("m", [row("killed", "- x\n+ same")], listed).share == 100.0
    assert "50.0 %" in score.line()
