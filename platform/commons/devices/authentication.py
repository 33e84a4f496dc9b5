"""Device tokens for the device endpoints; nothing else takes them."""

from django.contrib.auth.models import AnonymousUser
from django.utils.translation import gettext as _
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework import authentication, exceptions, permissions
from rest_framework.request import Request
from rest_framework.views import APIView

from commons.devices.models import Device
from commons.people import tokens


def device_of(secret: str) -> Device | None:
    """The active device whose token this is; one query, so that a revoked token is dead at once."""
    if not tokens.looks_right(secret, "lcd"):
        return None
    return Device.objects.filter(token_sha256=tokens.fingerprint(secret), revoked_at=None).first()


class DeviceAuthentication(authentication.BaseAuthentication):
    """`Authorization: Bearer lcd_…`: `request.auth` is the Device, `request.user` nobody."""

    def authenticate(self, request: Request) -> tuple[AnonymousUser, Device] | None:
        scheme, _space, secret = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            return None
        device = device_of(secret.strip())
        if device is None:
            raise exceptions.AuthenticationFailed(_("This device token is not known or was revoked."))
        return AnonymousUser(), device

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class IsDevice(permissions.BasePermission):
    """Only a device that showed its token."""

    def has_permission(self, request: Request, view: APIView) -> bool:
        return isinstance(request.auth, Device)


class DeviceTokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """How the OpenAPI document names it."""

    target_class = DeviceAuthentication
    name = "deviceToken"

    def get_security_definition(self, auto_schema: object) -> dict[str, str]:
        """A bearer token of its own kind."""
        return {"type": "http", "scheme": "bearer", "bearerFormat": "lcd_…"}
