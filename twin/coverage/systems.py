"""The 16 systems of a city and the ladder of levels (how we measure: /measure/coverage/)."""

import datetime as dt
from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _


@dataclass(frozen=True, slots=True)
class System:
    """A city system; `wanted` says what would supply it while nothing does."""

    slug: str
    title: str | Promise
    wanted: str | Promise


SYSTEMS: tuple[System, ...] = (
    System("buildings", _("Buildings"), _("Import a map extract or a 3D city model.")),
    System("streets", _("Streets and traffic"), _("Import a map extract with streets.")),
    System("walking", _("Walking and reach"), _("Import streets, buildings and services together.")),
    System("transit", _("Public transport"), _("Import stops; a timetable (GTFS) makes it live.")),
    System("electricity", _("Electricity"), _("Connect meters, or import a community’s load and prices.")),
    System("heat", _("Heat"), _("Import heat demand or district heating readings.")),
    System("solar", _("Solar and storage"), _("Import a community’s panels and batteries, or connect inverters.")),
    System("water", _("Drinking and waste water"), _("Import the network or connect water meters.")),
    System("waste", _("Waste"), _("Import collection points and amounts.")),
    System("air", _("Air"), _("Connect air sensors.")),
    System("noise", _("Noise"), _("Connect noise sensors or import a noise map.")),
    System("green", _("Green and heat islands"), _("Import parks and trees.")),
    System("flood", _("Flood"), _("Import a terrain model and flood maps.")),
    System("services", _("Public services"), _("Import schools, libraries, clinics and the like.")),
    System("production", _("Production and labs"), _("Open a lab and connect its machines.")),
    System("population", _("Population"), _("Import a population grid.")),
)

LEVELS: tuple[str | Promise, ...] = (
    _("not modelled"),
    _("inventory"),
    _("live"),
    _("forecast"),
    _("what if"),
    _("closed loop"),
)

RULES_VERSION = "coverage 2"

FRESH: dict[int, dt.timedelta] = {
    1: dt.timedelta(days=10 * 365),
    2: dt.timedelta(days=7),
    3: dt.timedelta(days=90),
    4: dt.timedelta(days=365),
    5: dt.timedelta(days=365),
}
"""How long evidence of a level counts at most. An inventory counts for ten years, the time between two censuses, with
its date beside it; a stream for its own period, and never longer than the seven days over which its uptime is judged; a
forecast for as long as it is scored anew. Older evidence counts for the next lower level that still takes it.
"""
