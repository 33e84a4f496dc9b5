"""What people and the city itself say of a change: reviews, checks, and the files that it brings."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _

from designs.models.index import Blob
from designs.models.proposals import Proposal


class Review(models.Model):
    """A person's judgement of one version of a change. The newest of each person counts."""

    class Verdict(models.TextChoices):
        APPROVE = "approve", _("Agrees")
        ASK = "ask", _("Asks for more")
        REMARK = "remark", _("Has a remark")

    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="reviews")
    author = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="reviews")
    verdict = models.CharField(max_length=8, choices=Verdict.choices)
    body = models.TextField(blank=True, max_length=20_000)
    commit = models.CharField(max_length=40)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=["proposal", "created_at"], name="designs_reviews"),)

    def __str__(self) -> str:
        return f"{self.author}: {self.verdict}"


class Check(models.Model):
    """What the city found when it looked at a change: one row for each thing that it looks at.

    `say` names the sentence and `data` fills it (`designs.checks.words`), so that each reader has it in their language.
    """

    class State(models.TextChoices):
        PASSED = "passed", _("Passed")
        WARNING = "warning", _("Look at this")
        FAILED = "failed", _("Failed")
        WAITING = "waiting", _("Being looked at")

    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="checks")
    name = models.CharField(max_length=20)
    state = models.CharField(max_length=8, choices=State.choices)
    say = models.CharField(max_length=30)
    data = models.JSONField(default=dict)

    class Meta:
        constraints = (models.UniqueConstraint("proposal", "name", name="designs_check_once"),)

    def __str__(self) -> str:
        return f"{self.name}: {self.state}"


class OfferedFile(models.Model):
    """A file as the newest version of a change has it: through this row the target shows its picture before merging."""

    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="files")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="offered")
    path = models.CharField(max_length=700)

    class Meta:
        constraints = (models.UniqueConstraint("proposal", "path", name="designs_offered_file_once"),)

    def __str__(self) -> str:
        return self.path
