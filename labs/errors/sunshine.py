"""Refusals about bookings that follow the sun."""

from django.utils.translation import gettext_lazy as _

from commons.errors import CityError, Conflict, NotFound


class BadWish(CityError):
    """A wish that cannot be read: no room before the deadline, hours that are none, too long."""

    code = "flexible:bad-wish"
    title = _("This cannot be placed")


class NoTimeBefore(Conflict):
    """No time of that length is free and allowed before the deadline; `next_free` is the first after it."""

    code = "flexible:no-time"
    title = _("No time before the deadline")


class FixedAlready(Conflict):
    """The booking does not move any more."""

    code = "flexible:fixed"
    title = _("This booking is fixed")


class UnknownFlexible(NotFound):
    """No such flexible booking, or it is not the caller's."""

    code = "flexible:not-found"
    title = _("There is no such flexible booking")
