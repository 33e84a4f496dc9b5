"""Refusals about steering machines."""

from django.utils.translation import gettext_lazy as _

from commons.errors import Conflict, NotFound


class NoCommand(Conflict):
    """The machine cannot be asked for this now; `why` says for which reason."""

    code = "command:not-now"
    title = _("The machine cannot be asked for this now")


class UnknownFile(NotFound):
    """No released file of that SHA-256 that this machine takes."""

    code = "command:unknown-file"
    title = _("There is no such file to send")
