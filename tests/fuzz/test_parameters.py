"""Nonsense in every question that any address reads is answered or refused in words, never a fault of ours.

Which names an address reads is heard, not declared: each is asked once while every look into its query is written down;
names that the document declares and names that stand in the sources come on top. Both are drills: one nonsense into
each name, in turn, or all of them.
"""

import itertools
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import pytest
from django.http import QueryDict
from django.test import Client

from tests.authz.requests import Ask, address
from tests.authz.routes import Route, all_routes
from tests.authz.world import World
from tests.figures_said import figure
from tests.fuzz.stage import (
    ONLY,
    PART,
    PARTS,
    ROOT,
    fault_of,
    nobody_outside,
    raised,
    runs_the_room,
    the_connection_stays,
    tokens,
    world,
)

__all__ = ["nobody_outside", "the_connection_stays", "tokens", "world"]

pytestmark = pytest.mark.django_db

ROOMS = ("platform", "designs", "labs", "energy", "twin")
#: As they stand in an address, after the `=`; `&NAME=` asks for the name twice.
NONSENSE = (
    "", "x", "0", "-1", "1.5", "9" * 30, "1e30", "-1e308", "1e999", "NaN", "inf", "-Infinity", "0x10", "1_0", "%00",
    "a%00b", "%ff", "%ed%a0%80", "%f0%9f%92%a5", "%C2%B2", "%D9%A1%D9%A2", "a" * 5000, "%2B", "%25", "+",
    "0000-00-00", "2026-02-30", "0000-01-01", "0001-01-01", "9999-12-31", "10000-01-01", "2026-13-01T25:61:61Z",
    "0001-01-01T00:00:00%2B14:00", "9999-12-31T23:59:59-14:00", "2026-01-01T00:00:00-05:50:36",
    "1900-01-01T00:00:00-05:50:36", "0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "9999-12-31T23:59", "9999-12",
    "2026-W54", "24:00", "2026-01-01/2025-01-01", "2026-01-01/..", "%27%22;--",
    "1%27%20OR%201=1--", "[]", "[1", "%7B%7D", "%7B%22a%22:1%7D", "1,2,3", "1,2,x", ",,,", "true", "null", "None",
    "../../etc/passwd", "--upload-pack=x", "%3Cscript%3E", "%E2%80%AE", "%0D%0AX:y",
    "00000000-0000-0000-0000-000000000000", "60.17,24.94", "91,181", "NaN,NaN,NaN,NaN", "-200,-200,200,200",
    "POINT(1%201)", "((((((((((", "%28" * 2000, "a:b:c", "cD1nYXJiYWdl", "cj0xJnA9MQ==", "*", "%5C", "_", "ä",
    "1&NAME=2", "x&NAME=%00", "&NAME[]=1", "&NAME[a]=1",
)  # fmt: skip
#: Names that every address is offered, a name that nothing has, and what is said while an address is listened to.
ALWAYS, NOBODYS = ("page", "cursor", "limit", "lang"), "zz"
PLAIN = ("", "1", "2026-06-01", "on")


@dataclass
class Looked:
    """Which names of a question were looked at, whether all of them were, and whether they were passed on unread."""

    names: set[str] = field(default_factory=set)
    all: bool = False
    passed_on: bool = False


@contextmanager
def listening() -> Iterator[Looked]:
    """Write down every look into a query."""
    heard, passing = Looked(), list[str]()
    with pytest.MonkeyPatch.context() as patch:
        for method in ("get", "getlist", "__getitem__", "__contains__", "pop"):
            usual = getattr(QueryDict, method)

            def look(self: QueryDict, name: Any, *rest: Any, _usual: Any = usual, **more: Any) -> Any:
                heard.names.add(str(name))
                return _usual(self, name, *rest, **more)

            patch.setattr(QueryDict, method, look)
        for method in ("items", "lists", "dict", "keys", "values"):
            usual = getattr(QueryDict, method)

            def whole(self: QueryDict, *rest: Any, _usual: Any = usual, **more: Any) -> Any:
                heard.all = heard.all or not passing
                return _usual(self, *rest, **more)

            patch.setattr(QueryDict, method, whole)
        for method in ("urlencode", "__copy__", "__deepcopy__"):
            usual = getattr(QueryDict, method)

            def pass_on(self: QueryDict, *rest: Any, _usual: Any = usual, **more: Any) -> Any:
                heard.passed_on = True
                passing.append("")
                try:
                    return _usual(self, *rest, **more)
                finally:
                    passing.pop()

            patch.setattr(QueryDict, method, pass_on)
        yield heard


def in_the_sources() -> set[str]:
    """Names that stand behind a look into a query somewhere in the sources, or are declared for the document."""
    looks = re.compile(
        r"(?:GET|query_params|asked|given|query|fields|params)(?:\.get|\.getlist|\.pop)?[\[(]\s*[fr]?[\"']([\w\-\[\]$.]+)[\"']"
        r"|OpenApiParameter\(\s*(?:name=)?[\"']([\w\-$.]+)[\"']"
    )
    found: set[str] = set()
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            if "node_modules" not in path.parts and "agent" not in path.parts:
                found |= {first or second for first, second in looks.findall(path.read_text())}
    return found


@dataclass
class Fuzz:
    """Questions to the world, and what was heard."""

    world: World
    raised: list[str]
    statuses: Counter[int] = field(default_factory=Counter)
    faults: list[str] = field(default_factory=list)

    def ask(self, route: Route, query: str, *, judged: bool = True) -> None:
        """Ask a route with a query as who runs its room."""
        client: Client = self.world.client(runs_the_room(route.room))
        path = address(route, Ask(), self.world)
        self.raised.clear()
        with self.world.undone():
            response = client.get(f"{path}{'&' if '?' in path else '?'}{query}")
            pieces = itertools.islice(response.streaming_content, 50) if response.streaming else (response.content,)
            body = b"".join(pieces)
        self.statuses[response.status_code] += 1
        if not judged:
            return
        kind = response.headers.get("Content-Type", "")
        if wrong := fault_of(route, response.status_code, kind, body):
            asked = f"{route.name} {path[:120]}?{query[:160]}"
            self.faults.append(f"{response.status_code} {asked}: {wrong} {'; '.join(self.raised)}")

    def names(self, route: Route) -> list[str]:
        """What the route reads of its question, also what it reads only when something else is given."""
        found: set[str] = set(ALWAYS)
        with listening() as heard:
            for said in PLAIN:
                given = sorted(found) if said else [NOBODYS]
                self.ask(route, "&".join(f"{quote(name, safe='')}={said}" for name in given), judged=False)
                found |= heard.names
        if heard.all:
            found |= set() if route.by_api else in_the_sources()
        else:
            found &= heard.names
        return sorted((found | ({NOBODYS} if heard.passed_on else set())) - {"csrfmiddlewaretoken"})


def addresses() -> list[Route]:
    """Every address that is asked with GET; allauth's and the administration's are not ours."""
    others = {"account", "administration", "streams"}
    found = [route for route in all_routes().values() if "GET" in route.methods and route.room not in others]
    return [route for route in found if ONLY in route.name][PART - 1 :: PARTS]


@pytest.fixture
def fuzz(world: World) -> Iterator[Fuzz]:
    with raised() as heard:
        yield Fuzz(world, heard)


def put(fuzz: Fuzz, *, all_of_them: bool) -> None:
    """Nonsense into every name of every address."""
    turn, names = itertools.count(), 0
    for route in addresses():
        for name in fuzz.names(route):
            names += 1
            at = next(turn)
            values = NONSENSE if all_of_them else (NONSENSE[at % len(NONSENSE)],)
            for value in values:
                fuzz.ask(route, f"{quote(name, safe='')}={value.replace('NAME', quote(name, safe=''))}")
    print(f"parameters: {len(addresses())} addresses, {names} names, {sum(fuzz.statuses.values())} questions, "  # noqa: T201
          f"{dict(sorted(fuzz.statuses.items()))}, {len(fuzz.faults)} faults")  # fmt: skip
    figure("fuzz_parameter_questions", f"+{sum(fuzz.statuses.values())}", "questions")
    figure("fuzz_parameter_faults", f"+{len(fuzz.faults)}", "answers")
    assert not fuzz.faults, f"{len(fuzz.faults)} faults:\n" + "\n".join(fuzz.faults[:60])
    if not ONLY and PARTS == 1:
        assert names > 1000
        assert fuzz.statuses[200] > len(addresses())


@pytest.mark.drill
def test_one_nonsense_in_every_question(fuzz: Fuzz) -> None:
    put(fuzz, all_of_them=False)


@pytest.mark.drill
def test_every_nonsense_in_every_question(fuzz: Fuzz) -> None:
    put(fuzz, all_of_them=True)


def test_a_look_is_heard() -> None:
    """Without this an address could read names that are never asked."""
    given = QueryDict("a=1&b=2")
    with listening() as heard:
        given.get("a")
        assert heard.names == {"a"}
        assert not heard.all
        given.copy().urlencode()
        assert heard.passed_on
        assert not heard.all
        given.dict()
        assert heard.all
    assert {"page", "day", "ref", "machine"} <= in_the_sources()
