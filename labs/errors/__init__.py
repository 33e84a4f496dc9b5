"""Refusals of the room."""

from django.utils.translation import gettext_lazy as _

from commons.errors import BadInput, CityError, Conflict, NotAllowed, NotFound


class UnknownLab(NotFound):
    """No lab of that name."""

    code = "labs:unknown-lab"
    title = _("There is no such lab")


class UnknownMachine(NotFound):
    """No machine of that name or number."""

    code = "labs:unknown-machine"
    title = _("There is no such machine")


class UnknownBooking(NotFound):
    """No booking, or somebody else's."""

    code = "booking:unknown"
    title = _("There is no such booking")


class UnknownJob(NotFound):
    """No job of that id."""

    code = "labs:unknown-job"
    title = _("There is no such job")


class UnknownDesign(NotFound):
    """No design of that name, or one that the caller may not see."""

    code = "booking:unknown-design"
    title = _("There is no such design")


class Overlap(Conflict):
    """The machine is taken at that time; `next_free` is the next time when it is not."""

    code = "booking:overlap"
    title = _("The machine is taken at that time")


class OutOfService(Conflict):
    """The machine is in repair."""

    code = "booking:out-of-service"
    title = _("The machine is in repair")


class NotQualified(NotAllowed):
    """The machine asks for a badge that the person does not have; `missing` names it."""

    code = "booking:not-qualified"
    title = _("This machine asks for a badge")


class TooMany(NotAllowed):
    """More open bookings than the lab allows one person."""

    code = "booking:too-many"
    title = _("Too many open bookings")


class BadTime(CityError):
    """The time is past, upside down, too long, too far away, or the lab is closed."""

    code = "booking:bad-time"
    status = 422
    title = _("This time cannot be booked")


class OverAlready(Conflict):
    """The booking has ended or was cancelled, so it cannot change."""

    code = "booking:over"
    title = _("This booking is over")


class BadHours(CityError):
    """Opening hours that cannot be read."""

    code = "labs:bad-hours"
    status = 422
    title = _("These opening hours cannot be read")


class BadMachine(CityError):
    """Facts of a machine that do not go together."""

    code = "labs:bad-machine"
    status = 422
    title = _("This machine cannot be added")


class BadBadge(CityError):
    """A badge that cannot be given."""

    code = "labs:bad-badge"
    status = 422
    title = _("This badge cannot be given")


class BadJobEvent(BadInput):
    """A job message that cannot be read."""

    code = "job:bad-event"
    title = _("This message cannot be read")


class NotALabDevice(NotAllowed):
    """A device that belongs to no machine cannot report jobs."""

    code = "job:no-machine"
    title = _("This device belongs to no machine")
