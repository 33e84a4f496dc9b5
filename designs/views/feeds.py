"""Atom feeds of releases, of one design and of all public ones."""

import datetime as dt
from collections.abc import Sequence

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.feedgenerator import Atom1Feed, Enclosure
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from designs import markdown, queries
from designs.models import Release
from designs.queries import releases as found
from designs.queries.lineage import url_of
from designs.queries.pictures import pictures_at
from designs.visitors import reader

MOST = 50
#: The feed's own time when it has no entry: readers must not see it change by itself.
NEVER = dt.datetime(2026, 1, 1, tzinfo=dt.UTC)


@require_safe
def of_design(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """The releases of one design."""
    design = queries.find(owner=owner, slug=slug, visitor=reader(request))
    title = _("Releases of %(design)s") % {"design": design.name}
    listed = list(found.of_design(design)[:MOST])
    for release in listed:
        release.design = design
    return _feed(request, title, url_of(design), listed)


@require_safe
def of_all(request: HttpRequest) -> HttpResponse:
    """The newest releases of all public designs."""
    link = settings.PUBLIC_URL + reverse("rooms:designs")
    return _feed(request, _("New releases of designs"), link, found.public(limit=MOST))


def _feed(request: HttpRequest, title: str, link: str, releases: Sequence[Release]) -> HttpResponse:
    updated = releases[0].created_at if releases else NEVER
    feed = Atom1Feed(title=title, link=link, description="", feed_url=f"{settings.PUBLIC_URL}{request.path}")
    for release in releases:
        design = release.design
        url = found.url_of(release)
        notes = markdown.render(
            release.notes, owner=design.owner.name, slug=design.slug, ref=release.commit,
            pictures=pictures_at(design, release.commit),
        )  # fmt: skip
        zipped = reverse("design-release-archive", args=[design.owner.name, design.slug, release.version])
        archive = [Enclosure(settings.PUBLIC_URL + zipped, str(release.size), "application/zip")]
        feed.add_item(
            title=f"{design.name} {release.version}" + (f": {release.name}" if release.name else ""),
            link=url, description=str(notes), unique_id=url, pubdate=release.created_at,
            updateddate=release.created_at, author_name=design.owner.title,
            enclosures=archive if release.sha256 else [],
        )  # fmt: skip
    feed.latest_post_date = lambda: updated  # type: ignore[method-assign]  # an empty feed would say “now”
    response = HttpResponse(feed.writeString("utf-8"), content_type="application/atom+xml; charset=utf-8")
    response["X-Content-Type-Options"] = "nosniff"
    return response
