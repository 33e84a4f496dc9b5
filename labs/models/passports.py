"""Passports of made things: what each says is only ever added to."""

import secrets
import uuid

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

#: Without what people confuse; who has the code holds the thing, or has seen its label.
ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


def new_code() -> str:
    """A code for a label: 31^10, so that none is guessed."""
    return "".join(secrets.choice(ALPHABET) for _n in range(10))


class Passport(models.Model):
    """The passport of a thing: of a finished job here, or one that was brought from elsewhere (`job` is then None).

    `code` stands on its label alone. `stale`: what it says has changed since it was last signed. `tells_design`: its
    newest entry names the design, so a design that is not everybody's any more brings another entry.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    lab = models.ForeignKey("labs.Lab", on_delete=models.CASCADE, related_name="passports")
    job = models.OneToOneField("labs.Job", null=True, blank=True, on_delete=models.SET_NULL, related_name="passport")
    code = models.CharField(max_length=16, unique=True, default=new_code, editable=False)
    stale = models.BooleanField(default=True)
    tells_design = models.BooleanField(default=False)
    created_at = models.DateTimeField(auto_now_add=True)
    demo = models.BooleanField(default=False)

    class Meta:
        ordering = ("-created_at", "pk")
        indexes = (models.Index(fields=["created_at"], name="labs_passport_stale", condition=models.Q(stale=True)),)

    def __str__(self) -> str:
        return str(self.id)


class PassportEntry(models.Model):
    """One entry of a passport. Neither changed nor deleted (a trigger holds it, a lab's own end excepted).

    `facts` is what it says, free of people. `by` is kept for those who look after reports; it is never shown.
    """

    class Kind(models.TextChoices):
        MADE = "made", _("Made")
        ENERGY = "energy", _("New figure of its energy")
        DESIGN = "design", _("What may be told of its design")
        CORRECTED = "corrected", _("Corrected")
        REPAIRED = "repaired", _("Repaired")
        REFURBISHED = "refurbished", _("Refurbished")
        RECYCLED = "recycled", _("Recycled")
        IMPORTED = "imported", _("Brought from elsewhere")

    passport = models.ForeignKey(Passport, on_delete=models.CASCADE, related_name="entries")
    number = models.PositiveIntegerField()
    kind = models.CharField(max_length=12, choices=Kind.choices)
    facts = models.JSONField(default=dict)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("passport", "number")
        constraints = (models.UniqueConstraint("passport", "number", name="labs_passport_entry_once"),)

    def __str__(self) -> str:
        return f"{self.passport_id} {self.number} {self.kind}"


class HiddenEntry(models.Model):
    """An entry that staff hid after a report: its words are shown to nobody, that there was one is."""

    entry = models.OneToOneField(PassportEntry, on_delete=models.CASCADE, related_name="hidden")
    reason = models.CharField(max_length=400)
    at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return f"{self.entry}"


class PassportCredential(models.Model):
    """The signed document of a passport as it stood after its entry `upto`. The newest one is served."""

    passport = models.ForeignKey(Passport, on_delete=models.CASCADE, related_name="credentials")
    upto = models.PositiveIntegerField()
    told = models.CharField(max_length=64, help_text=_("SHA-256 of what it says"))
    document = models.JSONField()
    signed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("passport", "-signed_at", "-pk")

    def __str__(self) -> str:
        return f"{self.passport_id} {self.upto}"
