"""Where a design comes from: what it was forked from, and what its owner declares."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from designs.models.designs import Design


class Source(models.Model):
    """Something that a design was made from, told so that it can still be told when the original is gone.

    `linked` is the design here that it is, if it is one. `earlier` is what was known of the source's own sources when
    it was written down, nearest first: [{"title", "authors", "licence", "url", "relation"}].
    """

    class Relation(models.TextChoices):
        FORK = "fork", _("Forked from")
        ADAPTED = "adapted", _("Adapted from")
        PART = "part", _("Contains parts of")

    design = models.ForeignKey(Design, on_delete=models.CASCADE, related_name="sources")
    relation = models.CharField(max_length=8, choices=Relation.choices)
    title = models.CharField(max_length=160)
    authors = models.CharField(max_length=300, blank=True)
    licence = models.CharField(max_length=160)
    url = models.CharField(max_length=600, blank=True)
    linked = models.ForeignKey(Design, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    commit = models.CharField(max_length=40, blank=True)
    was_public = models.BooleanField(default=True)
    earlier = models.JSONField(default=list, blank=True)
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                "design", name="designs_source_one_fork", condition=models.Q(relation="fork")
            ),
        )  # fmt: skip
        indexes = (models.Index(fields=["design", "created_at"], name="designs_sources"),)

    def __str__(self) -> str:
        return self.title

    @property
    def name(self) -> str:
        """How people call it."""
        return self.title
