"""Buildings from tags, their parts, and the height of those that do not say."""

from collections.abc import Iterable
from statistics import median

from twin.engine import tags as osm
from twin.engine.model import CityModel, Geometry, Properties, Thing
from twin.engine.tags import Tags


def building(key: str, tags: Tags, geometry: Geometry, origin: Properties) -> Thing:
    """A building with use, height, storeys, year, roof, name and address, as far as the tags say; `origin` is its
    source, licence and date.
    """
    height_m, known = osm.height(tags)
    about: Properties = {
        "use": tags.get("building", "yes"),
        "height_m": height_m,
        "height_source": known,
        **origin,
    }
    street, number = tags.get("addr:street", ""), tags.get("addr:housenumber", "")
    facts = {
        "name": tags.get("name"),
        "levels": osm.levels(tags),
        "year": osm.year(tags),
        "address": f"{street} {number}".strip(),
        "min_height_m": osm.min_height(tags),
        "roof_shape": tags.get("roof:shape"),
    }
    about.update({name: fact for name, fact in facts.items() if fact})
    return Thing(key, geometry, about)


def part(tags: Tags, geometry: Geometry) -> Properties:
    """A part of a building (building:part): its outline and what its own tags say of height and roof."""
    height_m, known = osm.height(tags)
    facts = {
        "height_m": height_m,
        "height_source": known if height_m else None,
        "min_height_m": osm.min_height(tags),
        "levels": osm.levels(tags),
        "roof_shape": tags.get("roof:shape"),
    }
    return {"geometry": geometry, **{name: fact for name, fact in facts.items() if fact}}


def join_parts(model: CityModel, parts: Iterable[Properties]) -> None:
    """Give each part to the smallest building that holds its middle; a part of none is counted as skipped.

    Call it after `fill_heights`: a building of no height of its own takes that of its highest part (source "parts"),
    and the district's median stays that of what whole buildings say.
    """
    found = list(parts)
    if not found:
        return
    from shapely import STRtree  # noqa: PLC0415 only files with parts need it
    from shapely.geometry import shape  # noqa: PLC0415 with it

    outlines = [shape(thing.geometry) for thing in model.buildings]
    tree = STRtree(outlines)
    middles = [shape(one["geometry"]).representative_point() for one in found]
    homes: dict[int, int] = {}
    for number, home in tree.query(middles, predicate="within").T.tolist():
        if number not in homes or outlines[home].area < outlines[homes[number]].area:
            homes[number] = home
    for number, one in enumerate(found):
        if number not in homes:
            model.skip("part", "no-building")
            continue
        model.buildings[homes[number]].properties.setdefault("parts", []).append(one)
    for home in set(homes.values()):
        about = model.buildings[home].properties
        about["parts"].sort(
            key=lambda one: (one.get("min_height_m", 0.0), str(one["geometry"]["coordinates"][0][0][0]))
        )
        heights = [one["height_m"] for one in about["parts"] if "height_m" in one]
        if about["height_source"] == "default" and heights:
            about["height_m"], about["height_source"] = max(heights), "parts"


def fill_heights(model: CityModel) -> None:
    """Give buildings of unknown height the median of the known ones; they keep the source "default"."""
    known = [b.properties["height_m"] for b in model.buildings if b.properties["height_m"] is not None]
    usual_m = round(median(known), 1) if known else osm.HEIGHT_IF_NONE_KNOWN_M
    for thing in model.buildings:
        if thing.properties["height_m"] is None:
            thing.properties["height_m"] = usual_m
