"""What a person who leaves the city lets go of in designs."""

import re

from allauth.account.models import EmailAddress
from django.db import models, transaction
from django.db.models import Count, F, Q
from django.urls import reverse
from django.utils.translation import gettext as _

from commons.people.leaving import former
from commons.people.models import User
from commons.sockets import Hit
from designs.models import Collection, Comment, Design, FormerAuthor, Make, Proposal, Review
from designs.queries.formers import digest
from designs.services.designs import delete_design
from designs.services.files import author_of
from designs.services.makes import forget_photos

#: Where people are called by their account's name.
SAID: tuple[tuple[type[models.Model], str], ...] = (
    (Comment, "body"), (Proposal, "body"), (Review, "body"), (Make, "text"),
)  # fmt: skip


@transaction.atomic
def leave(user: User) -> None:
    """Delete what is theirs alone, take back their stars, and show their commits without a name."""
    for design in alone(user):
        forget_photos(design)
        delete_design(design=design, by=None)
    Collection.objects.filter(owner__user=user).delete()
    Design.objects.filter(stars__user=user).update(star_count=F("star_count") - 1)
    _become_former(user)
    _call_otherwise(user)


def keeps(_user: User) -> bool:
    """No: the story of a design says “somebody who left”."""
    return False


def first(user: User) -> list[Hit]:
    """Designs of theirs in which others have a part: to be passed on, or deleted, before."""
    keys = [design.pk for design in alone(user)]
    detail = _("Pass it on to somebody else, or delete it.")
    shared = Design.objects.filter(owner__user=user, deleted_at=None).exclude(pk__in=keys).select_related("owner")
    return [
        Hit(design.name, reverse("rooms:design", args=[design.owner.name, design.slug]), detail) for design in shared
    ]


def alone(user: User) -> list[Design]:
    """Designs that are deleted already, and private ones in which nobody else has a part."""
    own = Design.objects.filter(owner__user=user).annotate(
        others=Count("collaborators", filter=~Q(collaborators__user=user), distinct=True), copies=Count("forks"),
    )  # fmt: skip
    private = Q(visibility=Design.Visibility.PRIVATE, others=0, copies=0)
    return list(own.filter(~Q(deleted_at=None) | private))


def _become_former(user: User) -> None:
    proven = EmailAddress.objects.filter(user=user).values_list("email", flat=True)
    addresses = {author_of(user).email, user.email, *proven}
    rows = [FormerAuthor(digest=digest(address), name=former(user)) for address in addresses if address]
    FormerAuthor.objects.bulk_create(rows, ignore_conflicts=True)


def _call_otherwise(user: User) -> None:
    """Where others called them by their name, the name of the closed account stands."""
    called = re.compile(rf"@{re.escape(user.username)}(?![\w-])", re.IGNORECASE)
    for model, column in SAID:
        for row in model._base_manager.filter(**{f"{column}__icontains": f"@{user.username}"}):
            text = called.sub(f"@{former(user)}", getattr(row, column))
            model._base_manager.filter(pk=row.pk).update(**{column: text})
