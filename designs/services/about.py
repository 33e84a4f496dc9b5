"""What a design says about itself: name, summary, tags, licence, who may see it, which branch it shows."""

import re
import unicodedata
from collections.abc import Sequence

from django.db import transaction
from django.utils.translation import gettext as _

from commons.people.models import User
from designs import git, licences
from designs.errors import BadRevision, BadTag
from designs.models import Design
from designs.policies import check_may_manage, check_not_archived
from designs.services import cards
from designs.services.designs import check_name, check_visibility
from designs.services.forks import set_visibility
from designs.services.holding import hold
from designs.services.index import index_later
from designs.services.rights import check_licence

MAX_TAGS, MAX_TAG = 12, 40


@transaction.atomic
def change_design(
    *,
    design: Design,
    by: User | None,
    name: str | None = None,
    summary: str | None = None,
    tags: Sequence[str] | None = None,
    licence: str | None = None,
    visibility: str | None = None,
    default_branch: str | None = None,
) -> Design:
    """Change what is given and nothing else. Locks the design.

    Raises NotYours (also when a fork of a private design would become public), Archived, BadName, BadTag, BadLicence,
    LicenceForbids or BadRevision; then nothing has changed.
    """
    held = hold(design)
    check_may_manage(by, held)
    check_not_archived(held)
    if name is not None:
        held.name = check_name(name)
    if summary is not None:
        held.summary = " ".join(summary.split())[:400]
    if tags is not None:
        held.tags = read_tags(tags)
    if licence is not None:
        held.licence = _licence(held, licence)
    if default_branch is not None:
        _point(held, default_branch, by)
    held.save(update_fields=["name", "summary", "tags", "licence", "default_branch"])
    transaction.on_commit(lambda: cards.learn(held))
    if visibility is not None and held.visibility != check_visibility(visibility):
        held = set_visibility(design=held, visibility=visibility)
        check_licence(design=held, licence=held.licence)
    return held


def read_tags(words: Sequence[str]) -> list[str]:
    """Tags as they are kept: lower case, hyphens for spaces, each once, in the order given. Raises BadTag."""
    tags: dict[str, None] = {}
    for word in words:
        tag = unicodedata.normalize("NFKC", word).strip().lstrip("#").lower()
        tag = re.sub(r"[\s_-]+", "-", re.sub(r"[^\w\s-]", "", tag)).strip("-")
        if not tag:
            if word.strip():
                raise BadTag(_("“%(tag)s” is no tag: it needs a letter or a digit.") % {"tag": word[:40]})
            continue
        if len(tag) > MAX_TAG:
            raise BadTag(_("A tag has up to %(n)d letters; “%(tag)s” has more.") % {"n": MAX_TAG, "tag": tag[:60]})
        tags[tag] = None
    if len(tags) > MAX_TAGS:
        raise BadTag(_("A design has up to %(n)d tags; these are %(m)d.") % {"n": MAX_TAGS, "m": len(tags)})
    return list(tags)


def split_tags(text: str) -> list[str]:
    """The tags of one line of a form: between commas, or between spaces where there is no comma."""
    return [word for word in (text.split(",") if "," in text else text.split()) if word.strip()]


def _licence(design: Design, text: str) -> str:
    """Another licence, if what the design comes from allows it; releases keep theirs."""
    licence = licences.read(text)
    if licence != design.licence:
        check_licence(design=design, licence=licence)
    return licence


def _point(design: Design, branch: str, by: User | None) -> None:
    """Show another branch; the index follows."""
    repository = git.of(design.repository)
    if branch == design.default_branch:
        return
    if f"refs/heads/{branch}" not in repository.refs():
        raise BadRevision(_("There is no branch “%(name)s”.") % {"name": branch[:80]})
    design.default_branch = branch
    transaction.on_commit(lambda: repository.point_head(branch))
    transaction.on_commit(lambda: index_later(design=design, by=by, pushed=False))
