"""Mutants of a module: mutmut's own mutators, on every function.

mutmut leaves decorated functions alone, because it copies them. Here only the code of a function is exchanged and its
decorators stay as they are, so `@transaction.atomic` functions are mutated too. Left out are texts for people and
lines of the log: a test that pins a sentence finds no fault.
"""

import ast
import difflib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import libcst as cst
from libcst.metadata import MetadataWrapper, PositionProvider
from mutmut.mutation.file_mutation import (
    NEVER_MUTATE_FUNCTION_CALLS,
    MutationVisitor,
    OuterFunctionProvider,
    deep_replace,
)
from mutmut.mutation.mutators import mutation_operators
from mutmut.mutation.pragma_handling import IgnoredCode

ROOT = Path(__file__).resolve().parents[2]
TEXTS = frozenset({"_", "gettext", "gettext_lazy", "ngettext"})
LOGS = frozenset({"log", "logger"})


@dataclass(frozen=True)
class Mutant:
    """One change of one function."""

    module: str
    function: str
    first_line: int
    last_line: int
    was: str
    now: str

    @cached_property
    def _changed(self) -> list[str]:
        lines = difflib.unified_diff(self.was.splitlines(), self.now.splitlines(), n=0, lineterm="")
        return [line for line in lines if not line.startswith(("---", "+++", "@@"))]

    @property
    def change(self) -> str:
        """The lines that differ, for people and for the list of equivalent ones."""
        return "\n".join(line[0] + " " + line[1:].strip() for line in self._changed)

    @property
    def name(self) -> str:
        """What it is called in lists."""
        return f"{self.module}:{self.function}:{self.first_line}"


class _Visitor(MutationVisitor):
    """mutmut's visitor, which also goes into decorated functions and stays out of texts."""

    def _skip_node_and_children(self, node: cst.CSTNode) -> bool:
        if isinstance(node, cst.FunctionDef):
            return False
        if isinstance(node, cst.Call) and _is_text(node.func):
            return True
        return super()._skip_node_and_children(node)


def _is_text(called: cst.BaseExpression) -> bool:
    if isinstance(called, cst.Name):
        return called.value in TEXTS | NEVER_MUTATE_FUNCTION_CALLS
    return isinstance(called, cst.Attribute) and isinstance(called.value, cst.Name) and called.value.value in LOGS


def source_of(module: str) -> Path:
    """The file of a module, without importing it."""
    parts = module.split(".")
    for ground in (ROOT / "platform", ROOT):
        file = ground.joinpath(*parts).with_suffix(".py")
        if file.is_file():
            return file
    raise ValueError(f"there is no module {module}")


def mutants_of(module: str, text: str | None = None) -> Iterator[Mutant]:
    """All mutants of a module, in the order of its lines; those that mean the same to Python are left out."""
    wrapper = MetadataWrapper(cst.parse_module(source_of(module).read_text() if text is None else text))
    visitor = _Visitor(mutation_operators, IgnoredCode(set(), set(), set()))
    tree = wrapper.visit(visitor)
    places, outer = wrapper.resolve(PositionProvider), wrapper.resolve(OuterFunctionProvider)
    classes = {method: one.name.value for one in tree.body if isinstance(one, cst.ClassDef) for method in one.body.body}
    rendered: dict[cst.CSTNode, str] = {}
    for mutation in visitor.mutations:
        function = outer.get(mutation.original_node)
        if not isinstance(function, cst.FunctionDef):
            continue
        was = rendered.setdefault(function, _code(function, classes.get(function)))
        replaced = deep_replace(function, mutation.original_node, mutation.mutated_node)
        assert isinstance(replaced, cst.FunctionDef)
        now = _code(replaced, classes.get(function))
        place = places.get(mutation.original_node) or places[function]
        name = ".".join(filter(None, [classes.get(function), function.name.value]))
        if not _same(was, now):
            yield Mutant(module, name, place.start.line, place.end.line, was, now)


def _code(function: cst.FunctionDef, owner: str | None) -> str:
    """The function without its decorators, in a class of the name of its own if it is a method."""
    bare: cst.BaseCompoundStatement = function.with_changes(decorators=[], leading_lines=[])
    if owner is not None:
        bare = cst.ClassDef(cst.Name(owner), cst.IndentedBlock([bare]))
    return cst.Module([bare]).code


def _same(one: str, other: str) -> bool:
    """Whether they mean the same, but for `strict=` of `zip`: a guard against what no test can bring about."""
    try:
        return _meaning(one) == _meaning(other)
    except SyntaxError:  # a mutant that is no Python says nothing about tests
        return True


def _meaning(code: str) -> str:
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "zip":
            node.keywords = []
    return ast.dump(tree)


def apply(mutant: Mutant, module: ModuleType) -> Callable[[], None]:
    """Let a loaded module's function do what the mutant does, wherever it was imported to; answers the way back."""
    live = _live(module, mutant.function)
    space = dict(vars(module))
    exec(compile(mutant.now, str(module.__file__), "exec"), space)  # noqa: S102 our own sources
    made: Any = space
    for nth, part in enumerate(mutant.function.split(".")):
        made = getattr(made, part) if nth else made[part]
    made = _function(made)
    before = (live.__code__, live.__defaults__, live.__kwdefaults__)
    live.__code__, live.__defaults__, live.__kwdefaults__ = made.__code__, made.__defaults__, made.__kwdefaults__
    _forget_answers(module)

    def back() -> None:
        live.__code__, live.__defaults__, live.__kwdefaults__ = before
        _forget_answers(module)

    return back


def _forget_answers(module: ModuleType) -> None:
    """What cached functions of the module have answered was the answer of other code."""
    for one in vars(module).values():
        if hasattr(one, "cache_clear"):
            one.cache_clear()


def _live(module: ModuleType, name: str) -> FunctionType:
    owner, _dot, last = name.rpartition(".")
    return _function(vars(getattr(module, owner))[last] if owner else getattr(module, last))


def _function(found: Any) -> FunctionType:
    """The function itself under properties, class methods and decorators."""
    if isinstance(found, property):
        found = found.fget
    if isinstance(found, staticmethod | classmethod):
        found = found.__func__
    if hasattr(found, "func") and not isinstance(found, FunctionType):  # cached_property
        found = found.func
    found = inspect.unwrap(found)
    assert isinstance(found, FunctionType), f"{found!r} is no function"
    return found
