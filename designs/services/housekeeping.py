"""Several changes to a design at once: all of them, or none when one is refused."""

from typing import Any

from django.db import transaction

from commons.people.models import User
from designs.models import Design
from designs.services.about import change_design
from designs.services.lifecycle import archive, unarchive
from designs.services.renaming import rename


@transaction.atomic
def apply(*, design: Design, by: User, slug: str = "", archived: bool | None = None, **about: Any) -> Design:
    """Change words, address and state of a design in one transaction; let it change first, archive it last.

    Raises what `change_design`, `rename` and `archive` raise; then nothing has changed.
    """
    if archived is False:
        unarchive(design=design, by=by)
    if about:
        change_design(design=design, by=by, **about)
    if slug:
        rename(design=design, by=by, slug=slug)
    if archived:
        archive(design=design, by=by)
    return Design.objects.select_related("owner", "owner__user", "owner__organisation", "cover").get(pk=design.pk)
