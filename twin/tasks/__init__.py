"""Kinds of runs of the twin, by noun."""

from twin.tasks.districts import import_files
from twin.tasks.risk import reckon_risk
from twin.tasks.roofs import reckon_roofs

__all__ = [
    "import_files",
    "reckon_risk",
    "reckon_roofs",
]
