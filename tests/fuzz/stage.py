"""The world of the access tables, with a token for each of three kinds of callers, and nobody outside to be asked."""

import secrets
from collections.abc import Iterator
from typing import Any

import pytest
from django.core.signals import request_finished, request_started
from django.db import close_old_connections

from commons.people.models import Scope
from commons.people.services import create_token
from commons.web import outside
from designs.git import fetching
from tests.authz.conftest import world
from tests.authz.world import World

__all__ = ["world"]

#: Who runs a room, and so is let in nearly everywhere there.
RUNS = {"labs": "manager", "energy": "steward", "twin": "city-steward", "decisions": "manager", "devices": "manager"}


def runs_the_room(room: str) -> str:
    """The role that may do most in a room."""
    return RUNS.get(room, "owner")


@pytest.fixture(scope="module")
def tokens(world: World) -> dict[str, str]:
    """A token of all scopes for the stranger and for each who runs a room."""
    found = {}
    for role in {"stranger", "owner", *RUNS.values()}:
        found[role] = create_token(user=world.people[role], name=secrets.token_hex(4), scopes=list(Scope.values))[1]
    return found


@pytest.fixture(autouse=True)
def nobody_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    """No name has an address."""
    monkeypatch.setattr(outside, "resolve", lambda _host, _port: [])
    monkeypatch.setattr(fetching, "resolve", lambda _host, _port: [])
    monkeypatch.setattr(fetching.check_address, "__kwdefaults__", {"resolver": lambda _host, _port: []})
    usual = outside.fetch.__kwdefaults__
    monkeypatch.setattr(outside.fetch, "__kwdefaults__", {**usual, "resolver": lambda _host, _port: []})


@pytest.fixture(autouse=True)
def the_connection_stays() -> Iterator[None]:
    """As Django's own test client does: the test holds the connection."""
    signals: tuple[Any, ...] = (request_started, request_finished)
    for signal in signals:
        signal.disconnect(close_old_connections)
    yield
    for signal in signals:
        signal.connect(close_old_connections)
