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


class Archived(Conflict):
    """The design can only be read."""

    code = "design:archived"


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
