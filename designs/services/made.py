"""Keeping what is drawn of several files. The same files give the same pictures, so twice is harmless."""

import json
from typing import Any

from commons.web.disk import put
from designs.queries.made import place_of
from designs.sandbox.results import Result
from designs.services.previews import named


def keep(*, kind: str, key: str, result: Result, **more: Any) -> None:
    """Put pictures, model and facts where pages find them, the facts last: they say that all is there."""
    place = place_of(kind, key)
    about = json.dumps({"reason": result.reason, "facts": result.facts, **more}).encode()
    shown = [pair for pair in named(result).values() if pair[1]] if result.ready else []
    for name, raw in (*shown, ("about.json", about)):
        put(raw, place / name)
