"""Long work of the twin: the sun on every roof of a version."""

from typing import TYPE_CHECKING, Any

from django.utils.translation import gettext_lazy

from commons.runs.registry import Inputs, Job, Outcome, kind
from commons.said import said
from twin import files, queries, services
from twin.engine import ROOFS_VERSION
from twin.models import DistrictVersion
from twin.typical_weather import typical

if TYPE_CHECKING:
    from twin.engine.model import CityModel
    from twin.engine.roofs import Potential, Surfaces, Take


@kind("twin.roofs", queue="simulations", engine_version=ROOFS_VERSION)
def reckon_roofs(job: Job, inputs: Inputs) -> Outcome:
    """What the sun gives on each roof, with the shade of its neighbours, and shadows on three days."""
    of = queries.version(queries.district(inputs["district"]), inputs["version"])
    model = queries.as_model(of)
    words = said(gettext_lazy("Sun, shade and light on each roof"))
    job.progress(0.1, words)
    found, weather = potential_of(
        of, model, each=lambda part: job.progress(0.1 + 0.6 * part.rows.stop / len(model.buildings), words)
    )
    job.progress(0.7, said(gettext_lazy("Shadows by the hour")))
    drawn = _shadows(of, model)
    summary = _summary(found)

    def effect() -> None:
        services.store_reckoning(
            of=of,
            kind="roofs",
            engine_version=ROOFS_VERSION,
            inputs=weather | _assumed(),
            summary=summary,
            keys=found.keys,
            columns=_columns(found),
            drawings=drawn,
        )
        services.prepare_map(of=of, tiles_alone=True)

    return Outcome({"district": inputs["district"], "version": of.number, **summary}, effect)


def potential_of(
    of: DistrictVersion, model: "CityModel", *, each: "Take | None" = None
) -> "tuple[Potential, dict[str, object]]":
    """The potential of a version under its place's typical weather, and where that is from."""
    from twin.engine import roofs  # noqa: PLC0415 the web process never runs this

    west, south, east, north = of.bounds
    weather, source = typical((south + north) / 2, (west + east) / 2)
    found = roofs.potential(model.buildings, weather=weather, epsg=of.epsg, surfaces=_surfaces(of), each=each)
    return found, source


def _surfaces(of: DistrictVersion) -> "Surfaces":
    """Roof surfaces of the kept files that are 3D models."""
    from twin.engine import roof_surfaces  # noqa: PLC0415 as above

    found: dict[str, Any] = {}
    for kept in of.sources:
        path = files.path(kept)
        if kept["name"].endswith((".city.json", ".city.jsonl", ".json", ".jsonl")) and path.is_file():
            found |= roof_surfaces.read(path, kept["name"], of.epsg)
    return found


def _assumed() -> dict[str, Any]:
    from dataclasses import asdict  # noqa: PLC0415 with the engine

    from twin.engine import roofs  # noqa: PLC0415 as above

    return {"assumptions": asdict(roofs.DEFAULT)}


def _columns(found: "Potential") -> dict[str, list[Any]]:
    import numpy as np  # noqa: PLC0415 as above

    times = found.kwh_per_year / np.maximum(found.use_kwh, 1e-9)
    return {
        "roof_m2": found.area_m2.round(1).tolist(),
        "usable_m2": found.usable_m2.round(1).tolist(),
        "kwp": found.kwp.round(2).tolist(),
        "kwh": found.kwh_per_year.round().tolist(),
        "light": found.light_kwh_m2.round().tolist(),
        "shaded": found.shaded_share.round(4).tolist(),
        "use_kwh": found.use_kwh.round().tolist(),
        "times": [round(t, 3) if u > 0 else None for t, u in zip(times.tolist(), found.use_kwh.tolist(), strict=True)],
        "known": found.known,
    }


def _summary(found: "Potential") -> dict[str, Any]:
    import numpy as np  # noqa: PLC0415 as above

    bare = float((found.area_m2 * found.shaded_share).sum() / max(found.area_m2.sum(), 1e-9))
    return {
        "buildings": len(found.keys),
        "producing": int((found.kwp > 0).sum()),
        "roof_m2": round(float(found.area_m2.sum())),
        "usable_m2": round(float(found.usable_m2.sum())),
        "kwp": round(float(found.kwp.sum()), 1),
        "kwh": round(found.total_kwh),
        "use_kwh": round(float(found.use_kwh.sum())),
        "shaded": round(bare, 4),
        "months": found.monthly_kwh.sum(axis=0).round().tolist(),
        "peak_kw": round(float(found.hourly_kwh.max(initial=0.0)), 1),
        "known": {name: found.known.count(name) for name in ("surfaces", "shape", "assumed")},
        "noon_share": round(float(np.sort(found.hourly_kwh)[::-1][:1000].sum() / max(found.total_kwh, 1e-9)), 3),
    }


def _shadows(of: DistrictVersion, model: "CityModel") -> dict[str, str]:
    """Paths of the shadows on the ground at some hours of three days, in the picture's own units."""
    import datetime as dt  # noqa: PLC0415 as above

    import numpy as np  # noqa: PLC0415 as above

    from energy.engine import sun as almanac  # noqa: PLC0415 as above
    from twin.engine import drawing, roofs, sun  # noqa: PLC0415 as above
    from twin.shadow_hours import DAYS, HOURS, name_of  # noqa: PLC0415 as above

    if len(model.buildings) > drawing.MOST_BUILDINGS:
        return {}
    west, south, east, north = of.bounds
    lat, lon = (south + north) / 2, (west + east) / 2
    shapes = sun.outlines(model.buildings, of.epsg)
    tall = np.array([float(b.properties.get("height_m") or 0) for b in model.buildings])
    turn = roofs.north_of_grid(lon, lat, of.epsg)
    zone = dt.timezone(dt.timedelta(hours=round(lon / 15)))
    drawn = {}
    for month, day in DAYS:
        for hour in HOURS:
            at = dt.datetime(2025, month, day, hour, tzinfo=zone).timestamp()
            seen = almanac.positions(np.array([at]), lat, lon)
            zenith, azimuth = float(seen.apparent_zenith[0]), float(seen.azimuth[0])
            if zenith > 88:
                continue
            dark = sun.shadows(shapes, tall, zenith, azimuth + turn)
            drawn[name_of(month, day, hour)] = drawing.ground_path(sun.degrees(dark, of.epsg), of.bounds)
    return drawn
