"""Kinds of runs of the twin, by noun."""

from twin.tasks.districts import import_files

__all__ = [
    "import_files",
]
