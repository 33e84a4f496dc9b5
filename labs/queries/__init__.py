"""Reads of the room, split by noun. `pins` is what maps of other rooms ask for."""

from labs.queries.catalogue import pins

__all__ = ["pins"]
