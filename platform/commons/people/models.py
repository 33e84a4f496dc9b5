"""People, organisations, the one namespace of their handles, memberships, API tokens and sign-in links."""

import datetime as dt
from typing import Any, ClassVar

from django.contrib.auth.models import AbstractUser
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Lower
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from commons.people.handles import username_validators


class User(AbstractUser):
    """A person. `username` equals the name of the person's handle."""

    username = models.CharField(
        max_length=39,
        unique=True,
        validators=username_validators,
        error_messages={"unique": _("This name is taken.")},
    )
    email = models.EmailField(blank=True)
    name = models.CharField(max_length=120, blank=True)
    home = models.ForeignKey("places.Place", null=True, blank=True, on_delete=models.SET_NULL, related_name="residents")
    demo = models.BooleanField(default=False)

    REQUIRED_FIELDS: ClassVar[list[str]] = []

    class Meta:
        constraints = (
            models.UniqueConstraint(
                Lower("email"),
                name="people_email_once",
                condition=~models.Q(email=""),
                violation_error_message=_("This e-mail has an account."),
            ),
        )

    def __str__(self) -> str:
        return self.name or self.username

    def save(self, *args: Any, **kwargs: Any) -> None:
        """An address stands with the account that had it first: sign-up tells nobody that it is taken. Whose it is, who
        reads its mail shows (allauth's `EmailAddress`)."""
        written = kwargs.get("update_fields")
        if self.email and (written is None or "email" in written):
            others = User.objects.filter(email__iexact=self.email).exclude(pk=self.pk)
            self.email = "" if others.exists() else self.email
        super().save(*args, **kwargs)


class Organisation(models.Model):
    """A group with its own people and rules."""

    class Kind(models.TextChoices):
        LAB = "lab", _("Lab operator")
        UNIVERSITY = "university", _("University")
        COMPANY = "company", _("Company")
        ASSOCIATION = "association", _("Association")
        COMMUNITY = "community", _("Community")
        CITY = "city", _("City")

    kind = models.CharField(max_length=16, choices=Kind.choices)
    name = models.CharField(max_length=120)
    about = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    demo = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.name


class Handle(models.Model):
    """A name in the one namespace of people and organisations; designs belong to handles."""

    name = models.CharField(max_length=39, unique=True, validators=username_validators)
    user = models.OneToOneField(User, null=True, blank=True, on_delete=models.CASCADE, related_name="handle")
    organisation = models.OneToOneField(
        Organisation, null=True, blank=True, on_delete=models.CASCADE, related_name="handle"
    )

    class Meta:
        constraints = (
            models.CheckConstraint(
                name="people_handle_one_owner",
                condition=models.Q(user__isnull=False, organisation__isnull=True)
                | models.Q(user__isnull=True, organisation__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def title(self) -> str:
        """The name to show."""
        return str(self.user or self.organisation)


class Membership(models.Model):
    """A person's role in an organisation."""

    class Role(models.TextChoices):
        MEMBER = "member", _("Member")
        TRAINER = "trainer", _("Trainer")
        STEWARD = "steward", _("Steward")
        MANAGER = "manager", _("Manager")
        OWNER = "owner", _("Owner")

    organisation = models.ForeignKey(Organisation, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices, default=Role.MEMBER)
    since = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = (models.UniqueConstraint("organisation", "user", name="people_member_once"),)

    def __str__(self) -> str:
        return f"{self.user} · {self.organisation} ({self.role})"


class Scope(models.TextChoices):
    """What a token may do (contract)."""

    DESIGNS_READ = "designs:read"
    DESIGNS_WRITE = "designs:write"
    BOOKINGS_READ = "bookings:read"
    BOOKINGS_WRITE = "bookings:write"
    LABS_MANAGE = "labs:manage"
    ENERGY_READ = "energy:read"
    ENERGY_MANAGE = "energy:manage"
    TWIN_WRITE = "twin:write"
    DECISIONS_VOTE = "decisions:vote"
    ADMIN = "admin"


class ApiToken(models.Model):
    """A person's token for scripts and git. Only its SHA-256 is kept; `prefix` tells tokens apart on the page."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="api_tokens")
    name = models.CharField(max_length=80)
    prefix = models.CharField(max_length=12)
    sha256 = models.BinaryField(max_length=32, unique=True, editable=False)
    scopes = ArrayField(models.CharField(max_length=32, choices=Scope.choices))
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    def is_alive(self, at: dt.datetime | None = None) -> bool:
        """Neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or self.expires_at > (at or timezone.now()))


class SignInLink(models.Model):
    """A one-time link that signs a person in; only the SHA-256 of its secret is kept."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="sign_in_links")
    sha256 = models.BinaryField(max_length=32, unique=True, editable=False)
    expires_at = models.DateTimeField()
    used_at = models.DateTimeField(null=True, blank=True)

    def __str__(self) -> str:
        return f"sign-in link of {self.user}"
