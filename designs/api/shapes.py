"""What the room's API answers and takes."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from rest_framework import serializers

from designs.addresses import preview_url
from designs.models import Design
from designs.queries.files import File
from designs.queries.origins import Origin


class DesignIn(serializers.Serializer[Any]):
    """A new design."""

    name = serializers.CharField(max_length=120)
    summary = serializers.CharField(max_length=400, required=False, allow_blank=True, default="")
    licence = serializers.CharField(max_length=160, help_text="an SPDX expression, or LicenseRef-…")
    visibility = serializers.ChoiceField(choices=Design.Visibility.choices, default=Design.Visibility.PUBLIC)
    owner = serializers.CharField(max_length=39, required=False, help_text="you, or an organisation that you manage")
    slug = serializers.CharField(max_length=60, required=False, allow_blank=True, default="")


class DesignOut(serializers.Serializer[Any]):
    """A design."""

    owner = serializers.CharField()
    slug = serializers.CharField()
    name = serializers.CharField()
    summary = serializers.CharField()
    licence = serializers.CharField()
    visibility = serializers.CharField()
    default_branch = serializers.CharField()
    head = serializers.CharField(allow_null=True, help_text="newest indexed commit of the default branch")
    url = serializers.URLField()
    clone_url = serializers.URLField()
    picture = serializers.URLField(allow_null=True)
    created_at = serializers.DateTimeField()
    pushed_at = serializers.DateTimeField(allow_null=True)
    tags = serializers.ListField(child=serializers.CharField())
    formats = serializers.ListField(child=serializers.CharField(), help_text="of its files now")
    processes = serializers.ListField(child=serializers.CharField(), help_text="ways of making")
    box_mm = serializers.ListField(
        child=serializers.FloatField(), allow_null=True, help_text="every part goes into it; longest side first"
    )
    stars = serializers.IntegerField()
    makes = serializers.IntegerField(help_text="that people told of")
    released_at = serializers.DateTimeField(allow_null=True, help_text="of its newest release")
    demo = serializers.BooleanField()
    forked_from = serializers.CharField(allow_null=True, help_text="owner/slug of the design it began from")
    fork_count = serializers.IntegerField(help_text="public forks")
    archived = serializers.BooleanField(help_text="it can only be read")
    mirror_of = serializers.CharField(allow_null=True, help_text="the address that it follows and where it is changed")


class FactsOut(serializers.Serializer[Any]):
    """Facts of a shape: mm, mm² and mm³."""

    units = serializers.CharField(help_text="the file's own unit, unknown when it names none")
    triangles = serializers.IntegerField()
    watertight = serializers.BooleanField()
    volume_mm3 = serializers.FloatField(allow_null=True, help_text="null where the surface does not close")
    area_mm2 = serializers.FloatField()
    extents_mm = serializers.ListField(child=serializers.FloatField(), min_length=3, max_length=3)
    parts = serializers.IntegerField()
    warnings = serializers.ListField(child=serializers.CharField())
    thinnest_wall_mm = serializers.FloatField(
        allow_null=True, required=False, help_text="only 0.5 % of the surface has a thinner wall; null where not known"
    )
    thinnest_wall_at_mm = serializers.ListField(
        child=serializers.FloatField(), min_length=3, max_length=3, allow_null=True, required=False,
        help_text="a point on that wall, in the file's own coordinates",
    )  # fmt: skip
    overhang_share = serializers.FloatField(
        allow_null=True, required=False, help_text="of the surface that hangs by more than 45 degrees as drawn, z up"
    )
    overhang_best_share = serializers.FloatField(
        allow_null=True, required=False, help_text="the same with the side best_up up"
    )
    best_up = serializers.CharField(allow_blank=True, required=False, help_text="such as +z or -y; empty if not known")
    largest_flat_mm2 = serializers.FloatField(
        allow_null=True, required=False, help_text="the largest area that lies in one plane and looks one way"
    )
    more = serializers.DictField(
        required=False,
        help_text="of what is no solid: `kind` is drawing, program, board, schematic, script or document; "
        "the keys of each stand in docs/formats.md",
    )


class PreviewOut(serializers.Serializer[Any]):
    """Picture and model of a file."""

    status = serializers.ChoiceField(choices=("ready", "pending", "failed", "none"))
    png = serializers.URLField(allow_null=True)
    glb = serializers.URLField(allow_null=True)
    reason = serializers.CharField(allow_blank=True)


class FileOut(serializers.Serializer[Any]):
    """A file of a version. Hashes are null until the index has read it."""

    path = serializers.CharField()
    blob = serializers.CharField()
    sha1 = serializers.CharField(allow_null=True)
    sha256 = serializers.CharField(allow_null=True)
    size = serializers.IntegerField()
    format = serializers.CharField(allow_blank=True)
    url = serializers.URLField()
    preview = PreviewOut()
    facts = FactsOut(allow_null=True)


class FilesOut(serializers.Serializer[Any]):
    """The files of a version."""

    commit = serializers.CharField(allow_null=True)
    results = FileOut(many=True)


class OriginOut(serializers.Serializer[Any]):
    """A design that holds exactly these bytes."""

    owner = serializers.CharField()
    slug = serializers.CharField()
    name = serializers.CharField()
    licence = serializers.CharField()
    path = serializers.CharField()
    commit = serializers.CharField()
    committed_at = serializers.DateTimeField()
    blob = serializers.CharField()
    ref = serializers.CharField(allow_null=True, help_text="the branch that has it there now")
    release = serializers.CharField(allow_null=True)
    url = serializers.URLField()


class OriginsOut(serializers.Serializer[Any]):
    """All origins that the caller may see, newest first."""

    results = OriginOut(many=True)


def _absolute(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}"


def clone_url(design: Design) -> str:
    """What `git clone` takes."""
    return _absolute(f"/designs/{design.owner.name}/{design.slug}.git")


def of_design(design: Design) -> dict[str, Any]:
    """A design as the API says it. A parent that is private or deleted is not named."""
    cover, parent = design.cover, design.forked_from
    if parent is not None and (not parent.is_public or parent.deleted_at is not None):
        parent = None
    return {
        "owner": design.owner.name,
        "slug": design.slug,
        "name": design.name,
        "summary": design.summary,
        "licence": design.licence,
        "visibility": design.visibility,
        "default_branch": design.default_branch,
        "head": design.head or None,
        "url": _absolute(reverse("rooms:design", args=[design.owner.name, design.slug])),
        "clone_url": clone_url(design),
        "picture": _absolute(preview_url(design, cover, "png")) if cover and cover.png else None,
        "created_at": design.created_at,
        "pushed_at": design.pushed_at,
        "tags": design.tags,
        "formats": design.formats,
        "processes": design.processes,
        "box_mm": design.box_mm,
        "stars": design.star_count,
        "makes": design.make_count,
        "released_at": design.released_at,
        "demo": design.demo,
        "forked_from": f"{parent.owner.name}/{parent.slug}" if parent else None,
        "fork_count": design.fork_count,
        "archived": design.is_archived,
        "mirror_of": design.mirror.url if design.is_mirror else None,
    }


def of_file(design: Design, file: File) -> dict[str, Any]:
    """A file as the API says it."""
    blob = file.blob
    links = {
        "png": _absolute(preview_url(design, blob, "png")) if blob and blob.png else None,
        "glb": _absolute(preview_url(design, blob, "glb")) if blob and blob.glb else None,
    }
    return {
        "path": file.path,
        "blob": file.entry.oid,
        "sha1": blob.sha1 if blob else None,
        "sha256": blob.sha256 if blob else None,
        "size": file.size,
        "format": file.format,
        "url": _absolute(reverse("rooms:design_file", args=[design.owner.name, design.slug, file.path])),
        "preview": {"status": file.status, "reason": blob.reason if blob else "", **links},
        "facts": blob.facts | {"warnings": [*blob.facts["warnings"], *file.cautions]} if blob and blob.facts else None,
    }


def of_origin(origin: Origin) -> dict[str, Any]:
    """An origin as the API says it."""
    design = origin.design
    return {
        "owner": design.owner.name,
        "slug": design.slug,
        "name": design.name,
        "licence": design.licence,
        "path": origin.path,
        "commit": origin.commit,
        "committed_at": origin.committed_at,
        "blob": origin.blob,
        "ref": origin.ref or None,
        "release": origin.release or None,
        "url": _absolute(reverse("rooms:design_file", args=[design.owner.name, design.slug, origin.path]))
        + f"?ref={origin.commit}",
    }
