"""Refusals about devices and what they report."""

from django.utils.translation import gettext_lazy as _

from commons.errors import BadInput, CityError, Conflict, NotFound


class DeviceNotFound(NotFound):
    """No such device, or not yours to see."""

    code = "device:not-found"


class DeviceRevoked(CityError):
    """Its token no longer opens anything."""

    code = "device:revoked"
    status = 401
    title = _("This device was revoked")


class CodeNotGood(CityError):
    """An enrolment code that is wrong, used or too old; which of them is not told."""

    code = "device:code-not-good"
    status = 403
    title = _("This code lets no device in")


class Unreadable(BadInput):
    """The body as a whole is not readings; nothing of it was kept."""

    code = "device:unreadable"


class TooManyReadings(CityError):
    """A batch longer than one transaction should be."""

    code = "device:too-many-readings"
    status = 413
    title = _("Too many readings at once")


class TooManyGaps(CityError):
    """A stream with so many holes that its seqs cannot have been counted up."""

    code = "device:too-many-gaps"
    status = 409
    title = _("These sequence numbers leave too many gaps")


class IngestAway(CityError):
    """What a device says cannot be stored now; waiting helps."""

    code = "device:ingest-away"
    status = 503
    retry_after_s = 2
    title = _("Readings cannot be taken in just now")


class IngestBroken(CityError):
    """A fault of ours, written to the log, with a body that cannot be stored."""

    code = "device:ingest-broken"
    status = 500
    title = _("This could not be stored")


class NobodyTakesJobs(NotFound):
    """Job events came to a city whose rooms take none."""

    code = "device:no-jobs-here"


class SecondHeartbeat(Conflict):
    """The city has one heartbeat."""

    code = "device:second-heartbeat"
