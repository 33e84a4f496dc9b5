"""Buildings from tags, and the height of those that do not say."""

from statistics import median

from twin.engine import tags as osm
from twin.engine.model import CityModel, Geometry, Properties, Thing
from twin.engine.tags import Tags


def building(key: str, tags: Tags, geometry: Geometry, source: str) -> Thing:
    """A building with use, height, storeys, year, name and address, as far as the tags say."""
    height_m, known = osm.height(tags)
    about: Properties = {
        "use": tags.get("building", "yes"),
        "height_m": height_m,
        "height_source": known,
        "source": source,
    }
    street, number = tags.get("addr:street", ""), tags.get("addr:housenumber", "")
    facts = {
        "name": tags.get("name"),
        "levels": osm.levels(tags),
        "year": osm.year(tags),
        "address": f"{street} {number}".strip(),
        "min_height_m": osm.length_m(tags.get("min_height")),
        "roof": tags.get("roof:shape"),
    }
    about.update({name: fact for name, fact in facts.items() if fact})
    return Thing(key, geometry, about)


def fill_heights(model: CityModel) -> None:
    """Give buildings of unknown height the median of the known ones; they keep the source "default"."""
    known = [b.properties["height_m"] for b in model.buildings if b.properties["height_m"] is not None]
    usual_m = round(median(known), 1) if known else osm.HEIGHT_IF_NONE_KNOWN_M
    for thing in model.buildings:
        if thing.properties["height_m"] is None:
            thing.properties["height_m"] = usual_m
