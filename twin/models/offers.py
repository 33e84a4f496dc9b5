"""What people say is wrong with the model: offers, the corrections that stand, and where an import contests one.

An offer is a wish until a steward accepts it. An accepted one becomes corrections, one for each property: rows that
are valid `since`..`until` like things, laid over every later import. `was` is what the source said when the correction
was made, or when a steward last upheld it: only a source that says something else since contests it.
"""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from twin.models.districts import District


class Offer(models.Model):
    """A correction that somebody offers. `changes` and `before`: {property: value}; `geometry` of what is new."""

    class Action(models.TextChoices):
        CHANGE = "change", _("change")
        ADD = "add", _("new")
        REMOVE = "remove", _("gone")

    class State(models.TextChoices):
        OFFERED = "offered", _("waits for a steward")
        ACCEPTED = "accepted", _("accepted")
        REFUSED = "refused", _("not accepted")
        WITHDRAWN = "withdrawn", _("taken back")

    district = models.ForeignKey(District, on_delete=models.CASCADE, related_name="offers")
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="twin_offers"
    )
    layer = models.CharField(max_length=12)
    key = models.CharField(max_length=120)
    title = models.CharField(max_length=200, blank=True)
    action = models.CharField(max_length=8, choices=Action)
    changes = models.JSONField(default=dict)
    before = models.JSONField(default=dict)
    geometry = models.JSONField(null=True)
    reason = models.CharField(max_length=500, blank=True)
    state = models.CharField(max_length=10, choices=State, default=State.OFFERED)
    answer = models.CharField(max_length=500, blank=True)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    version = models.PositiveIntegerField(null=True, help_text=_("the version that it made"))
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=["district", "state"], name="twin_offer_queue"),)

    def __str__(self) -> str:
        return f"{self.title or self.key} ({self.state})"


class Correction(models.Model):
    """One accepted property, addition or removal, valid from version `since` until `until`."""

    district = models.ForeignKey(District, on_delete=models.CASCADE, related_name="corrections")
    offer = models.ForeignKey(Offer, null=True, on_delete=models.CASCADE, related_name="corrections")
    layer = models.CharField(max_length=12)
    key = models.CharField(max_length=120)
    action = models.CharField(max_length=8, choices=Offer.Action)
    name = models.CharField(max_length=30, blank=True)
    value = models.JSONField(null=True)
    was = models.JSONField(null=True)
    since = models.PositiveIntegerField()
    until = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                "district", "layer", "key", "name", name="twin_correction_stands_once", condition=models.Q(until=None)
            ),
        )

    def __str__(self) -> str:
        return f"{self.key}.{self.name}"


class Conflict(models.Model):
    """Where an import says something else than a correction that stands. The correction holds until a steward decides.

    `why`: other (another value), gone (the import no longer has the thing), changed (the import changed what was taken
    away), near (the import brings the same kind of service beside one that was added). `thing`: what the import has
    now, {"geometry", "properties"}, null when gone.
    """

    class Why(models.TextChoices):
        OTHER = "other", _("another value")
        GONE = "gone", _("no longer there")
        CHANGED = "changed", _("changed since it was taken away")
        NEAR = "near", _("the same kind beside it")

    class Decision(models.TextChoices):
        OPEN = "open", _("open")
        KEEP = "keep", _("the correction stays")
        TAKE = "take", _("the import is taken")
        LAPSED = "lapsed", _("a later import settled it")

    district = models.ForeignKey(District, on_delete=models.CASCADE, related_name="conflicts")
    correction = models.ForeignKey(Correction, on_delete=models.CASCADE, related_name="conflicts")
    version = models.PositiveIntegerField(help_text=_("the import that contests it"))
    why = models.CharField(max_length=8, choices=Why)
    theirs = models.JSONField(null=True)
    thing = models.JSONField(null=True)
    decision = models.CharField(max_length=8, choices=Decision, default=Decision.OPEN)
    decided_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    decided_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.UniqueConstraint("correction", name="twin_conflict_open_once", condition=models.Q(decision="open")),
        )

    def __str__(self) -> str:
        return f"{self.correction} ({self.why})"
