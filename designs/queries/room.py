"""How much of the city's disk an owner's designs take, and how much they still may."""

from collections.abc import Iterable

from django.conf import settings
from django.db.models import Exists, OuterRef, QuerySet, Sum

from commons.people.models import Handle
from designs.models import Design, LfsLink, LfsObject


def used_bytes(owner: Handle) -> int:
    """Bytes on disk of the owner's repositories, and of the large files that their designs hold, each once.

    What lies in a pool is not counted, nor are large files that the parent of a fork holds: a fork costs its owner what
    they added to it.
    """
    repositories = Design.objects.filter(owner=owner).aggregate(sum=Sum("size_bytes"))["sum"] or 0
    large = LfsObject.objects.filter(pk__in=_own(owner).values("object")).aggregate(sum=Sum("size"))["sum"] or 0
    return int(repositories) + int(large)


def _own(owner: Handle) -> QuerySet[LfsLink]:
    """Large files that the owner's designs hold not only because they were forked from who has them."""
    of_parent = LfsLink.objects.filter(design=OuterRef("design__forked_from"), object=OuterRef("object"))
    return LfsLink.objects.filter(design__owner=owner).exclude(Exists(of_parent))


def counted(owner: Handle, oids: Iterable[str]) -> set[str]:
    """Which of these large files take the owner's room already."""
    return set(_own(owner).filter(object__oid__in=set(oids)).values_list("object__oid", flat=True))


def left_bytes(owner: Handle) -> int:
    """How many bytes the owner may still add, 0 at least."""
    return max(0, settings.OWNER_QUOTA_BYTES - used_bytes(owner))
