"""Refusals of passports."""

from django.utils.translation import gettext_lazy as _

from commons.errors import CityError, Conflict, NotAllowed, NotFound


class UnknownPassport(NotFound):
    """No passport of that number, or one that is not yours to see."""

    code = "passport:unknown"
    title = _("There is no such passport")


class NotHolder(NotAllowed):
    """Only who made the thing, the lab, or who holds it may add to its passport."""

    code = "passport:not-holder"
    title = _("This passport is not yours to add to")


class BadEntry(CityError):
    """An entry that cannot be kept."""

    code = "passport:bad-entry"
    status = 422
    title = _("This cannot be written into a passport")


class BadPassport(CityError):
    """A document that is no passport; `left` lists what could not be taken."""

    code = "passport:bad-document"
    status = 422
    title = _("This is no passport that can be read")


class NotSignedYet(Conflict):
    """The passport says something new that is being signed."""

    code = "passport:not-signed-yet"
    title = _("The passport is being signed")
