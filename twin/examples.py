"""Three questions that anybody may put to a district, ready to be asked or changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.db.models import Count, Sum
from django.utils.translation import gettext as _

from twin import queries
from twin.models import DistrictVersion


@dataclass(frozen=True, slots=True)
class Example:
    """A question with its measures, as a scenario's file has them."""

    slug: str
    icon: str
    title: str
    question: str
    measures: tuple[Mapping[str, Any], ...]


def examples(of: DistrictVersion) -> list[Example]:
    """Those that make sense in this district, in the language of now."""
    west, south, east, north = of.bounds
    middle = [round((west + east) / 2, 6), round((south + north) / 2, 6)]
    found = [
        Example(
            "sun",
            "sun",
            _("Sun first"),
            _("What if four roofs in ten had panels, homes had batteries, and cars charged at home?"),
            (
                {"kind": "solar", "share_percent": 40.0},
                {"kind": "home_battery", "share_percent": 25.0, "kwh": 8.0, "kw": 4.0},
                {"kind": "electric_cars", "share_percent": 40.0, "v2g": True},
            ),
        ),
        Example(
            "green",
            "map",
            _("Shade and a kindergarten"),
            _("What if the middle of the district had trees, planted roofs and a kindergarten?"),
            (
                {"kind": "trees", "at": middle, "count": 60},
                {"kind": "green_roof", "share_percent": 30.0},
                {"kind": "new_service", "service": "kindergarten", "at": middle},
            ),
        ),
    ]
    street = longest_street(of)
    if street:
        calm = Example(
            "street",
            "turn",
            _("%(street)s without cars") % {"street": street},
            _("What if nobody drove on %(street)s, and one car trip in ten were made by bicycle?") % {"street": street},
            (
                {"kind": "close_street", "street": street},
                {"kind": "shift_trips", "to": "bicycle", "percent": 10.0},
            ),
        )
        found.insert(1, calm)
    return found


def example(of: DistrictVersion, slug: str) -> Example | None:
    """By its name."""
    return next((one for one in examples(of) if one.slug == slug), None)


def longest_street(of: DistrictVersion) -> str:
    """The name of a street for cars that many would miss: the longest that is no through road; empty without names."""
    rows = queries.things("streets", of).filter(car=True).exclude(name="")
    local = rows.exclude(kind__in=("motorway", "trunk", "primary", "motorway_link", "trunk_link", "primary_link"))
    named = local.values("name").annotate(length=Sum("length_m"), pieces=Count("pk")).order_by("-length", "name")
    first = named.first()
    return str(first["name"]) if first else ""
