"""Refusals about calendar feeds."""

from django.utils.translation import gettext_lazy as _

from commons.errors import NotFound


class UnknownFeed(NotFound):
    """No calendar behind this key; a renewed or removed key opens nothing."""

    code = "calendar:unknown"
    title = _("There is no such calendar")
