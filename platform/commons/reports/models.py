"""Cases, the reports that make them, and the log of what was done."""

from django.conf import settings
from django.db import models
from django.utils.translation import gettext_lazy as _


class Reason(models.TextChoices):
    """Why something is reported."""

    DANGEROUS = "dangerous", _("It is dangerous to make or to use")
    RIGHTS = "rights", _("It takes somebody's work without their leave")
    HATEFUL = "hateful", _("It insults or threatens people")
    PRIVATE = "private", _("It shows private things of somebody")
    SPAM = "spam", _("It is advertising, or meant to deceive")
    OTHER = "other", _("Something else")


class Case(models.Model):
    """A thing that was reported: all reports about it are one case. Title, address and words as they were then."""

    class State(models.TextChoices):
        OPEN = "open", _("Open")
        DISMISSED = "dismissed", _("Nothing wrong")
        HIDDEN = "hidden", _("Hidden")

    kind = models.CharField(max_length=40)
    key = models.CharField(max_length=80)
    title = models.CharField(max_length=200)
    url = models.CharField(max_length=300)
    excerpt = models.TextField(blank=True, max_length=2000)
    author = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="cases"
    )
    state = models.CharField(max_length=10, choices=State.choices, default=State.OPEN)
    reason = models.CharField(max_length=400, blank=True, help_text="why it is hidden, as its author reads it")
    opened_at = models.DateTimeField(auto_now_add=True)
    heard_at = models.DateTimeField(auto_now_add=True, help_text="of the newest report or appeal")
    appeal = models.TextField(blank=True, max_length=2000)
    appealed_at = models.DateTimeField(null=True, blank=True)
    appeal_answered_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint("kind", "key", name="reports_case_once"),)
        indexes = (models.Index(fields=["state", "-heard_at"], name="reports_queue"),)

    def __str__(self) -> str:
        return self.title

    @property
    def waits(self) -> bool:
        """Whether somebody should decide: it is open, or its author asked to look again."""
        return self.state == self.State.OPEN or (self.appealed_at is not None and self.appeal_answered_at is None)

    @property
    def may_be_appealed(self) -> bool:
        """Whether its author may ask to look again: once for each time that it is hidden."""
        return self.state == self.State.HIDDEN and self.appealed_at is None


class Report(models.Model):
    """What one person found wrong. Closed with the case's next decision."""

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="reports")
    reporter = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="reports")
    reason = models.CharField(max_length=12, choices=Reason.choices)
    words = models.TextField(blank=True, max_length=2000)
    created_at = models.DateTimeField(auto_now_add=True)
    closed_at = models.DateTimeField(null=True, blank=True)
    outcome = models.CharField(max_length=10, blank=True)

    class Meta:
        constraints = (
            models.UniqueConstraint(
                "case", "reporter", name="reports_one_open_each", condition=models.Q(closed_at__isnull=True)
            ),
        )
        indexes = (models.Index(fields=["reporter", "-created_at"], name="reports_mine"),)

    def __str__(self) -> str:
        return f"{self.case}: {self.reason}"


class LogEntry(models.Model):
    """What was done in a case, by whom. Rows are added and never changed: the database refuses it.

    `by` is a name and not a row, so that an account can go while the log stays as it was.
    """

    class Verb(models.TextChoices):
        REPORT = "report", _("reported")
        DISMISS = "dismiss", _("found nothing wrong")
        HIDE = "hide", _("hid it")
        RESTORE = "restore", _("showed it again")
        WARN = "warn", _("wrote to its author")
        APPEAL = "appeal", _("asked to look again")
        UPHOLD = "uphold", _("looked again and left it hidden")

    case = models.ForeignKey(Case, on_delete=models.PROTECT, related_name="log")
    verb = models.CharField(max_length=10, choices=Verb.choices)
    by = models.CharField(max_length=39)
    words = models.TextField(blank=True, max_length=2000)
    at = models.DateTimeField(auto_now_add=True)

    class Meta:
        indexes = (models.Index(fields=["case", "id"], name="reports_log"),)

    def __str__(self) -> str:
        return f"{self.by} {self.verb}"
