"""Writes of the twin, by noun."""

from twin.services import scenario_runs, scenarios
from twin.services.conflicts import decide
from twin.services.districts import (
    RESERVED,
    Prepared,
    check_slug,
    finished,
    remove_demo,
    start_import,
    store_access,
    store_version,
)
from twin.services.maps import prepare_map, start_map
from twin.services.offers import accept, offer, refuse, withdraw
from twin.services.reckonings import start_reckoning, store_reckoning
from twin.services.traffic import ask_traffic, start_traffic, store_traffic
from twin.services.versions import restore

__all__ = [
    "RESERVED",
    "Prepared",
    "accept",
    "ask_traffic",
    "check_slug",
    "decide",
    "finished",
    "offer",
    "prepare_map",
    "refuse",
    "remove_demo",
    "restore",
    "scenario_runs",
    "scenarios",
    "start_import",
    "start_map",
    "start_reckoning",
    "start_traffic",
    "store_access",
    "store_reckoning",
    "store_traffic",
    "store_version",
    "withdraw",
]
