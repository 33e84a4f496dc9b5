"""Public designs as open data."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings

from designs.queries.designs import visible_to


def rows() -> Iterator[dict[str, Any]]:
    """A design a row; only what a stranger sees."""
    for design in visible_to(None).iterator(chunk_size=500):
        yield {
            "owner": design.owner.name,
            "slug": design.slug,
            "name": design.name,
            "summary": design.summary,
            "licence": design.licence,
            "tags": design.tags,
            "formats": design.formats,
            "processes": design.processes,
            "stars": design.star_count,
            "makes": design.make_count,
            "pushed_at": design.pushed_at.isoformat() if design.pushed_at else None,
            "url": settings.PUBLIC_URL + design.get_absolute_url(),
            "demo": design.demo,
        }
