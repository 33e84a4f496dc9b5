"""Measures about streets and who drives on them."""

from energy.engine.refusals import gettext_noop
from twin.engine.measures.base import Calmed, Changes, Field, Given, Measure, NewStreet, Touches

CALM = (
    ("30", gettext_noop("30 km/h")),
    ("bus_lane", gettext_noop("a lane for buses")),
    ("bicycle_street", gettext_noop("a bicycle street")),
)
MODES = (
    ("walk", gettext_noop("on foot")),
    ("bicycle", gettext_noop("by bicycle")),
    ("transit", gettext_noop("by bus, tram and train")),
)
BICYCLE_STREET_KMH = 20.0
"""What cars do behind bicycles: our assumption. They are guests there, and half the capacity is left to them."""


def _close(changes: Changes, given: Given) -> None:
    changes.closed.append(given["street"])


def _calm(changes: Changes, given: Given) -> None:
    calmed = {
        "30": Calmed(30.0),
        "bus_lane": Calmed(1e3, lane=True),
        "bicycle_street": Calmed(BICYCLE_STREET_KMH, 0.5, bicycle=True),
    }[given["to"]]
    changes.calmed.append((given["street"], calmed))


def _new(changes: Changes, given: Given) -> None:
    start, end = given["from"], given["to"]
    changes.streets.append(NewStreet((start[0], start[1]), (end[0], end[1]), bool(given.get("bridge"))))


def _shift(changes: Changes, given: Given) -> None:
    changes.shifts.append((given["to"], given["percent"] / 100))


_TRAFFIC: frozenset[Touches] = frozenset({"traffic"})
_STAYS = gettext_noop("Who drives keeps driving the same trips: nobody gives up a trip because it takes longer.")
MEASURES = (
    Measure(
        "close_street", "streets", gettext_noop("Close a street to cars"),
        gettext_noop("Nobody drives on this street; people walk and cycle on it as before."),
        (Field("street", "street", gettext_noop("Street")),),
        _TRAFFIC,
        (_STAYS,),
        _close,
    ),
    Measure(
        "calm_street", "streets", gettext_noop("Calm a street"),
        gettext_noop("Cars are slower on this street, or have less of it."),
        (
            Field("street", "street", gettext_noop("Street")),
            Field("to", "choice", gettext_noop("To"), choices=CALM, default="30"),
        ),
        _TRAFFIC,
        (
            _STAYS,
            gettext_noop(
                "A bus lane takes one lane, or half of a street that has but one; that buses come sooner is not "
                "reckoned."
            ),
        ),
        _calm,
    ),
    Measure(
        "new_street", "streets", gettext_noop("New street or bridge"),
        gettext_noop("A street of two lanes at 30 km/h joins the crossings nearest to two places."),
        (
            Field("from", "place", gettext_noop("From")),
            Field("to", "place", gettext_noop("To")),
            Field("bridge", "yesno", gettext_noop("A bridge"), default=False, required=False),
        ),
        frozenset({"traffic", "access"}),
        (gettext_noop("It runs straight; whether there is room is not looked at. A bridge may cross anything."),),
        _new,
    ),
    Measure(
        "shift_trips", "streets", gettext_noop("Fewer trips by car"),
        gettext_noop("This share of the car trips that begin or end here is made another way."),
        (
            Field("to", "choice", gettext_noop("How instead"), choices=MODES, default="bicycle"),
            Field("percent", "number", gettext_noop("Share of the trips"), "%", 0, 100, 10.0),
        ),
        _TRAFFIC,
        (
            gettext_noop("What makes people change is not modelled: the share is what you say."),
            gettext_noop("On foot only trips that stay within the district are shifted; who passes through stays."),
        ),
        _shift,
    ),
)  # fmt: skip
