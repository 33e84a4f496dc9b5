"""What the map of a version reads besides GeoJSON: tiles of a large district, triangles of buildings with roofs.

Both are made by a run from what is stored, so they may be lost and made again. They lie in
`LIVINGCITY_DATA/maps/<version>/<name>.<form>`; the name says which answers went in, so an address never changes what it
gives. What is newest is shown; the one before it stays for pages that stand open.
"""

import os
import shutil
from contextlib import suppress
from pathlib import Path
from typing import Literal

from django.conf import settings

from twin.models import DistrictVersion

Form = Literal["pmtiles", "mesh.gz"]

LARGEST_WHOLE = 15_000
"""Things (buildings, streets, services, areas) that a browser is still sent whole, as GeoJSON: some 5 MB, 0.7 MB
gzipped. Central Helsinki has 5,700.
"""
_KEPT = 2


def is_large(of: DistrictVersion) -> bool:
    """Whether the map of this version is drawn from tiles."""
    counted: dict[str, int] = of.counts
    return sum(counted.get(layer, 0) for layer in ("buildings", "streets", "services", "areas")) > LARGEST_WHOLE


def folder(of: DistrictVersion) -> Path:
    """Where a version's files lie."""
    return Path(settings.DATA_DIR) / "maps" / str(of.pk)


def newest(of: DistrictVersion, form: Form) -> Path | None:
    """The newest file of a form, if one was made."""
    found = _files(of, form)
    return found[0] if found else None


def named(of: DistrictVersion, name: str, form: Form) -> Path | None:
    """The file of that name; None where it is not, or no longer, there."""
    path = folder(of) / f"{name}.{form}"
    return path if name.isalnum() and path.is_file() else None


def put(of: DistrictVersion, name: str, form: Form, made: Path) -> Path:
    """Move a file that was made to its place; older ones than the last two go."""
    path = folder(of) / f"{name}.{form}"
    path.parent.mkdir(parents=True, exist_ok=True)
    made.replace(path)
    os.utime(path)
    for old in _files(of, form)[_KEPT:]:
        old.unlink(missing_ok=True)
    return path


def forget(version: int) -> None:
    """Take away what was made for a version."""
    with suppress(OSError):
        shutil.rmtree(Path(settings.DATA_DIR) / "maps" / str(version))


def scratch() -> Path:
    """A folder on the same disk for files in the making."""
    path = Path(settings.DATA_DIR) / "maps" / "making"
    path.mkdir(parents=True, exist_ok=True)
    return path


def _files(of: DistrictVersion, form: Form) -> list[Path]:
    found = [path for path in folder(of).glob(f"*.{form}") if path.is_file()]
    return sorted(found, key=lambda path: path.stat().st_mtime, reverse=True)
