"""A picture of a model by casting rays on the CPU (Embree): no graphics card and no GL library is needed.

2 x 2 rays a pixel; at each hit one ray to a soft key light and four to the sky, so that a pixel averages sixteen. The
ground is not drawn, only its shadow, as darkness with alpha: the picture stands on light and on dark paper alike.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from io import BytesIO

import numpy as np
import numpy.typing as npt

from designs.engine.glb import PALETTE, colour_ranks, linear
from designs.engine.model import Model
from designs.engine.surface import surface

Floats = npt.NDArray[np.float64]
Singles = npt.NDArray[np.float32]

WIDTH, HEIGHT = 640, 480
SMALL_WIDTH, SMALL_HEIGHT = 256, 192
AZIMUTH_DEG, ELEVATION_DEG = -57.0, 27.0
DISTANCE = 5.0
MARGIN = 0.075
SKY_RAYS = 4
GROUND_RAYS = 16
GROUND_DARKNESS = 0.46
ROWS = 96
GOLDEN = 0.6180339887498949


@dataclass(frozen=True, slots=True)
class _Shapes:
    """Corners of all parts scaled to a box of size 1 standing on z = 0, with normals and a colour for each triangle."""

    points: Singles
    triangles: npt.NDArray[np.int32]
    normals: Singles
    colours: Singles


@dataclass(frozen=True, slots=True)
class _Camera:
    """An eye with a window one unit before it: `window` is (left, right, bottom, top)."""

    eye: Floats
    right: Floats
    up: Floats
    ahead: Floats
    window: tuple[float, float, float, float]


class _Tracer:
    """Embree's scene: what a ray hits first, and whether it hits anything."""

    def __init__(self, shapes: _Shapes) -> None:
        from embreex import rtcore_scene  # noqa: PLC0415 only where pictures are made
        from embreex.mesh_construction import TriangleMesh  # noqa: PLC0415

        self._scene = rtcore_scene.EmbreeScene()
        self._mesh = TriangleMesh(self._scene, vertices=shapes.points, indices=shapes.triangles)

    def first(self, origins: Singles, directions: Singles) -> dict[str, npt.NDArray[np.float32]]:
        """For each ray the triangle (-1: none), barycentric u and v, distance and geometric normal."""
        found: dict[str, npt.NDArray[np.float32]] = self._scene.run(origins, directions, query="INTERSECT", output=1)
        return found

    def blocked(self, origins: Singles, directions: Singles) -> npt.NDArray[np.bool_]:
        """For each ray whether anything is in its way."""
        hit = self._scene.run(origins, directions, query="OCCLUDED")
        return np.asarray(hit) >= 0


def draw(model: Model, *, colours: Sequence[str] = ()) -> tuple[bytes, bytes]:
    """The picture and a small one, as PNG with alpha (640 x 480 and 256 x 192). `colours` of the parts replace the
    palette."""
    from PIL import Image  # noqa: PLC0415 only where pictures are made

    shapes = _shapes(model, colours)
    camera = _camera(shapes.points.astype(np.float64))
    rgba = _render(shapes, camera)
    picture = Image.fromarray(rgba, "RGBA")
    small = Image.fromarray(_premultiplied(rgba), "RGBa").resize((SMALL_WIDTH, SMALL_HEIGHT), Image.Resampling.LANCZOS)
    return _png(picture), _png(small.convert("RGBA"))


def _premultiplied(rgba: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    alpha = rgba[..., 3:].astype(np.uint16)
    return np.concatenate([(rgba[..., :3] * alpha // 255).astype(np.uint8), rgba[..., 3:]], axis=2)


def _png(picture: object) -> bytes:
    out = BytesIO()
    picture.save(out, "PNG", compress_level=7)  # type: ignore[attr-defined]  # a Pillow image
    return out.getvalue()


def _shapes(model: Model, chosen: Sequence[str] = ()) -> _Shapes:
    low, high = model.bounds()
    size, middle = float((high - low).max()), (low + high) / 2
    origin = np.array([middle[0], middle[1], low[2]])
    points, triangles, normals, colours, base = [], [], [], [], 0
    rank = colour_ranks(model)
    for number, part in enumerate(model.parts):
        drawn = surface(part.points, part.triangles)
        points.append((drawn.points - origin) / size)
        normals.append(drawn.normals)
        triangles.append(drawn.triangles + base)
        colour = linear(chosen[number] if chosen else PALETTE[rank[number]])
        colours.append(np.tile(np.array(colour, np.float32), (len(drawn.triangles), 1)))
        base += len(drawn.points)
    return _Shapes(
        np.concatenate(points).astype(np.float32),
        np.concatenate(triangles).astype(np.int32),
        np.concatenate(normals).astype(np.float32),
        np.concatenate(colours),
    )


def _camera(points: Floats) -> _Camera:
    """Look from the front right and above, the more from above the flatter the thing; the window fits it exactly."""
    extents = np.ptp(points, axis=0)
    flatness = 1.0 - min(1.0, float(extents[2]) / max(0.35 * float(extents[:2].max()), 1e-9))
    azimuth, elevation = np.radians(AZIMUTH_DEG), np.radians(ELEVATION_DEG + 21.0 * flatness)
    back = np.array([np.cos(elevation) * np.cos(azimuth), np.cos(elevation) * np.sin(azimuth), np.sin(elevation)])
    right = np.array([-np.sin(azimuth), np.cos(azimuth), 0.0])
    up = np.cross(back, right)
    target = np.array([0.0, 0.0, float(extents[2]) / 2])
    eye = target + DISTANCE * back
    seen = points - eye
    depth = seen @ -back
    x, y = seen @ right / depth, seen @ up / depth
    return _Camera(eye, right, up, -back, _window(x, y))


def _window(x: Floats, y: Floats) -> tuple[float, float, float, float]:
    """The window around the projected points, with a margin, in the picture's proportions."""
    width, height = float(np.ptp(x)), float(np.ptp(y))
    # A little more below than above: the shadow falls there.
    half = max(width / (WIDTH / HEIGHT), height) / 2 / (1 - 2 * MARGIN)
    middle_x, middle_y = (float(x.max()) + float(x.min())) / 2, (float(y.max()) + float(y.min())) / 2
    middle_y -= 0.02 * half
    return middle_x - half * WIDTH / HEIGHT, middle_x + half * WIDTH / HEIGHT, middle_y - half, middle_y + half


def _rays(camera: _Camera, columns: Floats, rows: Floats) -> Singles:
    """Unit directions (n, 3) through picture positions in pixels."""
    left, right, bottom, top = camera.window
    x = left + (right - left) * columns / WIDTH
    y = top - (top - bottom) * rows / HEIGHT
    directions = camera.ahead + x[:, None] * camera.right + y[:, None] * camera.up
    unit: Singles = (directions / np.linalg.norm(directions, axis=1)[:, None]).astype(np.float32)
    return unit


def _noise(columns: Floats, rows: Floats) -> Floats:
    """Interleaved gradient noise (Jimenez 2014): the same picture every time, and errors that average out nearby."""
    return np.modf(52.9829189 * np.modf(0.06711056 * columns + 0.00583715 * rows)[0])[0]


def _render(shapes: _Shapes, camera: _Camera) -> npt.NDArray[np.uint8]:
    tracer = _Tracer(shapes)
    picture = np.zeros((HEIGHT, WIDTH, 4))
    for rows in _bands():
        fine = _object_band(shapes, tracer, camera, rows)
        picture[rows] = fine.reshape(len(rows), 2, WIDTH, 2, 4).mean(axis=(1, 3))
    picture[..., 3] += (1.0 - picture[..., 3]) * _ground(tracer, camera, picture[..., 3] < 1.0)
    return _encode(picture)


def _bands() -> Iterator[npt.NDArray[np.int64]]:
    for start in range(0, HEIGHT, ROWS):
        yield np.arange(start, min(start + ROWS, HEIGHT))


def _object_band(shapes: _Shapes, tracer: _Tracer, camera: _Camera, rows: npt.NDArray[np.int64]) -> Floats:
    """Premultiplied linear colour and cover of the finer grid (2 rows and 2 columns a pixel) of a band."""
    fine_rows = (2 * rows[0] + np.arange(2 * len(rows)) + 0.5) / 2
    fine_columns = (np.arange(2 * WIDTH) + 0.5) / 2
    r, c = (grid.reshape(-1) for grid in np.meshgrid(fine_rows, fine_columns, indexing="ij"))
    directions = _rays(camera, c, r)
    origins = np.tile(camera.eye.astype(np.float32), (len(directions), 1))
    found = tracer.first(origins, directions)
    hit = np.flatnonzero(found["primID"] >= 0)
    out = np.zeros((len(directions), 4))
    if len(hit):
        noise = _noise(2 * c[hit], 2 * r[hit]).astype(np.float32)
        out[hit, :3] = _shade(
            shapes, tracer, camera, origins[hit], directions[hit], {k: v[hit] for k, v in found.items()}, noise
        )
        out[hit, 3] = 1.0
    return out


def _shade(  # noqa: PLR0917 a hit has this many sides
    shapes: _Shapes,
    tracer: _Tracer,
    camera: _Camera,
    origins: Singles,
    directions: Singles,
    found: dict[str, npt.NDArray[np.float32]],
    noise: Singles,
) -> Singles:
    """Linear colour (n, 3) at the hits."""
    corners = shapes.triangles[found["primID"]]
    u, v = found["u"][:, None], found["v"][:, None]
    smooth = (
        (1 - u - v) * shapes.normals[corners[:, 0]]
        + u * shapes.normals[corners[:, 1]]
        + v * shapes.normals[corners[:, 2]]
    )
    normal = _unit(_towards(smooth, directions))
    flat = _unit(_towards(found["Ng"], directions))
    point = origins + directions * found["tfar"][:, None] + flat * np.float32(4e-4)
    key = _unit((-0.62 * camera.right + 0.95 * camera.up - 0.42 * camera.ahead)[None, :])[0]
    light = 1.22 * _key_light(tracer, point, normal, flat, key, noise)
    sky = _sky_light(tracer, point, normal, flat, noise)
    fill = 0.10 * np.clip(-(normal * directions).sum(axis=1), 0, 1)
    warm, cool = np.array([1.0, 0.985, 0.955], np.float32), np.array([0.965, 0.985, 1.0], np.float32)
    radiance = light[:, None] * warm + (0.92 * sky + fill)[:, None] * cool
    half = _unit(key - directions)
    gloss = 0.05 * np.clip((normal * half).sum(axis=1), 0, 1) ** 38 * np.minimum(light, 1.0)
    return np.asarray(shapes.colours[found["primID"]] * radiance + gloss[:, None], np.float32)


def _towards(normals: npt.NDArray[np.floating], directions: Singles) -> npt.NDArray[np.floating]:
    """Normals turned to the side that the eye sees: files may be inside out."""
    facing = np.einsum("ij,ij->i", normals, directions) > 0
    return np.where(facing[:, None], -normals, normals)


def _unit(vectors: npt.NDArray[np.floating]) -> Singles:
    single = vectors.astype(np.float32, copy=False)
    length = np.sqrt(np.einsum("ij,ij->i", single, single))[:, None]
    return np.asarray(single / np.where(length > 0, length, 1.0), np.float32)


def _basis(normal: Singles) -> tuple[Singles, Singles]:
    """Two vectors across each normal (Duff et al. 2017)."""
    x, y, z = normal.T
    sign = np.where(z >= 0, np.float32(1), np.float32(-1))
    a = -1.0 / (sign + z)
    b = x * y * a
    return (
        np.stack([1.0 + sign * x * x * a, sign * b, -sign * x], axis=1).astype(np.float32),
        np.stack([b, sign + y * y * a, -y], axis=1).astype(np.float32),
    )


def _key_light(  # noqa: PLR0917
    tracer: _Tracer, point: Singles, normal: Singles, flat: Singles, key: Singles, noise: Singles
) -> Singles:
    """Cosine times visibility of a round light of 9 degrees, one ray each."""
    angle, radius = 2 * np.pi * noise, 0.16 * np.sqrt(np.modf(noise * 7.0 + GOLDEN)[0])
    across, along = _basis(key[None, :])
    directions = _unit(
        key[None, :] + (radius * np.cos(angle))[:, None] * across + (radius * np.sin(angle))[:, None] * along
    )
    cosine: Singles = np.clip(np.einsum("ij,ij->i", normal, directions), 0, 1)
    cosine[np.einsum("ij,ij->i", flat, directions) <= 0] = 0
    lit = np.flatnonzero(cosine > 0)
    if len(lit):
        cosine[lit[tracer.blocked(point[lit], directions[lit])]] = 0
    return cosine


def _sky_light(tracer: _Tracer, point: Singles, normal: Singles, flat: Singles, noise: Singles) -> Singles:
    """Mean light from the sky and the paper below over cosine-distributed rays, 0 to 1."""
    across, along = _basis(normal)
    total = np.zeros(len(point), np.float32)
    for ray in range(SKY_RAYS):
        angle = np.float32(2 * np.pi) * _part(noise + np.float32(ray * GOLDEN))
        share = (ray + _part(noise * np.float32(13) + np.float32(ray * 0.7548776662))) / np.float32(SKY_RAYS)
        radius = np.sqrt(share)
        directions = (
            (radius * np.cos(angle))[:, None] * across
            + (radius * np.sin(angle))[:, None] * along
            + np.sqrt(1 - share)[:, None] * normal
        )
        above = np.flatnonzero(np.einsum("ij,ij->i", flat, directions) > 0)
        free = above[~tracer.blocked(point[above], directions[above])]
        height = directions[free, 2]
        # Rays that go down meet the paper: bright, but dim under the thing itself.
        paper = 0.34 * np.clip(point[free, 2] / np.maximum(-height, np.float32(1e-3)), 0.15, 1.0)
        total[free] += np.where(height > 0, 0.62 + 0.38 * height, paper)
    return total / np.float32(SKY_RAYS)


def _part(values: Singles) -> Singles:
    """What is behind the point."""
    behind: Singles = values - np.floor(values)
    return behind


def _ground(tracer: _Tracer, camera: _Camera, seen: npt.NDArray[np.bool_]) -> Floats:
    """How dark the ground is at each pixel, 0 to 1, by the share of the sky that the thing hides.

    A shadow on open ground is smooth, so one point for four pixels is asked, and the noise of sixteen rays is spread
    over the neighbours. Nobody asks where neither the ground nor a neighbour of it is seen.
    """
    from PIL import Image  # noqa: PLC0415 only where pictures are made

    rows, columns = np.arange(0, HEIGHT, 2) + 1.0, np.arange(0, WIDTH, 2) + 1.0
    r, c = (grid.reshape(-1) for grid in np.meshgrid(rows, columns, indexing="ij"))
    some: Floats = np.asarray(seen.reshape(len(rows), 2, len(columns), 2).any(axis=(1, 3)), np.float64)
    asked = np.flatnonzero(_blurred(_blurred(some)).reshape(-1) > 0)
    dark: Floats = np.zeros((len(rows), len(columns)))
    dark.reshape(-1)[asked] = _ground_points(tracer, camera, c[asked], r[asked])
    half = Image.fromarray(_blurred(_blurred(dark)).astype(np.float32))
    return np.clip(np.asarray(half.resize((WIDTH, HEIGHT), Image.Resampling.BICUBIC), np.float64), 0.0, 1.0)


def _blurred(field: Floats) -> Floats:
    """The field with each value spread by (1, 4, 6, 4, 1) / 16 along both axes."""
    for axis in (0, 1):
        padded = np.pad(field, [(2, 2) if a == axis else (0, 0) for a in (0, 1)], mode="edge")
        n = field.shape[axis]
        pieces = [np.take(padded, np.arange(shift, shift + n), axis=axis) for shift in range(5)]
        field = (pieces[0] + 4 * pieces[1] + 6 * pieces[2] + 4 * pieces[3] + pieces[4]) / 16
    return field


def _ground_points(tracer: _Tracer, camera: _Camera, c: Floats, r: Floats) -> Floats:
    directions = _rays(camera, c, r).astype(np.float64)
    out = np.zeros(len(directions))
    down = directions[:, 2] < -1e-6
    distance = np.where(down, -camera.eye[2] / np.where(down, directions[:, 2], -1.0), 0.0)
    point = camera.eye + directions * distance[:, None]
    fade = np.clip((1.45 - np.linalg.norm(point[:, :2], axis=1)) / 0.8, 0.0, 1.0)
    live = np.flatnonzero(down & (fade > 0))
    if not len(live):
        return out
    origin = point[live].astype(np.float32)
    origin[:, 2] = -2e-3
    noise, dark = _noise(c[live] / 2, r[live] / 2), np.zeros(len(live))
    for ray in range(GROUND_RAYS):
        share = (ray + np.modf(noise * 13.0 + ray * 0.7548776662)[0]) / GROUND_RAYS
        angle, radius = 2 * np.pi * np.modf(noise + ray * GOLDEN)[0], np.sqrt(share)
        rays = np.stack([radius * np.cos(angle), radius * np.sin(angle), np.sqrt(1 - share)], axis=1)
        dark += tracer.blocked(origin, rays.astype(np.float32))
    out[live] = GROUND_DARKNESS * fade[live] * dark / GROUND_RAYS
    return out


def _encode(picture: Floats) -> npt.NDArray[np.uint8]:
    """Premultiplied linear light to straight sRGB with a soft shoulder. The shadow's own colour is the ink's."""
    alpha = np.clip(picture[..., 3:], 0, 1)
    colour = picture[..., :3] / np.where(alpha > 0, alpha, 1.0)
    colour = np.where(colour > 0.7, 0.7 + 0.3 * np.tanh((colour - 0.7) / 0.3), colour)
    encoded = np.where(colour <= 0.0031308, 12.92 * colour, 1.055 * np.maximum(colour, 1e-9) ** (1 / 2.4) - 0.055)
    return np.round(np.concatenate([np.clip(encoded, 0, 1), alpha], axis=2) * 255).astype(np.uint8)
