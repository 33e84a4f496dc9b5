"""Writes of changes: offering, following, judging, talking, merging, undoing."""

from designs.services.proposals.ending import close, merge, reopen, undo
from designs.services.proposals.following import follow, follow_now, follow_related, look_again_at_blobs
from designs.services.proposals.opening import edit, open_proposal
from designs.services.proposals.reviews import review
from designs.services.proposals.talk import delete_comment, edit_comment, say, settle
from designs.services.proposals.updating import update_source

__all__ = [
    "close",
    "delete_comment",
    "edit",
    "edit_comment",
    "follow",
    "follow_now",
    "follow_related",
    "look_again_at_blobs",
    "merge",
    "open_proposal",
    "reopen",
    "review",
    "say",
    "settle",
    "undo",
    "update_source",
]
