"""What the API answers and takes about people around designs."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from rest_framework import serializers

from designs.models import Collaborator, Collection, Comment, Design, Make, MakePhoto


class DesignChange(serializers.Serializer[Any]):
    """What of a design to change; what is left out stays. `slug` renames it, `archived` makes it read-only."""

    name = serializers.CharField(max_length=120, required=False)
    summary = serializers.CharField(max_length=400, required=False, allow_blank=True)
    tags = serializers.ListField(child=serializers.CharField(max_length=80), required=False, max_length=50)
    licence = serializers.CharField(max_length=160, required=False, help_text="an SPDX expression, or LicenseRef-…")
    visibility = serializers.ChoiceField(choices=Design.Visibility.choices, required=False)
    default_branch = serializers.CharField(max_length=100, required=False)
    slug = serializers.CharField(max_length=60, required=False)
    archived = serializers.BooleanField(required=False)


class StarOut(serializers.Serializer[Any]):
    """Stars of a design."""

    starred = serializers.BooleanField(help_text="whether one is the caller's")
    stars = serializers.IntegerField()


class PhotoOut(serializers.Serializer[Any]):
    """A photo of a make, without what a camera wrote into it."""

    status = serializers.ChoiceField(choices=MakePhoto.State.choices)
    url = serializers.URLField(allow_null=True)
    small = serializers.URLField(allow_null=True)
    width = serializers.IntegerField()
    height = serializers.IntegerField()


class MakeOut(serializers.Serializer[Any]):
    """A make that a person told of."""

    id = serializers.IntegerField()
    author = serializers.CharField(allow_null=True)
    text = serializers.CharField(allow_blank=True)
    commit = serializers.CharField(allow_null=True)
    release = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    photos = PhotoOut(many=True)
    measured = serializers.CharField(allow_null=True, help_text="the key of what a machine measured of it")


class MeasuredOut(serializers.Serializer[Any]):
    """A make that a machine in a lab measured."""

    room = serializers.CharField(help_text="the room that says so")
    id = serializers.CharField()
    made_at = serializers.DateTimeField(allow_null=True)
    machine = serializers.CharField()
    lab = serializers.CharField()
    provenance = serializers.CharField()
    energy_kwh = serializers.FloatField(allow_null=True)


class MakesOut(serializers.Serializer[Any]):
    """Makes: those that people told of in cursor pages, and beside them those that machines measured."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = MakeOut(many=True)
    measured = MeasuredOut(many=True)


class MakeIn(serializers.Serializer[Any]):
    """A make: words, photos, or both."""

    text = serializers.CharField(max_length=4000, required=False, allow_blank=True, default="")
    ref = serializers.CharField(max_length=200, required=False, allow_blank=True, default="")
    photos = serializers.ListField(child=serializers.FileField(), required=False, default=list, max_length=6)
    measured = serializers.CharField(
        max_length=80, required=False, allow_blank=True, default="",
        help_text="what a machine made for the caller, such as labs.job:<id>",
    )  # fmt: skip


class CommentOut(serializers.Serializer[Any]):
    """A comment. `body` is empty where it was taken away or hidden."""

    id = serializers.IntegerField()
    author = serializers.CharField(allow_null=True)
    body = serializers.CharField(allow_blank=True)
    answers = serializers.IntegerField(allow_null=True)
    anchor = serializers.JSONField(allow_null=True)
    created_at = serializers.DateTimeField()
    edited_at = serializers.DateTimeField(allow_null=True)
    resolved_at = serializers.DateTimeField(allow_null=True)


class CommentIn(serializers.Serializer[Any]):
    """Something to say about a design, or an answer to a comment on it."""

    body = serializers.CharField(max_length=20_000)
    answers = serializers.IntegerField(required=False, allow_null=True, default=None)


class CommentChange(serializers.Serializer[Any]):
    """Other words, or whether the thread is settled."""

    body = serializers.CharField(max_length=20_000, required=False)
    resolved = serializers.BooleanField(required=False)


class CollaboratorOut(serializers.Serializer[Any]):
    """A person who works on a design beside its owner."""

    person = serializers.CharField()
    role = serializers.ChoiceField(choices=Collaborator.Role.choices)
    since = serializers.DateTimeField()


class CollaboratorsOut(serializers.Serializer[Any]):
    """Everybody with a role."""

    results = CollaboratorOut(many=True)


class CollaboratorIn(serializers.Serializer[Any]):
    """A person and what they may do."""

    person = serializers.CharField(max_length=39)
    role = serializers.ChoiceField(choices=Collaborator.Role.choices)


class CollectionOut(serializers.Serializer[Any]):
    """A collection."""

    owner = serializers.CharField()
    slug = serializers.CharField()
    name = serializers.CharField()
    about = serializers.CharField(allow_blank=True)
    visibility = serializers.CharField()
    designs = serializers.IntegerField(help_text="how many of them the caller may see")
    url = serializers.URLField()
    updated_at = serializers.DateTimeField()


def _absolute(path: str) -> str:
    return f"{settings.PUBLIC_URL}{path}"


def of_photo(make: Make, photo: MakePhoto) -> dict[str, Any]:
    """A photo as the API says it."""
    at = [make.design.owner.name, make.design.slug, make.pk]
    ready = photo.state == MakePhoto.State.READY
    links = {
        kind: _absolute(reverse("design-make-photo", args=[*at, f"{photo.name}-{kind}"])) if ready else None
        for kind in ("large", "small")
    }
    return {"status": photo.state, "url": links["large"], "small": links["small"], "width": photo.width,
            "height": photo.height}  # fmt: skip


def of_make(make: Make) -> dict[str, Any]:
    """A make as the API says it."""
    return {
        "id": make.pk,
        "author": make.author.username if make.author else None,
        "text": make.text,
        "commit": make.commit or None,
        "release": make.release.version if make.release else None,
        "created_at": make.created_at,
        "photos": [of_photo(make, photo) for photo in make.photos.all()],
        "measured": make.measured or None,
    }


def of_comment(comment: Comment) -> dict[str, Any]:
    """A comment as the API says it."""
    return {
        "id": comment.pk,
        "author": comment.author.username if comment.author else None,
        "body": "" if comment.hidden_at else comment.body,
        "answers": comment.answers_id,
        "anchor": None if comment.hidden_at else comment.anchor,
        "created_at": comment.created_at,
        "edited_at": comment.edited_at,
        "resolved_at": comment.resolved_at,
    }


def of_collection(collection: Collection, count: int) -> dict[str, Any]:
    """A collection as the API says it."""
    return {
        "owner": collection.owner.name,
        "slug": collection.slug,
        "name": collection.name,
        "about": collection.about,
        "visibility": collection.visibility,
        "designs": count,
        "url": _absolute(reverse("rooms:collection", args=[collection.owner.name, collection.slug])),
        "updated_at": collection.updated_at,
    }
