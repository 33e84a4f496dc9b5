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
from twin.pages.risk import carbon_page, heat_strengths, risk_page
from twin.pages.roofs import coloured, roof_rows, roofs_page, solar_strengths
from twin.pages.traffic import traffic_page

__all__ = [
    "EVERYDAY",
    "building_page",
    "carbon_page",
    "coloured",
    "district_cards",
    "district_page",
    "heat_strengths",
    "list_page",
    "map_card",
    "map_layers",
    "picture_size",
    "risk_page",
    "roof_rows",
    "roofs_page",
    "solar_strengths",
    "traffic_page",
    "view",
]
