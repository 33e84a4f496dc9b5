"""Pages of the twin, by noun."""

from twin.views.districts import PAGE, building, district, home, importing, new, picture, plan_picture, things

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
]
