"""What people do around designs: stars, watching, collections, and offers to take one over."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from designs.models.designs import Design


class Star(models.Model):
    """A person likes a design; `Design.star_count` is how many do."""

    design = models.ForeignKey(Design, on_delete=models.CASCADE, related_name="stars")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="stars")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint("design", "user", name="designs_star_once"),)
        indexes = (models.Index(fields=["user", "-created_at"], name="designs_starred"),)

    def __str__(self) -> str:
        return f"{self.user} · {self.design}"


class Watch(models.Model):
    """What a person wants to hear of a design. Without a row, those who look after it hear everything."""

    class Level(models.TextChoices):
        ALL = "all", _("Everything")
        RELEASES = "releases", _("Releases only")
        NOTHING = "nothing", _("Nothing, but where I am named")

    design = models.ForeignKey(Design, on_delete=models.CASCADE, related_name="watches")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="watches")
    level = models.CharField(max_length=8, choices=Level.choices)

    class Meta:
        constraints = (models.UniqueConstraint("design", "user", name="designs_watch_once"),)

    def __str__(self) -> str:
        return f"{self.user} · {self.design} ({self.level})"


class Collection(models.Model):
    """Designs that somebody put together, in an order."""

    owner = models.ForeignKey("people.Handle", on_delete=models.PROTECT, related_name="collections")
    slug = models.SlugField(max_length=60)
    name = models.CharField(max_length=120)
    about = models.TextField(blank=True, max_length=4000)
    visibility = models.CharField(max_length=8, choices=Design.Visibility.choices, default=Design.Visibility.PUBLIC)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    hidden_at = models.DateTimeField(null=True, blank=True)
    hidden_reason = models.CharField(max_length=400, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint("owner", "slug", name="designs_collection_once"),)
        indexes = (models.Index(fields=["-updated_at", "-id"], name="designs_collections"),)

    def __str__(self) -> str:
        return self.name

    @property
    def is_public(self) -> bool:
        """Whether everybody may see it."""
        return self.visibility == Design.Visibility.PUBLIC


class CollectionItem(models.Model):
    """A design in a collection. `position` counts from 1 without gaps."""

    collection = models.ForeignKey(Collection, on_delete=models.CASCADE, related_name="items")
    design = models.ForeignKey(Design, on_delete=models.CASCADE, related_name="collected")
    note = models.CharField(max_length=400, blank=True)
    position = models.PositiveIntegerField()
    added_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (models.UniqueConstraint("collection", "design", name="designs_collected_once"),)
        indexes = (models.Index(fields=["collection", "position"], name="designs_collection_order"),)

    def __str__(self) -> str:
        return f"{self.collection}: {self.design}"


class Transfer(models.Model):
    """An offer to give a design to another owner, that it may take or refuse. Open while `ended_at` is null."""

    design = models.ForeignKey(Design, on_delete=models.CASCADE, related_name="transfers")
    to = models.ForeignKey("people.Handle", on_delete=models.CASCADE, related_name="+")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    accepted = models.BooleanField(default=False)

    class Meta:
        constraints = (
            models.UniqueConstraint("design", name="designs_one_open_transfer", condition=Q(ended_at__isnull=True)),
        )

    def __str__(self) -> str:
        return f"{self.design} → {self.to}"
