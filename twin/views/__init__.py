"""Pages of the twin, by noun."""

from twin.views.ahead import ahead, coverage, coverage_compare, energy, sandbox, sandbox_remove, sandboxes
from twin.views.districts import PAGE, building, district, home, importing, new, picture, plan_picture, things
from twin.views.maps import city_map, map_live, map_table
from twin.views.offers import add, correct, decide_conflict, decide_offer, offers, thing
from twin.views.risk import carbon, heat_picture, risk
from twin.views.roofs import roofs, roofs_picture, shadows_picture
from twin.views.scenarios import scenario, scenario_fork, scenario_new, scenario_say, scenario_unsay, scenarios
from twin.views.traffic import traffic, traffic_picture
from twin.views.variants import scenario_compare, scenario_files
from twin.views.versions import difference, difference_picture, undo, versions

__all__ = [
    "PAGE",
    "add",
    "ahead",
    "building",
    "carbon",
    "city_map",
    "correct",
    "coverage",
    "coverage_compare",
    "decide_conflict",
    "decide_offer",
    "difference",
    "difference_picture",
    "district",
    "energy",
    "heat_picture",
    "home",
    "importing",
    "map_live",
    "map_table",
    "new",
    "offers",
    "picture",
    "plan_picture",
    "risk",
    "roofs",
    "roofs_picture",
    "sandbox",
    "sandbox_remove",
    "sandboxes",
    "scenario",
    "scenario_compare",
    "scenario_files",
    "scenario_fork",
    "scenario_new",
    "scenario_say",
    "scenario_unsay",
    "scenarios",
    "shadows_picture",
    "thing",
    "things",
    "traffic",
    "traffic_picture",
    "undo",
    "versions",
]
