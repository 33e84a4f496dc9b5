"""Rules of a lab as rows: each says what, where, for whom, from when until when, and who set it."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labs.models.catalogue import Machine


class RuleSet(models.Model):
    """All rules of a lab as one thing: `revision` counts the changes, so that no two people overwrite each other."""

    lab = models.OneToOneField("labs.Lab", on_delete=models.CASCADE, related_name="rule_set")
    revision = models.PositiveIntegerField(default=0)
    changed_at = models.DateTimeField(auto_now=True)
    demo = models.BooleanField(default=False)

    def __str__(self) -> str:
        return f"{self.lab} {self.revision}"


class Scoped(models.Model):
    """Something that a lab sets for all of it, for a class of machines or for one machine, and perhaps for one role.

    A row is never rewritten: a change ends it and adds another, so the rows are their own history.
    """

    class Role(models.TextChoices):
        GUEST = "guest", _("Guests")
        MEMBER = "member", _("Members")
        TRAINER = "trainer", _("Trainers")
        MANAGER = "manager", _("Managers")

    lab = models.ForeignKey("labs.Lab", on_delete=models.CASCADE, related_name="%(class)ss")
    machine = models.ForeignKey(
        "labs.Machine", null=True, blank=True, on_delete=models.CASCADE, related_name="%(class)ss"
    )
    cls = models.CharField(_("class"), max_length=24, choices=Machine.Kind.choices, blank=True)
    role = models.CharField(max_length=8, choices=Role.choices, blank=True)
    active = models.BooleanField(default=True)
    since = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField(null=True, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    ended_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        abstract = True


class BookingRule(Scoped):
    """One rule, by a name of `labs.engine.rules.SORTS`. An empty `value` says: no limit here."""

    name = models.CharField(max_length=24)
    value = models.CharField(max_length=400, blank=True)
    unit = models.CharField(max_length=12, blank=True)

    class Meta:
        ordering = ("-since", "-pk")
        indexes = (models.Index(fields=["lab", "active"], name="labs_rule_of_lab"),)
        constraints = (
            models.UniqueConstraint(
                fields=["lab", "machine", "cls", "role", "name"],
                condition=models.Q(active=True),
                nulls_distinct=False,
                name="labs_rule_once",
            ),
            models.CheckConstraint(name="labs_rule_has_one_scope", condition=models.Q(machine=None) | models.Q(cls="")),
            models.CheckConstraint(
                name="labs_rule_ends_when_over",
                condition=models.Q(active=True, until=None) | models.Q(active=False, until__isnull=False),
            ),
        )

    def __str__(self) -> str:
        return f"{self.lab}: {self.name} {self.value}"
