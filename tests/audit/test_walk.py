"""Every route that changes something, asked with good requests by who may: each answer leaves one row in the audit log,
a refusal none, and the way to a ballot none either.

The requests and the world are those of the access tables (`tests/authz`), so that a new route is walked by itself.
"""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.db import connection

from commons.audit.marks import is_unaudited
from commons.audit.recording import standing_of
from commons.people.models import User
from tests.authz.asking import Heard, ask
from tests.authz.conftest import world
from tests.authz.requests import Ask, asks
from tests.authz.routes import Route, all_routes
from tests.authz.world import World
from tests.fuzz.stage import nobody_outside, runs_the_room

__all__ = ["nobody_outside", "world"]

pytestmark = [pytest.mark.django_db, pytest.mark.drill]


@contextmanager
def rows() -> Iterator[list[str]]:
    """What is put into the log inside, also where it is taken back."""
    found: list[str] = []

    def look(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        if str(sql).startswith('INSERT INTO "audit_record"'):
            found.append(next(str(word) for word in params if isinstance(word, str) and " " in word))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(look):
        yield found


def unsafe() -> list[tuple[Route, str, Ask]]:
    """Every way of asking every route to change something; allauth's and the administration's are not ours."""
    return [
        (route, method, said)
        for route in all_routes().values()
        for method in route.methods
        for said in asks(route, method)
        if method != "GET" and route.room not in {"account", "administration"}
    ]


def heard_by(world: World, route: Route, method: str, said: Ask, role: str) -> tuple[Heard, list[str]]:
    with rows() as told:
        heard = ask(world, route, method, said, role, begins=told.clear)
    if heard.let_in and route.room == "designs" and world.designs is not None:
        world.designs.mend()
    return heard, told


def walked(world: World, role_of: Any) -> tuple[Counter[str], list[str]]:
    """How many answers were let in, refused and silent; and what was written down otherwise than it should be."""
    counts, wrong = Counter[str](), []
    for route, method, said in unsafe():
        role = role_of(route)
        heard, told = heard_by(world, route, method, said, role)
        silent = is_unaudited(route.view)
        acts = standing_of(world.people[role]) is not None
        kind = "silent" if silent else "let in" if heard.let_in else "refused"
        counts[kind] += 1
        wanted = {"silent": {0}, "refused": {0}, "let in": {1} if acts else {0, 1}}[kind]
        if len(told) not in wanted:
            wrong.append(f"{method} {route.name} [{said.variant}] as {role}: {heard.status}, rows {told}")
    return counts, wrong


def test_every_change_by_who_acts_for_others_leaves_one_row(world: World) -> None:
    counts, wrong = walked(world, lambda route: runs_the_room(route.room))
    print(f"audit: {counts['let in']} answers with their row, {counts['refused']} refusals, {counts['silent']} silent")  # noqa: T201
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong)
    assert counts["let in"] > 150 and counts["silent"] > 3


def test_so_does_every_change_by_staff(world: World) -> None:
    assert isinstance(world.people["superuser"], User)
    counts, wrong = walked(world, lambda _route: "superuser")
    print(f"audit: {counts['let in']} answers to staff with their row, {counts['refused']} refusals")  # noqa: T201
    assert not wrong, f"{len(wrong)}:\n" + "\n".join(wrong)
    assert counts["let in"] > 50
