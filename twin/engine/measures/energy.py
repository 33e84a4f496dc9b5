"""Measures about power and heat: panels, batteries, cars, heat pumps, tariffs, sharing, and when labs work."""

from energy.engine.refusals import gettext_noop
from twin.engine.measures.base import Changes, Field, Given, Measure, Touches, percent

USES = (
    ("home", gettext_noop("homes")),
    ("office", gettext_noop("offices")),
    ("shop", gettext_noop("shops")),
    ("hotel", gettext_noop("hotels")),
    ("school", gettext_noop("schools")),
    ("university", gettext_noop("universities")),
    ("hospital", gettext_noop("hospitals")),
    ("culture", gettext_noop("culture and sport")),
    ("public", gettext_noop("public and religious buildings")),
    ("station", gettext_noop("stations")),
    ("works", gettext_noop("works")),
    ("store", gettext_noop("stores")),
    ("mixed", gettext_noop("use not stated")),
)
"""Groups of use, as `twin.engine.floors` has them."""
SHARING = (
    ("equal", gettext_noop("the same for each")),
    ("proportional", gettext_noop("by what each uses")),
    ("mid-market", gettext_noop("half-way between the prices, hour by hour")),
    ("owen", gettext_noop("at the community’s own price of each hour")),
)
TARIFFS = (
    ("flat", gettext_noop("the same price all day")),
    ("dynamic", gettext_noop("a price for each hour")),
)


def _solar(changes: Changes, given: Given) -> None:
    uses = frozenset(given["uses"]) if given.get("uses") else None
    changes.solar.append((given["share_percent"] / 100, uses))


def _home_battery(changes: Changes, given: Given) -> None:
    changes.home_battery = (given["share_percent"] / 100, given["kwh"], given["kw"])


def _community_battery(changes: Changes, given: Given) -> None:
    kwh, kw = changes.community_battery
    changes.community_battery = (kwh + given["kwh"], kw + given["kw"])


def _electric_cars(changes: Changes, given: Given) -> None:
    changes.cars, changes.v2g = given["share_percent"] / 100, bool(given.get("v2g"))


def _heat_pumps(changes: Changes, given: Given) -> None:
    changes.heat_pumps = given["share_percent"] / 100


def _tariff(changes: Changes, given: Given) -> None:
    changes.tariff = (given["price"], given.get("buy_ct"), given.get("sell_ct"))


def _sharing(changes: Changes, given: Given) -> None:
    changes.sharing = given["rule"]


def _lab_hours(changes: Changes, _given: Given) -> None:
    changes.labs_by_sun = True


_ENERGY: frozenset[Touches] = frozenset({"energy"})
MEASURES = (
    Measure(
        "solar", "energy", gettext_noop("Solar panels"),
        gettext_noop("Panels on this share of the roofs that suit them."),
        (
            percent(gettext_noop("Share of the roofs")),
            Field("uses", "uses", gettext_noop("Only on"), choices=USES, required=False),
        ),
        _ENERGY,
        (
            gettext_noop("Panels that stand on roofs today are not on the map; today counts as without any."),
            gettext_noop("Which roofs get panels is drawn by lot, the same lot for every share."),
        ),
        _solar,
    ),
    Measure(
        "home_battery", "energy", gettext_noop("Batteries in homes"),
        gettext_noop("This share of households has a battery; it charges from spare sun and serves the home first."),
        (
            percent(gettext_noop("Share of households")),
            Field("kwh", "number", gettext_noop("Size"), "kWh", 0.5, 100, 8.0),
            Field("kw", "number", gettext_noop("Power"), "kW", 0.2, 100, 4.0),
        ),
        _ENERGY,
        (gettext_noop("The batteries of a building act as one, behind the building’s one meter."),),
        _home_battery,
    ),
    Measure(
        "community_battery", "energy", gettext_noop("Community battery"),
        gettext_noop("One battery for the district, which charges when the district has power to spare."),
        (
            Field("kwh", "number", gettext_noop("Size"), "kWh", 1, 1_000_000, 1000.0),
            Field("kw", "number", gettext_noop("Power"), "kW", 1, 1_000_000, 500.0),
        ),
        _ENERGY,
        (gettext_noop("The local grid is taken to carry whatever the battery charges and gives."),),
        _community_battery,
    ),
    Measure(
        "electric_cars", "energy", gettext_noop("Electric cars"),
        gettext_noop("This share of the cars of those who live here is electric and charges at home."),
        (
            percent(gettext_noop("Share of cars")),
            Field(
                "v2g", "yesno", gettext_noop("They give power back to the house"), default=False, required=False
            ),
        ),
        _ENERGY,
        (
            gettext_noop("A car for every second home is assumed, 12,000 km a year; it charges when it comes home."),
            gettext_noop(
                "Cars that give power back count as a battery of 10 kWh each, what stands at home on average and is "
                "not needed for the next trip."
            ),
        ),
        _electric_cars,
    ),
    Measure(
        "heat_pumps", "energy", gettext_noop("Heat pumps"),
        gettext_noop("Heat pumps make this share of the heat of each building."),
        (percent(gettext_noop("Share of the heat")),),
        _ENERGY,
        (gettext_noop("Heat follows the outdoor temperature; walls and pipes are taken as they are."),),
        _heat_pumps,
    ),
    Measure(
        "tariff", "energy", gettext_noop("Tariff"),
        gettext_noop("What a kilowatt-hour costs, and what is paid for one that is sent back."),
        (
            Field("price", "choice", gettext_noop("Kind of price"), choices=TARIFFS, default="dynamic"),
            Field("buy_ct", "number", gettext_noop("Price, on average"), "ct/kWh", 0, 200, required=False),
            Field("sell_ct", "number", gettext_noop("Paid for what is sent back"), "ct/kWh", 0, 200, required=False),
        ),
        _ENERGY,
        (
            gettext_noop("A dynamic price follows the hours of the day as exchanges do on average, not a real year."),
            gettext_noop("Only batteries answer to prices; people are not taken to use less or at other times."),
        ),
        _tariff,
    ),
    Measure(
        "sharing_rule", "energy", gettext_noop("Sharing"),
        gettext_noop("The district is one energy community, and this rule says who gets what of the saving."),
        (Field("rule", "choice", gettext_noop("Rule"), choices=SHARING, default="mid-market"),),
        _ENERGY,
        (gettext_noop("Every building takes part; grid fees are the same for shared power as for bought power."),),
        _sharing,
    ),
    Measure(
        "lab_hours", "energy", gettext_noop("Labs work when the sun shines"),
        gettext_noop("The labs move their work to the sunny hours between eight and twenty o’clock."),
        (Field("to", "choice", gettext_noop("To"), choices=(("solar", gettext_noop("solar hours")),),
               default="solar"),),
        _ENERGY,
        (gettext_noop("Only what labs measured in the last year is moved; who wants a machine at night waits."),),
        _lab_hours,
    ),
)  # fmt: skip
