"""Kinds of runs of the twin, by noun."""

from twin.tasks.districts import import_files, reckon_access
from twin.tasks.maps import make_map
from twin.tasks.risk import reckon_risk
from twin.tasks.roofs import reckon_roofs
from twin.tasks.traffic import deep, equilibrium, seeds

__all__ = [
    "deep",
    "equilibrium",
    "import_files",
    "make_map",
    "reckon_access",
    "reckon_risk",
    "reckon_roofs",
    "seeds",
]
