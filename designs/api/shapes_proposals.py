"""What the API answers and takes of changes."""

from typing import Any

from django.conf import settings
from django.urls import reverse
from rest_framework import serializers

from designs.git.comparing import Change
from designs.models import Comment, Design, Proposal, Review
from designs.queries.changes import Told


class ProposalIn(serializers.Serializer[Any]):
    """A change to offer."""

    title = serializers.CharField(max_length=160)
    body = serializers.CharField(max_length=20_000, required=False, allow_blank=True, default="")
    source = serializers.CharField(  # type: ignore[assignment]  # DRF takes declared fields out of the class
        max_length=120,
        required=False,
        allow_blank=True,
        default="",
        help_text="owner/slug of a fork; the design itself",
    )
    source_branch = serializers.CharField(max_length=200)
    target_branch = serializers.CharField(
        max_length=200, required=False, allow_blank=True, default="", help_text="the default branch without it"
    )


class ProposalPatch(serializers.Serializer[Any]):
    """Other words, or another state."""

    title = serializers.CharField(max_length=160, required=False)
    body = serializers.CharField(max_length=20_000, required=False, allow_blank=True)
    state = serializers.CharField(required=False, help_text="closed, or open to open it again")

    def validate_state(self, value: str) -> str:
        """open or closed; merging has an address of its own."""
        if value not in {Proposal.State.OPEN, Proposal.State.CLOSED}:
            raise serializers.ValidationError("open or closed; merge with …/merge/")
        return value


class MergeIn(serializers.Serializer[Any]):
    """How to merge."""

    method = serializers.ChoiceField(choices=Proposal.Method.choices, default=Proposal.Method.MERGE)
    message = serializers.CharField(max_length=20_000, required=False, allow_blank=True, default="")
    head = serializers.CharField(
        max_length=40, required=False, allow_blank=True, default="", help_text="refuse when there is a newer version"
    )


class ChangeSourceOut(serializers.Serializer[Any]):
    """Where a change comes from. owner and slug are null when the caller may not see it, or it is gone."""

    owner = serializers.CharField(allow_null=True)
    slug = serializers.CharField(allow_null=True)
    branch = serializers.CharField(allow_null=True)


class CheckOut(serializers.Serializer[Any]):
    """What the city found when it looked at a change."""

    name = serializers.CharField()
    state = serializers.CharField(help_text="passed, warning, failed or waiting")
    sentence = serializers.CharField()


class ChangedFileOut(serializers.Serializer[Any]):
    """A file that the change touches."""

    path = serializers.CharField()
    old_path = serializers.CharField()
    change = serializers.ChoiceField(choices=("added", "removed", "changed", "renamed"))
    size = serializers.IntegerField()


class ProposalOut(serializers.Serializer[Any]):
    """A change that is offered."""

    number = serializers.IntegerField()
    title = serializers.CharField()
    body = serializers.CharField()
    state = serializers.CharField(help_text="open, merged or closed")
    author = serializers.CharField(allow_null=True)
    source = ChangeSourceOut()  # type: ignore[assignment]
    target_branch = serializers.CharField()
    base = serializers.CharField(help_text="where the two histories part")
    head = serializers.CharField(help_text="what is offered")
    merged_commit = serializers.CharField(allow_null=True)
    method = serializers.CharField(allow_null=True)
    created_at = serializers.DateTimeField()
    updated_at = serializers.DateTimeField()
    ended_at = serializers.DateTimeField(allow_null=True)
    url = serializers.URLField()


class ProposalDetailOut(ProposalOut):
    """A change with its files, its checks, and the paths that do not merge by themselves."""

    files = ChangedFileOut(many=True)
    checks = CheckOut(many=True)
    conflicts = serializers.ListField(child=serializers.CharField())
    approved = serializers.BooleanField(help_text="somebody who may merge agreed to this head")


class ProposalPage(serializers.Serializer[Any]):
    """A page of changes, newest first."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = ProposalOut(many=True)


class AnchorShape(serializers.Serializer[Any]):
    """Where a remark is pinned: a file, and a line of a text or a point of a shape in it."""

    path = serializers.CharField(max_length=700)
    line = serializers.IntegerField(required=False, min_value=1)
    side = serializers.ChoiceField(choices=("old", "new"), required=False)
    point = serializers.ListField(
        child=serializers.FloatField(), min_length=3, max_length=3, required=False, help_text="x, y, z in mm"
    )


class ProposalCommentIn(serializers.Serializer[Any]):
    """Something to say of a change."""

    body = serializers.CharField(max_length=20_000)
    anchor = AnchorShape(required=False, allow_null=True, default=None)
    answers = serializers.IntegerField(required=False, allow_null=True, default=None, help_text="id of another remark")


class ProposalCommentOut(serializers.Serializer[Any]):
    """What somebody said of a change. `body` is empty once it was taken away or hidden."""

    id = serializers.IntegerField()
    author = serializers.CharField(allow_null=True)
    body = serializers.CharField()
    anchor = AnchorShape(allow_null=True)
    commit = serializers.CharField(allow_null=True)
    earlier = serializers.BooleanField(help_text="it is on a version that is no longer the newest")
    answers = serializers.IntegerField(allow_null=True)
    created_at = serializers.DateTimeField()
    edited_at = serializers.DateTimeField(allow_null=True)
    resolved_at = serializers.DateTimeField(allow_null=True)


class ProposalCommentPage(serializers.Serializer[Any]):
    """A page of remarks, newest first."""

    next = serializers.URLField(allow_null=True)
    previous = serializers.URLField(allow_null=True)
    results = ProposalCommentOut(many=True)


class ReviewIn(serializers.Serializer[Any]):
    """A judgement of the newest version."""

    verdict = serializers.ChoiceField(choices=Review.Verdict.choices)
    body = serializers.CharField(max_length=20_000, required=False, allow_blank=True, default="")
    head = serializers.CharField(max_length=40, required=False, allow_blank=True, default="")


class ReviewOut(serializers.Serializer[Any]):
    """A judgement."""

    id = serializers.IntegerField()
    author = serializers.CharField(allow_null=True)
    verdict = serializers.ChoiceField(choices=Review.Verdict.choices)
    body = serializers.CharField()
    commit = serializers.CharField()
    created_at = serializers.DateTimeField()


def of_proposal(proposal: Proposal, *, source: Design | None) -> dict[str, Any]:
    """A change as the API says it; `source` is None when the caller may not see where it comes from."""
    design = proposal.design
    page = reverse("rooms:design_change", args=[design.owner.name, design.slug, proposal.number])
    return {
        "number": proposal.number,
        "title": proposal.title,
        "body": proposal.body,
        "state": proposal.state,
        "author": proposal.author.username if proposal.author else None,
        "source": {
            "owner": source.owner.name if source else None,
            "slug": source.slug if source else None,
            "branch": proposal.source_branch if source else None,
        },
        "target_branch": proposal.target_branch,
        "base": proposal.base,
        "head": proposal.head,
        "merged_commit": proposal.merged_commit or None,
        "method": proposal.method or None,
        "created_at": proposal.created_at,
        "updated_at": proposal.updated_at,
        "ended_at": proposal.ended_at,
        "url": f"{settings.PUBLIC_URL}{page}",
    }


def of_change(change: Change) -> dict[str, Any]:
    """A changed file as the API says it."""
    size = change.new_size if change.new_oid else 0
    return {"path": change.path, "old_path": change.old_path, "change": change.kind, "size": size}


def of_check(check: Told) -> dict[str, Any]:
    """A check as the API says it."""
    return {"name": check.name, "state": check.state, "sentence": check.sentence}


def of_remark(comment: Comment, proposal: Proposal) -> dict[str, Any]:
    """A remark as the API says it."""
    shown = comment.removed_at is None and comment.hidden_at is None
    return {
        "id": comment.pk,
        "author": comment.author.username if comment.author else None,
        "body": comment.body if shown else "",
        "anchor": comment.anchor if shown else None,
        "commit": comment.commit or None,
        "earlier": bool(comment.commit) and comment.commit != proposal.head,
        "answers": comment.answers_id,
        "created_at": comment.created_at,
        "edited_at": comment.edited_at,
        "resolved_at": comment.resolved_at,
    }


def of_review(review: Review) -> dict[str, Any]:
    """A review as the API says it."""
    return {
        "id": review.pk,
        "author": review.author.username if review.author else None,
        "verdict": review.verdict,
        "body": review.body,
        "commit": review.commit,
        "created_at": review.created_at,
    }
