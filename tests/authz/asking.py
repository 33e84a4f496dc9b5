"""Asking as a role, and what was heard."""

import json
import re
from dataclasses import dataclass
from typing import Any

from commons.errors import CityError
from tests.authz.requests import Ask, address, filled
from tests.authz.roles import BY_TOKEN
from tests.authz.routes import Route
from tests.authz.world import World, written

LOGIN = "/account/login/"


@dataclass(frozen=True)
class Heard:
    """An answer: its status as the tables write it, its address, its body, and the tables that were written."""

    status: str
    location: str
    body: bytes
    wrote: frozenset[str] = frozenset()

    @property
    def let_in(self) -> bool:
        """Whether it was done, or shown."""
        return self.status[0] in "23"


def ask(world: World, route: Route, method: str, said: Ask, role: str, *, missing: str = "") -> Heard:
    """Ask, and take back what that did."""
    path = address(route, said, world, missing)
    if route.room == "streams":
        return _stream(world, route, path, role)
    headers = _headers(world, route, role)
    client = world.client("anonymous" if role in BY_TOKEN else role)
    more = _sent(route, method, filled(said.body, world))
    with world.undone(), written() as tables:
        response = getattr(client, method.lower())(path, headers=headers, **more)
        body = b"".join(response.streaming_content) if response.streaming else response.content
    location = response.headers.get("Location", "")
    status = "login" if LOGIN in location and response.status_code == 302 else str(response.status_code)
    return Heard(status, location, body, frozenset(tables))


def _headers(world: World, route: Route, role: str) -> dict[str, str]:
    secret = world.tokens.get(role) or (world.git.get(role) if route.by_git else None)
    return {"Authorization": f"Bearer {secret}"} if secret else {}


def _sent(route: Route, method: str, body: Any) -> dict[str, Any]:
    if method in {"GET", "DELETE"} and body is None:
        return {}
    if isinstance(body, bytes):
        return {"data": body, "content_type": "application/octet-stream"}
    as_json = (route.by_api or route.by_git) and not _has_file(body)
    if as_json:
        return {"data": json.dumps({} if body is None else body), "content_type": "application/json"}
    return {"data": body or {}} if method == "POST" else {}


def _has_file(body: Any) -> bool:
    return isinstance(body, dict) and any(hasattr(value, "read") for value in body.values())


def _stream(world: World, route: Route, path: str, role: str) -> Heard:
    """A stream is open until somebody leaves; so what decides about it is asked, not the stream."""
    from uuid import UUID

    from commons.devices import live
    from commons.runs import events

    headers = {key.lower(): value for key, value in _headers(world, route, role).items()}
    if cookies := world.cookies.get(role if role not in BY_TOKEN else "anonymous"):
        headers["cookie"] = "; ".join(f"{name}={value}" for name, value in cookies.items())
    try:
        if found := events.PATH.match(path):
            state = events._state(UUID(found[1]), events.Reader(headers, "en"))
            return Heard("404" if state is None else "200", "", b"")
        found = live.PATH.match(path)
        assert found is not None, path
        live._found(live.Name(found[1], found[2], "en"), headers)
    except CityError as refusal:
        return Heard(str(refusal.problem()["status"]), "", b"")
    return Heard("200", "", b"")


NAMES = re.compile(rb"/api/[^\"?]*|[0-9a-f]{8}-[0-9a-f-]{27}|[0-9]+")


def words(heard: Heard) -> tuple[str, bytes]:
    """What the API says, without the names and numbers that were asked for."""
    return heard.status, NAMES.sub(b"~", heard.body)
