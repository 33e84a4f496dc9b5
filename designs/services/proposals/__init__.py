"""Writes of changes: offering, following, judging, talking, merging, undoing."""

from designs.services.proposals.branches import branch_state, bring_branch_back, drop_branch
from designs.services.proposals.ending import close, merge, reopen, undo
from designs.services.proposals.following import follow, follow_now, follow_related, look_again_at_blobs
from designs.services.proposals.opening import edit, open_proposal
from designs.services.proposals.reviews import review
from designs.services.proposals.rules import set_rules
from designs.services.proposals.talk import say
from designs.services.proposals.updating import take_newest, update_source

__all__ = [
    "branch_state",
    "bring_branch_back",
    "close",
    "drop_branch",
    "edit",
    "follow",
    "follow_now",
    "follow_related",
    "look_again_at_blobs",
    "merge",
    "open_proposal",
    "reopen",
    "review",
    "say",
    "set_rules",
    "take_newest",
    "undo",
    "update_source",
]
