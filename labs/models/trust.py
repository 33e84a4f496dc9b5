"""Which lab believes whose badges."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class TrustPolicy(models.Model):
    """What a lab does with the badges that other labs of this site gave. Without a row it believes those that it names.

    Anybody may open a lab, so believing every lab is a choice that a lab makes, not where it begins.
    """

    class Scope(models.TextChoices):
        ALL = "all", _("Badges of every lab here")
        LISTED = "listed", _("Only badges of labs that it names")
        OWN = "own", _("Only its own badges")

    lab = models.OneToOneField("labs.Lab", on_delete=models.CASCADE, related_name="trust_policy")
    scope = models.CharField(max_length=8, choices=Scope.choices, default=Scope.LISTED)
    changed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    changed_at = models.DateTimeField(auto_now=True)

    def __str__(self) -> str:
        return f"{self.lab}: {self.scope}"


class TrustRule(models.Model):
    """A lab believes, or does not believe, the badges of another: of one here, or of an issuer elsewhere by its DID.

    `badge` None: all of them. Of an issuer elsewhere, `achievement` is the address by which it calls what `badge`
    is here; it can be left empty, then each of its achievements counts as that badge.
    """

    lab = models.ForeignKey("labs.Lab", on_delete=models.CASCADE, related_name="trust_rules")
    giver = models.ForeignKey("labs.Lab", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    issuer_did = models.CharField(max_length=300, blank=True)
    issuer_name = models.CharField(max_length=120, blank=True)
    achievement = models.CharField(max_length=500, blank=True)
    badge = models.ForeignKey("labs.Badge", null=True, blank=True, on_delete=models.CASCADE, related_name="+")
    believes = models.BooleanField(default=True)
    since = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    class Meta:
        ordering = ("pk",)
        constraints = (
            models.CheckConstraint(
                name="labs_trust_in_one",
                condition=models.Q(giver__isnull=False, issuer_did="")
                | (models.Q(giver=None, badge__isnull=False) & ~models.Q(issuer_did="")),
            ),
            models.UniqueConstraint(
                fields=["lab", "giver", "issuer_did", "achievement", "badge"],
                name="labs_trust_once",
                nulls_distinct=False,
            ),
        )

    def __str__(self) -> str:
        return f"{self.lab}: {self.giver or self.issuer_did}"
