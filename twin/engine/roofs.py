"""What the sun can give on each roof of a district, with the shade of its neighbours.

- Roof planes: surfaces of a 3D model (CityJSON LoD2) where it has them; else the shape that the map states (gabled,
  hipped, skillion … at 30 degrees, the ridge along the longer side); else a flat roof, marked `assumed`.
- Where panels fit: a metre from the rim, and of what is left the share in `Assumptions`; only where a spot of the
  roof receives at least 80 % of the light that the same plane would have without neighbours, and planes of 10 m2.
- Light: Hay-Davies as in `energy.engine.pv`. Beam and the sky around the sun come only while the sun stands over the
  spot's horizon (`sun.horizons`), looked at four times an hour; the even sky by the plane's sky-view factor. What
  walls reflect is left out, so narrow yards come out a little too dark. One array has the mean light of its spots:
  losses of strings that are shaded in part are not reckoned.
- Power: the same cell, DC and AC as the energy engine, so that a lone roof gives exactly what that gives.

Arrays are float64; energy kWh, area m2, angles degrees, azimuth 180 = south.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, TypeAlias

import numpy as np
import shapely
from numpy.typing import NDArray

from energy.engine import pv
from energy.engine import sun as almanac
from energy.engine.compiled import compiled
from twin.engine import sun
from twin.engine.crs import metric_epsg, to_metres
from twin.engine.floors import benchmark, storeys
from twin.engine.model import Thing

Floats: TypeAlias = NDArray[np.float64]
Ints: TypeAlias = NDArray[np.int64]
Surfaces: TypeAlias = Mapping[str, Sequence[Floats]]
"""Roof surfaces of a building by its key: outer rings (k, 3), metres in the district's system, z over its foot."""

LOOKS_AN_HOUR = 4
MINIMUM_PLANE_M2 = 2.0
AT_ONCE = 500
"""Buildings whose hours are in memory at a time: 35 MB."""


@dataclass(frozen=True, slots=True)
class Assumptions:
    """What is assumed where nobody measured a roof.

    `flat_share` and `pitched_share`: module area over roof area (Gagnon et al. 2016, NREL/TP-6A20-65298: 0.70 and
    0.98), times `free_share` for chimneys, hatches and ventilation, which no footprint shows (our assumption).
    `least_light` and `least_m2` as in the same study. `kwp_per_m2`: modules of 20 %.
    """

    setback_m: float = 1.0
    flat_share: float = 0.70
    pitched_share: float = 0.98
    free_share: float = 0.80
    kwp_per_m2: float = 0.20
    flat_tilt: float = 10.0
    pitched_tilt: float = 30.0
    least_light: float = 0.80
    least_m2: float = 10.0
    spots: int = 20


DEFAULT = Assumptions()
GABLED = frozenset({"gabled", "half-hipped", "saltbox", "gambrel", "double_saltbox", "pitched", "saddle"})
HIPPED = frozenset({"hipped", "pyramidal", "side_hipped", "mansard"})
ONE_SIDED = frozenset({"skillion", "lean_to"})


@dataclass(frozen=True, slots=True)
class Plane:
    """A flat piece of roof: its outline from above, area along the slope, angles (azimuth from true north), spots.
    `laid`: modules on a flat roof, turned as one likes.
    """

    building: int
    shape: Any
    area_m2: float
    tilt: float
    azimuth: float
    spots: Floats
    usable_m2: float
    known: str
    laid: bool = False


@dataclass(frozen=True, slots=True)
class Potential:
    """What each building's roof can give, in the order of `keys`.

    `area_m2`: roof; `usable_m2`: of it for panels; `shaded_share`: light that neighbours take from the whole roof;
    `light_kwh_m2`: yearly light on a usable m2; `use_kwh`: the building's own use of power by its benchmark;
    `known`: surfaces, shape or assumed. `monthly_kwh` (buildings, 12) by UTC months; `hourly_kwh` of all together.
    """

    keys: list[str]
    area_m2: Floats
    usable_m2: Floats
    kwp: Floats
    kwh_per_year: Floats
    shaded_share: Floats
    light_kwh_m2: Floats
    sky_view: Floats
    use_kwh: Floats
    floor_m2: Floats
    known: list[str]
    monthly_kwh: Floats
    hourly_kwh: Floats
    planes: list[Plane] = field(default_factory=list)

    @property
    def total_kwh(self) -> float:
        """All roofs in a year."""
        return float(self.kwh_per_year.sum())


@dataclass(frozen=True, slots=True)
class Part:
    """Some buildings, those of the slice `rows`, with what their roofs make in each step (k, steps) in kWh."""

    rows: slice
    hourly_kwh: Floats
    kwp: Floats
    use_kwh: Floats
    floor_m2: Floats


Take: TypeAlias = Callable[[Part], None]


def potential(
    buildings: Sequence[Thing],
    *,
    weather: pv.Weather,
    shading: bool = True,
    epsg: int | None = None,
    surfaces: Surfaces | None = None,
    assumptions: Assumptions = DEFAULT,
    each: Take | None = None,
) -> Potential:
    """The potential of buildings over the weather's time. Raises energy's BadValue for weather that cannot be.

    `epsg` is the district's metric system (chosen by place without it). `each` is given every building's hours, some
    buildings after the other: those of a city are more than a machine's memory holds.
    """
    pv.check((), weather)
    if epsg is None:
        epsg = metric_epsg(weather.longitude, weather.latitude)
    shapes = sun.outlines(buildings, epsg)
    height = np.array([float(b.properties.get("height_m") or 0) for b in buildings])
    turn = north_of_grid(weather.longitude, weather.latitude, epsg)
    planes = [
        replace(plane, azimuth=(plane.azimuth - turn) % 360) if not plane.laid else plane
        for plane in _planes(buildings, shapes, height, surfaces or {}, weather.latitude, assumptions)
    ]
    obstacles = _obstacles(buildings, shapes, height, surfaces or {}) if shading else sun.ring_edges([], [])
    return _reckon(buildings, shapes, planes, obstacles, weather, epsg, assumptions, each)


# --- planes of a roof ---------------------------------------------------------------------------------------
def _planes(  # noqa: PLR0917 the district, then what is assumed of it
    buildings: Sequence[Thing],
    shapes: Sequence[Any],
    height: Floats,
    surfaces: Surfaces,
    latitude: float,
    assumed: Assumptions,
) -> list[Plane]:
    found: list[Plane] = []
    towards = 180.0 if latitude >= 0 else 0.0
    for number, (building, shape) in enumerate(zip(buildings, shapes, strict=True)):
        if shape.is_empty or height[number] <= 0:
            continue
        if rings := surfaces.get(building.key):
            found.extend(_of_surfaces(number, rings, towards, assumed))
            continue
        kind = str(building.properties.get("roof_shape") or building.properties.get("roof") or "").lower()
        if kind in GABLED | HIPPED | ONE_SIDED:
            found.extend(_pitched(number, shape, height[number], kind, towards, assumed))
        else:
            known = "shape" if kind == "flat" else "assumed"
            found.append(_plane(number, shape, height[number], (0.0, towards), shape.area, known, assumed))
    return found


def _plane(  # noqa: PLR0917 one plane's facts
    number: int,
    shape: Any,
    z_m: float,
    facing: tuple[float, float],
    area_m2: float,
    known: str,
    assumed: Assumptions,
    solid: Floats | None = None,
) -> Plane:
    """One plane; its spots stand on a grid that fits its extent. `solid`: z = a x + b y + c of a slanting one."""
    inner = shape.buffer(-assumed.setback_m, join_style="mitre")
    inner = shape if inner.is_empty else inner
    tilt = facing[0] or assumed.flat_tilt
    share = (assumed.flat_share if facing[0] == 0 else assumed.pitched_share) * assumed.free_share
    kept = share * area_m2 * (inner.area / shape.area if inner is not shape else 0.0)
    at = _grid(inner, assumed.spots)
    z = np.full(len(at), z_m) if solid is None else at @ solid[:2] + solid[2]
    return Plane(number, shape, area_m2, tilt, facing[1], np.column_stack([at, z + 0.05]), kept, known, facing[0] == 0)


def _grid(shape: Any, wanted: int) -> Floats:
    """About so many spots inside a shape, even over its extent and the same when it is mirrored."""
    west, south, east, north = shape.bounds
    box = max((east - west) * (north - south), 1e-9)
    cell = math.sqrt(max(shape.area, 1e-9) / wanted)
    nx = max(1, min(round((east - west) / cell), 400))
    ny = max(1, min(round((north - south) / cell), 400, math.ceil(box / cell**2)))
    x = west + (np.arange(nx) + 0.5) * ((east - west) / nx)
    y = south + (np.arange(ny) + 0.5) * ((north - south) / ny)
    at = np.array(np.meshgrid(x, y)).reshape(2, -1).T
    inside = at[shapely.contains_xy(shape, at[:, 0], at[:, 1])]
    if len(inside):
        return np.asarray(inside)
    spot = shape.representative_point()
    return np.array([[spot.x, spot.y]])


def _pitched(  # noqa: PLR0917 one roof's facts
    number: int, shape: Any, z_m: float, kind: str, towards: float, assumed: Assumptions
) -> list[Plane]:
    """Two halves along the longer side, or one for a lean-to; a hipped roof gives up its two ends, a quarter."""
    corners = shapely.get_coordinates(shapely.oriented_envelope(shape))[:4]
    a, b = corners[1] - corners[0], corners[2] - corners[1]
    along = a if np.hypot(*a) >= np.hypot(*b) else b
    long_m = float(np.hypot(*along))
    if long_m == 0:
        return []
    along = along / long_m
    side = np.array([along[1], -along[0]])
    middle = np.array(shapely.get_coordinates(shapely.centroid(shape))[0])
    slope = 1 / math.cos(math.radians(assumed.pitched_tilt))
    share = 0.75 if kind in HIPPED else 1.0
    if kind in ONE_SIDED:
        face = math.degrees(math.atan2(side[0], side[1])) % 360
        face = min(face, (face + 180) % 360, key=lambda f: abs((f - towards + 180) % 360 - 180))
        facing = (assumed.pitched_tilt, face)
        return [_plane(number, shape, z_m, facing, shape.area * slope, "shape", assumed)]
    planes = []
    for way in (side, -side):
        far = 2 * (long_m + shape.length)
        across = np.array([1.0, -1.0, -1.0, 1.0])[:, None] * along * far
        aside = np.array([0.0, 0.0, 1.0, 1.0])[:, None] * way * far
        half = shapely.Polygon(middle + across + aside)
        part = shape.intersection(half)
        if part.area < MINIMUM_PLANE_M2:
            continue
        facing = (assumed.pitched_tilt, math.degrees(math.atan2(way[0], way[1])) % 360)
        planes.append(_plane(number, part, z_m, facing, part.area * slope * share, "shape", assumed))
    return planes


def _of_surfaces(number: int, rings: Sequence[Floats], towards: float, assumed: Assumptions) -> list[Plane]:
    """The surfaces of a 3D model that look upwards."""
    planes = []
    for ring in rings:
        across = np.cross(ring, np.roll(ring, -1, axis=0)).sum(axis=0) / 2
        area = float(np.linalg.norm(across))
        if across[2] < 0:
            across = -across
        flat = shapely.Polygon(ring[:, :2])
        if area < MINIMUM_PLANE_M2 or across[2] < 0.05 * area:
            continue
        flat = flat if flat.is_valid else flat.buffer(0)
        if flat.area < MINIMUM_PLANE_M2 / 2:
            continue
        tilt = math.degrees(math.acos(min(across[2] / area, 1.0)))
        face = math.degrees(math.atan2(across[0], across[1])) % 360
        foot = ring.mean(axis=0)
        solid = np.array([-across[0] / across[2], -across[1] / across[2], foot @ across / across[2]])
        facing = (0.0, towards) if tilt < 3 else (tilt, face)
        planes.append(_plane(number, flat, 0.0, facing, area, "surfaces", assumed, solid))
    return planes


def _obstacles(buildings: Sequence[Thing], shapes: Sequence[Any], height: Floats, surfaces: Surfaces) -> sun.Edges:
    """The upper edges of every building: of its surfaces, else of its prism."""
    rings: list[Floats] = []
    owners: list[int] = []
    for number, (building, shape) in enumerate(zip(buildings, shapes, strict=True)):
        if own := surfaces.get(building.key):
            rings.extend(own)
            owners.extend([-2 - number] * len(own))  # a roof with dormers shades itself
            continue
        for polygon in shape.geoms:
            for ring in (polygon.exterior, *polygon.interiors):
                at = shapely.get_coordinates(ring)[:-1]
                rings.append(np.column_stack([at, np.full(len(at), height[number])]))
                owners.append(number)
    return sun.ring_edges(rings, owners)


# --- light and power ----------------------------------------------------------------------------------------
@compiled
def _lit(tangents: Floats, sun_tan: Floats, sun_azimuth: Floats, looks: int, out: Any) -> None:
    """How many looks of each step see the sun from each spot (steps, spots), and in the last column of all."""
    count = tangents.shape[1]
    spots = len(tangents)
    for s in range(len(sun_tan)):
        if sun_tan[s] <= 0.0:
            continue
        t = s // looks
        out[t, spots] += 1
        place = sun_azimuth[s] / 360.0 * count
        k = int(place)
        part = place - k
        here, there = k % count, (k + 1) % count
        for p in range(spots):
            if sun_tan[s] > tangents[p, here] * (1.0 - part) + tangents[p, there] * part:
                out[t, p] += 1


@compiled
def _power(  # noqa: PLR0917 compiled: positional alone
    weather: Floats, tilt_deg: float, face_deg: float, lit: Any, view: Floats, dome: float, least: float, out: Floats
) -> Any:
    """Light and AC power of a plane: kWh light a m2 and year on the usable spots, the share of light that shade takes
    from all spots, the share of spots in use; W for each kW peak into `out`.

    `weather` rows: up, east, north of the sun, beam with the sky around it, even sky, global, wind's factor, air.
    """
    tilt, face = math.radians(tilt_deg), math.radians(face_deg)
    up, east, north = math.cos(tilt), math.sin(tilt) * math.sin(face), math.sin(tilt) * math.cos(face)
    ground = 0.5 * pv.ALBEDO * (1.0 - up)
    steps, spots = weather.shape[1], len(view)
    sums = np.zeros(spots)
    open_sum = 0.0
    for t in range(steps):
        facing = max(up * weather[0, t] + east * weather[1, t] + north * weather[2, t], 0.0)
        beam, even = facing * weather[3, t], weather[4, t]
        back = ground * weather[5, t]
        open_sum += beam + dome * even + back
        looks = lit[t, spots]
        for p in range(spots):
            share = lit[t, p] / looks if looks > 0 else 1.0
            sums[p] += beam * share + view[p] * even + back
    keep = sums >= least * open_sum
    kept = keep.sum()
    shaded = 1.0 - sums.mean() / open_sum if open_sum > 0 else 0.0
    if kept == 0 or open_sum == 0:
        out[:] = 0.0
        return 0.0, shaded, 0.0, 0.0
    seen = 0.0
    for p in range(spots):
        if keep[p]:
            seen += view[p] / kept
    gain = pv.INVERTER_NOMINAL / pv.INVERTER_REFERENCE
    light = 0.0
    for t in range(steps):
        facing = max(up * weather[0, t] + east * weather[1, t] + north * weather[2, t], 0.0)
        looks, suns = lit[t, spots], 0
        for p in range(spots):
            if keep[p]:
                suns += lit[t, p]
        share = suns / (looks * kept) if looks > 0 else 1.0
        poa = facing * weather[3, t] * share + seen * weather[4, t] + ground * weather[5, t]
        poa = max(poa, 0.0)
        light += poa
        cell = poa * (weather[6, t] + pv.CELL_DELTA / 1000.0) + weather[7, t]
        dc = max(poa * (1.0 + pv.GAMMA_PER_K * (cell - 25.0)) * (1.0 - pv.SYSTEM_LOSSES), 0.0)
        ac = dc * (-0.0162 / 1000.0 * gain * dc + 0.9858 * gain) - 5.9 * gain
        out[t] = max(min(ac, pv.INVERTER_NOMINAL * 1000.0), 0.0)
    return light, shaded, kept / spots, seen


def _reckon(  # noqa: PLR0917 the district as arrays
    buildings: Sequence[Thing],
    shapes: Sequence[Any],
    planes: list[Plane],
    obstacles: sun.Edges,
    weather: pv.Weather,
    epsg: int,
    assumed: Assumptions,
    each: Take | None,
) -> Potential:
    n, steps = len(buildings), len(weather.ghi)
    hours = weather.step_minutes / 60
    rows = _weather_rows(weather)
    turn = north_of_grid(weather.longitude, weather.latitude, epsg)
    sun_tan, sun_azimuth, looks = _suns(weather, turn)
    month = _months(weather)
    area, usable, kwp, kwh, light, view, lost = (np.zeros(n) for _ in range(7))
    monthly, total = np.zeros((n, 12)), np.zeros(steps)
    floor = np.array([s.area * storeys(x.properties) for s, x in zip(shapes, buildings, strict=True)])
    use = np.array(
        [f * benchmark(str(x.properties.get("use", ""))).power for f, x in zip(floor, buildings, strict=True)]
    )
    hours_of = _Hours(each, kwp, use, floor, np.zeros((AT_ONCE if each else 0, steps)))
    known = ["assumed"] * n
    out = np.empty(steps)
    for plane in planes:
        b = plane.building
        hours_of.come_to(b)
        own = np.full(len(plane.spots), b, dtype=np.int64)
        tangents = sun.horizons(plane.spots, obstacles, own)
        lit = np.zeros((steps, len(plane.spots) + 1), dtype=np.uint8)
        _lit(tangents, sun_tan, sun_azimuth, looks, lit)
        dome = 0.5 * (1 + math.cos(math.radians(plane.tilt)))
        face = plane.azimuth + turn
        bare = float(sun.sky_view(np.zeros((1, sun.DIRECTIONS)), plane.tilt, face)[0])
        views = sun.sky_view(tangents, plane.tilt, face) * (dome / bare)
        sums, shaded, share, seen = _power(rows, plane.tilt, plane.azimuth, lit, views, dome, assumed.least_light, out)
        fits = plane.usable_m2 * share
        fits = fits if fits / max(assumed.free_share, 1e-9) >= assumed.least_m2 * assumed.flat_share else 0.0
        area[b] += plane.area_m2
        lost[b] += plane.area_m2 * shaded
        known[b] = plane.known
        if fits == 0:
            continue
        peak = fits * assumed.kwp_per_m2
        made = out * (peak * hours / 1000)
        usable[b] += fits
        kwp[b] += peak
        light[b] += sums * hours / 1000 * fits
        view[b] += seen * fits
        kwh[b] += made.sum()
        monthly[b] += np.bincount(month, made, minlength=12)
        total += made
        hours_of.add(b, made)
    hours_of.come_to(n)
    return Potential(
        keys=[x.key for x in buildings],
        area_m2=area,
        usable_m2=usable,
        kwp=kwp,
        kwh_per_year=kwh,
        shaded_share=lost / np.maximum(area, 1e-9),
        light_kwh_m2=light / np.maximum(usable, 1e-9),
        sky_view=view / np.maximum(usable, 1e-9),
        use_kwh=use,
        floor_m2=floor,
        known=known,
        monthly_kwh=monthly,
        hourly_kwh=total,
        planes=planes,
    )


@dataclass(slots=True)
class _Hours:
    """The hours of the buildings at hand, given away when the planes have come past them."""

    each: Take | None
    kwp: Floats
    use_kwh: Floats
    floor_m2: Floats
    kept: Floats
    first: int = 0

    def come_to(self, building: int) -> None:
        """Give away whoever stands before the buildings of this one."""
        n = len(self.kwp)
        while self.each and self.first < n and building >= min(self.first + len(self.kept), n):
            rows = slice(self.first, min(self.first + len(self.kept), n))
            hours = self.kept[: rows.stop - rows.start]
            self.each(Part(rows, hours, self.kwp[rows], self.use_kwh[rows], self.floor_m2[rows]))
            self.kept = np.zeros_like(self.kept)
            self.first = rows.stop

    def add(self, building: int, made: Floats) -> None:
        """A plane's hours."""
        if self.each:
            self.kept[building - self.first] += made


def _weather_rows(weather: pv.Weather) -> Floats:
    """What of weather and sun every plane needs, as `energy.engine.pv` has it: (8, steps)."""
    sky = pv.sky_of(weather)
    zenith, azimuth = np.radians(sky.zenith), np.radians(sky.azimuth)
    high, flat = np.cos(zenith), np.sin(zenith)
    share = sky.dni / sky.dni_extra
    return np.array(
        [
            high,
            flat * np.sin(azimuth),
            flat * np.cos(azimuth),
            sky.dni + sky.dhi * share / np.maximum(high, pv.LEAST_COS_ZENITH),
            sky.dhi * (1 - share),
            sky.ghi,
            np.exp(pv.CELL_A + pv.CELL_B * sky.wind_m_s),
            sky.air_c,
        ]
    )


def _suns(weather: pv.Weather, turn: float) -> tuple[Floats, Floats, int]:
    """Tangent of elevation and azimuth on the grid of the looks within each step, and how many looks a step has."""
    looks = max(1, round(LOOKS_AN_HOUR * weather.step_minutes / 60))
    step_s = weather.step_minutes * 60
    count = len(weather.ghi) * looks
    at = np.asarray(weather.start.timestamp() + step_s / looks * (np.arange(count) + 0.5), dtype=np.float64)
    seen = almanac.positions(at, weather.latitude, weather.longitude, altitude_m=weather.altitude_m)
    high = np.radians(90 - seen.apparent_zenith)
    tangent = np.where(high > 0, np.tan(high), 0.0)
    return np.asarray(tangent), np.asarray((seen.azimuth + turn) % 360), looks


def north_of_grid(lon: float, lat: float, epsg: int) -> float:
    """Where true north points on the grid, degrees by east: the grid's meridians converge."""
    step = 1e-4 if lat < 89 else -1e-4
    x, y = to_metres(epsg)(np.array([lon, lon]), np.array([lat, lat + step]))
    turn = math.degrees(math.atan2(x[1] - x[0], y[1] - y[0]))
    return turn if step > 0 else turn + 180


def _months(weather: pv.Weather) -> Ints:
    """The month (0..11, UTC) of each step."""
    seconds = weather.start.timestamp() + weather.step_minutes * 60 * np.arange(len(weather.ghi))
    whole = seconds.astype("datetime64[s]").astype("datetime64[M]")
    return np.asarray(whole.astype(np.int64) % 12)
