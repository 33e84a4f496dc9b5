"""Two files compared in the sandbox, and what came of it, believed only after a look."""

import json
import math
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from designs.sandbox import results
from designs.sandbox.client import answered, sentence
from designs.sandbox.limits import Limits

MAX_LAYERS = 96 << 20
METHODS = frozenset({"boolean", "sampled", "drawing", "none"})
NUMBERS = (
    "added_mm3", "removed_mm3", "common_mm3", "max_deviation_mm", "mean_deviation_mm", "lines_added_mm",
    "lines_removed_mm", "lines_same_mm",
)  # fmt: skip
BRIEF = ("volume_mm3", "area_mm2", "triangles", "parts")


@dataclass(frozen=True, slots=True)
class Compared:
    """The figures of a difference with its model and pictures, or failed with a sentence. `layers` is what the picture
    of solids is drawn from."""

    ready: bool
    reason: str = ""
    figures: dict[str, Any] | None = None
    glb: bytes = b""
    png: bytes = b""
    small: bytes = b""
    layers: bytes = b""
    cpu_s: float = 0.0
    memory_bytes: int = 0


def compare(folder: Path, format_pair: str, *, limits: Limits | None = None) -> Compared:
    """Compare folder/base with folder/head, of the formats "base/head". Never raises because of the files."""
    with answered(folder, format_pair, limits=limits or Limits(), work="diff") as (answer, out):
        cost = {"cpu_s": float(answer["cpu_s"]), "memory_bytes": int(answer["memory_bytes"])}
        if answer["status"] != 0:
            return Compared(False, sentence(answer), **cost)  # type: ignore[arg-type]  # two fields, each of its type
        try:
            document = json.loads(results._bytes(out / "result.json", results.MAX_JSON))
            if document["status"] != "ready":
                return Compared(False, str(document["reason"])[:400], **cost)  # type: ignore[arg-type]
            layers = out / "layers.npz"
            return Compared(
                True, "", _figures(document), results._glb(out / "model.glb"), results._png(out / "picture.png"),
                results._png(out / "small.png"), results._bytes(layers, MAX_LAYERS) if layers.exists() else b"",
                **cost,  # type: ignore[arg-type]
            )  # fmt: skip
        except (OSError, ValueError, KeyError, TypeError, struct.error):
            return Compared(False, "What came out could not be trusted.", **cost)  # type: ignore[arg-type]


def picture(layers: Path, *, limits: Limits | None = None) -> tuple[bytes, bytes]:
    """The large and small picture of what `compare` left in `layers`; nothing when there is none."""
    with answered(layers, "npz", limits=limits or Limits(), work="diff-picture") as (answer, out):
        try:
            if answer["status"] != 0:
                return b"", b""
            return results._png(out / "picture.png"), results._png(out / "small.png")
        except (OSError, ValueError, struct.error):
            return b"", b""


def _figures(document: dict[str, Any]) -> dict[str, Any]:
    """Only known fields, each of its type and finite."""
    if document["method"] not in METHODS:
        raise ValueError("method")
    figures: dict[str, Any] = {"method": document["method"], "why": [str(w)[:40] for w in document["why"][:4]]}
    figures |= {name: _number(document[name]) for name in NUMBERS if name in document}
    for side in ("before", "after"):
        given = document[side]
        brief: dict[str, Any] = {name: _number(given[name]) for name in BRIEF if name in given}
        brief["extents_mm"] = [_number(n) for n in given["extents_mm"][:3]]
        if "watertight" in given:
            brief["watertight"] = bool(given["watertight"])
        figures[side] = brief
    where = document.get("where_mm")
    figures["where_mm"] = None if where is None else [[_finite(n) for n in corner[:3]] for corner in where[:2]]
    return figures


def _finite(value: Any) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise ValueError("not a number")
    return number


def _number(value: Any) -> float | int | None:
    if value is None:
        return None
    if _finite(value) < 0:
        raise ValueError("negative")
    return value if isinstance(value, int) else float(value)
