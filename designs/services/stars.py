"""Stars and watching."""

from django.db import transaction
from django.utils.translation import gettext as _

from commons.people.models import User
from designs.errors import BadName
from designs.models import Design, Star, Watch
from designs.services.holding import hold


@transaction.atomic
def star(*, design: Design, by: User) -> int:
    """Give a star; twice is once. How many it has. Locks the design."""
    held = hold(design)
    _made, new = Star.objects.get_or_create(design=held, user=by)
    return _count(held) if new else held.star_count


@transaction.atomic
def unstar(*, design: Design, by: User) -> int:
    """Take a star back; twice is once. How many it has. Locks the design."""
    held = hold(design)
    gone, _by_table = Star.objects.filter(design=held, user=by).delete()
    return _count(held) if gone else held.star_count


def _count(design: Design) -> int:
    design.star_count = design.stars.count()
    design.save(update_fields=["star_count"])
    return design.star_count


@transaction.atomic
def watch(*, design: Design, by: User, level: str) -> None:
    """Say what of a design one wants to hear; "" forgets the choice. Raises BadName (no such choice)."""
    if not level:
        Watch.objects.filter(design=design, user=by).delete()
        return
    if level not in Watch.Level.values:
        raise BadName(_("“%(level)s” is nothing that one can hear of a design.") % {"level": level[:20]})
    Watch.objects.update_or_create(design=design, user=by, defaults={"level": level})
