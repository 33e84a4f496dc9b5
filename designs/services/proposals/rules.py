"""What a design asks for before a change is merged."""

from django.db import transaction

from commons.people.models import User
from designs.models import Design
from designs.policies import check_may_manage, check_not_archived


@transaction.atomic
def set_rules(*, design: Design, by: User | None, merge_needs_approval: bool) -> Design:
    """Ask, or no longer ask, that somebody who may merge agrees to the newest version first. `by` None is a vote.

    Raises NotYours or Archived.
    """
    check_may_manage(by, design)
    check_not_archived(design)
    design.merge_needs_approval = merge_needs_approval
    design.save(update_fields=["merge_needs_approval"])
    return design
