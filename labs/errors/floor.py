"""Refusals on the floor: faults, the log, labels, kiosks."""

from django.utils.translation import gettext_lazy as _

from commons.errors import CityError, Conflict, NotAllowed, NotFound


class UnknownFault(NotFound):
    """No fault of that id, or one of a lab that is not the caller's."""

    code = "fault:unknown"
    title = _("There is no such fault")


class BadFault(CityError):
    """A report without words, or of no known severity."""

    code = "fault:bad"
    status = 422
    title = _("This report cannot be taken")


class TooManyFaults(CityError):
    """One person reports more in a day than anybody finds."""

    code = "fault:too-many"
    status = 429
    title = _("Too many reports")


class ClosedFault(Conflict):
    """The fault is closed already."""

    code = "fault:closed"
    title = _("This fault is closed")


class BadEntry(CityError):
    """A line of the log without words, or of a time to come."""

    code = "log:bad"
    status = 422
    title = _("This cannot be written down")


class UnknownLabel(NotFound):
    """No machine carries this label (any more)."""

    code = "label:unknown"
    title = _("No machine carries this label")


class NotAKiosk(NotFound):
    """This device is no kiosk of the lab."""

    code = "kiosk:not-paired"
    title = _("This device is no kiosk of the lab")


class BadPass(CityError):
    """A PIN or a badge number that cannot be kept."""

    code = "kiosk:bad-pass"
    status = 422
    title = _("This cannot be kept")


class PassRefused(NotAllowed):
    """Nobody with this badge, or not this PIN."""

    code = "kiosk:refused"
    title = _("That did not open")


class PassLocked(CityError):
    """Too many wrong tries; `until` says when to try again."""

    code = "kiosk:locked"
    status = 429
    title = _("Too many wrong tries")
