"""Bearer tokens of people for the API and for git."""

from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework import authentication, exceptions
from rest_framework.request import Request

from commons.people import tokens
from commons.people.errors import DeadToken
from commons.people.models import ApiToken, User


def person_of(secret: str) -> tuple[User, ApiToken] | None:
    """The person and the token of a secret that is alive, or None."""
    if not tokens.looks_right(secret, "lcu"):
        return None
    now = timezone.now()
    token = ApiToken.objects.select_related("user").filter(sha256=tokens.fingerprint(secret)).first()
    if token is None or not token.is_alive(now) or not token.user.is_active:
        return None
    if token.last_used_at is None or (now - token.last_used_at).total_seconds() > 60:
        ApiToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token.user, token


def person_of_living(secret: str) -> tuple[User, ApiToken] | None:
    """The person and the token, or None for what is no token of ours. Raises DeadToken for one that was one."""
    found = person_of(secret)
    if found is None and any(tokens.looks_right(secret, prefix) for prefix in ("lcu", "lcd")):
        raise DeadToken(_("This token is not known, has expired or was revoked."))
    return found


class TokenAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer lcu_…`. Device tokens (`lcd_…`) are for the device endpoints alone."""

    keyword = "Bearer"

    def authenticate(self, request: Request) -> tuple[Any, Any] | None:
        scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        found = person_of(secret.strip())
        if found is None:
            raise exceptions.AuthenticationFailed(_("This token is not known, has expired or was revoked."))
        return found

    def authenticate_header(self, request: Request) -> str:
        return self.keyword
