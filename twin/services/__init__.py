"""Writes of the twin, by noun."""

from twin.services.districts import (
    RESERVED,
    check_slug,
    finished,
    remove_demo,
    start_import,
    store_access,
    store_version,
)
from twin.services.reckonings import start_reckoning, store_reckoning
from twin.services.traffic import ask_traffic, start_traffic, store_traffic

__all__ = [
    "RESERVED",
    "ask_traffic",
    "check_slug",
    "finished",
    "remove_demo",
    "start_import",
    "start_reckoning",
    "start_traffic",
    "store_access",
    "store_reckoning",
    "store_traffic",
    "store_version",
]
