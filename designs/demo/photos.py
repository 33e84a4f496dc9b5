"""Photos of the demo's makes: nobody's stock picture, but parts of ours on a table, drawn by our own ray caster."""

from functools import cache
from io import BytesIO
from typing import Any

import numpy as np

from designs.demo import things
from designs.demo.shapes import Solid

ORANGE, CREAM, WOOD, TEAL, GREY = "#d9772f", "#e9dfc8", "#a97f55", "#3f7f86", "#70757a"


def _model(solids: list[Solid], turn_deg: float) -> Any:
    from designs.engine.model import Model, Part  # noqa: PLC0415 numpy, and only for seeding

    parts = []
    for number, solid in enumerate(solids):
        mesh = solid.rotate((0, 0, turn_deg)).to_mesh()
        points = np.asarray(np.round(np.asarray(mesh.vert_properties)[:, :3], 4), dtype=np.float64)
        parts.append(Part(f"part {number}", points, np.asarray(mesh.tri_verts).astype(np.int64)))
    return Model(tuple(parts), "mm")


def _table(width: int, height: int, light: tuple[int, int, int], dark: tuple[int, int, int]) -> Any:
    """A table top in a window's light: boards with a little grain, brighter to one side."""
    rng = np.random.default_rng(7)
    rows, columns = np.mgrid[0:height, 0:width].astype(np.float64)
    board = np.floor((rows + columns * 0.12) / 74.0)
    shade = rng.uniform(-0.10, 0.10, int(board.max()) + 1)[board.astype(int)]
    grain = np.sin((rows + columns * 0.12) * 0.55 + 3.0 * np.sin(columns / 97.0 + board)) * 0.025
    seam = np.where((rows + columns * 0.12) % 74.0 < 1.5, -0.22, 0.0)
    glow = 0.62 + 0.38 * (1.0 - np.hypot((columns / width) - 0.72, (rows / height) - 0.25))
    share = np.clip(glow + shade + grain + seam, 0.0, 1.0)[..., None]
    return np.array(dark) * (1.0 - share) + np.array(light) * share + rng.normal(0.0, 2.2, (height, width, 1))


def _photo(solids: list[Solid], colours: list[str], *, turn_deg: float, light: Any, dark: Any) -> bytes:
    from PIL import Image  # noqa: PLC0415 only for seeding

    from designs.engine import picture  # noqa: PLC0415 the ray caster

    drawn, _small = picture.draw(_model(solids, turn_deg), colours=colours)
    rgba = np.asarray(Image.open(BytesIO(drawn)).convert("RGBA")).astype(np.float64)
    alpha = rgba[..., 3:] / 255.0
    whole = rgba[..., :3] * alpha + _table(rgba.shape[1], rgba.shape[0], light, dark) * (1.0 - alpha)
    out = BytesIO()
    Image.fromarray(np.clip(whole, 0, 255).astype(np.uint8), "RGB").save(out, "JPEG", quality=88)
    return out.getvalue()


@cache
def clamp() -> bytes:
    """The clamp put together, in orange."""
    solids = [solid for _name, solid in things.clamp_assembly(things.clamp_body(), opening_mm=42.0)]
    return _photo(solids, [ORANGE, ORANGE, GREY], turn_deg=-38, light=(214, 189, 152), dark=(126, 96, 66))


@cache
def clamp_parts() -> bytes:
    """Its parts beside each other, as they come off the printer."""
    body = things.clamp_body().rotate((90, 0, 0)).translate((0, 0, 20))
    solids = [
        body, things.clamp_jaw().translate((118, -20, 0)),
        things.clamp_body().rotate((90, 0, 0)).translate((20, 95, 20)),
        things.clamp_jaw().translate((118, -62, 0)),
    ]  # fmt: skip
    return _photo(solids, [ORANGE] * 4, turn_deg=12, light=(205, 208, 210), dark=(120, 126, 132))


@cache
def gear() -> bytes:
    """Gear and knob, in cream."""
    solids = [things.vent_gear(), things.vent_knob().translate((52, -14, 0))]
    return _photo(solids, [CREAM, CREAM], turn_deg=20, light=(150, 166, 160), dark=(70, 86, 84))


@cache
def planter() -> bytes:
    """The pot on its saucer."""
    solids = [things.planter_saucer(), things.herb_planter().translate((0, 0, 6))]
    return _photo(solids, [WOOD, WOOD], turn_deg=5, light=(226, 216, 196), dark=(150, 134, 108))


@cache
def roof() -> bytes:
    """The sensor's case under its roof."""
    case = things.sensor_case()
    solids = [case, things.sensor_roof().translate((39, 64, 34))]
    return _photo(solids, [TEAL, GREY], turn_deg=-16, light=(190, 178, 160), dark=(98, 88, 76))
