"""What the API says of releases and of where designs come from."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from rest_framework import serializers

from designs.models import Release, Source
from designs.queries import releases as queries
from designs.queries.lineage import Link


class ReleaseIn(serializers.Serializer[Any]):
    """A new release."""

    version = serializers.CharField(max_length=60, help_text="such as 1.2.0; a v before a number is left out")
    name = serializers.CharField(max_length=120, required=False, allow_blank=True, default="")
    notes = serializers.CharField(max_length=20_000, required=False, allow_blank=True, default="", help_text="Markdown")
    ref = serializers.CharField(
        max_length=200, required=False, allow_blank=True, default="", help_text="branch or commit; the default branch"
    )


class ReleaseFileOut(serializers.Serializer[Any]):
    """A file of a release's archive."""

    path = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    licence = serializers.CharField(required=False, help_text="its own (REUSE), else the release's")


class ReleaseOut(serializers.Serializer[Any]):
    """A version that never changes again. Archive, SHA-256 and files are null until the archive is made."""

    version = serializers.CharField()
    name = serializers.CharField(allow_blank=True)
    notes = serializers.CharField(allow_blank=True)
    commit = serializers.CharField()
    licence = serializers.CharField()
    created_at = serializers.DateTimeField()
    created_by = serializers.CharField(allow_null=True)
    url = serializers.URLField()
    archive = serializers.URLField(allow_null=True)
    sha256 = serializers.CharField(allow_null=True)
    size = serializers.IntegerField(allow_null=True, help_text="of the archive, bytes")


class OneReleaseOut(ReleaseOut):
    """A release with the files of its archive."""

    files = ReleaseFileOut(many=True, allow_null=True)


class LinkOut(serializers.Serializer[Any]):
    """One step back in where a design comes from."""

    hops = serializers.IntegerField(help_text="steps from the design; 0 is the design itself")
    relation = serializers.ChoiceField(choices=["", *Source.Relation.values])
    title = serializers.CharField()
    authors = serializers.CharField(allow_blank=True)
    licence = serializers.CharField()
    url = serializers.CharField(allow_blank=True)
    commit = serializers.CharField(allow_blank=True)
    gone = serializers.BooleanField(help_text="the original is no longer here; this is what was written down of it")


class LineageOut(serializers.Serializer[Any]):
    """Where a design comes from, newest first."""

    results = LinkOut(many=True)


class SourceIn(serializers.Serializer[Any]):
    """Something that a design was made from."""

    relation = serializers.ChoiceField(choices=[Source.Relation.ADAPTED.value, Source.Relation.PART.value])
    url = serializers.CharField(max_length=600, required=False, allow_blank=True, default="")
    title = serializers.CharField(max_length=160, required=False, allow_blank=True, default="")
    authors = serializers.CharField(max_length=300, required=False, allow_blank=True, default="")
    licence = serializers.CharField(max_length=160, required=False, allow_blank=True, default="")


class SourceOut(serializers.Serializer[Any]):
    """A source that is written down."""

    id = serializers.IntegerField()
    relation = serializers.CharField()
    title = serializers.CharField()
    authors = serializers.CharField(allow_blank=True)
    licence = serializers.CharField()
    url = serializers.CharField(allow_blank=True)


def of_release(release: Release) -> dict[str, Any]:
    """A release as the API says it."""
    design = release.design
    archive = reverse("design-release-archive", args=[design.owner.name, design.slug, release.version])
    return {
        "version": release.version,
        "name": release.name,
        "notes": release.notes,
        "commit": release.commit,
        "licence": release.licence,
        "created_at": release.created_at,
        "created_by": release.created_by.username if release.created_by else None,
        "url": queries.url_of(release),
        "archive": f"{settings.PUBLIC_URL}{archive}" if release.sha256 else None,
        "sha256": release.sha256 or None,
        "size": release.size if release.sha256 else None,
        "files": release.manifest.get("files") if release.sha256 else None,
    }


def of_link(link: Link) -> dict[str, Any]:
    """A step of a chain as the API says it."""
    return {
        "hops": link.hops, "relation": link.relation, "title": link.title, "authors": link.authors,
        "licence": link.licence, "url": link.url, "commit": link.commit, "gone": link.gone,
    }  # fmt: skip
