"""Designs, who works on them, and the addresses they had. git holds what is in them."""

import secrets

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.urls import reverse
from django.utils.translation import gettext_lazy as _


def new_repository_id() -> str:
    """An opaque name for a repository's folder, so that renaming a design moves nothing on disk."""
    return secrets.token_hex(16)


class Design(models.Model):
    """A thing that can be made: a git repository with an owner, a name and a licence."""

    class Visibility(models.TextChoices):
        PUBLIC = "public", _("Everybody")
        PRIVATE = "private", _("Only its owner")

    owner = models.ForeignKey("people.Handle", on_delete=models.PROTECT, related_name="designs")
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    summary = models.CharField(max_length=400, blank=True)
    licence = models.CharField(max_length=160, help_text=_("an SPDX expression, or LicenseRef-…"))
    visibility = models.CharField(max_length=8, choices=Visibility.choices, default=Visibility.PUBLIC)
    repository = models.CharField(max_length=32, unique=True, default=new_repository_id, editable=False)
    default_branch = models.CharField(max_length=100, default="main")
    head = models.CharField(max_length=40, blank=True, help_text=_("newest indexed commit of the default branch"))
    indexed_tips = models.JSONField(default=list, blank=True)
    index_note = models.CharField(max_length=200, blank=True)
    cover = models.ForeignKey("designs.Blob", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    created_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    pushed_at = models.DateTimeField(null=True, blank=True)
    demo = models.BooleanField(default=False)

    forked_from = models.ForeignKey("self", null=True, blank=True, on_delete=models.SET_NULL, related_name="forks")
    forked_at = models.CharField(max_length=40, blank=True, help_text=_("the parent's commit that it began with"))
    pool = models.CharField(max_length=32, blank=True, editable=False)
    merge_needs_approval = models.BooleanField(
        default=False, help_text=_("a change is merged only after somebody who may merge agreed to its newest version")
    )
    archived_at = models.DateTimeField(null=True, blank=True)
    deleted_at = models.DateTimeField(null=True, blank=True)
    deleted_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    hidden_at = models.DateTimeField(null=True, blank=True)
    hidden_reason = models.CharField(max_length=400, blank=True)
    size_bytes = models.BigIntegerField(default=0)

    # What the list asks for, kept here so that a page of many designs needs one table. Made again with the index.
    tags = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    formats = ArrayField(models.CharField(max_length=24), default=list, blank=True)
    processes = ArrayField(models.CharField(max_length=40), default=list, blank=True)
    box_mm = ArrayField(
        models.FloatField(), size=3, null=True, blank=True, help_text=_("of its largest part, longest side first")
    )
    star_count = models.PositiveIntegerField(default=0)
    fork_count = models.PositiveIntegerField(default=0)
    make_count = models.PositiveIntegerField(default=0)
    released_at = models.DateTimeField(null=True, blank=True)
    readiness = models.PositiveSmallIntegerField(default=0)

    class Meta:
        constraints = (models.UniqueConstraint("owner", "slug", name="designs_slug_once_per_owner"),)
        indexes = (models.Index(fields=["-pushed_at", "-id"], name="designs_newest"),)

    def __str__(self) -> str:
        return self.name

    def get_absolute_url(self) -> str:
        """Its page."""
        return reverse("rooms:design", args=[self.owner.name, self.slug])

    @property
    def is_public(self) -> bool:
        """Whether everybody may see it."""
        return self.visibility == self.Visibility.PUBLIC

    @property
    def is_shown(self) -> bool:
        """Whether everybody sees it: public, and neither hidden nor deleted."""
        return self.is_public and self.hidden_at is None and self.deleted_at is None

    @property
    def is_archived(self) -> bool:
        """Whether it can only be read."""
        return self.archived_at is not None

    @property
    def is_mirror(self) -> bool:
        """Whether its files come from elsewhere, so that nobody writes to it here."""
        return getattr(self, "mirror", None) is not None


class Collaborator(models.Model):
    """A person whom the owner lets work on a design, or see it while it is private."""

    class Role(models.TextChoices):
        READER = "reader", _("May see it")
        MAINTAINER = "maintainer", _("May push, merge and release")

    design = models.ForeignKey(Design, on_delete=models.CASCADE, related_name="collaborators")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="collaborations")
    role = models.CharField(max_length=12, choices=Role.choices)
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint("design", "user", name="designs_collaborator_once"),)

    def __str__(self) -> str:
        return f"{self.user} · {self.design} ({self.role})"


class OldAddress(models.Model):
    """An address that a design had before it was renamed or given away; it leads to the new one."""

    owner = models.ForeignKey("people.Handle", on_delete=models.CASCADE, related_name="+")
    slug = models.SlugField(max_length=60)
    design = models.ForeignKey(Design, on_delete=models.CASCADE, related_name="old_addresses")
    since = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint("owner", "slug", name="designs_old_address_once"),)

    def __str__(self) -> str:
        return f"{self.owner}/{self.slug}"
