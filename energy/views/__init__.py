"""Pages of the room, by noun."""

from energy.views.bills import bill, bill_csv, bill_pdf, bills, check, make
from energy.views.communities import community, index, sharing, simulate
from energy.views.tariffs import add_prices, add_rules, add_tariff, take_back, tariffs
from energy.views.worth import ask_worth, worth

__all__ = [
    "add_prices",
    "add_rules",
    "add_tariff",
    "ask_worth",
    "bill",
    "bill_csv",
    "bill_pdf",
    "bills",
    "check",
    "community",
    "index",
    "make",
    "sharing",
    "simulate",
    "take_back",
    "tariffs",
    "worth",
]
