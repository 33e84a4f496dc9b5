"""The gate at sign-in: whose tries are counted together, and what who tried too often is told.

Tries are counted for an account from a network (django-axes), so an owner elsewhere is not shut out, and for a network
whatever the account (allauth). Known and unknown accounts are counted and answered alike.
"""

import ipaddress
from typing import Any, ClassVar

from allauth.account.auth_backends import AuthenticationBackend
from allauth.account.models import EmailAddress
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.errors import CityError
from commons.people.models import User
from commons.web.addresses import client_ip
from commons.web.problems import answer

HOUR_S = 3600


class TooManyTries(CityError):
    """Wrong passwords came too often from here for this account."""

    code = "people:too-many-tries"
    status = 429
    retry_after_s: ClassVar[int | None] = HOUR_S
    title: ClassVar[str | Promise] = gettext_lazy("Too many tries")


class OncePerName(AuthenticationBackend):  # type: ignore[misc]
    """allauth's way to sign in, which would try the password of a known e-mail once more than of an unknown one: as
    an e-mail and as a name. Who counts the milliseconds would know who has an account."""

    def _authenticate(self, request: HttpRequest | None, **credentials: Any) -> Any:
        if credentials.get("email"):
            credentials.pop("username", None)
        return super()._authenticate(request, **credentials)


def network(request: HttpRequest) -> str:
    """The caller's address; of IPv6 the /64, for a household has as many addresses there as it likes."""
    try:
        address = ipaddress.ip_address(client_ip(request))
    except ValueError:
        return "0.0.0.0"  # noqa: S104 all callers without an address are one
    if isinstance(address, ipaddress.IPv6Address):
        if address.ipv4_mapped:
            return str(address.ipv4_mapped)
        return str(ipaddress.IPv6Network((address, 64), strict=False).network_address)
    return str(address)


def account_of(request: HttpRequest, credentials: dict[str, Any] | None = None) -> str:
    """The account that is tried, the same by its name and by its e-mail; for an unknown one what was typed."""
    said = credentials or {}
    typed = said.get("username") or said.get("email") or said.get("login") or request.POST.get("login") or ""
    name = str(typed).strip().lower()[:150]
    if "@" not in name:
        return name
    owner = (
        EmailAddress.objects.filter(email=name).order_by("-verified", "pk").values_list("user__username", flat=True)
    )
    return owner.first() or User.objects.filter(email=name).values_list("username", flat=True).first() or name


def locked_out(request: HttpRequest, _response: HttpResponse | None, _credentials: Any = None) -> HttpResponse:
    """The answer to who tried too often: the same whether the account is there or not."""
    hours = settings.AXES_COOLOFF_TIME
    sentence = _(
        "Wrong passwords came too often from this network for this account. Try again in an hour, from elsewhere, or "
        "set a new password by e-mail."
    )
    return answer(request, TooManyTries(sentence, hours=hours))
