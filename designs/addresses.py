"""Addresses of pictures and models, as a design shows them.

Each names the version of the engine that drew it, so a browser that keeps the old one asks for the new one at once.
"""

from django.urls import reverse

from designs.models import Blob, Design


def preview_url(design: Design, blob: Blob, kind: str) -> str:
    """The address of a blob's picture (`png`, `small`, `large`), model (`glb`) or layers as this design shows it."""
    place = [design.owner.name, design.slug, blob.oid]
    if blob.made_of:
        return reverse("design-made", args=[*place, blob.made_of, kind])
    return versioned(reverse("design-preview", args=[*place, kind]), blob.engine_version)


def layer_url(design: Design, blob: Blob, number: int) -> str:
    """The address of one layer of a program; the first is 1."""
    where = reverse("design-layer", args=[design.owner.name, design.slug, blob.oid, number])
    return versioned(where, blob.engine_version)


def versioned(address: str, version: str) -> str:
    """An address that is another one for another version of what it leads to."""
    return f"{address}?v={version}" if version else address
