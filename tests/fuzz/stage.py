"""The world of the access tables, with a token for each of three kinds of callers, nobody outside to be asked, and how
an answer is judged.
"""

import json
import os
import re
import secrets
import sys
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from django.core.signals import got_request_exception, request_finished, request_started
from django.db import close_old_connections

from commons.people.models import Scope
from commons.people.services import create_token
from commons.web import outside
from designs.git import fetching
from tests.authz.conftest import world
from tests.authz.routes import Route
from tests.authz.world import World

__all__ = ["world"]

ROOT = Path(__file__).resolve().parents[2]
#: A word of names, to look at a few by hand.
ONLY = os.environ.get("FUZZ_ONLY", "")
#: `2/6` is the second of six parts, for a machine that has no hours in one piece.
PART, PARTS = (int(word) for word in os.environ.get("FUZZ_PART", "1/1").split("/"))
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


@contextmanager
def raised() -> Iterator[list[str]]:
    """What views raised that was nobody's refusal, and where."""
    heard: list[str] = []

    def note(**_more: Any) -> None:
        kind, fault, where = sys.exc_info()
        ours = [frame for frame in traceback.extract_tb(where) if str(ROOT) in frame.filename]
        at = f"{ours[-1].filename}:{ours[-1].lineno}" if ours else "elsewhere"
        heard.append(f"{kind.__name__ if kind else ''}: {str(fault)[:200]} at {at}")

    got_request_exception.connect(note)
    yield heard
    got_request_exception.disconnect(note)


def fault_of(route: Route, status: int, kind: str, body: bytes) -> str:
    """What is wrong with an answer of that status and type: that it is a fault of ours, or a refusal without words."""
    if status >= 500:
        return "a fault of ours"
    if status < 400 or status in {401, 405} or route.by_git:
        return ""
    if "json" in kind:
        try:
            said = json.loads(body)
        except ValueError:
            return f"no JSON: {body[:160]!r}"
        told = isinstance(said, dict) and any(said.get(name) for name in ("detail", "description", "message", "error"))
    else:
        told = len(re.sub(rb"<[^>]*>|\s+", b" ", body).strip()) > 10
    return "" if told else f"no sentence: {body[:160]!r}"
