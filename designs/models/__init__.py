"""Tables of the room, split by noun."""

from designs.models.cards import AboutText, Card, KnownWord, SearchText
from designs.models.designs import Collaborator, Design, OldAddress, new_repository_id
from designs.models.index import Blob, FileVersion
from designs.models.proposals import Comment, Proposal
from designs.models.releases import Release

__all__ = [
    "AboutText",
    "Blob",
    "Card",
    "Collaborator",
    "Comment",
    "Design",
    "FileVersion",
    "KnownWord",
    "OldAddress",
    "Proposal",
    "Release",
    "SearchText",
    "new_repository_id",
]
