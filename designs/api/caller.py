"""Who calls the API."""

from django.utils.translation import gettext as _
from rest_framework.request import Request

from commons.people.models import User
from designs.errors import NotYours


def caller(request: Request) -> User:
    """The person who calls. Raises NotYours for anybody else."""
    if not isinstance(request.user, User):
        raise NotYours(_("Only a person can do this."))
    return request.user
