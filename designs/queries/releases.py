"""Reads of releases: those of a design, the newest, and what belongs to which."""

from collections.abc import Iterable, Sequence

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from designs import git
from designs.citation import Work
from designs.errors import DesignNotFound
from designs.models import Design, Release
from designs.policies import Visitor, seen_by
from designs.queries import lineage
from designs.queries.authors import authors


def of_design(design: Design) -> QuerySet[Release]:
    """The releases of a design, newest first."""
    return design.releases.select_related("created_by").order_by("-created_at", "-pk")


def newest(design: Design) -> Release | None:
    """The newest release, or None."""
    return of_design(design).first()


def find(design: Design, version: str) -> Release:
    """The release of that version. Raises DesignNotFound."""
    found = design.releases.select_related("created_by").filter(version__iexact=version).first()
    if found is None:
        raise DesignNotFound(_("This design has no release “%(version)s”.") % {"version": version[:60]})
    found.design = design
    return found


def public(*, limit: int, visitor: Visitor = None) -> Sequence[Release]:
    """The newest releases of all designs that the visitor may see."""
    seen = Design.objects.filter(seen_by(visitor)).values("pk")
    return list(
        Release.objects.filter(design__in=seen)
        .select_related("design", "design__owner", "design__owner__user", "design__owner__organisation", "created_by")
        .order_by("-created_at", "-pk")[:limit]
    )


def holding(pairs: Iterable[tuple[int, str]]) -> dict[tuple[int, str], str]:
    """For (design, commit that put a file there) the oldest release whose history holds that commit, if any."""
    wanted = set(pairs)
    found: dict[tuple[int, str], str] = {}
    listed: dict[int, list[Release]] = {}
    for release in Release.objects.filter(design__in={pk for pk, _c in wanted}).select_related("design").order_by("pk"):
        listed.setdefault(release.design_id, []).append(release)
    for pk, commit in wanted:
        for release in listed.get(pk, ()):
            if commit == release.commit or git.of(release.design.repository).is_ancestor(commit, release.commit):
                found[pk, commit] = release.version
                break
    return found


def url_of(release: Release) -> str:
    """The address of a release's page."""
    design = release.design
    return settings.PUBLIC_URL + reverse("rooms:design_release", args=[design.owner.name, design.slug, release.version])


def work(release: Release) -> Work:
    """What is cited of a release."""
    design = release.design
    return Work(
        title=design.name,
        version=release.version,
        authors=authors(design, release.commit),
        at=release.created_at.date(),
        url=url_of(release),
        commit=release.commit,
        licence=release.licence,
        sha256=release.sha256,
        repository=f"{settings.PUBLIC_URL}/designs/{design.owner.name}/{design.slug}.git",
        summary=design.summary,
        sources=tuple((link.title, link.authors, link.url) for link in lineage.sources_of(design, visitor=None)),
    )
