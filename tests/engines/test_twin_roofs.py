"""Roofs and shade against the energy engine, pvlib's sun, textbook view factors, and rays through a mesh."""

import datetime as dt
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from energy.engine import pv
from twin.engine import cityjson, floors, roof_surfaces, roofs, sun
from twin.engine.model import Thing

EPSG = 3067
LON, LAT = 24.94, 60.17
METRE_LON, METRE_LAT = 1 / 55_600, 1 / 111_300


def house(
    key: str, east_m: float, north_m: float, height_m: float, *, wide: float = 20.0, deep: float = 12.0, **more: object
) -> Thing:
    """A house whose south-west corner stands so many metres from the middle."""
    west, south = LON + east_m * METRE_LON, LAT + north_m * METRE_LAT
    east, north = west + wide * METRE_LON, south + deep * METRE_LAT
    ring = [[west, south], [east, south], [east, north], [west, north], [west, south]]
    about = {"height_m": height_m, "use": "apartments", **more}
    return Thing(key, {"type": "MultiPolygon", "coordinates": [[ring]]}, about)


def weather(step_minutes: int = 60, days: int = 365) -> pv.Weather:
    """A made-up year with clouds."""
    steps = days * 24 * 60 // step_minutes
    dice, hour = np.random.default_rng(3), (np.arange(steps) * step_minutes / 60) % 24
    light = np.maximum(0.0, np.sin((hour - 3.0) / 15 * np.pi)) * dice.uniform(0.1, 1.0, steps)
    return pv.Weather(
        dt.datetime(2025, 1, 1, tzinfo=dt.UTC),
        step_minutes,
        LAT,
        LON,
        ghi=600 * light,
        dni=500 * light,
        dhi=220 * light,
        air_c=dice.normal(7, 8, steps),
        wind_m_s=dice.gamma(2, 1.5, steps),
    )


@pytest.fixture(scope="module")
def year() -> pv.Weather:
    return weather()


@pytest.mark.parametrize("step_minutes", [60, 15])
def test_a_lone_flat_roof_is_the_energy_engine_s_unshaded_one(step_minutes: int) -> None:
    sky = weather(step_minutes, 365 if step_minutes == 60 else 40)
    parts: list[roofs.Part] = []
    found = roofs.potential([house("lone", 0, 0, 12)], weather=sky, each=parts.append)
    theirs = pv.year([pv.Roof(float(found.kwp[0]), roofs.DEFAULT.flat_tilt, 180.0)], sky)
    np.testing.assert_allclose(found.hourly_kwh, theirs[0], rtol=1e-9, atol=1e-9)
    (part,) = parts
    np.testing.assert_allclose(part.hourly_kwh[0], theirs[0], rtol=1e-9, atol=1e-9)
    assert found.kwh_per_year[0] == pytest.approx(theirs.sum(), rel=1e-9)
    assert found.monthly_kwh.sum() == pytest.approx(theirs.sum(), rel=1e-9)
    assert found.shaded_share[0] == pytest.approx(0, abs=1e-12)
    assert found.known == ["assumed"]


def test_hours_are_given_away_some_buildings_at_a_time(year: pv.Weather, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(roofs, "AT_ONCE", 2)
    parts: list[roofs.Part] = []
    flat = [house(f"flat{n}", 900 + 40 * n, 0, 0.0) for n in range(3)]  # of no height: no roof to reckon
    found = roofs.potential([*flat[:1], *block(2), *flat[1:]], weather=year, each=parts.append)
    assert [part.rows for part in parts] == [slice(0, 2), slice(2, 4), slice(4, 6), slice(6, 7)]
    hours = np.concatenate([part.hourly_kwh for part in parts])
    np.testing.assert_allclose(hours.sum(axis=0), found.hourly_kwh, rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(hours.sum(axis=1), found.kwh_per_year, rtol=1e-12)
    assert (hours[[0, 5, 6]] == 0).all() and (hours[1:5].sum(axis=1) > 0).all()
    for name in ("kwp", "use_kwh", "floor_m2"):
        assert np.concatenate([getattr(part, name) for part in parts]).tolist() == getattr(found, name).tolist()


def test_panels_fit_where_the_assumptions_say(year: pv.Weather) -> None:
    """20 x 12 m, a metre from the rim: 18 x 10 m, of which 0.7 x 0.8 are modules of 200 W/m2."""
    found = roofs.potential([house("lone", 0, 0, 12, levels=3)], weather=year)
    area = found.area_m2[0]
    assert area == pytest.approx(240, rel=0.01)
    assert found.usable_m2[0] == pytest.approx(180 * 0.56, rel=0.01)
    assert found.kwp[0] == pytest.approx(180 * 0.56 * 0.2, rel=0.01)
    assert found.floor_m2[0] == pytest.approx(3 * area)
    assert found.use_kwh[0] == pytest.approx(3 * area * floors.HOME.power)
    small = roofs.potential([house("hut", 0, 0, 3, wide=4, deep=4)], weather=year)
    assert small.kwp[0] == 0
    assert small.area_m2[0] > 10


def test_a_gable_has_two_sides_of_its_own(year: pv.Weather) -> None:
    """The ridge runs along the longer side, east to west: one half faces south, one north."""
    found = roofs.potential([house("gable", 0, 0, 9, roof_shape="gabled")], weather=year)
    sides = sorted(found.planes, key=lambda plane: plane.azimuth)
    assert [plane.tilt for plane in sides] == [30.0, 30.0]
    assert abs((sides[0].azimuth + 90) % 180 - 90) < 0.2
    assert abs(sides[1].azimuth - sides[0].azimuth) == pytest.approx(180)
    assert abs(roofs.north_of_grid(LON, LAT, EPSG)) > 1.5
    peaks = [plane.usable_m2 * 0.2 for plane in sides]
    theirs = pv.year([pv.Roof(p, 30, s.azimuth) for p, s in zip(peaks, sides, strict=True)], year)
    assert found.kwh_per_year[0] == pytest.approx(theirs.sum(), rel=1e-6)
    assert found.area_m2[0] == pytest.approx(240 / math.cos(math.radians(30)), rel=0.01)


# --- a wall and a canyon, by the book -----------------------------------------------------------------------
def wall(height_m: float, far_m: float, side: float) -> list[np.ndarray]:
    """A wall without end (40 km), seen over the point (0, 0, 0) on the side that an azimuth names."""
    out = np.array([math.sin(math.radians(side)), math.cos(math.radians(side))])
    along = np.array([out[1], -out[0]]) * 20_000
    ends = np.array([out * far_m + along, out * far_m - along])
    return [np.column_stack([ends, [height_m, height_m]])]


@pytest.mark.parametrize(("height_m", "far_m"), [(10.0, 10.0), (3.0, 12.0), (40.0, 8.0)])
def test_a_wall_hides_the_sun_in_the_hours_that_geometry_says(height_m: float, far_m: float) -> None:
    """A wall in the south hides the sun when tan(elevation) < h / d * cos(azimuth - 180): pvlib's sun, all year."""
    pd, pvlib = pytest.importorskip("pandas"), pytest.importorskip("pvlib")
    times = pd.date_range("2025-01-01", periods=4 * 8760, freq="15min", tz="UTC")
    seen = pvlib.solarposition.get_solarposition(times, LAT, LON)
    seen = seen[seen["apparent_elevation"] > 0]
    tangent = np.tan(np.radians(seen["apparent_elevation"].to_numpy()))
    azimuth = seen["azimuth"].to_numpy()
    horizon = sun.horizons(np.zeros((1, 3)), sun.ring_edges(wall(height_m, far_m, 180.0), [0]))
    ours = sun.visible(horizon, tangent, azimuth)[0]
    true = tangent > np.maximum(0.0, height_m / far_m * np.cos(np.radians(azimuth - 180)))
    assert 100 < (~true).sum() < len(true)
    assert (ours != true).sum() <= 2  # quarters of an hour, of 17,600 with the sun up
    assert ours.sum() == pytest.approx(true.sum(), abs=1)


@pytest.mark.parametrize(("height_m", "far_m"), [(10.0, 10.0), (3.0, 12.0), (40.0, 8.0)])
def test_the_sky_over_a_wall_and_in_a_canyon(height_m: float, far_m: float) -> None:
    """A level spot before an endless wall sees (1 + cos b) / 2 of the sky; between two, the mean of both cosines."""
    one = sun.horizons(np.zeros((1, 3)), sun.ring_edges(wall(height_m, far_m, 70.0), [0]))
    b = math.atan2(height_m, far_m)
    assert sun.sky_view(one)[0] == pytest.approx((1 + math.cos(b)) / 2, abs=2e-5)
    both = [*wall(height_m, far_m, 70.0), *wall(2 * height_m, far_m, 250.0)]
    canyon = sun.horizons(np.zeros((1, 3)), sun.ring_edges(both, [0, 1]))
    c = math.atan2(2 * height_m, far_m)
    assert sun.sky_view(canyon)[0] == pytest.approx((math.cos(b) + math.cos(c)) / 2, abs=4e-5)


@pytest.mark.parametrize("tilt", [0.0, 15.0, 35.0, 60.0, 90.0])
def test_a_tilted_plane_under_an_open_sky(tilt: float) -> None:
    seen = sun.sky_view(np.zeros((1, 360)), tilt, 200.0)[0]
    assert seen == pytest.approx((1 + math.cos(math.radians(tilt))) / 2, abs=1e-4)


def test_a_tilted_plane_before_a_wall_is_the_sum_over_its_sky() -> None:
    """The closed integral over elevation against a million pieces of sky."""
    horizon = sun.horizons(np.zeros((1, 3)), sun.ring_edges(wall(8.0, 6.0, 150.0), [0]))
    tilt, face = math.radians(40), math.radians(170)
    around, high = np.meshgrid(np.radians(np.arange(360)), (np.arange(3000) + 0.5) / 3000 * np.pi / 2, indexing="ij")
    facing = math.sin(tilt) * np.cos(high) * np.cos(around - face) + math.cos(tilt) * np.sin(high)
    seen = np.maximum(facing, 0) * np.cos(high) * (np.tan(high) > horizon[0][:, None])
    total = seen.sum() * (2 * np.pi / 360) * (np.pi / 2 / 3000) / np.pi
    assert sun.sky_view(horizon, 40.0, 170.0)[0] == pytest.approx(total, abs=1e-3)


# --- against rays -------------------------------------------------------------------------------------------
def test_the_horizon_is_what_rays_through_the_mesh_find() -> None:
    """Boxes strewn over a plane, as a mesh: embree's rays along whole degrees hit where the horizon says so."""
    trimesh = pytest.importorskip("trimesh")
    pytest.importorskip("embreex")
    dice = np.random.default_rng(17)
    boxes, rings = [], []
    for _ in range(60):
        wide, deep, tall = dice.uniform(8, 30), dice.uniform(8, 30), dice.uniform(5, 45)
        x, y = dice.uniform(-200, 200, 2)
        box = shapely.affinity.rotate(shapely.box(x, y, x + wide, y + deep), dice.uniform(0, 90))
        mesh = trimesh.creation.extrude_polygon(box, tall)
        boxes.append(mesh)
        rings.append(np.column_stack([shapely.get_coordinates(box.exterior)[:-1], np.full(4, tall)]))
    city = trimesh.util.concatenate(boxes)
    outlines = shapely.union_all([shapely.Polygon(ring[:, :2]) for ring in rings])
    points = np.column_stack([dice.uniform(-150, 150, (80, 2)), dice.uniform(0.5, 20, 80)])
    points = points[~shapely.contains_xy(outlines, points[:, 0], points[:, 1])]
    horizon = sun.horizons(points, sun.ring_edges(rings, range(len(rings))))
    azimuth = np.radians(dice.integers(0, 360, 60))
    high = np.radians(dice.uniform(1, 70, 60))
    rays = np.column_stack([np.cos(high) * np.sin(azimuth), np.cos(high) * np.cos(azimuth), np.sin(high)])
    ours = sun.visible(horizon, np.tan(high), np.degrees(azimuth))
    hit = city.ray.intersects_any(np.repeat(points, len(rays), axis=0), np.tile(rays, (len(points), 1)))
    true = ~hit.reshape(len(points), len(rays))
    assert 0.1 < true.mean() < 0.95
    assert (ours != true).mean() < 5e-4


def test_shadows_lie_where_the_sun_is_not_seen() -> None:
    shapes = sun.outlines([house("a", 0, 0, 15), house("b", 40, 10, 30), house("c", 10, 60, 9)], EPSG)
    tall = np.array([15.0, 30.0, 9.0])
    dark = sun.shadows(shapes, tall, 60.0, 137.0)
    lone = sun.shadows(shapes[:1], tall[:1], 60.0, 180.0)
    turned = shapely.get_coordinates(shapes[0])
    assert lone.area == pytest.approx(np.ptp(turned[:, 0]) * 15 * math.tan(math.radians(60)), rel=0.03)
    rings = [
        np.column_stack([shapely.get_coordinates(s)[:-1], np.full(4, h)]) for s, h in zip(shapes, tall, strict=True)
    ]
    west, south, east, north = shapely.total_bounds(np.array(shapes, dtype=object))
    dice = np.random.default_rng(5)
    at = np.column_stack([dice.uniform(west - 60, east + 20, 3000), dice.uniform(south - 20, north + 60, 3000)])
    at = at[~shapely.contains_xy(shapely.union_all(np.array(shapes, dtype=object)), at[:, 0], at[:, 1])]
    horizon = sun.horizons(np.column_stack([at, np.zeros(len(at))]), sun.ring_edges(rings, [0, 1, 2]))
    lit = sun.visible(horizon, np.array([math.tan(math.radians(30))]), np.array([137.0]))[:, 0]
    assert (shapely.contains_xy(dark, at[:, 0], at[:, 1]) == lit).mean() < 2e-3
    assert sun.shadows(shapes, tall, 95.0, 0.0).is_empty


# --- properties ---------------------------------------------------------------------------------------------
TALL = st.floats(4, 60)
PLACE = st.tuples(st.floats(-60, 60), st.floats(-60, 60))
SKY = replace(weather(days=365), step_minutes=60)


@settings(max_examples=12, deadline=None)
@given(TALL, TALL, PLACE, TALL)
def test_a_lower_neighbour_never_shades_more(
    own_m: float, other_m: float, at: tuple[float, float], less: float
) -> None:
    east, north = at
    if abs(east) < 21 and abs(north) < 13:
        east += 45
    low, high = sorted((other_m, less))
    mine = house("mine", 0, 0, own_m)
    under_low, under_high = (
        roofs.potential([mine, house("other", east, north, tall)], weather=SKY, assumptions=SMALL)
        for tall in (low, high)
    )
    assert under_high.kwh_per_year[0] <= under_low.kwh_per_year[0] * (1 + 1e-9) + 1e-6
    assert under_high.shaded_share[0] >= under_low.shaded_share[0] - 1e-9
    if high <= own_m:
        assert under_high.shaded_share[0] == pytest.approx(0, abs=1e-9)


SMALL = roofs.Assumptions(spots=6, least_light=0.0)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.floats(-80, 80), st.floats(-80, 80), TALL), min_size=1, max_size=6), PLACE, TALL)
def test_a_mirrored_district_has_mirrored_horizons(
    boxes: list[tuple[float, float, float]], at: tuple[float, float], tall: float
) -> None:
    def seen(sign: float) -> np.ndarray:
        rings = [np.array([[sign * x, y, h], [sign * (x + 9), y, h], [sign * (x + 9), y + 7, h]]) for x, y, h in boxes]
        spot = np.array([[sign * at[0], at[1], tall / 4]])
        return sun.horizons(spot, sun.ring_edges(rings, range(len(rings))))[0]

    np.testing.assert_allclose(seen(1.0), np.roll(seen(-1.0)[::-1], 1), rtol=1e-6, atol=1e-9)


def block(count: int) -> list[Thing]:
    dice = np.random.default_rng(8)
    return [house(f"h{x}-{y}", 38 * x, 30 * y, float(dice.uniform(8, 35))) for x in range(count) for y in range(count)]


def test_the_table_of_directions_and_the_spots_are_fine_enough(
    year: pv.Weather, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Ten times the directions, or four times the spots and looks, move the district's year by under 0.1 and 1 %."""
    town = block(4)
    found = roofs.potential(town, weather=year).total_kwh
    bare = roofs.potential(town, weather=year, shading=False).total_kwh
    assert found < 0.97 * bare
    horizons = sun.horizons
    with monkeypatch.context() as finer:
        finer.setattr(sun, "DIRECTIONS", 3600)
        finer.setattr(sun, "horizons", lambda points, obstacles, own: horizons(points, obstacles, own, 3600))
        assert roofs.potential(town, weather=year).total_kwh == pytest.approx(found, rel=1e-3)
    with monkeypatch.context() as oftener:
        oftener.setattr(roofs, "LOOKS_AN_HOUR", 16)
        assert roofs.potential(town, weather=year).total_kwh == pytest.approx(found, rel=2e-3)
    many = roofs.potential(town, weather=year, assumptions=roofs.Assumptions(spots=80)).total_kwh
    assert many == pytest.approx(found, rel=0.01)


def test_shade_of_a_beam_hour_is_the_energy_engine_without_beam(year: pv.Weather) -> None:
    """Behind a wall that hides sun and half the sky all year, a roof makes what the energy engine makes of diffuse
    light alone."""
    horizon = np.full((1, 360), 1e9)
    assert sun.sky_view(horizon)[0] == pytest.approx(0, abs=1e-12)
    town = [house("low", 0, 0, 5), house("ring", -20, -20, 4000, wide=19.99, deep=52)]
    shaded = roofs.potential(town, weather=year, assumptions=replace(roofs.DEFAULT, least_light=0.0))
    bare = roofs.potential(town[:1], weather=year)
    assert 0.3 < shaded.shaded_share[0] < 0.7
    assert shaded.kwh_per_year[0] < 0.7 * bare.kwh_per_year[0]


def test_surfaces_of_a_3d_model_are_taken_as_they_are(year: pv.Weather) -> None:
    """A gable by its own surfaces is the gable of the map, and a dormer's neighbour is shaded by its own house."""
    thing = house("solid", 0, 0, 9)
    (x0, y0), (x1, _y1), (_x2, y2) = shapely.get_coordinates(sun.outlines([thing], EPSG)[0])[[0, 1, 2]]
    deep = (y2 - y0) / 2
    ridge = 6 + deep * math.tan(math.radians(30))
    south = np.array([[x0, y0, 6], [x1, y0, 6], [x1, y0 + deep, ridge], [x0, y0 + deep, ridge]])
    north = np.array([[x0, y0 + deep, ridge], [x1, y0 + deep, ridge], [x1, y2, 6], [x0, y2, 6]])
    found = roofs.potential([thing], weather=year, surfaces={"solid": [south, north]})
    assert found.known == ["surfaces"]
    assert [round(p.tilt) for p in found.planes] == [30, 30]
    turn = roofs.north_of_grid(LON, LAT, EPSG)  # these lie along the grid, which true north does not
    assert [p.azimuth for p in found.planes] == pytest.approx([180 - turn, (-turn) % 360], abs=0.1)
    theirs = pv.year([pv.Roof(p.usable_m2 * 0.2, p.tilt, p.azimuth) for p in found.planes], year)
    assert found.kwh_per_year[0] == pytest.approx(theirs.sum(), rel=0.02)


@pytest.mark.shared
def test_roofs_of_zurich_come_from_its_3d_model(shared: Path, year: pv.Weather) -> None:
    """49 buildings in LoD2: their planes lie over their footprints and are larger by their slope."""
    path = shared / "data" / "twin" / "samples" / "zurich_lod2.city.json"
    model = cityjson.read(path)
    assert model.epsg
    surfaces = roof_surfaces.read(path, path.name, model.epsg)
    assert len(surfaces) > 40
    at = replace(year, latitude=47.37, longitude=8.54)
    found = roofs.potential(model.buildings, weather=at, epsg=model.epsg, surfaces=surfaces)
    flat = np.array([shape.area for shape in sun.outlines(model.buildings, model.epsg)])
    solid = np.array([key == "surfaces" for key in found.known])
    assert solid.mean() > 0.8
    assert 1.0 < np.median(found.area_m2[solid] / flat[solid]) < 1.5
    assert found.kwp[solid].sum() > 100
    assert len({round(plane.tilt) for plane in found.planes}) > 10
