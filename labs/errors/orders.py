"""Refusals of orders."""

from django.utils.translation import gettext_lazy as _

from commons.errors import CityError, Conflict, NotAllowed, NotFound


class UnknownOrder(NotFound):
    """No order, or one between others."""

    code = "orders:unknown"
    title = _("There is no such order")


class NotOrderable(CityError):
    """The design has no such release, the lab takes no orders, or the wishes do not go together."""

    code = "orders:not-orderable"
    status = 422
    title = _("This cannot be ordered")


class WrongStep(Conflict):
    """The order is not where that step begins."""

    code = "orders:wrong-step"
    title = _("The order is past that")


class NotYourStep(NotAllowed):
    """The other side takes that step."""

    code = "orders:not-your-step"
    title = _("This is for the other side to do")
