"""One field of a good request is nonsense and the others are as they should be: it is done or refused in words, never a
fault of ours.

The requests are those of the access tables, which are let in, so that nonsense comes as far as a view goes; each field
of a form and each place in a JSON document is spoilt in turn, or left out. The short form spoils some fields once.
"""

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes

import pytest

from tests.authz import tables
from tests.authz.asking import ask
from tests.authz.requests import Ask, asks
from tests.authz.roles import ORDER
from tests.authz.routes import Route, all_routes
from tests.authz.world import World
from tests.figures_said import figure
from tests.fuzz.stage import (
    ONLY,
    PART,
    PARTS,
    fault_of,
    nobody_outside,
    raised,
    runs_the_room,
    the_connection_stays,
    world,
)
from tests.fuzz.test_parameters import NONSENSE

__all__ = ["nobody_outside", "the_connection_stays", "world"]

pytestmark = pytest.mark.django_db

#: What stands for a field that is not sent.
MISSING = object()
TEXTS: tuple[Any, ...] = (
    MISSING, "\x00", *(unquote_to_bytes(said).decode(errors="replace") for said in NONSENSE if "&" not in said),
)  # fmt: skip
#: What JSON can say besides.
VALUES: tuple[Any, ...] = (
    None, True, 0, -1, 0.5, 2**31, 2**63, -(2**70), 1e308, [], {}, [[]], ["x", 1], {"a": {"b": []}}, "\ud800",
)  # fmt: skip
Path = tuple[str | int, ...]


def places(body: Any, before: Path = ()) -> Iterator[Path]:
    """Every field of a body, and those inside it; of a list the first."""
    keys: list[str | int] = list(body) if isinstance(body, dict) else [0] if isinstance(body, list) and body else []
    for key in keys:
        yield (*before, key)
        yield from places(body[key], (*before, key))


def spoilt(body: Any, place: Path, value: Any) -> Any:
    """The body with that value in that place."""
    here, *rest = place
    if not rest and value is MISSING:
        return {key: own for key, own in body.items() if key != here} if isinstance(body, dict) else body[1:]
    new = spoilt(body[here], tuple(rest), value) if rest else value
    return body | {here: new} if isinstance(body, dict) else [new, *body[1:]]


@dataclass
class Fuzz:
    """Requests to the world, and what was heard."""

    world: World
    raised: list[str]
    answers: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def send(self, route: Route, method: str, said: Ask, role: str, what: str) -> None:
        """Make the request; what it did is taken back."""
        self.raised.clear()
        heard = ask(self.world, route, method, said, role)
        status = 302 if heard.status == "login" else int(heard.status)
        self.answers[status // 100] += 1
        if wrong := fault_of(route, status, dict(heard.headers).get("Content-Type", ""), heard.body):
            asked = f"{method} {route.name} [{said.variant}] as {role}, {what}"
            self.faults.append(f"{status} {asked}: {wrong} {'; '.join(self.raised)}")
        if route.room == "designs" and heard.let_in and self.world.designs is not None:
            self.world.designs.mend()


def requests() -> list[tuple[Route, str, Ask, str]]:
    """Every request with a body of fields, and who is let in with it."""
    rows, found = tables.read(), list[tuple[Route, str, Ask, str]]()
    for route in all_routes().values():
        if route.room in {"account", "administration", "streams"} or ONLY not in route.name:
            continue
        for method in set(route.methods) - {"GET"}:
            for said in asks(route, method):
                row = rows.get((route.name, method, said.variant))
                inside = [role for role in ORDER if row and row.answers[role][0] in "23"]
                usual = runs_the_room(route.room)
                found.append((route, method, said, usual if usual in inside or not inside else inside[-1]))
    return sorted(found, key=lambda one: (one[0].name, one[1], one[2].variant))[PART - 1 :: PARTS]


def body_of(said: Ask) -> Any:
    """The body, made anew where it is made for each request."""
    return said.body() if callable(said.body) else said.body


def has_files(body: Any) -> bool:
    """Whether it is sent as a form, which knows texts alone."""
    return isinstance(body, dict) and any(callable(own) or hasattr(own, "read") for own in body.values())


def written(value: Any) -> str:
    """A value as a report shows it."""
    return "nothing" if value is MISSING else repr(value)[:60]


def spoil(fuzz: Fuzz, *, all_of_them: bool, each: int = 1) -> None:
    """Nonsense into every field of every request, or into one of `each`: all of it, or one in turn."""
    turn, fields = itertools.count(), 0
    for route, method, said, role in requests():
        known = (*TEXTS, *VALUES) if route.by_api and not has_files(body_of(said)) else TEXTS
        for place in places(body_of(said)):
            at = next(turn)
            if at % each:
                continue
            fields += 1
            for value in known if all_of_them else (known[at // each % len(known)],):
                asked = Ask(said.variant, spoilt(body_of(said), place, value), said.query, said.over)
                fuzz.send(route, method, asked, role, f"{place} = {written(value)}")
    print(f"fields: {fields}, answers {dict(fuzz.answers)}, {len(fuzz.faults)} faults")  # noqa: T201
    figure("fuzz_fields", f"+{sum(fuzz.answers.values())}", "requests")
    figure("fuzz_fields_faults", f"+{len(fuzz.faults)}", "answers")
    assert not fuzz.faults, f"{len(fuzz.faults)} faults:\n" + "\n".join(fuzz.faults[:60])
    assert ONLY or fuzz.answers[4] > fields / 4, f"too few were refused: {fuzz.answers}"
    assert ONLY or fuzz.answers[2] + fuzz.answers[3] > fields / 8, f"too few were let in: {fuzz.answers}"


@pytest.fixture
def fuzz(world: World) -> Iterator[Fuzz]:
    with raised() as heard:
        yield Fuzz(world, heard)


def test_a_field_is_spoilt_alone() -> None:
    body = {"a": 1, "b": [{"c": 2}, 3]}
    assert list(places(body)) == [("a",), ("b",), ("b", 0), ("b", 0, "c")]
    assert spoilt(body, ("b", 0, "c"), "x") == {"a": 1, "b": [{"c": "x"}, 3]}
    assert spoilt(body, ("a",), MISSING) == {"b": [{"c": 2}, 3]}
    assert spoilt(body, ("b", 0), MISSING) == {"a": 1, "b": [3]}
    assert body == {"a": 1, "b": [{"c": 2}, 3]}


def test_some_fields_of_nonsense(fuzz: Fuzz) -> None:
    spoil(fuzz, all_of_them=False, each=12)


@pytest.mark.drill
def test_one_nonsense_in_every_field(fuzz: Fuzz) -> None:
    spoil(fuzz, all_of_them=False)


@pytest.mark.drill
def test_every_nonsense_in_every_field(fuzz: Fuzz) -> None:
    spoil(fuzz, all_of_them=True)
