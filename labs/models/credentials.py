"""Badges as signed documents: the keys of labs, what they signed, what they took back, and what others signed."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone


class IssuerKey(models.Model):
    """A lab's key. The private half lies sealed by the site's secret; the newest one that is not retired signs."""

    lab = models.ForeignKey("labs.Lab", on_delete=models.CASCADE, related_name="issuer_keys")
    multikey = models.CharField(max_length=64, unique=True)
    sealed = models.TextField()
    made_at = models.DateTimeField(default=timezone.now)
    retired_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-made_at", "-pk")

    def __str__(self) -> str:
        return self.did

    @property
    def did(self) -> str:
        """Its public name."""
        return f"did:key:{self.multikey}"


class StatusList(models.Model):
    """A list of 131,072 bits of one key; a set bit is a badge that was taken back. `stale`: to be signed anew.

    The set bits stand here rather than with the badges: they stay when a person or a badge goes.
    """

    key = models.ForeignKey(IssuerKey, on_delete=models.CASCADE, related_name="lists")
    number = models.PositiveIntegerField()
    taken_back = ArrayField(models.PositiveIntegerField(), default=list, blank=True)
    document = models.JSONField(null=True, blank=True)
    signed_at = models.DateTimeField(null=True, blank=True)
    until = models.DateTimeField(null=True, blank=True)
    stale = models.BooleanField(default=True)

    class Meta:
        constraints = (models.UniqueConstraint("key", "number", name="labs_status_list_once"),)

    def __str__(self) -> str:
        return f"{self.key} {self.number}"


class Credential(models.Model):
    """The signed document of a grant. `share` is the secret part of the public address that its owner chose to have.

    Its place in the list is drawn by lot, so that a list tells nothing about whose badge it was.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    grant = models.OneToOneField("labs.BadgeGrant", on_delete=models.CASCADE, related_name="credential")
    list = models.ForeignKey(StatusList, on_delete=models.CASCADE, related_name="credentials")
    index = models.PositiveIntegerField()
    document = models.JSONField(null=True, blank=True)
    signed_at = models.DateTimeField(null=True, blank=True)
    share = models.CharField(max_length=32, unique=True, null=True, blank=True)
    shared_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint("list", "index", name="labs_credential_own_bit"),)

    def __str__(self) -> str:
        return str(self.id)


class OutsideBadge(models.Model):
    """A badge of another site that a person brought, as it was found to be when it was last looked at."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="outside_badges")
    document = models.JSONField()
    verdict = models.JSONField(default=dict)
    issuer = models.CharField(max_length=300)
    achievement = models.CharField(max_length=500, blank=True)
    credential_id = models.CharField(max_length=300)
    brought_at = models.DateTimeField(auto_now_add=True)
    checked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("-brought_at",)
        constraints = (models.UniqueConstraint("user", "credential_id", name="labs_outside_badge_once"),)

    def __str__(self) -> str:
        return self.credential_id
