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
from twin.pages.roofs import coloured, roof_rows, roofs_page, solar_strengths

__all__ = [
    "EVERYDAY",
    "building_page",
    "coloured",
    "district_cards",
    "district_page",
    "list_page",
    "map_card",
    "map_layers",
    "picture_size",
    "roof_rows",
    "roofs_page",
    "solar_strengths",
    "view",
]
