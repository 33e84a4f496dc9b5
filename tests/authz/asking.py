"""Asking as a role, and what was heard."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any
from urllib.parse import quote

from django.utils.html import escape

from commons.errors import CityError
from tests.authz.before import prepare
from tests.authz.requests import Ask, address, filled
from tests.authz.roles import BY_TOKEN
from tests.authz.routes import Route
from tests.authz.world import World, written

#: Where people sign in, and where the administration asks staff to.
LOGINS = ("/account/login/", "/staff/login/")


@dataclass(frozen=True)
class Heard:
    """An answer: its status as the tables write it, where it sends to, its body, the tables that were written, its
    headers, the address that was asked, and how many seconds the answer took.
    """

    status: str
    location: str
    body: bytes
    wrote: frozenset[str] = frozenset()
    headers: tuple[tuple[str, str], ...] = ()
    path: str = ""
    took: float = 0.0

    @property
    def let_in(self) -> bool:
        """Whether it was done, or shown."""
        return self.status[0] in "23"


def ask(
    world: World,
    route: Route,
    method: str,
    said: Ask,
    role: str,
    *,
    missing: str = "",
    begins: Callable[[], None] = lambda: None,
) -> Heard:
    """Bring about what the request needs, ask, and take back what that did; `begins` is called between."""
    with world.undone():
        world.names["me"] = str(getattr(world.people.get(role), "username", ""))
        prepare(world, method, route.name, said.variant)
        begins()
        path = address(route, said, world, missing)
        if route.room == "streams":
            return _stream(world, route, path, role)
        credentials = _headers(world, route, role)
        client = world.client("anonymous" if role in BY_TOKEN else role)
        more = _sent(route, method, filled(said.body, world))
        with written() as tables:
            began = time.perf_counter()
            send = getattr(client, method.lower(), partial(client.generic, method))
            response = send(path, headers=credentials, **more)
            body = b"".join(response.streaming_content) if response.streaming else response.content
            took = time.perf_counter() - began
    location = response.headers.get("Location", "")
    sent_to_sign_in = response.status_code == 302 and any(page in location for page in LOGINS)
    status = "login" if sent_to_sign_in else str(response.status_code)
    headers = tuple(sorted(response.headers.items()))
    return Heard(status, location, body, frozenset(tables), headers, path, took)


def _headers(world: World, route: Route, role: str) -> dict[str, str]:
    secret = world.tokens.get(role) or (world.git.get(role) if route.by_git else None)
    return {"Authorization": f"Bearer {secret}"} if secret else {}


def _sent(route: Route, method: str, body: Any) -> dict[str, Any]:
    if method in {"GET", "HEAD", "TRACE", "DELETE"} and body is None:
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


NAMES = re.compile(rb"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-f]{32,64}|[0-9]+")
#: What differs from one answer to the next by itself: tokens of forms, nonces, what is told once.
PASSING = re.compile(
    rb"name=\"csrfmiddlewaretoken\" value=\"[^\"]*\"|\"X-CSRFToken\": \"[^\"]*\"| nonce=\"[^\"]*\"|'nonce-[^']*'|"
    rb"<div class=\"toast [^\"]*\">.*?</button></div>",
    re.DOTALL,
)
OWN_HEADERS = frozenset({"Content-Length", "Set-Cookie", "X-Request-Id"})


def words(heard: Heard) -> tuple[str, tuple[tuple[str, bytes], ...], bytes]:
    """What an answer says and how, without the names and numbers that were asked for."""
    told = ((name, value) for name, value in heard.headers if name not in OWN_HEADERS)
    headers = tuple((name, _nameless(value.encode(), heard)) for name, value in told)
    return heard.status, headers, _nameless(heard.body, heard)


def _nameless(text: bytes, heard: Heard) -> bytes:
    text = PASSING.sub(b"~", text)
    for form in (heard.path, quote(heard.path, safe=""), quote(heard.path), escape(heard.path)):
        text = text.replace(form.encode(), b"~")
    return NAMES.sub(b"~", text)
