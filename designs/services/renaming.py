"""Other addresses: renaming a design, and the old address that leads on to the new one.

A name belongs to whoever uses it now: a new design, a rename or a hand-over that takes an old address ends its
redirect.
"""

from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from commons.people.models import Handle, User
from designs.errors import NameTaken
from designs.models import Design, OldAddress
from designs.policies import check_may_manage, check_not_archived
from designs.services import cards
from designs.services.designs import slug_of
from designs.services.holding import hold


@transaction.atomic
def rename(*, design: Design, by: User | None, slug: str) -> Design:
    """Give a design another word in its address; the old one leads there. Locks the design.

    Raises NotYours, Archived, BadName or NameTaken; then nothing has changed.
    """
    held = hold(design)
    check_may_manage(by, held)
    check_not_archived(held)
    return move(held, owner=held.owner, slug=slug_of(slug))


def move(design: Design, *, owner: Handle, slug: str) -> Design:
    """Put a locked design at an address and keep the way from its old one. Raises NameTaken."""
    before = design.owner, design.slug
    if before == (owner, slug):
        return design
    design.owner, design.slug = owner, slug
    try:
        with transaction.atomic():
            design.save(update_fields=["owner", "slug"])
    except IntegrityError:
        design.owner, design.slug = before
        words = {"owner": owner.name, "slug": slug}
        raise NameTaken(_("%(owner)s has a design “%(slug)s”; choose another name.") % words) from None
    OldAddress.objects.filter(owner=owner, slug=slug).delete()
    OldAddress.objects.update_or_create(owner=before[0], slug=before[1], defaults={"design": design})
    transaction.on_commit(lambda: cards.learn(design))
    return design
