"""A small district of our own, as GeoJSON, that tests may change."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from commons.places.models import Place
from commons.runs.models import Run
from commons.runs.work import do
from twin import files, services
from twin.models import District

Feature = dict[str, Any]
Import = Callable[..., Run]


def square(key: str, lon: float, lat: float, **properties: Any) -> Feature:
    """A building of about 11 x 22 m."""
    ring = [[lon, lat], [lon + 0.0002, lat], [lon + 0.0002, lat + 0.0002], [lon, lat + 0.0002], [lon, lat]]
    return {
        "type": "Feature",
        "properties": {"id": key, "building": "yes", **properties},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }


def line(key: str, *points: tuple[float, float], **properties: Any) -> Feature:
    """A street."""
    about = {"id": key, "highway": "residential", **properties}
    return {
        "type": "Feature",
        "properties": about,
        "geometry": {"type": "LineString", "coordinates": [list(p) for p in points]},
    }


def spot(key: str, lon: float, lat: float, **properties: Any) -> Feature:
    """A service."""
    return {
        "type": "Feature",
        "properties": {"id": key, **properties},
        "geometry": {"type": "Point", "coordinates": [lon, lat]},
    }


def small_town() -> list[Feature]:
    """Two buildings, one street, a shop, a school and a pond."""
    pond = square("pond", 24.945, 60.171)
    pond["properties"] = {"id": "pond", "natural": "water"}
    park = square("park", 24.946, 60.171)
    park["properties"] = {"id": "park", "leisure": "park", "name": "Green"}
    return [
        square("home", 24.940, 60.170, height="12", name="Home"),
        square("tower", 24.944, 60.170, **{"building:levels": "9"}),
        line("long", (24.940, 60.1699), (24.942, 60.1699), (24.944, 60.1699), name="Long street"),
        spot("shop", 24.944, 60.1698, shop="supermarket", name="Corner shop"),
        spot("school", 24.940, 60.1698, amenity="school"),
        pond,
        park,
    ]


def ended(run: Run, within_s: float = 60.0) -> Run:
    """The run as it ended: done here, or by the worker of a served city that was quicker."""
    until = time.monotonic() + within_s
    while not do(run.pk) and time.monotonic() < until:
        run.refresh_from_db()
        if run.status not in {Run.Status.QUEUED, Run.Status.RUNNING}:
            break
        time.sleep(0.1)
    run.refresh_from_db()
    return run


@pytest.fixture
def town(tmp_path: Path, db: None) -> Import:
    """Import features (the small town, if none are given) as the district "town"; the ended run."""

    def run(
        features: list[Feature] | None = None,
        *,
        place: Place | None = None,
        licence: str = "CC-BY-4.0",
        **more: Any,
    ) -> Run:
        path = tmp_path / "town.geojson"
        path.write_text(json.dumps({"type": "FeatureCollection", "features": features or small_town()}))
        started = services.start_import(
            slug="town",
            name="Town",
            files=[files.keep_path(path)],
            place=place,
            licence=licence,
            attribution="The town",
            **more,
        )
        return ended(started)

    return run


@pytest.fixture
def place(db: None) -> Place:
    """A neighbourhood of a city."""
    city = Place.objects.create(slug="testcity", name="Testcity", kind=Place.Kind.CITY)
    return Place.objects.create(slug="quarter", name="Quarter", parent=city)


def the_town() -> District:
    """The district as it stands."""
    return District.objects.select_related("current").get(slug="town")
