"""Tables of the room, split by noun."""

from designs.models.cards import AboutText, Card, KnownWord, SearchText
from designs.models.designs import Collaborator, Design, OldAddress, new_repository_id
from designs.models.diffs import ShapeDiff
from designs.models.formers import FormerAuthor
from designs.models.index import Blob, FileVersion
from designs.models.lfs import LfsLink, LfsLock, LfsObject
from designs.models.makes import Make, MakePhoto
from designs.models.mirrors import Mirror
from designs.models.parts import PartUse
from designs.models.proposals import Comment, Proposal
from designs.models.releases import Release
from designs.models.reviews import Check, OfferedFile, Review
from designs.models.social import Collection, CollectionItem, Star, Transfer, Watch
from designs.models.sources import Source
from designs.models.upkeep import RepositoryHealth

__all__ = [
    "AboutText",
    "Blob",
    "Card",
    "Check",
    "Collaborator",
    "Collection",
    "CollectionItem",
    "Comment",
    "Design",
    "FileVersion",
    "FormerAuthor",
    "KnownWord",
    "LfsLink",
    "LfsLock",
    "LfsObject",
    "Make",
    "MakePhoto",
    "Mirror",
    "OfferedFile",
    "OldAddress",
    "PartUse",
    "Proposal",
    "Release",
    "RepositoryHealth",
    "Review",
    "SearchText",
    "ShapeDiff",
    "Source",
    "Star",
    "Transfer",
    "Watch",
    "new_repository_id",
]
