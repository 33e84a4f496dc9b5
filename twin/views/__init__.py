"""Pages of the twin, by noun."""

from twin.views.districts import PAGE, building, district, home, importing, new, picture, plan_picture, things
from twin.views.traffic import traffic, traffic_picture

__all__ = [
    "PAGE",
    "building",
    "district",
    "home",
    "importing",
    "new",
    "picture",
    "plan_picture",
    "things",
    "traffic",
    "traffic_picture",
]
