"""Kinds of runs of the twin, by noun."""

from twin.tasks.districts import import_files, reckon_access

__all__ = [
    "import_files",
    "reckon_access",
]
