"""Kinds of runs of the twin, by noun."""

from twin.tasks.ahead import BEAT, foresee
from twin.tasks.districts import import_files, reckon_access
from twin.tasks.energy import reckon_energy
from twin.tasks.maps import make_map
from twin.tasks.risk import reckon_risk
from twin.tasks.roofs import reckon_roofs
from twin.tasks.sandboxes import simulate
from twin.tasks.scenarios import reckon_scenario
from twin.tasks.traffic import deep, equilibrium, seeds

__all__ = [
    "BEAT",
    "deep",
    "equilibrium",
    "foresee",
    "import_files",
    "make_map",
    "reckon_access",
    "reckon_energy",
    "reckon_risk",
    "reckon_roofs",
    "reckon_scenario",
    "seeds",
    "simulate",
]
