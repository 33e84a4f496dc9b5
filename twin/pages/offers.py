"""What the pages of things and of their corrections show."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from twin import queries
from twin.engine.corrections import FIELDS, source_of
from twin.engine.tags import MPH_COUNTRIES
from twin.models import Conflict, District, DistrictVersion, Offer, Thing
from twin.words import HEIGHT_SOURCES, KNOWN, ONEWAY, PROPERTIES, ROOFS, SOURCES, word

KM_A_MILE = 1.609344
_UNITS = {"height_m": "m", "min_height_m": "m", "length_m": "m", "capacity_veh_h": "veh/h"}
_CODES = {"oneway": ONEWAY, "roof_shape": ROOFS, "source": SOURCES}
_SHOWN = {
    "streets": ("highway", "length_m", "foot", "bicycle", "car", "oneway", "lanes", "speed_kmh", "capacity_veh_h"),
    "services": ("kind", "tag"),
    "areas": ("kind", "tag"),
    "people": ("population", "over_65", "under_15"),
}


def in_miles(district: District) -> bool:
    """Whether limits are posted in miles an hour there."""
    return bool(district.place and district.place.country in MPH_COUNTRIES)


def value_words(layer: str, name: str, value: Any, *, miles: bool = False) -> str:
    """A property's value in words, with its unit."""
    if value is None or value == "":
        return _("not known")
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    if name in _CODES:
        return word(_CODES[name], str(value))
    if name in ("use", "kind"):
        return queries.offers.kind_word(layer, str(value))
    if name == "speed_kmh":
        return speed_words(float(value), miles=miles)
    return _plain(name, value)


def _plain(name: str, value: Any) -> str:
    """A number with its unit, how many there are of a list, or the words themselves."""
    if isinstance(value, (int, float)):
        plain = str(int(value)) if name == "year" else number_format(round(value, 1) if value % 1 else int(value))
        return f"{plain} {_UNITS[name]}" if name in _UNITS else plain
    return str(len(value)) if isinstance(value, list) else str(value)


def speed_words(kmh: float, *, miles: bool) -> str:
    """A limit as it is posted there."""
    return f"{round(kmh / KM_A_MILE)} mph" if miles else f"{number_format(round(kmh))} km/h"


def known_words(name: str, source: str) -> str:
    """How a value is known, in words."""
    return word(HEIGHT_SOURCES if name.startswith("height") else KNOWN, source)


def thing_page(found: District, of: DistrictVersion, row: Thing) -> dict[str, Any]:
    """What is known of a street, service, area or cell, and how each is known."""
    about, miles = row.properties, in_miles(found)
    facts = [
        {
            "title": word(PROPERTIES, name),
            "value": value_words(row.layer, name, about[name], miles=miles),
            "known": known_words(name, about[source_of(name)]) if about.get(source_of(name)) else "",
        }
        for name in _SHOWN.get(row.layer, ())
        if name in about
    ]
    return {
        "district": found,
        "version": of,
        "row": row,
        "title": queries.offers.title(row),
        "facts": facts,
        "origin": origin(of, row),
        "may_be_corrected": bool(FIELDS.get(row.layer)),  # type: ignore[call-overload]
    }


def origin(of: DistrictVersion, row: Thing) -> dict[str, str]:
    """Where a thing is known from: source, licence and day."""
    about = row.properties
    return {
        "source": word(SOURCES, about.get("source", "")) if about.get("source") else "",
        "licence": about.get("licence") or of.licence,
        "date": about.get("date", ""),
        "since": str(row.since),
        "corrected": ", ".join(word(PROPERTIES, name) for name in about.get("corrected", ())),
    }


def thing_url(district: District, layer: str, key: str) -> str:
    """The page of a thing."""
    if layer == "buildings":
        return reverse("rooms:building", args=[district.slug, key])
    return reverse("rooms:twin-thing", args=[district.slug, layer, key])


def offer_rows(found: District, offers: Sequence[Offer]) -> list[dict[str, Any]]:
    """Offers as the queue shows them: each property as it was when it was offered, as it is now, and as offered."""
    now = _now(found, offers)
    return [
        {
            "offer": one,
            "here": (one.layer, one.key) in now,
            "url": thing_url(found, one.layer, one.key) if one.key and (one.layer, one.key) in now else "",
            "lines": _lines(found, one, now.get((one.layer, one.key), {})),
            "state": one.get_state_display(),
        }
        for one in offers
    ]


def _now(found: District, offers: Sequence[Offer]) -> dict[tuple[str, str], dict[str, Any]]:
    """The properties of what the offers are about, by layer and key, in one question a layer."""
    of = queries.current(found)
    now: dict[tuple[str, str], dict[str, Any]] = {}
    for layer in {one.layer for one in offers}:
        keys = {one.key for one in offers if one.layer == layer and one.key}
        rows = queries.things(layer, of).filter(key__in=keys).values_list("key", "properties")
        now |= {(layer, key): about for key, about in rows}
    return now


def _lines(found: District, one: Offer, now: dict[str, Any]) -> list[dict[str, str]]:
    miles = in_miles(found)
    return [
        {
            "title": word(PROPERTIES, name),
            "before": value_words(one.layer, name, one.before.get(name), miles=miles),
            "now": value_words(one.layer, name, now.get(name), miles=miles),
            "moved": "1" if one.state == Offer.State.OFFERED and now and now.get(name) != one.before.get(name) else "",
            "after": value_words(one.layer, name, value, miles=miles),
        }
        for name, value in one.changes.items()
    ]


def conflict_rows(found: District, conflicts: Sequence[Conflict]) -> list[dict[str, Any]]:
    """Conflicts as the queue shows them: what the correction says, and what the import says."""
    miles = in_miles(found)
    rows = []
    for one in conflicts:
        correction = one.correction
        theirs = {
            "other": value_words(correction.layer, correction.name, one.theirs, miles=miles),
            "gone": _("it no longer has this"),
            "changed": _("it has this still, and changed it"),
            "near": _("it has the same kind of service beside it"),
        }[one.why]
        ours = {
            "change": value_words(correction.layer, correction.name, correction.value, miles=miles),
            "remove": _("gone"),
            "add": _("new"),
        }[correction.action]
        rows.append(
            {
                "conflict": one,
                "title": (correction.offer.title if correction.offer else "") or correction.key,
                "name": word(PROPERTIES, correction.name) if correction.name else "",
                "ours": ours,
                "theirs": theirs,
            }
        )
    return rows
