"""What is kept of a person by designs. A design belongs to a handle and is passed on or deleted before its owner goes
(`commons.people.leaving`); what a person said and made stays in the story of a design without their name."""

from django.utils.translation import gettext_lazy as _

from commons.kept import DELETED, FOLLOWS, UNLINKED, Kept

_ENGINE = frozenset({"indexed_tips", "index_note"})

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

OF_A_DESIGN = (
    "SearchText", "AboutText", "KnownWord", "Blob", "FileVersion", "ShapeDiff", "LfsObject", "LfsLink", "Mirror",
    "PartUse", "Check", "OfferedFile", "RepositoryHealth", "FormerAuthor",
)  # fmt: skip
NOT_PERSONAL = {f"designs.{name}": "of a design" for name in OF_A_DESIGN} | {
    "designs.PartUse.owner": "of a design in a parts list, as it was written there",
}
