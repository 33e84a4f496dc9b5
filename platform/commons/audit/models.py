"""Records, the aliases by which they name people, and the heads that are published."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Alias(models.Model):
    """The name of a person in the log. It goes with the account, and with it who the rows were about: `key` (sealed
    with the site's secret) opens the addresses in them."""

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    name = models.CharField(max_length=32, unique=True)
    key = models.TextField()

    def __str__(self) -> str:
        return self.name


class Record(models.Model):
    """Something that was done. A trigger lets rows be added and sealed once, never changed or deleted.

    `thing` says with what, `before` and `after` are keyed digests of the rows that were saved, `ip` is sealed with the
    key of the alias. `number` and `hash` come when the row is sealed into the chain, in the order of arrival.
    """

    class Standing(models.TextChoices):
        STAFF = "staff", _("Staff")
        MANAGER = "manager", _("Manager")
        STEWARD = "steward", _("Steward")
        PERSON = "person", _("Themselves")
        CITY = "city", _("The city")

    at = models.DateTimeField(default=timezone.now)
    who = models.CharField(max_length=32, blank=True)
    standing = models.CharField(max_length=8, choices=Standing.choices)
    what = models.CharField(max_length=120)
    thing = models.CharField(max_length=300, blank=True)
    before = models.CharField(max_length=64, blank=True)
    after = models.CharField(max_length=64, blank=True)
    ip = models.CharField(max_length=120, blank=True)
    token = models.BigIntegerField(null=True)
    number = models.BigIntegerField(null=True, unique=True)
    hash = models.CharField(max_length=64, null=True, unique=True)  # noqa: DJ001 many rows wait for theirs

    class Meta:
        indexes = (
            models.Index(fields=("id",), name="audit_record_waits", condition=models.Q(number=None)),
            models.Index(fields=("who", "-number"), name="audit_record_who"),
            models.Index(fields=("at",), name="audit_record_at"),
        )

    def __str__(self) -> str:
        return f"{self.number}: {self.what}"


class Head(models.Model):
    """The end of the chain on a day, published so that nobody can write the chain anew unseen."""

    day = models.DateField(unique=True)
    number = models.BigIntegerField()
    hash = models.CharField(max_length=64)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.day}: {self.hash}"
