"""Facts of drawings, programs, boards, scripts and documents: only known keys, each of its type and finite."""

import math
from collections.abc import Callable
from typing import Any

MAX_ROWS = 400
MAX_TEXT = 300
Check = Callable[[Any], Any]


def _number(value: Any) -> float | None:
    if value is None:
        return None
    number = float(value)
    if isinstance(value, bool) or not math.isfinite(number) or abs(number) > 1e15:
        raise ValueError("facts")
    return number


def _count(value: Any) -> int | None:
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 53:
        raise ValueError("facts")
    return value


def _text(value: Any) -> str:
    return str(value or "").replace("\0", "")[:MAX_TEXT]


def _flag(value: Any) -> bool:
    return bool(value)


def _each(check: Check) -> Check:
    return lambda value: None if value is None else [check(one) for one in list(value)[:MAX_ROWS]]


def _named(check: Check) -> Check:
    return lambda value: {_text(key)[:80]: check(one) for key, one in list(dict(value or {}).items())[:MAX_ROWS]}


def _row(**checks: Check) -> Check:
    return lambda value: {key: check(value[key]) for key, check in checks.items() if key in value}


_LAYER = _row(name=_text, lines=_count, cut_mm=_number, kind=_text, side=_text)
KINDS: dict[str, dict[str, Check]] = {
    "drawing": {
        "cut_mm": _number, "travel_mm": _number, "closed": _count, "open": _count, "gap_count": _count,
        "largest_gap_mm": _number, "gap_at_mm": _each(_number), "area_mm2": _number, "doubled_mm": _number,
        "layers": _each(_LAYER), "laser_s": _named(_number), "box_mm": _each(_number),
    },
    "program": {
        "use": _text, "slicer": _text, "printer": _text, "material": _text, "time_s": _number, "slicer_time_s": _number,
        "estimate_s": _number, "layers": _count, "layer_mm": _number, "first_layer_mm": _number,
        "tools": _each(_row(tool=_count, filament_mm=_number, filament_g=_number, material=_text)),
        "filament_mm": _number, "filament_g": _number, "grams_assumed": _flag, "nozzle_c": _each(_number),
        "bed_c": _each(_number), "moves": _count, "cut_mm": _number, "travel_mm": _number, "box_mm": _each(_number),
        "low_mm": _each(_number), "thumbnail": _text, "unknown_codes": _each(_text),
        "drawn_layers": _count,
    },
    "board": {
        "layers": _each(_LAYER), "copper_layers": _count, "tracks": _count, "pads": _count, "vias": _count,
        "holes": _count, "smallest_drill_mm": _number, "smallest_track_mm": _number, "drills_mm": _named(_count),
        "footprints": _count, "nets": _count, "area_mm2": _number, "box_mm": _each(_number), "thickness_mm": _number,
        "made_by": _text, "outline": _flag, "files": _each(_text),
        "parts": _each(_row(value=_text, footprint=_text, count=_count, references=_text)), "sides": _each(_text),
    },
    "schematic": {
        "symbols": _count, "parts": _each(_row(value=_text, footprint=_text, count=_count, references=_text)),
        "sheets": _count, "made_by": _text, "page": _text, "title": _text,
    },
    "script": {
        "parameters": _each(_row(name=_text, value=_text, about=_text, group=_text)), "uses": _each(_text),
        "missing": _each(_text), "modules": _count,
    },
    "picture": {"width_px": _count, "height_px": _count, "moving": _flag},
    "document": {"pages": _count, "box_mm": _each(_number), "locked": _flag, "title": _text, "version": _text},
}  # fmt: skip


def checked(found: Any) -> dict[str, Any] | None:
    """The facts, or None where there are none. Raises ValueError, KeyError or TypeError for anything else."""
    if found is None:
        return None
    checks = KINDS[found["kind"]]
    return {"kind": str(found["kind"])} | {key: check(found[key]) for key, check in checks.items() if key in found}
