"""Who asks: a signed-in person, or one with a token, for pages and files as for git."""

import base64
import binascii

from django.http import HttpRequest
from django.utils.translation import gettext as _

from commons.errors import NotAllowed
from commons.people.authentication import person_of_living
from commons.people.models import Scope, User
from commons.web.api import has_scope
from designs.policies import Visitor, known


def of_session(request: HttpRequest) -> User | None:
    """The person that is signed in."""
    user: Visitor = request.user
    return known(user)


def secret_in(request: HttpRequest) -> str | None:
    """The token in a request: as a bearer's, or as the password of Basic (git). None when there is none."""
    scheme, _space, value = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return None
    try:
        name, _colon, password = base64.b64decode(value.strip(), validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return ""
    return password or name


def of_token(request: HttpRequest, scope: Scope) -> tuple[User | None, bool]:
    """(the person of the token in the request, whether a token that works was sent). Raises NotAllowed for a token
    that lacks the scope, DeadToken for one that ran out or was taken back."""
    secret = secret_in(request)
    if secret is None:
        return None, False
    found = person_of_living(secret)
    if found is None:
        return None, False
    user, token = found
    if not has_scope(token, scope):
        raise NotAllowed(_("This token lacks the scope %(scope)s.") % {"scope": scope.value})
    return user, True


def reader(request: HttpRequest) -> User | None:
    """Who reads a page or a file: by session, or by a token with designs:read."""
    return of_session(request) or of_token(request, Scope.DESIGNS_READ)[0]
