"""Kinds of runs of the twin, by noun."""

from twin.tasks.districts import import_files
from twin.tasks.traffic import deep, equilibrium, seeds

__all__ = [
    "deep",
    "equilibrium",
    "import_files",
    "seeds",
]
