"""What a design's licence may be, and where it comes from: never against what its parents ask."""

import re
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from commons.people.models import User
from designs import licences
from designs.errors import BadDeclaration, LicenceForbids
from designs.licences import derive
from designs.models import Design, Source
from designs.policies import check_may_maintain, check_not_archived, seen_by
from designs.queries import lineage
from designs.services.holding import hold

MOST_SOURCES = 100
OURS = re.compile(r"^/(?:[a-z]{2}/)?designs/(?P<owner>[-\w]+)/(?P<slug>[-\w]+?)(?:\.git)?/?$")


def check_licence(*, design: Design, licence: str) -> None:
    """Raise LicenceForbids if what the design comes from does not let it carry this licence."""
    derive.check(licence, lineage.parents(design), shared=design.is_public)


def remember_fork(*, design: Design) -> Source | None:
    """Write down what a fork was forked from, with all that was known of that, for the time when it is gone."""
    parent = design.forked_from
    if parent is None:
        return None
    source = lineage.fork_source(design, parent)
    source.earlier = [link.as_data() for link in lineage.sources_of(parent, visitor=None)]
    Source.objects.filter(design=design, relation=Source.Relation.FORK).delete()
    source.save()
    return source


@transaction.atomic
def declare_source(
    *,
    design: Design,
    by: User | None,
    title: str,
    relation: str,
    licence: str = "",
    url: str = "",
    authors: str = "",
) -> Source:
    """Say that the design was adapted from something or contains parts of it. An address of a design here links them;
    then its name, owner and licence are its own. Locks the design.

    Raises NotYours, Archived, BadDeclaration, BadLicence or LicenceForbids; then nothing has changed.
    """
    design = hold(design)
    _may_say(by, design)
    source = _declared(design, by, title=title, relation=relation, licence=licence, url=url, authors=authors)
    bound = relation != Source.Relation.PART or derive.binds_the_whole(source.licence)
    found = derive.fault(design.licence, [source], shared=design.is_public) if bound else None
    if found is not None:
        raise LicenceForbids(
            found.sentence + " " + _("Change the licence of this design first."),
            clause=found.clause, licence=found.licence, parent=found.parent, allowed=list(found.allowed),
        )  # fmt: skip
    source.save()
    return source


def _declared(
    design: Design, by: User | None, *, title: str, relation: str, licence: str, url: str, authors: str
) -> Source:
    if relation not in {Source.Relation.ADAPTED, Source.Relation.PART}:
        raise BadDeclaration(_("Say whether the design is adapted from it or contains parts of it."))
    if design.sources.count() >= MOST_SOURCES:
        raise BadDeclaration(_("A design can name up to %(n)d sources.") % {"n": MOST_SOURCES})
    url = _url(url)
    linked = _here(url, by)
    if linked is not None and linked.pk == design.pk:
        raise BadDeclaration(_("A design does not come from itself."))
    source = Source(design=design, relation=relation, url=url, linked=linked, created_by=by)
    if linked is not None:
        source.title, source.authors, source.licence = linked.name, linked.owner.title, linked.licence
        source.was_public, source.commit = linked.is_public, linked.head
        source.earlier = [link.as_data() for link in lineage.sources_of(linked, visitor=None)]
        return source
    source.title, source.authors = " ".join(title.split())[:160], " ".join(authors.split())[:300]
    source.licence = licences.read(licences.normalise(licence))
    if not source.title:
        raise BadDeclaration(_("Give the name of what the design comes from, or its address here."))
    return source


def _url(text: str) -> str:
    text = text.strip()
    if not text:
        return ""
    try:
        parts = urlsplit(text)
    except ValueError:
        parts = urlsplit("")
    if parts.scheme not in {"https", "http"} or not parts.hostname or len(text) > 600 or re.search(r"[\s<>\"]", text):
        raise BadDeclaration(_("The address of a source begins with https:// and holds no spaces."))
    return text


def _here(url: str, by: User | None) -> Design | None:
    """The design of ours at an address, if the person may see it."""
    base = settings.PUBLIC_URL.rstrip("/")
    found = OURS.match(url.removeprefix(base)) if url.startswith(f"{base}/") else None
    if found is None:
        return None
    at = Design.objects.filter(owner__name=found["owner"].lower(), slug=found["slug"].lower())
    return at.filter(seen_by(by)).select_related("owner", "owner__user", "owner__organisation").first()


@transaction.atomic
def remove_source(*, design: Design, source_id: int, by: User | None) -> None:
    """Take a declared source away; what git says (a fork) stays. Raises NotYours, Archived or BadDeclaration."""
    _may_say(by, design)
    gone, _rows = design.sources.filter(pk=source_id).exclude(relation=Source.Relation.FORK).delete()
    if not gone:
        raise BadDeclaration(_("This source cannot be taken away: it is not declared, or git itself says it."))


def _may_say(by: User | None, design: Design) -> None:
    """Raises Archived, or NotYours for who does not work on the design. None is the city itself."""
    check_not_archived(design)
    if by is not None:
        check_may_maintain(by, design)
