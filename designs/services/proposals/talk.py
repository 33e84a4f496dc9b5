"""Talking about a change: on the whole, on a file, on a line of a text, on a spot of a shape."""

from collections.abc import Mapping
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from commons.people.models import User
from designs import git
from designs.errors import BadAnchor
from designs.git.comparing import MAX_TEXT_BYTES, Change, line_count
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
    """A remark on the newest version; pinned ones are on a file that the change touches, and on a line that it has.

    Raises BadAnchor, and what `services.talk.say` raises.
    """
    pinned = talk.check_anchor(anchor)
    if pinned is not None:
        _check_place(proposal, pinned)
    return talk.say(
        design=proposal.design, proposal=proposal, author=by, body=body, anchor=pinned, answers=answers,
        commit=proposal.head,
    )  # fmt: skip


def _check_place(proposal: Proposal, pinned: Mapping[str, Any]) -> None:
    """Raises BadAnchor when the change has no such file, or the file no such line on that side."""
    path = str(pinned["path"])
    touched = next((change for change in changes_in(proposal) if path in {change.path, change.old_path}), None)
    if touched is None:
        raise BadAnchor(_("“%(path)s” is not a file of this change.") % {"path": path[:80]})
    if "line" in pinned:
        _check_line(proposal, touched, line=int(pinned["line"]), old=pinned["side"] == "old")


def _check_line(proposal: Proposal, touched: Change, *, line: int, old: bool) -> None:
    oid, size = (touched.old_oid, touched.old_size) if old else (touched.new_oid, touched.new_size)
    name = {"path": (touched.old_path if old else touched.path)[:80]}
    if not oid:
        raise BadAnchor(
            _("“%(path)s” was not there before this change, so it has no old lines.") % name
            if old
            else _("“%(path)s” is gone with this change, so it has no new lines.") % name
        )
    count = line_count(git.of(proposal.design.repository), oid) if size <= MAX_TEXT_BYTES else None
    if count is None:
        raise BadAnchor(_("“%(path)s” is not shown as text, so a remark cannot stand on one of its lines.") % name)
    if line > count:
        raise BadAnchor(
            _("“%(path)s” has %(n)d lines; there is no line %(line)d.") % {**name, "n": count, "line": line}
        )
