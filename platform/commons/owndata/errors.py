"""Refusals about one's own data."""

from typing import ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from commons.errors import CityError, NotFound


class NoExport(NotFound):
    """There is no such export, it is somebody else's, or its time is over."""

    code = "owndata:no-export"
    title: ClassVar[str | Promise] = _("There is no such file")


class NotProven(CityError):
    """Whoever closes an account proves once more that it is theirs."""

    code = "owndata:not-proven"
    status = 403
    title: ClassVar[str | Promise] = _("Not closed")
