"""Pages of the twin, by noun."""

from twin.views.districts import PAGE, building, district, home, importing, new, picture, plan_picture, things
from twin.views.risk import carbon, heat_picture, risk
from twin.views.roofs import roofs, roofs_picture, shadows_picture
from twin.views.traffic import traffic, traffic_picture

__all__ = [
    "PAGE",
    "building",
    "carbon",
    "district",
    "heat_picture",
    "home",
    "importing",
    "new",
    "picture",
    "plan_picture",
    "risk",
    "roofs",
    "roofs_picture",
    "shadows_picture",
    "things",
    "traffic",
    "traffic_picture",
]
