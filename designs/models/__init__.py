"""Tables of the room, split by noun."""

from designs.models.designs import Collaborator, Design, OldAddress, new_repository_id
from designs.models.index import Blob, FileVersion
from designs.models.lfs import LfsLink, LfsLock, LfsObject
from designs.models.parts import PartUse
from designs.models.proposals import Comment, Proposal
from designs.models.releases import Release

__all__ = [
    "Blob",
    "Collaborator",
    "Comment",
    "Design",
    "FileVersion",
    "LfsLink",
    "LfsLock",
    "LfsObject",
    "OldAddress",
    "PartUse",
    "Proposal",
    "Release",
    "new_repository_id",
]
