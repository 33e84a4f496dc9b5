"""The floor's own ways in: labels on machines, kiosks by the door, and what a person shows to a kiosk."""

from django.conf import settings
from django.db import models


class MachineLabel(models.Model):
    """The code on a machine's label, whose address is /q/<code>/. Renewed, the old label leads nowhere."""

    machine = models.OneToOneField("labs.Machine", on_delete=models.CASCADE, related_name="label")
    code = models.CharField(max_length=12, unique=True)
    made_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.code


class Kiosk(models.Model):
    """A shared screen of a lab. A code from the desk pairs one device with it, once; the device then holds a secret.

    `code_digest` and `secret_digest` are SHA-256 in hex. `failures` in a row lock sign-in until `locked_until`.
    """

    lab = models.ForeignKey("labs.Lab", on_delete=models.CASCADE, related_name="kiosks")
    name = models.CharField(max_length=60)
    code_digest = models.CharField(max_length=64, blank=True)
    code_until = models.DateTimeField(null=True, blank=True)
    secret_digest = models.CharField(max_length=64, blank=True, db_index=True)
    paired_at = models.DateTimeField(null=True, blank=True)
    seen_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)
    made_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    failures = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.UniqueConstraint(
                fields=["secret_digest"], condition=~models.Q(secret_digest=""), name="labs_kiosk_secret_once"
            ),
        )

    def __str__(self) -> str:
        return f"{self.lab}: {self.name}"


class KioskPass(models.Model):
    """What a person shows to kiosks: a PIN (Argon2), a badge number (keyed digest), or both.

    Five wrong PINs in a row lock it for a while, wherever they were typed.
    """

    user = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="kiosk_pass")
    pin = models.CharField(max_length=200, blank=True)
    badge_digest = models.CharField(max_length=64, blank=True)
    changed_at = models.DateTimeField(auto_now=True)
    failures = models.PositiveSmallIntegerField(default=0)
    locked_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["badge_digest"], condition=~models.Q(badge_digest=""), name="labs_kiosk_badge_once"
            ),
        )

    def __str__(self) -> str:
        return str(self.user)
