"""Which designs there are."""

from collections.abc import Sequence

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from commons.sockets import Hit
from designs.errors import DesignNotFound, Moved
from designs.models import Design, OldAddress
from designs.policies import Visitor, seen_by
from designs.queries import listing
from designs.queries.asked import LONGEST_Q, Asked


def visible_to(visitor: Visitor) -> QuerySet[Design]:
    """The designs that this visitor may see, with their owner and cover, newest push first."""
    return (
        Design.objects.filter(seen_by(visitor))
        .select_related("owner", "owner__user", "owner__organisation", "cover", "forked_from__owner", "mirror")
        .order_by("-pushed_at", "-pk")
    )


def find(*, owner: str, slug: str, visitor: Visitor, bare: bool = False) -> Design:
    """The design at that address; `bare` leaves out what only pages show of it, which takes most of the time.

    Raises DesignNotFound alike for one that is private and one that is not there, and Moved where the address is an
    old one.
    """
    seen = Design.objects.filter(seen_by(visitor)).select_related("owner", "mirror") if bare else visible_to(visitor)
    design = seen.filter(owner__name=owner.lower(), slug=slug.lower()).first()
    if design is None:
        _lead_on(owner, slug, visitor)
        raise DesignNotFound(
            _("There is no design “%(name)s” here, or it is not yours to see.") % {"name": f"{owner}/{slug}"}
        )
    return design


def _lead_on(owner: str, slug: str, visitor: Visitor) -> None:
    """Raises Moved where a design had this address, has another now and may be seen there.

    Whatever has the address today, seen or not, keeps it.
    """
    if Design.objects.filter(owner__name=owner.lower(), slug=slug.lower()).exists():
        return
    left = OldAddress.objects.filter(owner__name=owner.lower(), slug=slug.lower()).values("design")
    there = visible_to(visitor).filter(pk__in=left).first()
    if there is not None:
        raise Moved(old=(owner, slug), new=(there.owner.name, there.slug))


def search(words: str, visitor: Visitor, limit: int) -> Sequence[Hit]:
    """Designs for the search page, best first; a name that holds the words ranks above a summary that does."""
    found = listing.found(Asked(q=words[:LONGEST_Q]), visitor)
    return [
        Hit(
            title=design.name,
            url=reverse("rooms:design", args=[design.owner.name, design.slug]),
            detail=", ".join(words for words in (design.owner.title, design.summary) if words),
            rank=1.0 if words.lower() in design.name.lower() else 0.5,
        )
        for design in listing.designs_of(found.pks[:limit])
    ]
