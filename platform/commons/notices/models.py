"""What a person should know: one row for each person and event; and whether it also comes by mail."""

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from commons.said import spoken


class Notice(models.Model):
    """Something that happened and concerns a person. `kind` is "room.event", `url` leads to it.

    `text` is the sentence in the site's own language; `kept` (`commons.said`) says it in the reader's.
    """

    person = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notices")
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    kind = models.CharField(max_length=40)
    text = models.CharField(max_length=300)
    kept = models.JSONField(null=True, blank=True)
    url = models.CharField(max_length=300)
    about = models.CharField(max_length=120, blank=True, help_text="equal notices about the same unread thing are one")
    created_at = models.DateTimeField(auto_now_add=True)
    read_at = models.DateTimeField(null=True, blank=True)
    mailed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (
            models.Index(fields=["person", "-created_at"], name="notices_newest"),
            models.Index(fields=["person", "-id"], name="notices_unread", condition=Q(read_at=None)),
            models.Index(fields=["created_at"], name="notices_to_mail", condition=Q(read_at=None, mailed_at=None)),
        )
        constraints = (
            models.UniqueConstraint(
                "person", "kind", "about", name="notices_unread_once", condition=Q(read_at=None) & ~Q(about="")
            ),
        )

    def __str__(self) -> str:
        return self.text

    @property
    def sentence(self) -> str:
        """What happened, in the language of now."""
        return spoken(self.kept, self.text)

    @property
    def room(self) -> str:
        """The room that it is from."""
        return self.kind.partition(".")[0]


class MailChoice(models.Model):
    """When a person wants notices by mail, and which; without a row, all of them, once a day.

    `kinds` holds only what the person changed: "app" keeps a kind out of letters, "off" out of the city too.
    """

    class Where(models.TextChoices):
        ALL = "all", _("Here and by mail")
        APP = "app", _("Here alone")
        OFF = "off", _("Not at all")

    class When(models.TextChoices):
        NOW = "now", _("As they happen")
        DAILY = "daily", _("Once a day")
        WEEKLY = "weekly", _("Once a week")
        NEVER = "never", _("Never")

    person = models.OneToOneField(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="notice_mail")
    when = models.CharField(max_length=8, choices=When.choices, default=When.DAILY)
    language = models.CharField(max_length=10, blank=True, help_text="of the letters; the site's own without it")
    last_sent_at = models.DateTimeField(null=True, blank=True)
    kinds = models.JSONField(default=dict, blank=True, help_text="what is less than all: {kind: app | off}")

    def __str__(self) -> str:
        return f"{self.person}: {self.when}"
