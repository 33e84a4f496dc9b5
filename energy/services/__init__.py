"""Writes of the room, by noun."""

from energy.services.communities import (
    CONTROLS,
    KIND,
    SHARING_RULES,
    STRATEGIES,
    ask_simulation,
    import_folder,
    keep,
    keep_simulation,
    public_document,
    start_simulation,
)
from energy.services.simulations import repeat

__all__ = [
    "CONTROLS",
    "KIND",
    "SHARING_RULES",
    "STRATEGIES",
    "ask_simulation",
    "import_folder",
    "keep",
    "keep_simulation",
    "public_document",
    "repeat",
    "start_simulation",
]
