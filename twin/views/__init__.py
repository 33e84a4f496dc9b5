"""Pages of the twin, by noun."""

from twin.views.districts import PAGE, building, district, home, importing, new, picture, plan_picture, things
from twin.views.offers import add, correct, decide_conflict, decide_offer, offers, thing
from twin.views.versions import difference, difference_picture, undo, versions

__all__ = [
    "PAGE",
    "add",
    "building",
    "correct",
    "decide_conflict",
    "decide_offer",
    "difference",
    "difference_picture",
    "district",
    "home",
    "importing",
    "new",
    "offers",
    "picture",
    "plan_picture",
    "thing",
    "things",
    "undo",
    "versions",
]
