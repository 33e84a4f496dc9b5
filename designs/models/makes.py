"""What people made of a design, as they tell it; what machines measured hangs beside it from the labs."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from designs.models.designs import Design
from designs.models.releases import Release


class Make(models.Model):
    """A thing that a person made from a design, with words and photos. `commit` says which version it was.

    `measured` is the key of what a machine measured of it, in the room that did (`sockets.measured_makes`).
    """

    design = models.ForeignKey(Design, on_delete=models.CASCADE, related_name="makes")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="makes")
    release = models.ForeignKey(Release, null=True, blank=True, on_delete=models.SET_NULL, related_name="makes")
    commit = models.CharField(max_length=40, blank=True)
    text = models.TextField(blank=True, max_length=4000)
    measured = models.CharField(max_length=80, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    hidden_at = models.DateTimeField(null=True, blank=True)
    hidden_reason = models.CharField(max_length=400, blank=True)
    demo = models.BooleanField(default=False)

    class Meta:
        indexes = (models.Index(fields=["design", "-created_at"], name="designs_makes"),)
        constraints = (
            models.UniqueConstraint("measured", name="designs_make_measured_once", condition=~models.Q(measured="")),
        )

    def __str__(self) -> str:
        return f"{self.author} · {self.design}"


class MakePhoto(models.Model):
    """A photo of a make, drawn anew by us: the file that was sent is never shown and never kept.

    `name` is a file of the store of makes; `width` and `height` are those of the large picture, in px.
    """

    class State(models.TextChoices):
        PENDING = "pending", _("being read")
        READY = "ready", _("ready")
        FAILED = "failed", _("cannot be shown")

    make = models.ForeignKey(Make, on_delete=models.CASCADE, related_name="photos")
    position = models.PositiveSmallIntegerField()
    state = models.CharField(max_length=8, choices=State.choices, default=State.PENDING)
    name = models.CharField(max_length=64, unique=True)
    reason = models.CharField(max_length=400, blank=True)
    width = models.PositiveIntegerField(default=0)
    height = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ("position",)

    def __str__(self) -> str:
        return self.name
