"""What the OpenAPI document promises to take is taken or refused in words: no generated call is a fault of ours.

The calls are made by schemathesis from our own document, about a design with a change, a release, a make and a talk, by
its owner. The short form runs with every suite; the long one is a drill.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
import schemathesis
from django.conf import settings as site
from django.core.handlers.wsgi import WSGIHandler
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from drf_spectacular.generators import SchemaGenerator
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.generation import GenerationMode

from commons.people.models import User
from commons.people.services import create_token
from commons.web.api import Throttle
from designs.models import Design
from designs.services import fork_design, proposals, releases, write_files
from designs.services.makes import add_make
from designs.services.talk import say
from tests.designs.conftest import cube_stl

pytestmark = pytest.mark.django_db

ABOUT = ("/designs/", "/provenance/", "/collections/", "/reports/", "/people/", "/runs/")
#: Too dear to be asked for at random, or not ours to call: addresses outside.
LEFT_OUT = frozenset({"designs_import", "design_import_create"})


@pytest.fixture
def known(
    design: Design, maker: User, neighbour: User, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> dict[str, Any]:
    """What stands in the city, by the names that parts of addresses have."""
    monkeypatch.setattr(Throttle, "allow_request", lambda *_args: True)
    for signal in (
        request_started,
        request_finished,
    ):  # as Django's own test client does: the test holds the connection
        signal.disconnect(close_old_connections)
    request.addfinalizer(lambda: [s.connect(close_old_connections) for s in (request_started, request_finished)])
    forked = fork_design(design=design, owner=neighbour.handle, by=neighbour)
    write_files(
        design=forked, files={"cube.stl": cube_stl(9), "a.csv": b"name,quantity\nscrew,4\n"}, message="Smaller",
        author=neighbour, by=neighbour,
    )  # fmt: skip
    change = proposals.open_proposal(design=design, source=forked, source_branch="main", title="Smaller", by=neighbour)
    proposals.say(proposal=change, by=neighbour, body="Why not?")
    release = releases.publish(design=design, version="1.0", notes="First", by=maker)
    made = add_make(design=design, author=neighbour, text="It holds.")
    said = say(design=design, author=neighbour, body="Hello")
    return {"owner": "aila", "slug": "test-cube", "number": change.number, "version": release.version, "make": made.pk,
            "pk": said.pk, "comment": said.pk, "path": "cube.stl", "handle": "aila", "name": "aila"}  # fmt: skip


def operations() -> Iterator[Any]:
    """The operations of the document that are about designs, people and runs."""
    document = SchemaGenerator(api_version="v1").get_schema(request=None, public=True)
    schema = schemathesis.openapi.from_dict(document)
    schema.app = WSGIHandler()
    for found in schema.get_all_operations():
        operation = found.ok()
        inner = operation.path.removeprefix("/api/v1")
        if inner.startswith(ABOUT) and operation.definition.raw.get("operationId") not in LEFT_OUT:
            yield operation


def faults_of(
    operation: Any, known: dict[str, Any], headers: dict[str, str], answers: Counter[int], *, examples: int,
    mode: GenerationMode,
) -> list[str]:  # fmt: skip
    """The calls of the operation that end in a fault of ours; `answers` counts them by their hundreds."""
    faults: list[str] = []

    @seed(20261122)
    @settings(
        max_examples=examples, deadline=None, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(generation_mode=mode))
    def call(case: Any) -> None:
        if mode is GenerationMode.POSITIVE:
            case.path_parameters = {
                name: known.get(name, value) for name, value in (case.path_parameters or {}).items()
            }
        with transaction.atomic():
            answer = case.call(headers=headers)
            transaction.set_rollback(True)
        answers[answer.status_code // 100] += 1
        if answer.status_code >= 500:
            faults.append(f"{answer.status_code} {case.as_curl_command()[:600]}")

    call()
    return faults


def look(known: dict[str, Any], maker: User, *, examples: int, modes: Sequence[GenerationMode]) -> None:
    """Every operation, with what the document allows or with what it forbids."""
    assert site.DEBUG is False
    token = create_token(user=maker, name="drill", scopes=["designs:write", "designs:read"])[1]
    headers = {"Authorization": f"Bearer {token}"}
    count: Counter[str] = Counter()
    answers: Counter[int] = Counter()
    faults: list[str] = []
    for operation in operations():
        for mode in modes:
            try:
                faults += faults_of(operation, known, headers, answers, examples=examples, mode=mode)
            except schemathesis.errors.InvalidSchema as why:
                faults.append(f"{operation.label}: {why}")
        count[operation.method] += 1
    assert count.total() > 50, count
    assert answers[2] > 25, f"too few calls were let in to say anything: {answers}"
    assert not faults, f"{len(faults)} faults:\n" + "\n".join(faults[:20])


def test_no_call_of_the_document_is_a_fault(known: dict[str, Any], maker: User) -> None:
    look(known, maker, examples=1, modes=[GenerationMode.POSITIVE])


@pytest.mark.drill
def test_many_calls_of_the_document_are_no_fault(known: dict[str, Any], maker: User) -> None:
    look(known, maker, examples=40, modes=[GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
