"""Who may see what devices report."""

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import AnonymousUser
from django.db.models import Q, QuerySet

from commons.devices.models import Device
from commons.web.api import has_scope

if TYPE_CHECKING:
    from commons.people.models import User


def readable_by(user: "User | AnonymousUser", token: Any = None) -> QuerySet[Device]:
    """Public devices; for members their organisation's, by token only with `energy:read`; for staff all."""
    public = Device.objects.filter(public=True)
    if not user.is_authenticated or not (token is None or has_scope(token, "energy:read")):
        return public
    if user.is_staff:
        return Device.objects.all()
    return Device.objects.filter(Q(public=True) | Q(organisation__memberships__user=user)).distinct()
