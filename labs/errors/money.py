"""Refusals about points and money."""

from django.utils.translation import gettext_lazy as _

from commons.errors import CityError, Conflict, NotFound


class NoFunds(CityError):
    """The wallet does not hold what this costs; `price` and `funds` say how much."""

    code = "booking:no-funds"
    status = 402
    title = _("Your wallet does not hold enough")


class BadAmount(CityError):
    """An amount, a price or a setting that cannot be."""

    code = "labs:bad-amount"
    status = 422
    title = _("This amount cannot be taken")


class NoMoneyHere(Conflict):
    """The lab asks for nothing, or for points only."""

    code = "labs:no-money"
    title = _("This lab keeps no money")


class NothingToInvoice(Conflict):
    """Every posting of the person stands on an invoice already."""

    code = "labs:nothing-to-invoice"
    title = _("There is nothing to invoice")


class UnknownWallet(NotFound):
    """No wallet, or somebody else's."""

    code = "labs:unknown-wallet"
    title = _("There is no such wallet")


class UnknownInvoice(NotFound):
    """No invoice of that number, or somebody else's."""

    code = "labs:unknown-invoice"
    title = _("There is no such invoice")
