"""What every API view shares: deny by default, scopes, cursor pages."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from rest_framework import pagination, permissions
from rest_framework.request import Request

if TYPE_CHECKING:  # rest_framework.views reads the settings that name this module
    from rest_framework.views import APIView

SAFE = frozenset({"GET", "HEAD", "OPTIONS"})


class DenyAll(permissions.BasePermission):
    """The default: a view that does not say who may call it, nobody may call."""

    def has_permission(self, request: Request, view: "APIView") -> bool:
        return False


class ScopePermission(permissions.BasePermission):
    """A signed-in person, or a token with the scope. Use `requires(...)` to make one."""

    read_scope: ClassVar[str | None] = None
    write_scope: ClassVar[str | None] = None
    anonymous_reads: ClassVar[bool] = False

    def has_permission(self, request: Request, view: "APIView") -> bool:
        reading = request.method in SAFE
        if reading and self.anonymous_reads:
            return True
        if not (request.user and request.user.is_authenticated):
            return False
        token = request.auth
        scope = self.read_scope if reading else self.write_scope
        return token is None or scope is None or has_scope(token, scope)


def has_scope(token: Any, scope: str) -> bool:
    """Whether the token carries the scope; a write scope includes its read scope, `admin` is its own."""
    held: Sequence[str] = getattr(token, "scopes", ())
    room, _, verb = scope.partition(":")
    return scope in held or (verb == "read" and any(h.startswith(f"{room}:") for h in held))


def requires(
    *, read: str | None = None, write: str | None = None, anonymous_reads: bool = False
) -> tuple[type[permissions.BasePermission]]:
    """`permission_classes = requires(write="designs:write", anonymous_reads=True)`."""
    attributes = {"read_scope": read, "write_scope": write, "anonymous_reads": anonymous_reads}
    return (type("ScopePermission", (ScopePermission,), attributes),)


class CursorPagination(pagination.CursorPagination):
    """{"next", "previous", "results"}, newest first by primary key; a view may set its own `ordering`."""

    ordering = "-pk"
    page_size = 50
    max_page_size = 200
    page_size_query_param = "limit"
