"""What the pages of the twin show, put together, by noun."""

from twin.pages import differences, scenario_talk
from twin.pages.ahead import ahead_page, sandbox_page
from twin.pages.coverage import compare_page, coverage_page
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
from twin.pages.energy import energy_page
from twin.pages.map_source import map_source
from twin.pages.maps import map_page, table_page
from twin.pages.offers import conflict_rows, in_miles, offer_rows, origin, speed_words, thing_page, thing_url
from twin.pages.risk import carbon_page, heat_strengths, risk_page
from twin.pages.roofs import coloured, roof_rows, roofs_page, solar_strengths
from twin.pages.traffic import traffic_page
from twin.pages.versions import difference_etag, difference_page, difference_picture, timeline

__all__ = [
    "EVERYDAY",
    "ahead_page",
    "building_page",
    "carbon_page",
    "coloured",
    "compare_page",
    "conflict_rows",
    "coverage_page",
    "difference_etag",
    "difference_page",
    "difference_picture",
    "differences",
    "district_cards",
    "district_page",
    "energy_page",
    "heat_strengths",
    "in_miles",
    "list_page",
    "map_card",
    "map_layers",
    "map_page",
    "map_source",
    "offer_rows",
    "origin",
    "picture_size",
    "risk_page",
    "roof_rows",
    "roofs_page",
    "sandbox_page",
    "scenario_talk",
    "solar_strengths",
    "speed_words",
    "table_page",
    "thing_page",
    "thing_url",
    "timeline",
    "traffic_page",
    "view",
]
