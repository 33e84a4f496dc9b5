"""Kinds of runs of the twin, by noun."""

from twin.tasks.districts import import_files, reckon_access
from twin.tasks.risk import reckon_risk
from twin.tasks.roofs import reckon_roofs
from twin.tasks.scenarios import reckon_scenario
from twin.tasks.traffic import deep, equilibrium, seeds

__all__ = [
    "deep",
    "equilibrium",
    "import_files",
    "reckon_access",
    "reckon_risk",
    "reckon_roofs",
    "reckon_scenario",
    "seeds",
]
