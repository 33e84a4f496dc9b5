"""What the room's API views share: the caller, and the design that a caller names."""

import datetime as dt
from typing import TYPE_CHECKING

from django.apps import apps
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from rest_framework.request import Request

from commons.errors import BadInput
from commons.people.models import User
from commons.web.api import has_scope
from labs.errors import UnknownDesign

if TYPE_CHECKING:
    from designs.models import Design


def caller(request: Request) -> User | None:
    """The signed-in person, or None."""
    return request.user if isinstance(request.user, User) else None


def reader(request: Request, *scopes: str) -> User | None:
    """The signed-in person; of a token only where it carries all these scopes. Else it reads as a stranger does."""
    if request.auth is not None and not all(has_scope(request.auth, scope) for scope in scopes):
        return None
    return caller(request)


def design_named(name: str, viewer: User | None) -> "Design":
    """The design "owner/slug" that this person may see. Raises UnknownDesign."""
    owner, _slash, slug = name.strip().strip("/").partition("/")
    found = None
    if owner and slug and apps.is_installed("designs"):
        from designs.queries import visible_to  # noqa: PLC0415 the room may be left out

        found = visible_to(viewer).filter(owner__name=owner.lower(), slug=slug.lower()).first()
    if found is None:
        raise UnknownDesign(
            _("There is no design “%(name)s”, or it is not yours to see; write it as owner/name.") % {"name": name}
        )
    return found


def moment(request: Request, name: str, default: dt.datetime) -> dt.datetime:
    """A time of the query, ISO 8601 with its zone, within two centuries. Raises BadInput."""
    text = request.query_params.get(name)
    if not text:
        return default
    try:
        # an unescaped + of an offset arrives as a space
        found = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        words = {"name": name, "text": text}
        raise BadInput(_("“%(name)s” is “%(text)s”; write a time such as 2026-06-18T13:50:00Z.") % words)
    if not 2000 <= found.year <= 2200:
        raise BadInput(_("“%(name)s” lies too far away.") % {"name": name})
    return found
