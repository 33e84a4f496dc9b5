"""What the pages of the twin show, put together."""

import math
from collections.abc import Sequence
from typing import Any

from django.apps import apps
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as _lazy

from commons import sockets
from commons.decisions import pages as decided
from commons.places.models import Place
from commons.shelf import Shelf
from twin import deciding, layers, map_files, queries, tiles
from twin.coverage.cells import breadth, cells, collected, depth
from twin.coverage.systems import LEVELS, SYSTEMS
from twin.engine import drawing
from twin.engine.model import LAYERS
from twin.models import Access, Building, District, DistrictVersion, People, Reckoning, Service, Street, Thing
from twin.pages.access import access_card
from twin.pages.map_source import map_source
from twin.pages.offers import in_miles, origin, speed_words
from twin.pages.steps import solar_steps
from twin.words import AREAS, HEAT, HEIGHT_SOURCES, KINDS, USES, word
from twin.words import LAYERS as LAYER_WORDS

EVERYDAY = ("grocery", "school", "pharmacy", "library", "health", "transit", "park")


def district_cards() -> list[dict[str, Any]]:
    """Each district with what its card shows."""
    return [
        {"district": found, "version": (of := queries.current(found)), "size": picture_size(of)}
        for found in queries.districts()
    ]


def district_page(found: District, of: DistrictVersion) -> dict[str, Any]:
    """The page of a district as of a version."""
    kept = queries.access_in_short(of)
    systems = cells(collected(found.place), timezone.now()) if found.place else []
    return {
        "district": found,
        "version": of,
        "versions": list(found.versions.only("district", "number", "created_at", "changes").order_by("-number")[:12]),
        "is_current": of.pk == found.current_id,
        "skipped": queries.skipped_in_words(of),
        "heights": _heights(of),
        "reach": _reach(kept),
        "access": kept,
        "access_card": access_card(of, kept),
        "systems": systems,
        "levels": LEVELS,
        "breadth": breadth(systems),
        "of": len(SYSTEMS),
        "depth": depth(systems) if systems else None,
        "map_layers": map_layers(kept, solar=queries.reckoning_in_short(of, "roofs")),
        "pins": queries.lab_pins(found.place),
        "size": picture_size(of),
        "map_source": map_source(of),
        "view": view(of),
        "known": list(queries.best_known(of)),
        "plan": (adopted := deciding.plan(found.place)),
        "plan_url": deciding.address(adopted) if adopted else "",
        **_came_of(found.place),
        "decides": found.place is not None and found.place.kind == Place.Kind.NEIGHBOURHOOD,
    }


def _came_of(place: Place | None) -> dict[str, Any]:
    """The decision behind the plan, and what was measured since beside what its ballot said."""
    done = deciding.enacted(place)
    effect = sockets.effects.get(deciding.SLUG)
    if done is None or effect is None or place is None:
        return {"plan_decided": done, "plan_came": []}
    figures = (done.measured or {}).get("figures", {})
    rows = decided.beside(effect, place.slug, done.promised or {}, figures) if figures else []
    return {"plan_decided": done, "plan_came": rows}


def map_card(found: District) -> dict[str, Any]:
    """The district as a card of the home page."""
    of = queries.current(found)
    return {
        "district": found,
        "version": of,
        "map_layers": [],
        "pins": queries.lab_pins(found.place),
        "size": picture_size(of),
        "map_source": map_source(of),
        "view": view(of),
        "known": list(queries.best_known(of)),
    }


def view(of: DistrictVersion) -> dict[str, str]:
    """Where the map opens: on the middle, so near that the district, seen aslant, fills the frame to its rim; on one
    that is drawn from tiles so near that these hold its buildings.
    """
    west, south, east, north = of.bounds
    lon, lat = (west + east) / 2, (south + north) / 2
    wide_m = max((east - west) * 111_320 * math.cos(math.radians(lat)), 50.0)
    metres_a_pixel_at_zoom_0 = 78_271.5 * math.cos(math.radians(lat))
    zoom = math.log2(metres_a_pixel_at_zoom_0 * 1050 / wide_m)
    if map_files.is_large(of):
        zoom = max(zoom, float(tiles.FROM_ZOOM["buildings"]))
    return {"center": f"{lon:.6f},{lat:.6f}", "zoom": f"{min(zoom, 17.0):.2f}"}


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


def map_layers(kept: Access | None, *, solar: Reckoning | None = None) -> list[dict[str, Any]]:
    """What the map can colour buildings by (lc-map): minutes on foot, use, how heights are known."""
    unknown = _("not known")
    minutes = [
        {
            "key": f"min_{kind}",
            "label": label,
            "property": f"min_{kind}",
            "type": "steps",
            "steps": [0, 5, 10, 15],
            "unit": _("min"),
            "color": "act",
            "invert": True,
            "missing": unknown,
        }
        for kind, label in (("grocery", _("To a grocery")), ("transit", _("To a stop")))
        if kept and kind in kept.summary
    ]
    use = {
        "key": "use",
        "label": _("Use"),
        "property": "use",
        "type": "category",
        "missing": _("other, or not stated"),
        "values": [
            {"value": use, "label": words, "color": colour, "share": share}
            for uses, words, colour, share in _USES
            for use in uses
        ],
    }
    heights = {
        "key": "height_source",
        "label": _("Heights"),
        "property": "height_source",
        "type": "category",
        "missing": unknown,
        "values": [
            {"value": source, "label": word(HEIGHT_SOURCES, source), "color": "act", "share": share}
            for source, share in (("tag", 0.9), ("levels", 0.45))
        ],
    }
    sun = {
        "key": "solar",
        "label": _("Sun on the roof"),
        "property": "solar",
        "type": "steps",
        "steps": [0, *(_light_steps(solar) if solar else ())],
        "unit": "kWh/m²",
        "color": "solar",
        "missing": unknown,
    }
    services = {
        "key": "services",
        "label": _("Services"),
        "dots": True,
        "values": [{"value": "", "label": _("a shop, school, surgery, library or office that serves people")}],
    }
    return [*minutes, use, heights, *([sun] if solar else []), *([services] if kept else [])]


# By the answer and its stamp.
_steps: Shelf[tuple[int, ...]] = Shelf(200)


def _light_steps(solar: Reckoning) -> tuple[int, ...]:
    key = solar.pk, solar.stamp  # type: ignore[attr-defined]  # annotated
    return _steps.get(key, lambda: solar_steps(queries.column(solar, "light")))


_USES = (
    (("apartments",), _lazy("homes"), "act", 0.85),
    (("public",), _lazy("public"), "act", 0.4),
    (("office",), _lazy("offices"), "ink-3", 0.8),
    (("commercial",), _lazy("shops and trade"), "ink-3", 0.4),
)


def list_page(found: District, of: DistrictVersion, layer: str, rows: Sequence[Thing]) -> dict[str, Any]:
    """Rows of a layer as a table."""
    kept = queries.access(of) if layer == "buildings" else None
    shown = [
        {
            "thing": row,
            "title": _title(row),
            "minutes": _minutes(kept, row.key) if kept else {},
            **_facts(row),
        }
        for row in rows
    ]
    miles = in_miles(found)
    for line in shown:
        if line.get("speed_kmh"):
            line["speed"] = speed_words(line["speed_kmh"], miles=miles)
    tabs = [
        {"slug": slug, "title": LAYER_WORDS[slug], "count": of.counts.get(slug, 0), "here": slug == layer}
        for slug in LAYERS
    ]
    return {
        "district": found,
        "version": of,
        "layer": layer,
        "layer_tabs": tabs,
        "rows": shown,
        "title": LAYER_WORDS[layer],
        "kinds": [{"slug": k, "title": _kind_word(layer, k), "count": n} for k, n in queries.kinds(layer, of)],
    }


def _title(row: Thing) -> str:
    address: str = row.properties.get("address", "")
    return row.name or address or (_("Building without a name") if row.layer == "buildings" else _("without a name"))


def _kind_word(layer: str, kind: str) -> str:
    if layer == "services":
        return word(KINDS, kind)
    if layer == "areas":
        return word(AREAS, kind)
    return word(USES, kind) if layer == "buildings" else word({}, kind)


def _facts(row: Thing) -> dict[str, Any]:
    """The columns of a row by its layer."""
    about = {"kind_word": _kind_word(row.layer, row.kind)}
    match row:
        case Building():
            return about | {
                "height_m": row.height_m,
                "height_source": word(HEIGHT_SOURCES, row.height_source),
            }
        case Street():
            return about | {
                "length_m": row.length_m,
                "speed_kmh": row.properties.get("speed_kmh"),
                "assumed": row.properties.get("speed_source") == "default",
            }
        case Service():
            return about | {"tag": row.properties.get("tag", "")}
        case People():
            return about | {"population": row.population, "over_65": row.over_65, "under_15": row.under_15}
        case _:
            return about


def building_page(found: District, of: DistrictVersion, row: Building) -> dict[str, Any]:
    """What is known of a building."""
    kept = queries.access(of)
    minutes = _minutes(kept, row.key) if kept else {}
    reach = [{"title": word(KINDS, kind), "minutes": minutes[kind]} for kind in (*EVERYDAY, *KINDS) if kind in minutes]
    seen = [item for number, item in enumerate(reach) if item not in reach[:number]]
    return {
        "district": found,
        "version": of,
        "building": row,
        "title": _title(row),
        "origin": origin(of, row),
        "reach": seen,
        "roof": queries.of_building(queries.reckoning(of, "roofs"), row.key),
        "energy": layers.energy_of(row.kind),
        "labs_here": _labs_in(found, row.key),
        "heat": HEAT.get(queries.of_building(queries.reckoning(of, "risk"), row.key).get("heat", -1)),
        **_facts(row),
    }


def _labs_in(found: District, key: str) -> Sequence[Any]:
    """The labs of a building, if the labs' room is there."""
    if not apps.is_installed("labs"):
        return []
    from twin import lab_side  # noqa: PLC0415 only where the labs' room is there

    return lab_side.in_building(found, key)


def _minutes(kept: Access, key: str) -> dict[str, float]:
    """Minutes of one building to each kind; none where the building is not in it."""
    if key not in kept.keys:
        return {}
    number = kept.keys.index(key)
    return {kind: column[number] for kind, column in kept.minutes.items()}
