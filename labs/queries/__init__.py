"""Reads of the room, split by noun. `pins` is what maps of other rooms ask for."""

from labs.queries.catalogue import pins
from labs.queries.standing import live as live_labs

__all__ = ["live_labs", "pins"]
