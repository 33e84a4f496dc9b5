"""Talking about a change: on the whole, on a file, on a line of a text, on a spot of a shape."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from commons.people.models import User
from designs.errors import BadAnchor
from designs.models import Comment, Proposal
from designs.queries.proposals import changes_in
from designs.services import talk


@transaction.atomic
def say(
    *,
    proposal: Proposal,
    by: User,
    body: str,
    anchor: Mapping[str, Any] | None = None,
    answers: Comment | None = None,
) -> Comment:
    """A remark on the newest version; pinned ones are on a file that the change touches.

    Raises BadAnchor, and what `services.talk.say` raises.
    """
    pinned = talk.check_anchor(anchor)
    if pinned is not None and not any(pinned["path"] in {c.path, c.old_path} for c in changes_in(proposal)):
        raise BadAnchor(_("“%(path)s” is not a file of this change.") % {"path": str(pinned["path"])[:80]})
    return talk.say(
        design=proposal.design, proposal=proposal, author=by, body=body, anchor=pinned, answers=answers,
        commit=proposal.head,
    )  # fmt: skip
