"""What is kept of a person by designs. A design belongs to a handle and is passed on or deleted before its owner goes
(`commons.people.leaving`); what a person said and made stays in the story of a design without their name."""

from collections.abc import Iterator
from typing import Any

from django.utils.translation import gettext_lazy as _

from commons.kept import DELETED, FOLLOWS, UNLINKED, About, Attached, Files, Kept

_ENGINE = frozenset({"indexed_tips", "index_note"})

ABOUT = About(
    _("Designs"),
    _(
        "Public designs, comments, reviews and stars: everybody. Private ones: you and those with whom "
        "you share them. Photos of makes are drawn anew, so that no place or camera is in them."
    ),
    _("what belongs to others’ designs stays, without your name"),
)

KEPT = (
    Kept("designs.Design", _("Your designs, and those that you began or deleted"),
         {"owner__user": DELETED, "created_by": UNLINKED, "deleted_by": UNLINKED}, hidden=_ENGINE),
    Kept("designs.Collaborator", _("Designs on which you work with others"), {"user": DELETED}),
    Kept("designs.OldAddress", _("Addresses that designs of yours had"), {"owner__user": DELETED}),
    Kept("designs.Card", _("Your designs as the list shows them"), {"owner__user": DELETED}),
    Kept("designs.LfsLock", _("Files that you hold"), {"owner": DELETED}),
    Kept("designs.Release", _("Releases that you made"), {"created_by": UNLINKED}),
    Kept("designs.Make", _("Makes that you showed"), {"author": UNLINKED}),
    Kept("designs.MakePhoto", _("Photos of your makes"), {"make__author": FOLLOWS}),
    Kept("designs.Proposal", _("Changes that you offered or judged"), {"author": UNLINKED, "ended_by": UNLINKED}),
    Kept("designs.Comment", _("What you said about designs and changes"), {"author": UNLINKED}),
    Kept("designs.Review", _("Reviews that you wrote"), {"author": UNLINKED}),
    Kept("designs.Star", _("Designs that you marked with a star"), {"user": DELETED}),
    Kept("designs.Watch", _("Designs that you follow"), {"user": DELETED}),
    Kept("designs.Collection", _("Your collections"), {"owner__user": DELETED}),
    Kept("designs.CollectionItem", _("What is in your collections"), {"collection__owner__user": DELETED}),
    Kept("designs.Transfer", _("Designs that were offered to you, or that you offered"),
         {"to__user": FOLLOWS, "by": UNLINKED}),
    Kept("designs.Source", _("Where you said that designs come from"), {"created_by": UNLINKED}),
)  # fmt: skip



def _repositories(person: Any) -> Iterator[Attached]:
    """Each design with all its history as a bundle, and its large files by their SHA-256."""
    from designs import git  # noqa: PLC0415 models must be ready
    from designs.models import Design  # noqa: PLC0415 as above
    from designs.queries import lfs  # noqa: PLC0415 as above

    for design in Design.objects.filter(owner__user=person).order_by("pk"):
        repository = git.of(design.repository)
        name = f"{design.slug}-{design.pk}"
        if repository.path.is_dir() and repository.refs():
            yield Attached(f"{name}.bundle", repository.bundle)
        for oid in lfs.oids_of(design):
            yield Attached(f"{name}-large-files/{oid}", lfs.path_of(oid))


def _photos(person: Any) -> Iterator[Attached]:
    """Photos of makes as they are shown; one that is not drawn yet, as it was sent."""
    from designs.models import MakePhoto  # noqa: PLC0415 models must be ready
    from designs.services import makes  # noqa: PLC0415 as above

    for photo in MakePhoto.objects.filter(make__author=person).order_by("pk"):
        drawn = photo.state == MakePhoto.State.READY
        yield Attached(f"make-{photo.make_id}-{photo.position}{'.jpg' if drawn else ''}",
                       makes.picture_path(photo, "large") if drawn else makes.incoming(photo))  # fmt: skip


FILES = (
    Files("designs", _("Your designs with their whole history: git clone FILE.bundle"), frozenset({"designs.Design"}),
          _repositories, _("goes with the design")),
    Files("photos-of-makes", _("Photos of your makes"), frozenset({"designs.MakePhoto"}), _photos,
          _("stays with the make, without your name")),
)  # fmt: skip

OF_A_DESIGN = (
    "SearchText", "AboutText", "KnownWord", "Blob", "FileVersion", "ShapeDiff", "LfsObject", "LfsLink", "Mirror",
    "PartUse", "Check", "OfferedFile", "RepositoryHealth", "FormerAuthor",
)  # fmt: skip
NOT_PERSONAL = {f"designs.{name}": "of a design" for name in OF_A_DESIGN} | {
    "designs.PartUse.owner": "of a design in a parts list, as it was written there",
}
