"""Which reader reads which file, and what makes a whole of several."""

from collections.abc import Callable, Sequence
from pathlib import Path

from twin.engine.errors import Unreadable
from twin.engine.model import LAYERS, NOTHING_ASKED, Asked, CityModel, bounds, joined, positions

FORMATS = (".osm.pbf", ".osm", ".osm.gz", ".osm.bz2", ".city.json", ".city.jsonl", ".geojson", ".csv")
WIDEST_DEGREES = 2.0
"""A district spans less than this; files further apart are two districts."""


def format_of(name: str) -> str:
    """The format of a file by its name. Raises `Unreadable`."""
    for suffix in FORMATS:
        if name.lower().endswith(suffix):
            return suffix
    raise Unreadable("unknown-format", name, " ".join(FORMATS))


def read(
    files: Sequence[tuple[Path, str]],
    told: Callable[[int, str], None] = lambda number, name: None,
    *,
    asked: Asked = NOTHING_ASKED,
    beside: CityModel | None = None,
) -> CityModel:
    """The city model of some files, each given by its path and its own name. Raises `Unreadable`.

    Layers that the files do not hold are those of `beside`, where it is given.
    """
    models = []
    for number, (path, name) in enumerate(files):
        told(number, name)
        suffix = format_of(name)
        if path.stat().st_size == 0:
            raise Unreadable("empty", name)
        models.append(_reader(suffix)(path, name, asked))
    whole = joined(models)
    names = ", ".join(name for _path, name in files)
    for layer in LAYERS if beside else ():
        if beside and not whole.layer(layer):
            whole.layer(layer).extend(beside.layer(layer))
            whole.carried = (*whole.carried, layer)
    if not whole.buildings:
        raise Unreadable("no-buildings", names)
    west, south, east, north = bounds(
        [thing for layer in (whole.buildings, whole.streets, whole.services) for thing in layer]
    )
    if east - west > WIDEST_DEGREES or north - south > WIDEST_DEGREES:
        raise Unreadable("far-apart", names, f"{east - west:.1f} x {north - south:.1f}")
    _within(whole, (west, south, east, north))
    return whole


def _within(model: CityModel, box: tuple[float, float, float, float]) -> None:
    """Leave out the cells of people beyond the district: a grid often covers a whole region."""
    west, south, east, north = box
    kept = []
    for cell in model.people:
        lon, lat = zip(*positions(cell.geometry), strict=True)
        if max(lon) < west or min(lon) > east or max(lat) < south or min(lat) > north:
            model.skip("people", "beyond")
        else:
            kept.append(cell)
    model.people[:] = kept


def _reader(suffix: str) -> Callable[[Path, str, Asked], CityModel]:
    """The reader of a format; only the one that is needed is loaded."""
    if suffix.startswith(".osm"):
        from twin.engine import osm  # noqa: PLC0415 loads osmium

        return osm.read
    if suffix.startswith(".city"):
        from twin.engine import cityjson  # noqa: PLC0415 loads pyproj and shapely

        return cityjson.read
    if suffix == ".csv":
        from twin.engine import people  # noqa: PLC0415 with the others

        return people.read
    from twin.engine import geojson  # noqa: PLC0415 loads pyproj

    return geojson.read
