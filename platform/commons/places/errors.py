"""Refusals about places."""

from django.utils.translation import gettext_lazy as _

from commons.errors import BadInput, Conflict, NotFound


class UnknownPlace(NotFound):
    """No city or neighbourhood of that name."""

    code = "place:unknown"
    title = _("There is no such place")


class BadTimeZone(BadInput):
    """Not a name of the IANA time zone database."""

    code = "place:bad-time-zone"
    status = 422
    title = _("There is no such time zone")


class BadOutline(BadInput):
    """Not a GeoJSON polygon in degrees."""

    code = "place:bad-outline"
    status = 422
    title = _("This outline cannot be read")


class OtherKind(Conflict):
    """The name belongs to a place of the other kind."""

    code = "place:other-kind"
    title = _("This name is another place's")
