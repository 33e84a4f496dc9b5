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

__all__ = [
    "RESERVED",
    "check_slug",
    "finished",
    "remove_demo",
    "start_import",
    "store_access",
    "store_version",
]
