"""What the pages of the twin show, put together, by noun."""

from twin.pages.districts import (
    EVERYDAY,
    building_page,
    district_cards,
    district_page,
    list_page,
    map_card,
    map_layers,
    picture_size,
    view,
)
from twin.pages.traffic import traffic_page

__all__ = [
    "EVERYDAY",
    "building_page",
    "district_cards",
    "district_page",
    "list_page",
    "map_card",
    "map_layers",
    "picture_size",
    "traffic_page",
    "view",
]
