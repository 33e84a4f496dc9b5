"""Pictures that are made of several files of a design: circuit boards, and scripts with what they include.

What is known of one lies in the store under a key made of the names and contents of its files, so the same files in
another design are drawn once, and a key says nothing to who lacks them.
"""

import hashlib
import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings

from designs.engine import ENGINE_VERSION


def key_of(told: Iterable[tuple[str, str]], *first: str) -> str:
    """One hash of the engine's version, of `first`, and of the paths and contents of files in any order."""
    lines = [ENGINE_VERSION, *first, *sorted(f"{path}\0{oid}" for path, oid in told)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()


def name_of(kind: str, key: str) -> str:
    """The folder of a picture under the store of previews."""
    return f"{kind}/{key[:2]}/{key}"


def place_of(kind: str, key: str) -> Path:
    """The folder of a picture on disk, whether it is there yet or not."""
    return Path(settings.MEDIA_ROOT) / "previews" / name_of(kind, key)


def about(kind: str, key: str) -> dict[str, Any] | None:
    """{"reason", "facts", …} once it was drawn, else None."""
    try:
        found: dict[str, Any] = json.loads((place_of(kind, key) / "about.json").read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return found
