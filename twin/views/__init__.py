"""Pages of the twin, by noun."""

from twin.views.districts import PAGE, building, district, home, importing, new, picture, plan_picture, things
from twin.views.maps import city_map, map_live, map_table
from twin.views.offers import add, correct, decide_conflict, decide_offer, offers, thing
from twin.views.risk import carbon, heat_picture, risk
from twin.views.roofs import roofs, roofs_picture, shadows_picture
from twin.views.traffic import traffic, traffic_picture
from twin.views.versions import difference, difference_picture, undo, versions

__all__ = [
    "PAGE",
    "add",
    "building",
    "carbon",
    "city_map",
    "correct",
    "decide_conflict",
    "decide_offer",
    "difference",
    "difference_picture",
    "district",
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
    "shadows_picture",
    "thing",
    "things",
    "traffic",
    "traffic_picture",
    "undo",
    "versions",
]
