"""Which blobs a worker should draw again, and through which design it finds their bytes."""

from collections.abc import Iterator
from itertools import groupby

from django.db.models import Min, Q

from designs.engine import ENGINE_VERSION
from designs.engine.formats import DRAWN
from designs.models import Blob, Design, FileVersion

BATCH = 100


def to_redraw(*, everything: bool = False, failed: bool = False) -> Iterator[tuple[Design, list[Blob]]]:
    """Batches of blobs, each with a design that holds them: drawn by an older engine or never; also those that
    `failed`, or `everything` that can be drawn."""
    asked = ~Q(engine_version=ENGINE_VERSION) | Q(preview=Blob.Preview.PENDING)
    if failed:
        asked |= Q(preview=Blob.Preview.FAILED)
    if everything:
        asked = Q()
    # A format that no engine drew when the file came has no picture yet, but may have one now.
    drawable = ~Q(preview=Blob.Preview.NONE) | Q(format__in=DRAWN)
    blobs = Blob.objects.filter(asked & drawable)
    pairs = (
        FileVersion.objects.filter(blob__in=blobs)
        .values("blob")
        .annotate(holder=Min("design"))
        .order_by("holder", "blob__size", "blob")
        .values_list("holder", "blob")
    )
    for holder, group in groupby(list(pairs), key=lambda pair: pair[0]):
        design, keys = Design.objects.get(pk=holder), [blob for _holder, blob in group]
        for start in range(0, len(keys), BATCH):
            known = Blob.objects.in_bulk(keys[start : start + BATCH])
            yield design, [known[key] for key in keys[start : start + BATCH] if key in known]
