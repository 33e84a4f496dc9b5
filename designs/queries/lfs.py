"""Where the large files of designs are, and who may have them."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from django.conf import settings
from django.db.models import Sum
from django.utils.translation import gettext as _

from commons.people.models import Handle
from designs.errors import LargeFileMissing
from designs.models import Blob, Design, LfsLink, LfsObject

PIECE = 1 << 16


def path_of(oid: str) -> Path:
    """Where the bytes of an object lie."""
    return Path(settings.LFS_DIR) / oid[:2] / oid[2:4] / oid


def held(design: Design, oids: Iterable[str]) -> dict[str, LfsObject]:
    """Those of the objects that this design holds, by their SHA-256."""
    links = LfsLink.objects.filter(design=design, object__oid__in=set(oids)).select_related("object")
    return {link.object.oid: link.object for link in links}


def find(design: Design, oid: str) -> LfsObject:
    """An object of this design. Raises LargeFileMissing, also when only others hold it."""
    found = held(design, [oid]).get(oid)
    if found is None or not path_of(oid).is_file():
        raise LargeFileMissing(
            _("The large file %(oid)s was not sent to this design; run “git lfs push --all”.") % {"oid": oid[:12]}
        )
    return found


def oids_of(design: Design) -> list[str]:
    """The SHA-256 of every object that the design holds."""
    return list(LfsLink.objects.filter(design=design).values_list("object__oid", flat=True))


def without_bytes(design: Design, blobs: Iterable[Blob]) -> set[str]:
    """git ids of those pointers among the blobs whose large file this design does not hold."""
    pointers = {blob.oid: blob.lfs for blob in blobs if blob.lfs}
    if not pointers:
        return set()
    here = held(design, pointers.values())
    return {oid for oid, lfs in pointers.items() if lfs not in here}


def used_bytes(owner: Handle) -> int:
    """What the large files of an owner's designs take; one in two of their designs counts once."""
    mine = LfsObject.objects.filter(links__design__owner=owner).distinct()
    total: int | None = LfsObject.objects.filter(pk__in=mine.values("pk")).aggregate(n=Sum("size"))["n"]
    return total or 0


def stream(oid: str, *, start: int = 0, end: int | None = None) -> Iterator[bytes]:
    """The bytes from `start` up to `end` (exclusive; the end of the file without it) in pieces of 64 KiB."""
    with path_of(oid).open("rb") as file:
        file.seek(start)
        left = end - start if end is not None else None
        while piece := file.read(PIECE if left is None else min(PIECE, left)):
            if left is not None:
                left -= len(piece)
            yield piece
