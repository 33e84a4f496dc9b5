"""How much of the city's disk an owner's designs take, and how much they still may."""

from django.conf import settings
from django.db.models import Sum

from commons.people.models import Handle
from designs.models import Design, LfsObject


def used_bytes(owner: Handle) -> int:
    """Bytes on disk of the owner's repositories, and of the large files that their designs hold, each once.

    What lies in a pool is not counted: a fork costs its owner what they added to it.
    """
    repositories = Design.objects.filter(owner=owner).aggregate(sum=Sum("size_bytes"))["sum"] or 0
    held = LfsObject.objects.filter(links__design__owner=owner).values("pk")
    large = LfsObject.objects.filter(pk__in=held).aggregate(sum=Sum("size"))["sum"] or 0
    return int(repositories) + int(large)


def left_bytes(owner: Handle) -> int:
    """How many bytes the owner may still add, 0 at least."""
    return max(0, settings.OWNER_QUOTA_BYTES - used_bytes(owner))
