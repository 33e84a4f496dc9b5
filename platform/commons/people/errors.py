"""Refusals about people, names and tokens."""

from django.utils.translation import gettext_lazy as _

from commons.errors import CityError, Conflict, NotAllowed, NotFound


class HandleTaken(Conflict):
    """One namespace for people and organisations."""

    code = "people:handle-taken"
    title = _("This name is taken")


class EmailTaken(Conflict):
    """One account for an address, where staff or a command makes it."""

    code = "people:email-taken"
    title = _("This e-mail has an account")


class HandleNotAllowed(CityError):
    """Reserved or with characters that an address cannot hold."""

    code = "people:handle-not-allowed"
    status = 422
    title = _("This name cannot be used")


class UnknownScope(CityError):
    """A scope that the contract does not name."""

    code = "people:unknown-scope"
    status = 422
    title = _("There is no such scope")


class UnknownPerson(CityError):
    """No account of that name."""

    code = "people:unknown-person"
    status = 404
    title = _("There is no such account")


class UnknownHandle(NotFound):
    """Neither a person nor an organisation has that name."""

    code = "people:unknown-handle"
    title = _("There is nobody of that name")


class LastOwner(Conflict):
    """An organisation keeps at least one owner."""

    code = "people:last-owner"
    title = _("This is the last owner")


class NotYourOrganisation(NotAllowed):
    """Only owners and managers change an organisation's people."""

    code = "people:not-your-organisation"
    title = _("Only owners and managers may do this")


class BadLink(CityError):
    """Used, too old, or never made."""

    code = "people:bad-link"
    status = 410
    title = _("This link does not work any more")


class UnknownToken(NotFound):
    """No such token, or not yours."""

    code = "people:unknown-token"
    title = _("There is no such token")


class NoScope(CityError):
    """A token that may do nothing."""

    code = "people:no-scope"
    status = 422
    title = _("Choose what the token may do")


class PersonStays(CityError):
    """Something stands in the name of a person who wants to leave, and must be passed on first."""

    code = "people:stays"
    status = 409
    title = _("This person cannot leave yet")


class UnknownRole(CityError):
    """A role that organisations do not have."""

    code = "people:unknown-role"
    status = 422
    title = _("There is no such role")


class DeadToken(CityError):
    """A token of ours that is not known, has run out or was taken back: whoever shows one is told."""

    code = "people:dead-token"
    status = 401
    title = _("This token is not good any more")
