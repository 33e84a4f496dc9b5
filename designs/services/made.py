"""Keeping what is drawn of several files. The same files give the same pictures, so twice is harmless."""

import json
import os
from typing import Any

from designs.queries.made import place_of
from designs.sandbox.results import Result
from designs.services.previews import named


def keep(*, kind: str, key: str, result: Result, **more: Any) -> None:
    """Put pictures, model and facts where pages find them, the facts last: they say that all is there."""
    place = place_of(kind, key)
    place.mkdir(parents=True, exist_ok=True)
    about = json.dumps({"reason": result.reason, "facts": result.facts, **more}).encode()
    shown = [pair for pair in named(result).values() if pair[1]] if result.ready else []
    for name, raw in (*shown, ("about.json", about)):
        draft = place / f".{name}.{os.getpid()}"
        draft.write_bytes(raw)
        draft.replace(place / name)
