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

__all__ = [
    "RESERVED",
    "check_slug",
    "finished",
    "remove_demo",
    "start_import",
    "start_reckoning",
    "store_access",
    "store_reckoning",
    "store_version",
]
