"""Refusals about interlocks and maintenance."""

from django.utils.translation import gettext_lazy as _

from commons.errors import CityError, Conflict, NotFound


class BadInterlock(CityError):
    """An interlock that cannot be set up so."""

    code = "interlock:bad"
    status = 422
    title = _("This interlock cannot be set up so")


class UnknownInterlock(NotFound):
    """The machine has none, or it is not the caller's."""

    code = "interlock:unknown"
    title = _("There is no such interlock")


class NoPower(Conflict):
    """Power cannot be asked for now; `why` says for which reason."""

    code = "interlock:no-power"
    title = _("There is no power for this booking")


class UnknownMending(NotFound):
    """Nobody lent this power, or it is not the caller's."""

    code = "interlock:unknown-mending"
    title = _("There is no such page")


class BadPlan(CityError):
    """A maintenance plan that cannot be."""

    code = "maintenance:bad-plan"
    status = 422
    title = _("This plan cannot be taken")


class UnknownPlan(NotFound):
    """No plan of that number, or not in this lab."""

    code = "maintenance:unknown-plan"
    title = _("There is no such plan")
