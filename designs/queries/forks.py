"""What was forked from a design."""

from django.db.models import QuerySet

from designs.models import Design
from designs.policies import Visitor
from designs.queries.designs import visible_to


def forks_of(design: Design, visitor: Visitor) -> QuerySet[Design]:
    """The forks of a design that this visitor may see, newest push first."""
    return visible_to(visitor).filter(forked_from=design)


def parent_of(design: Design, visitor: Visitor) -> Design | None:
    """What the design was forked from, if it still is there and this visitor may see it."""
    if design.forked_from_id is None:
        return None
    return visible_to(visitor).filter(pk=design.forked_from_id).first()
