"""Refusals about people, names and tokens."""

from django.utils.translation import gettext_lazy as _

from commons.errors import CityError, Conflict


class HandleTaken(Conflict):
    """One namespace for people and organisations."""

    code = "people:handle-taken"
    title = _("This name is taken")


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
