"""Forcing files and folders to the disk, where git itself does not: a power cut must not leave an empty HEAD."""

import os
from pathlib import Path


def force(path: Path) -> None:
    """Write a file's bytes, or a folder's names, to the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def force_all(folder: Path, *, under: Path) -> None:
    """All that is in a folder, and the way to it from below `under`."""
    for path in folder.rglob("*"):
        force(path)
    for place in (folder, *folder.parents):
        force(place)
        if place == under:
            break
