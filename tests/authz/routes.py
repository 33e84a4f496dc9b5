"""Every route of the site with its methods: those of the URL configuration, and those answered before it is asked."""

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import LocalePrefixPattern

from commons import sockets

METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Route:
    """A route: its name with its namespaces, its address as it is written, the room whose view answers."""

    name: str
    path: str
    room: str
    methods: tuple[str, ...]
    view: Callable[..., Any]

    @property
    def by_api(self) -> bool:
        """Whether it speaks JSON, and knows bearer tokens."""
        return self.path.startswith(("/api/", "/ogc/", "/sensorthings/"))

    @property
    def by_git(self) -> bool:
        """Whether git clients ask it."""
        return ".git/" in self.path or ".git/" in self.path.replace("\\", "")


def walk(
    resolver: URLResolver | None = None, before: str = "", spaces: str = ""
) -> Iterator[tuple[str, str, URLPattern]]:
    """Name with namespaces, address, pattern of everything under a resolver."""
    for entry in (resolver or get_resolver()).url_patterns:
        own = "" if isinstance(entry.pattern, LocalePrefixPattern) else str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{spaces}{entry.namespace}:" if entry.namespace else spaces
            yield from walk(entry, before + own, inner)
        else:
            yield f"{spaces}{entry.name or before + own}", before + own.removeprefix("^"), entry


def class_of(view: Callable[..., Any]) -> Any:
    """The class behind a view, or None for a function."""
    return getattr(view, "cls", None) or getattr(view, "view_class", None)


def methods_of(view: Callable[..., Any]) -> tuple[str, ...]:
    """What a view says that it takes; a function that says nothing is asked with GET and POST."""
    if (cls := class_of(view)) is not None:
        return tuple(method for method in METHODS if hasattr(cls, method.lower()))
    inner: Any = view
    while inner is not None:
        said = inspect.getclosurevars(inner).nonlocals.get("request_method_list") if inspect.isfunction(inner) else None
        if said is not None:
            return tuple(method for method in METHODS if method in said)
        inner = getattr(inner, "__wrapped__", None)
    return ("GET", "POST")


def room_of(view: Callable[..., Any]) -> str:
    """The table that a view belongs to: its room, or the noun of the ground floor."""
    module = (class_of(view) or view).__module__
    parts = module.split(".")
    if parts[0] == "allauth":
        return "account"
    if parts[0] == "django" or module.endswith("admin"):
        return "administration" if "admin" in parts else "site"
    return {"commons": parts[1], "livingcity": "site"}.get(parts[0], parts[0])


def all_routes() -> dict[str, Route]:
    """Every route by its name."""
    found: dict[str, Route] = {}
    for name, path, pattern in walk():
        room = "administration" if name.startswith("admin:") or path.startswith("staff/") else room_of(pattern.callback)
        assert name not in found, f"two routes are named {name}: give one of them another name"
        found[name] = Route(name, f"/{path}", room, methods_of(pattern.callback), pattern.callback)
    return found | streams()


def streams() -> dict[str, Route]:
    """The event streams, which livingcity.asgi answers before Django's addresses are looked at."""
    found = {"stream:run": Route("stream:run", "/api/v1/runs/<uuid>/events", "streams", ("GET",), streams)}
    for board in sockets.live_boards:
        name = f"stream:{board.slug}"
        found[name] = Route(name, f"/api/v1/live/{board.slug}/<key>/", "streams", ("GET",), streams)
    return found
