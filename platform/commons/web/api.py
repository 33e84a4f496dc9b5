"""What every API view shares: deny by default, scopes, cursor pages."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from rest_framework import exceptions, pagination, permissions, throttling
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
    room, _colon, verb = scope.partition(":")
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

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any] | None:
        """The page at the cursor; a cursor that was not ours is a 404, never a fault."""
        try:
            return super().paginate_queryset(queryset, request, view)
        except (ValueError, TypeError, ValidationError):
            raise exceptions.NotFound(_("This cursor is not one of ours; begin again without it.")) from None


class Throttle(throttling.SimpleRateThrottle):
    """So many calls a minute for a principal; a cache that is away lets calls pass rather than fail them."""

    def principal(self, request: Request) -> str | None:
        """Who is counted, or None for not at all."""
        raise NotImplementedError

    def get_cache_key(self, request: Request, view: Any) -> str | None:
        """The counter of the principal."""
        who = self.principal(request)
        return None if who is None else f"throttle:{self.scope}:{who}"

    def allow_request(self, request: Request, view: Any) -> bool:
        """Count this call."""
        try:
            return super().allow_request(request, view)
        except OSError:
            return True
        except Exception as fault:
            if type(fault).__module__.startswith("redis"):
                return True
            raise


class AnonymousThrottle(Throttle):
    """Callers without an account, by address."""

    scope = "anon"

    def principal(self, request: Request) -> str | None:
        """The address, for those who are not signed in."""
        return None if getattr(request.user, "is_authenticated", False) else self.get_ident(request)


class PrincipalThrottle(Throttle):
    """People and devices, by themselves."""

    scope = "user"

    def principal(self, request: Request) -> str | None:
        """The person or device."""
        user = request.user
        return f"{type(user).__name__}:{user.pk}" if getattr(user, "is_authenticated", False) else None
