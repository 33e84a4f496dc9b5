"""Refusals about bookings: their states, several at once, the waitlist."""

from django.utils.translation import gettext_lazy as _

from commons.errors import CityError, Conflict, NotFound


class TooEarly(Conflict):
    """Nobody can check in yet; `from` says when."""

    code = "booking:too-early"
    title = _("It is too early to check in")


class HasBegun(Conflict):
    """The booking is in use, so it is ended and not cancelled."""

    code = "booking:has-begun"
    title = _("This booking has begun")


class NotMissed(Conflict):
    """Nobody is to be excused here."""

    code = "booking:not-missed"
    title = _("This cannot be excused")


class InNameOfLeaver(Conflict):
    """Somebody leaves in whose name machines are closed, and nobody else runs their lab."""

    code = "booking:in-name-of-leaver"
    title = _("This person cannot leave yet")


class NotRequested(Conflict):
    """The booking waits for no decision."""

    code = "booking:not-requested"
    title = _("This booking waits for no decision")


class NotOffered(Conflict):
    """The time is not on offer (any more)."""

    code = "booking:not-offered"
    title = _("This time is no longer on offer")


class MovedMeanwhile(Conflict):
    """Somebody else has just changed the booking."""

    code = "booking:moved-meanwhile"
    title = _("This booking has just changed")


class BadTogether(CityError):
    """Machines that cannot be booked in one step."""

    code = "booking:bad-together"
    status = 422
    title = _("These machines cannot be booked together")


class BadRepeat(CityError):
    """A rule of repetition that cannot be read, or that gives nothing, or too much."""

    code = "booking:bad-repeat"
    status = 422
    title = _("This cannot be repeated so")


class SeriesClash(Conflict):
    """Some times of a series cannot be had; `clashes` lists each with its reason, `fits` counts the others."""

    code = "booking:series-clash"
    title = _("Some of these times cannot be had")


class ClosureClash(Conflict):
    """Bookings stand in the time that shall be closed; `bookings` lists them."""

    code = "booking:closure-clash"
    title = _("Bookings stand in this time")


class UnknownEntry(NotFound):
    """No place on a waitlist, or somebody else's."""

    code = "waitlist:unknown"
    title = _("There is no such place on a waitlist")


class FreeAlready(Conflict):
    """Nobody needs to wait: `next_free` fits and is free."""

    code = "waitlist:free"
    title = _("This time is free")


class BadWait(CityError):
    """A wish that no machine could fulfil."""

    code = "waitlist:bad"
    status = 422
    title = _("This cannot be waited for")


class WaitsAlready(Conflict):
    """The person waits for the same already."""

    code = "waitlist:twice"
    title = _("You wait for this already")
