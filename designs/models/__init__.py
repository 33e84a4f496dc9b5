"""Tables of the room, split by noun."""

from designs.models.designs import Collaborator, Design, OldAddress, new_repository_id
from designs.models.index import Blob, FileVersion
from designs.models.lfs import LfsLink, LfsLock, LfsObject
from designs.models.proposals import Comment, Proposal
from designs.models.releases import Release
from designs.models.reviews import Check, OfferedFile, Review

__all__ = [
    "Blob",
    "Check",
    "Collaborator",
    "Comment",
    "Design",
    "FileVersion",
    "OfferedFile",
    "LfsLink",
    "LfsLock",
    "LfsObject",
    "OldAddress",
    "Proposal",
    "Release",
    "Review",
    "new_repository_id",
]
