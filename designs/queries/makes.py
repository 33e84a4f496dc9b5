"""Makes of a design, as a visitor may see them."""

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from designs.errors import DesignNotFound
from designs.models import Design, Make, MakePhoto
from designs.policies import Visitor, known


def makes_of(design: Design, visitor: Visitor) -> QuerySet[Make]:
    """The makes that people told of, newest first; hidden ones only to who made them and to staff."""
    person = known(visitor)
    seen = Q(hidden_at=None) | Q(author=person) if person is not None else Q(hidden_at=None)
    if person is not None and person.is_staff:
        seen = Q()
    return (
        Make.objects.filter(seen, design=design)
        .select_related("author", "release")
        .prefetch_related("photos")
        .order_by("-created_at", "-pk")
    )


def photos_of(design: Design, visitor: Visitor, *, limit: int) -> list[MakePhoto]:
    """The first drawn photos of the newest makes that the visitor may see, each with its make."""
    if not design.make_count:
        return []
    shown = MakePhoto.objects.filter(make__in=makes_of(design, visitor).values("pk"), state=MakePhoto.State.READY)
    return list(shown.select_related("make__author").order_by("-make__created_at", "-make", "position")[:limit])


def find_make(design: Design, number: int, visitor: Visitor) -> Make:
    """One make of the design. Raises DesignNotFound."""
    found = makes_of(design, visitor).filter(pk=number).first()
    if found is None:
        raise DesignNotFound(_("There is no such make here."))
    return found


def find_photo(design: Design, number: int, name: str, visitor: Visitor) -> MakePhoto:
    """A drawn photo of a make that the visitor may see. Raises DesignNotFound."""
    make = find_make(design, number, visitor)
    found = make.photos.filter(name=name, state=MakePhoto.State.READY).first()
    if found is None:
        raise DesignNotFound(_("There is no such photo here."))
    return found
