"""Reads of designs: which ones a visitor sees, what a version holds, and where given bytes come from."""

from designs.queries.designs import find, search, visible_to
from designs.queries.origins import Origin, origins

__all__ = ["Origin", "find", "origins", "search", "visible_to"]
