"""Which collections and stars there are for a visitor."""

from django.db.models import Count, Exists, OuterRef, Q, QuerySet
from django.utils.translation import gettext as _

from commons.people.models import Handle, Membership, User
from designs.errors import DesignNotFound
from designs.models import Collection, CollectionItem, Design, Star
from designs.policies import WRITERS, Visitor, known, seen_by
from designs.queries.designs import visible_to


def collections_seen_by(visitor: Visitor) -> QuerySet[Collection]:
    """Public collections that nobody hid, and one's own; newest change first, each with `count` of designs seen."""
    person = known(visitor)
    seen = Q(visibility=Design.Visibility.PUBLIC, hidden_at=None)
    if person is not None and person.is_staff:
        seen = Q()
    elif person is not None:
        managed = Membership.objects.filter(user=person, role__in=WRITERS).values("organisation")
        seen |= Q(owner__user=person) | Q(owner__organisation__in=managed)
    designs = Design.objects.filter(seen_by(visitor)).values("pk")
    return (
        Collection.objects.filter(seen)
        .select_related("owner", "owner__user", "owner__organisation")
        .annotate(count=Count("items", filter=Q(items__design__in=designs)))
        .order_by("-updated_at", "-pk")
    )


def find_collection(*, owner: str, slug: str, visitor: Visitor) -> Collection:
    """The collection at that address. Raises DesignNotFound alike for one that is private and one that is not there."""
    found = collections_seen_by(visitor).filter(owner__name=owner.lower(), slug=slug.lower()).first()
    if found is None:
        raise DesignNotFound(_("There is no such collection here, or it is not yours to see."))
    return found


def items_of(collection: Collection, visitor: Visitor) -> list[CollectionItem]:
    """What of a collection the visitor may see, in its order."""
    return list(
        collection.items.filter(design__in=Design.objects.filter(seen_by(visitor)).values("pk"))
        .select_related("design__owner", "design__owner__user", "design__owner__organisation", "design__cover")
        .order_by("position", "pk")
    )


def writable_by(person: User) -> QuerySet[Collection]:
    """The collections that a person may put designs into, by name."""
    managed = Membership.objects.filter(user=person, role__in=WRITERS).values("organisation")
    return (
        Collection.objects.filter(Q(owner__user=person) | Q(owner__organisation__in=managed))
        .select_related("owner")
        .order_by("name", "pk")
    )


def holding(design: Design, visitor: Visitor) -> QuerySet[Collection]:
    """The collections seen by the visitor that hold the design."""
    inside = CollectionItem.objects.filter(collection=OuterRef("pk"), design=design)
    return collections_seen_by(visitor).filter(Exists(inside))


def of_owner(owner: Handle, visitor: Visitor) -> QuerySet[Collection]:
    """The collections of a handle that the visitor may see."""
    return collections_seen_by(visitor).filter(owner=owner)


def starred_by(person: User) -> QuerySet[Design]:
    """The designs that a person gave a star and may see, newest star first."""
    return visible_to(person).filter(stars__user=person).order_by("-stars__created_at", "-pk")


def has_star(design: Design, visitor: Visitor) -> bool:
    """Whether this visitor gave it a star."""
    person = known(visitor)
    return person is not None and Star.objects.filter(design=design, user=person).exists()
