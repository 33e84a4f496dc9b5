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
from twin.pages.offers import conflict_rows, in_miles, offer_rows, origin, speed_words, thing_page, thing_url
from twin.pages.versions import difference_etag, difference_page, difference_picture, timeline

__all__ = [
    "EVERYDAY",
    "building_page",
    "conflict_rows",
    "difference_etag",
    "difference_page",
    "difference_picture",
    "district_cards",
    "district_page",
    "in_miles",
    "list_page",
    "map_card",
    "map_layers",
    "offer_rows",
    "origin",
    "picture_size",
    "speed_words",
    "thing_page",
    "thing_url",
    "timeline",
    "view",
]
