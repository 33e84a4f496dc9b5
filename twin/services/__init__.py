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
from twin.services.traffic import ask_traffic, start_traffic, store_traffic

__all__ = [
    "RESERVED",
    "ask_traffic",
    "check_slug",
    "finished",
    "remove_demo",
    "start_import",
    "start_traffic",
    "store_access",
    "store_traffic",
    "store_version",
]
