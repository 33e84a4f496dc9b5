"""The OpenAPI document tells the truth: what it promises to take is taken or refused in words, and what it promises to
answer is answered, to nobody, to a person and to who runs the room.

schemathesis makes the calls from our own document about the world of the access tables, where every room has rows; the
good requests of those tables are made too, so that answers that are let in are held against the document. The short
form runs with every suite, the long one is a drill.
"""

import gzip
import os
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import pytest
import schemathesis
from django.conf import settings as site
from django.core.handlers.wsgi import WSGIHandler
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.authz.requests import Ask, address, asks, filled
from tests.authz.routes import Route, all_routes
from tests.authz.world import World
from tests.figures_said import figure
from tests.fuzz.stage import (
    ONLY,
    PART,
    PARTS,
    nobody_outside,
    runs_the_room,
    the_connection_stays,
    tokens,
    world,
)

__all__ = ["nobody_outside", "the_connection_stays", "tokens", "world"]

pytestmark = pytest.mark.django_db

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_headers_conformance,
          response_schema_conformance]  # fmt: skip


@dataclass
class Fuzz:
    """Calls of the document, and what was heard."""

    world: World
    tokens: dict[str, str]
    answers: Counter[int] = field(default_factory=Counter)
    tested: set[str] = field(default_factory=set)
    faults: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @cached_property
    def routes(self) -> dict[str, Route]:
        """Routes by their address as the document writes it."""
        return {_nameless(_template(route.path)): route for route in all_routes().values() if route.by_api}

    @cached_property
    def operations(self) -> list[tuple[Any, Route]]:
        """Every operation of the document and the route that answers it."""
        document = SchemaGenerator(api_version="v1").get_schema(request=None, public=True)
        schema = schemathesis.openapi.from_dict(document)
        schema.app = WSGIHandler()
        found = [result.ok() for result in schema.get_all_operations()][PART - 1 :: PARTS]
        return [(one, self.routes[_nameless(one.path)]) for one in found if ONLY in one.label]

    def call(self, case: Any, role: str, route: Route) -> None:
        """Make the call, hold the answer against the document, take back what it did."""
        headers = {} if role == "anonymous" else {"Authorization": f"Bearer {self.tokens[role]}"}
        with self.world.undone():
            answer = case.call(headers=headers)
        if answer.headers.get("content-encoding") == ["gzip"]:
            answer.content = gzip.decompress(answer.content)
        self.answers[answer.status_code // 100] += 1
        self.tested.add(case.operation.label)
        try:
            case.validate_response(answer, checks=CHECKS, headers=headers)
        except FailureGroup as group:
            for fault in group.exceptions:
                said = f"{type(fault).__name__}: {str(fault)[:600]}"
                self.faults[case.operation.label].append(f"{role} {answer.status_code} {said}\n    {_asked(case)}")
        if route.room == "designs" and case.method != "GET" and answer.status_code < 300 and self.world.designs:
            self.world.designs.mend()

    def generated(self, operation: Any, route: Route, role: str, *, examples: int, mode: GenerationMode) -> None:
        """Calls that schemathesis makes up; where the document is kept to, about things that are there."""
        known = self.known(operation, route, Ask())

        @seed(20261123)
        @settings(
            max_examples=examples, deadline=None, database=None, phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )  # fmt: skip
        @given(case=operation.as_strategy(generation_mode=mode))
        def each(case: Any) -> None:
            if mode is GenerationMode.POSITIVE:
                case.path_parameters = {**(case.path_parameters or {}), **known}
            self.call(case, role, route)

        each()

    def good(self, operation: Any, route: Route, role: str) -> None:
        """The requests of the access tables, which are let in."""
        self.world.names["me"] = str(getattr(self.world.people.get(role), "username", ""))
        for said in asks(route, operation.method.upper()):
            body = filled(said.body, self.world)
            if body is not None and not _as_json(operation, body):
                continue
            more = {} if body is None else {"body": body, "media_type": "application/json"}
            query = dict(part.split("=", 1) for part in filled(said.query, self.world).split("&") if "=" in part)
            case = operation.Case(path_parameters=self.known(operation, route, said), query=query, **more)
            self.call(case, role, route)

    def known(self, operation: Any, route: Route, said: Ask) -> dict[str, str]:
        """The parts of an address that name something of the world."""
        path = address(route, Ask(over=said.over), self.world)
        pattern = re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>.+?)", re.escape(operation.path))
        found = re.fullmatch(pattern, path)
        assert found, (operation.path, path)
        return found.groupdict()

    def report(self) -> str:
        """What was wrong, by operation."""
        lines = [f"{len(self.faults)} operations with faults:"]
        for label, faults in sorted(self.faults.items()):
            kinds = Counter(re.sub(r"\s+", " ", fault.split("\n    ")[0])[:300] for fault in faults)
            lines += [f"{label}", *(f"  {count}x {kind}" for kind, count in kinds.most_common(4))]
            lines.append(f"      {faults[0].rsplit(chr(10), 1)[-1].strip()[:300]}")
        return "\n".join(lines)


def _template(path: str) -> str:
    """An address as the document writes it."""
    path = re.sub(r"\(\?P<(\w+)>(?:[^()]|\([^()]*\))*\)", r"{\1}", path)
    path = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path)
    return re.sub(r"\\Z|[\^$]|\\", "", path)


def _nameless(template: str) -> str:
    """The document calls `pk` otherwise than the address does."""
    return re.sub(r"\{\w+\}", "{}", template)


def _asked(case: Any) -> str:
    return f"{case.method} {case.formatted_path} {case.query or ''} {str(case.body)[:200]}"


def _as_json(operation: Any, body: Any) -> bool:
    """Whether the body is one of JSON, and the operation takes JSON."""
    return isinstance(body, dict | list) and "application/json" in str(operation.definition.raw.get("requestBody", ""))


@pytest.fixture
def fuzz(world: World, tokens: dict[str, str]) -> Iterator[Fuzz]:
    assert site.DEBUG is False
    yield Fuzz(world, tokens)


def judge(fuzz: Fuzz) -> None:
    """Nothing was wrong, everything was asked, and enough was let in to say anything."""
    faults = [fault for found in fuzz.faults.values() for fault in found]
    broken = sum("ServerError" in fault for fault in faults)
    print(f"document, part {PART} of {PARTS}: {len(fuzz.tested)} of {len(fuzz.operations)} operations, "  # noqa: T201
          f"{dict(fuzz.answers)}")  # fmt: skip
    figure("fuzz_calls", f"+{sum(fuzz.answers.values())}", "calls")
    figure("fuzz_server_errors", f"+{broken}", "answers")
    figure("fuzz_schema_violations", f"+{len(faults) - broken}", "answers")
    assert not fuzz.faults, fuzz.report()
    if not ONLY:
        assert fuzz.tested == {operation.label for operation, _route in fuzz.operations}
        assert fuzz.answers[2] > len(fuzz.operations) / 3, f"too few calls were let in: {fuzz.answers}"


def each(fuzz: Fuzz, *, examples: int, modes: Sequence[GenerationMode], everybody: bool) -> None:
    """Every operation, `examples` calls by each caller, half of them as the document asks, half against it where both
    are asked for; by all three callers, or by one in turn."""
    for number, (operation, route) in enumerate(fuzz.operations):
        runner = runs_the_room(route.room)
        callers = ("anonymous", "stranger", runner)
        fuzz.good(operation, route, runner)
        for role in callers if everybody else callers[number % 3 :][:1]:
            for mode in modes:
                try:
                    fuzz.generated(operation, route, role, examples=max(examples // len(modes), 1), mode=mode)
                except schemathesis.errors.InvalidSchema as why:
                    fuzz.faults[operation.label].append(f"{why}\n    -")
    judge(fuzz)


def test_the_document_is_kept(fuzz: Fuzz) -> None:
    each(fuzz, examples=1, modes=[GenerationMode.POSITIVE], everybody=False)


@pytest.mark.drill
def test_the_document_is_kept_by_many_calls(fuzz: Fuzz) -> None:
    examples = int(os.environ.get("FUZZ_EXAMPLES", "100"))
    each(fuzz, examples=examples, modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE], everybody=True)
