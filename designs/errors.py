"""Every refusal of the room, with its code and its status."""

from django.utils.translation import gettext_lazy as _

from commons.errors import BadInput, CityError, Conflict, NotAllowed, NotFound


class DesignNotFound(NotFound):
    """No such design, file or version, or not the caller's to see."""

    code = "design:not-found"


class NotYours(NotAllowed):
    """The caller sees the design but may not write to it."""

    code = "design:not-yours"


class NameTaken(Conflict):
    """The owner has a design of that name."""

    code = "design:name-taken"


class BadName(BadInput):
    """A name from which no address can be made, or one kept for the site."""

    code = "design:bad-name"
    status = 422


class BadLicence(BadInput):
    """Neither an SPDX expression nor a LicenseRef."""

    code = "design:bad-licence"
    status = 422
    title = _("This licence cannot be read")


class BadSource(BadInput):
    """What was to be imported is no repository, folder or archive that we may read."""

    code = "design:bad-source"
    title = _("This cannot be imported")


class AddressRefused(BadSource):
    """An address inside a private network, or of a kind that we do not fetch from."""

    code = "design:address-refused"


class BadPath(BadInput):
    """A path that no file in a repository may have."""

    code = "design:bad-path"
    status = 422


class TooLarge(CityError):
    """Over a limit that keeps the city usable for everybody."""

    code = "design:too-large"
    status = 413
    title = _("This is too large")


class BadRevision(NotFound):
    """No branch, tag or commit of that name."""

    code = "design:no-such-version"


class BranchMoved(Conflict):
    """Someone wrote to the branch meanwhile."""

    code = "design:branch-moved"
    title = _("Somebody was quicker")


class GitFailed(CityError):
    """git itself failed; the sentence carries its last line."""

    code = "design:git-failed"
    status = 502
    title = _("git could not do this")


class GitTimeout(GitFailed):
    """git took longer than it may."""

    code = "design:git-timeout"
    status = 504


class MergeConflict(Conflict):
    """Both sides changed the same places; `paths` names the files."""

    code = "design:merge-conflict"
    title = _("These changes cannot be merged by themselves")

    @property
    def paths(self) -> tuple[str, ...]:
        """The files that both sides changed."""
        return tuple(self.data.get("paths", ()))


class UnrelatedHistories(Conflict):
    """Two commits that have no ancestor in common."""

    code = "design:unrelated-histories"
    title = _("These have nothing in common")


class NotText(BadInput):
    """Lines were asked of a file that has none."""

    code = "design:not-text"
    status = 422


class Archived(Conflict):
    """The design can only be read."""

    code = "design:archived"
    title = _("This design is archived")


class Mirrored(Conflict):
    """The design follows a repository elsewhere; `url` says where changes belong."""

    code = "design:mirrored"
    title = _("This design follows another repository")


class LicenceForbids(Conflict):
    """The licence of what this comes from does not allow it; the sentence names the clause."""

    code = "design:licence-forbids"
    title = _("The licence does not allow this")


class OverQuota(TooLarge):
    """The owner's room is used up."""

    code = "design:over-quota"


class BadQuery(BadInput):
    """A filter or an order of the list that means nothing; `where` names it."""

    code = "design:bad-query"


class NothingToOffer(BadInput):
    """The branch holds nothing that the target does not have."""

    code = "design:nothing-to-offer"
    status = 422
    title = _("There is nothing to offer")


class NotRelated(BadInput):
    """The design that a change shall come from is no fork of this one, nor the other way round."""

    code = "design:not-related"
    status = 422


class AlreadyOffered(Conflict):
    """This branch is offered already; `number` is the change."""

    code = "design:already-offered"


class BranchNeeded(Conflict):
    """The branch holds newer work, or something else rests on it."""

    code = "design:branch-needed"
    title = _("This branch is still needed")


class ChangeOver(Conflict):
    """The change is merged or closed."""

    code = "design:change-over"
    title = _("This change is over")


class ChangeMoved(Conflict):
    """What is offered is another version than the one that was looked at; `head` is the new one."""

    code = "design:change-moved"
    title = _("The change has a newer version")


class NeedsApproval(Conflict):
    """The design asks that somebody agrees before a change is merged."""

    code = "design:needs-approval"
    title = _("Somebody has to agree first")


class LargeFileMissing(NotFound):
    """The large file that a pointer names was not sent to this design."""

    code = "design:no-such-large-file"


class LargeFileWrong(BadInput):
    """The bytes that came are not those that were announced."""

    code = "design:large-file-wrong"
    status = 422
    title = _("This is not the file that was announced")


class Locked(Conflict):
    """Somebody else works on the file."""

    code = "design:locked"
    title = _("Somebody works on this")


class BadVersion(BadInput):
    """No word that a release could be called."""

    code = "design:bad-version"
    status = 422


class VersionTaken(Conflict):
    """The design has a release of that version."""

    code = "design:version-taken"
    title = _("This version is taken")


class BadDeclaration(BadInput):
    """A declared source that does not say enough, or says what cannot be."""

    code = "design:bad-declaration"


class NothingSaid(BadInput):
    """A comment without words, or with more than fit."""

    code = "design:nothing-said"
    status = 422


class BadAnchor(BadInput):
    """A comment is pinned to something that is no place in a file."""

    code = "design:bad-anchor"
    status = 422


class TooMany(CityError):
    """More of something in a short time, or in one place, than keeps it pleasant for everybody."""

    code = "design:too-many"
    status = 429
    retry_after_s = 600
    title = _("This is too much at once")


class BadTag(BadInput):
    """A tag from which nothing readable is left, or more tags than a design may have."""

    code = "design:bad-tag"
    status = 422


class NameNotTyped(BadInput):
    """A design is deleted only by somebody who wrote its name."""

    code = "design:name-not-typed"
    status = 422


class NoSuchOffer(NotFound):
    """The hand-over was taken, refused or withdrawn meanwhile, or is not the caller's to answer."""

    code = "design:no-such-offer"


class AlreadyTheirs(Conflict):
    """It belongs to them, or they have that role, already."""

    code = "design:already-theirs"
    title = _("This is so already")


class Moved(DesignNotFound):
    """The design has another address now; `owner` and `slug` say which."""

    code = "design:moved"

    def __init__(self, *, old: tuple[str, str], new: tuple[str, str]) -> None:
        super().__init__(_("This design is at %(name)s now.") % {"name": "/".join(new)}, owner=new[0], slug=new[1])
        self.old, self.new = old, new

    def elsewhere(self, address: str) -> str:
        """The same page, file or repository at the new address."""
        before, after = ("/designs/{}/{}".format(*names) for names in (self.old, self.new))
        at = address.lower().find(before.lower())
        return address[:at] + after + address[at + len(before) :] if at >= 0 else after + "/"


class NoSuchMeasured(NotFound):
    """What a make shall point to is nothing that a machine made of the design for this person, or is told of."""

    code = "design:no-such-measured"


class BadPhoto(BadInput):
    """Not a photo of a kind that is shown, or larger than one may be."""

    code = "design:bad-photo"
    status = 422


class BadMethod(BadInput):
    """A way of merging that there is not."""

    code = "design:bad-method"
    status = 422


class BadVerdict(BadInput):
    """A review that neither agrees, asks nor remarks."""

    code = "design:bad-verdict"
    status = 422


class NothingToRelease(Conflict):
    """The version holds no file."""

    code = "design:nothing-to-release"
    title = _("There is nothing to release")


class FileChanged(Conflict):
    """There is something else at the path than the author saw; `blob` names it."""

    code = "design:file-changed"
    title = _("Somebody was quicker")
