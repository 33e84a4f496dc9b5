"""The columns behind a comparison, gzipped under their SHA-256: the same answer is the same file, byte for byte."""

import gzip
import hashlib
import json
import os
import tempfile
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils.translation import gettext as _

from twin.errors import NoAnswerYet


def _path(sha256: str) -> Path:
    return Path(settings.DATA_DIR) / "scenarios" / sha256[:2] / f"{sha256}.json.gz"


def packed(detail: Any) -> bytes:
    """The bytes that are kept."""
    text = json.dumps(detail, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return gzip.compress(text.encode(), compresslevel=6, mtime=0)


def keep(detail: Any) -> str:
    """Write it once; its SHA-256."""
    data = packed(detail)
    sha256 = hashlib.sha256(data).hexdigest()
    path = _path(sha256)
    if not path.is_file():
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent)
        with os.fdopen(handle, "wb") as out:
            out.write(data)
            out.flush()
            os.fsync(out.fileno())
        Path(temporary).replace(path)
    return sha256


def read(sha256: str) -> dict[str, Any]:
    """What was kept. Raises NoAnswerYet where the file is gone."""
    path = _path(sha256)
    if not sha256 or not path.is_file():
        raise NoAnswerYet(_("What stands behind this answer is no longer kept. Start a run of it."))
    found: dict[str, Any] = json.loads(gzip.decompress(path.read_bytes()))
    return found
