"""The bytes of a content, for a worker of another room that reads them in the sandbox."""

from pathlib import Path

from designs import git
from designs.models import Blob, Design
from designs.queries import lfs


def put(design: Design, blob: Blob, place: Path) -> None:
    """Put a content of a design at a place that does not exist yet. Raises GitFailed, DesignNotFound, LargeFileMissing
    or OSError."""
    if blob.lfs:
        place.symlink_to(lfs.path_of(lfs.find(design, blob.lfs).oid))
    else:
        git.of(design.repository).copy_to(blob.oid, place)
