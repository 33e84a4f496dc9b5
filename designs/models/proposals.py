"""Changes offered to a design, and what people say about them and about designs."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from designs.models.designs import Design


class Proposal(models.Model):
    """An offer to bring a branch of the design itself or of a fork into one of its branches ("change" on pages).

    `base` is where the two histories part, `head` what is offered; every head that was ever offered stays alive in the
    target's repository under refs/internal/changes/<number>/<commit>, so that the source may vanish. `versions` lists
    them, oldest first: {"head", "base", "at"}. The checks were computed for (`checked_head`, `checked_onto`).
    """

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        MERGED = "merged", _("Merged")
        CLOSED = "closed", _("Closed")

    class Method(models.TextChoices):
        MERGE = "merge", _("Merge commit")
        SQUASH = "squash", _("One commit")

    design = models.ForeignKey(Design, on_delete=models.CASCADE, related_name="proposals")
    number = models.PositiveIntegerField()
    title = models.CharField(max_length=160)
    body = models.TextField(blank=True, max_length=20_000)
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="proposals")
    source = models.ForeignKey(Design, null=True, on_delete=models.SET_NULL, related_name="offered")
    source_branch = models.CharField(max_length=200)
    target_branch = models.CharField(max_length=200)
    base = models.CharField(max_length=40)
    head = models.CharField(max_length=40)
    versions = models.JSONField(default=list)
    checked_head = models.CharField(max_length=40, blank=True)
    checked_onto = models.CharField(max_length=40, blank=True)
    state = models.CharField(max_length=8, choices=State.choices, default=State.OPEN)
    merged_commit = models.CharField(max_length=40, blank=True)
    method = models.CharField(max_length=8, choices=Method.choices, blank=True)
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    ended_at = models.DateTimeField(null=True, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        constraints = (
            models.UniqueConstraint("design", "number", name="designs_proposal_number_once"),
            models.UniqueConstraint(
                "design",
                "source",
                "source_branch",
                "target_branch",
                name="designs_proposal_open_once",
                condition=models.Q(state="open"),
            ),
            models.CheckConstraint(
                name="designs_proposal_merged_has_commit",
                condition=~models.Q(state="merged") | ~models.Q(merged_commit=""),
            ),
        )

    def __str__(self) -> str:
        return f"{self.number}: {self.title}"

    @property
    def is_open(self) -> bool:
        """Whether it can still be merged."""
        return self.state == self.State.OPEN


class Comment(models.Model):
    """What a person says about a design, or about a change to it when `proposal` is set.

    `anchor` pins it: {"path", "line", "side"} in a text, {"path", "point": [x, y, z] in mm} in a shape, {"path"} on a
    file; null is on the whole. `side` is old or new, `commit` the head that was looked at.
    """

    design = models.ForeignKey(Design, on_delete=models.CASCADE, related_name="comments")
    proposal = models.ForeignKey(Proposal, null=True, blank=True, on_delete=models.CASCADE, related_name="comments")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="comments")
    body = models.TextField(max_length=20_000)
    anchor = models.JSONField(null=True, blank=True)
    commit = models.CharField(max_length=40, blank=True)
    answers = models.ForeignKey("self", null=True, blank=True, on_delete=models.CASCADE, related_name="replies")
    created_at = models.DateTimeField(auto_now_add=True)
    edited_at = models.DateTimeField(null=True, blank=True)
    resolved_at = models.DateTimeField(null=True, blank=True)
    removed_at = models.DateTimeField(null=True, blank=True)
    hidden_at = models.DateTimeField(null=True, blank=True)
    hidden_reason = models.CharField(max_length=400, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=["design", "-created_at"], name="designs_talk"),
            models.Index(fields=["proposal", "created_at"], name="designs_change_talk"),
        )

    def __str__(self) -> str:
        return self.body[:40]
