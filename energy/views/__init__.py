"""Pages of the room, by noun."""

from energy.views.bills import bill, bill_csv, bill_pdf, bills, check, make
from energy.views.choices import tariff_of
from energy.views.communities import community, index, live, sharing, simulate
from energy.views.forecasts import forecast
from energy.views.getting_in import found, homes, join, setup
from energy.views.grids import check_grid, connect, grid
from energy.views.meter_files import bring, meter_file
from energy.views.mine import mine, mine_csv
from energy.views.participants import letter, members, participant
from energy.views.simulations import again, simulations
from energy.views.tariffs import add_prices, add_rules, add_tariff, take_back, tariffs
from energy.views.worth import ask_worth, worth
from energy.views.year import year, year_csv

__all__ = [
    "add_prices",
    "add_rules",
    "add_tariff",
    "again",
    "ask_worth",
    "bill",
    "bill_csv",
    "bill_pdf",
    "bills",
    "bring",
    "check",
    "check_grid",
    "community",
    "connect",
    "forecast",
    "found",
    "grid",
    "homes",
    "index",
    "join",
    "letter",
    "live",
    "make",
    "members",
    "meter_file",
    "mine",
    "mine_csv",
    "participant",
    "setup",
    "sharing",
    "simulate",
    "simulations",
    "take_back",
    "tariff_of",
    "tariffs",
    "worth",
    "year",
    "year_csv",
]
