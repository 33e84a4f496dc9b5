"""What the pages of the twin show, put together."""

from collections.abc import Sequence
from typing import Any

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from twin import queries
from twin.coverage.cells import breadth, cells, collected, depth
from twin.coverage.systems import LEVELS, SYSTEMS
from twin.engine import drawing
from twin.engine.model import LAYERS
from twin.models import Access, Building, District, DistrictVersion, Service, Street, Thing
from twin.words import AREAS, HEIGHT_SOURCES, KINDS, word
from twin.words import LAYERS as LAYER_WORDS

EVERYDAY = ("grocery", "school", "pharmacy", "library", "health", "transit", "park")


def district_cards() -> list[dict[str, Any]]:
    """Each district with what its card shows."""
    return [
        {"district": found, "version": (of := queries.current(found)), "size": picture_size(of)} for found in queries.districts()
    ]


def district_page(found: District, of: DistrictVersion) -> dict[str, Any]:
    """The page of a district as of a version."""
    kept = queries.access(of)
    systems = cells(collected(found.place), timezone.now()) if found.place else []
    return {
        "district": found,
        "version": of,
        "versions": found.versions.order_by("-number")[:12],
        "is_current": of.pk == found.current_id,
        "skipped": queries.skipped_in_words(of),
        "heights": _heights(of),
        "reach": _reach(kept),
        "access": kept,
        "systems": systems,
        "levels": LEVELS,
        "breadth": breadth(systems),
        "of": len(SYSTEMS),
        "depth": depth(systems) if systems else None,
        "map": map_config(found, of, kept),
        "pins": queries.lab_pins(found.place),
        "size": picture_size(of),
    }


def map_card(found: District) -> dict[str, Any]:
    """The district as a card of the home page."""
    of = queries.current(found)
    config = map_config(found, of, queries.access(of))
    return {"district": found, "version": of, "map": config, "pins": queries.lab_pins(found.place), "size": picture_size(of)}


def picture_size(of: DistrictVersion) -> dict[str, int]:
    """Width and height of the drawn picture."""
    return {"width": drawing.WIDTH, "height": drawing.height_of(of.bounds)}


def _heights(of: DistrictVersion) -> list[dict[str, Any]]:
    """How heights are known, most first."""
    counted: dict[str, int] = of.counts.get("height_sources", {})
    return [
        {"source": word(HEIGHT_SOURCES, source), "count": count}
        for source, count in sorted(counted.items(), key=lambda pair: -pair[1])
    ]


def _reach(kept: Access | None) -> list[dict[str, Any]]:
    """A row for each kind of service, the everyday ones first."""
    if kept is None:
        return []
    order = [*EVERYDAY, *(kind for kind in KINDS if kind not in EVERYDAY)]
    return [
        {"kind": kind, "title": word(KINDS, kind), "everyday": kind in EVERYDAY, **kept.summary[kind]}
        for kind in order
        if kind in kept.summary
    ]


def map_config(found: District, of: DistrictVersion, kept: Access | None) -> dict[str, Any]:
    """What the map island needs besides its sources: bounds, what to colour by, and words."""
    layers: list[dict[str, Any]] = [
        {"slug": "plain", "title": _("Plain")},
        {"slug": "use", "title": _("Use"), "property": "use", "type": "category"},
        {
            "slug": "height_source", "title": _("How heights are known"), "property": "height_source", "type": "category",
            "words": {code: word(HEIGHT_SOURCES, code) for code in of.counts.get("height_sources", {})},
        },
    ]  # fmt: skip
    layers += [
        {
            "slug": f"min_{row['kind']}", "title": _("Minutes to: %(kind)s") % {"kind": row["title"]},
            "property": f"min_{row['kind']}", "type": "steps", "steps": [5, 10, 15], "unit": _("min"),
        }
        for row in _reach(kept)
        if row["everyday"]
    ]  # fmt: skip
    return {"bounds": of.bounds, "attribution": of.attribution, "layers": layers, "list": reverse("rooms:district-list", args=[found.slug])}


def list_page(found: District, of: DistrictVersion, layer: str, rows: Sequence[Thing]) -> dict[str, Any]:
    """Rows of a layer as a table."""
    kept = queries.access(of) if layer == "buildings" else None
    place = {key: i for i, key in enumerate(kept.keys)} if kept else {}
    shown = [{"thing": row, "title": _title(row), **_facts(row)} for row in rows]
    if kept:
        for item in shown:
            number = place.get(item["thing"].key)
            item["minutes"] = {k: m[number] for k, m in kept.minutes.items()} if number is not None else {}
    tabs = [
        {"slug": slug, "title": LAYER_WORDS[slug], "count": of.counts.get(slug, 0), "here": slug == layer} for slug in LAYERS
    ]
    return {
        "district": found, "version": of, "layer": layer, "tabs": tabs, "rows": shown, "title": LAYER_WORDS[layer],
        "kinds": [{"slug": k, "title": _kind_word(layer, k), "count": n} for k, n in queries.kinds(layer, of)],
    }  # fmt: skip


def _title(row: Thing) -> str:
    address: str = row.properties.get("address", "")
    return row.name or address or _("without a name")


def _kind_word(layer: str, kind: str) -> str:
    if layer == "services":
        return word(KINDS, kind)
    if layer == "areas":
        return word(AREAS, kind)
    return _("use not stated") if kind == "yes" else word({}, kind)


def _facts(row: Thing) -> dict[str, Any]:
    """The columns of a row by its layer."""
    about = {"kind_word": _kind_word(row.layer, row.kind)}
    match row:
        case Building():
            return about | {"height_m": row.height_m, "height_source": word(HEIGHT_SOURCES, row.height_source)}
        case Street():
            return about | {"length_m": row.length_m, "assumed": row.properties.get("speed_source") == "default"}
        case Service():
            return about | {"tag": row.properties.get("tag", "")}
        case _:
            return about
