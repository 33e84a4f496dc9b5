"""Courses as they were last read, who teaches them, what people have passed, sign-offs and sessions."""

import uuid

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from labs.courses.document import Course as Document
from labs.courses.document import course_of


class Course(models.Model):
    """A design whose repository is a course, with what its last sound version says.

    `document` is the course that was read (docs/courses.md) and `commit` where; `problems` are the faults of a newer
    version, which is not taught. What a list asks for stands beside, made again with every reading.
    """

    design = models.OneToOneField("designs.Design", on_delete=models.CASCADE, related_name="course")
    commit = models.CharField(max_length=64, blank=True)
    document = models.JSONField(null=True, blank=True)
    problems = models.JSONField(default=list, blank=True)
    problems_at = models.CharField(max_length=64, blank=True)
    title = models.CharField(max_length=120, blank=True)
    summary = models.CharField(max_length=400, blank=True)
    kind = models.CharField(max_length=12, blank=True)
    version = models.CharField(max_length=14, blank=True)
    language = models.CharField(max_length=8, blank=True)
    minutes = models.PositiveIntegerField(default=0)
    machines = ArrayField(models.CharField(max_length=200), default=list, blank=True)
    keys = ArrayField(models.CharField(max_length=16), default=list, blank=True)
    read_at = models.DateTimeField(null=True, blank=True)
    demo = models.BooleanField(default=False)

    def __str__(self) -> str:
        return self.title or self.design.name

    @property
    def content(self) -> Document | None:
        """The course that is taught, or None before the first sound version."""
        return course_of(self.document) if self.document else None


class Teaching(models.Model):
    """A lab teaches a course, and who passes it there gets this badge of the lab."""

    lab = models.ForeignKey("labs.Lab", on_delete=models.CASCADE, related_name="teachings")
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="teachings")
    badge = models.ForeignKey("labs.Badge", on_delete=models.CASCADE, related_name="teachings")
    since = models.DateTimeField(auto_now_add=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    ended_at = models.DateTimeField(null=True, blank=True)
    major = models.PositiveSmallIntegerField(default=1, help_text=_("the version for which renewal was decided on"))

    class Meta:
        constraints = (
            models.UniqueConstraint("lab", "course", name="labs_course_once_in_lab"),
            models.UniqueConstraint("lab", "badge", name="labs_badge_by_one_course", condition=models.Q(ended_at=None)),
        )

    def __str__(self) -> str:
        return f"{self.course} · {self.lab}"


class CheckAnswer(models.Model):
    """What a person has answered to one question of a course; `key` is the name of what the question says."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    course = models.ForeignKey(Course, on_delete=models.CASCADE, related_name="answers")
    key = models.CharField(max_length=16)
    lesson = models.CharField(max_length=120)
    commit = models.CharField(max_length=64)
    tries = models.PositiveIntegerField(default=0)
    tried_at = models.DateTimeField(default=timezone.now)
    passed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = (models.UniqueConstraint("user", "course", "key", name="labs_answer_once"),)

    def __str__(self) -> str:
        return f"{self.user} {self.key}"


class CourseSession(models.Model):
    """A course at a place and time, with so many places."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    teaching = models.ForeignKey(Teaching, on_delete=models.CASCADE, related_name="sessions")
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    where = models.CharField(max_length=200, blank=True)
    places = models.PositiveSmallIntegerField()
    trainer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    note = models.CharField(max_length=400, blank=True)
    cancelled_at = models.DateTimeField(null=True, blank=True)
    reason = models.CharField(max_length=200, blank=True)
    reminded_at = models.DateTimeField(null=True, blank=True)
    made_at = models.DateTimeField(auto_now_add=True)
    demo = models.BooleanField(default=False)

    class Meta:
        ordering = ("starts_at", "pk")
        indexes = (models.Index(fields=["teaching", "starts_at"], name="labs_session_of_course"),)
        constraints = (
            models.CheckConstraint(
                name="labs_session_ends_after_start", condition=models.Q(ends_at__gt=models.F("starts_at"))
            ),
            models.CheckConstraint(name="labs_session_has_places", condition=models.Q(places__gte=1)),
        )

    def __str__(self) -> str:
        return f"{self.teaching.course} {self.starts_at:%Y-%m-%d %H:%M}"


class Seat(models.Model):
    """A person in a session. Who waits is let in by `asked_at` when somebody leaves."""

    class State(models.TextChoices):
        TAKEN = "taken", _("Has a place")
        WAITING = "waiting", _("On the waiting list")
        LEFT = "left", _("Left")
        CAME = "came", _("Was there")
        MISSED = "missed", _("Was not there")

    #: Those that use one of the places.
    SEATED = (State.TAKEN, State.CAME, State.MISSED)

    session = models.ForeignKey(CourseSession, on_delete=models.CASCADE, related_name="seats")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="course_seats")
    state = models.CharField(max_length=8, choices=State.choices)
    asked_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ("asked_at", "pk")
        constraints = (models.UniqueConstraint("session", "user", name="labs_seat_once"),)

    def __str__(self) -> str:
        return f"{self.user}: {self.state}"


class SignOff(models.Model):
    """A trainer saw a person do it. It counts once the person says so too; then the badge is given."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    teaching = models.ForeignKey(Teaching, on_delete=models.CASCADE, related_name="sign_offs")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="sign_offs")
    trainer = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+"
    )
    session = models.ForeignKey(CourseSession, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    items = models.JSONField(default=list, help_text=_("what was seen, as the checklist said then"))
    note = models.CharField(max_length=400, blank=True)
    commit = models.CharField(max_length=64)
    version = models.CharField(max_length=14)
    made_at = models.DateTimeField(default=timezone.now)
    confirmed_at = models.DateTimeField(null=True, blank=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)
    grant = models.OneToOneField(
        "labs.BadgeGrant", null=True, blank=True, on_delete=models.SET_NULL, related_name="sign_off"
    )

    class Meta:
        constraints = (
            models.UniqueConstraint(
                fields=["teaching", "user"],
                name="labs_one_open_sign_off",
                condition=models.Q(confirmed_at=None, withdrawn_at=None),
            ),
        )

    def __str__(self) -> str:
        return f"{self.user} · {self.teaching}"


class Renewal(models.Model):
    """A lab asks that badges given before a day are earned again; until `until` the old ones stay good."""

    teaching = models.ForeignKey(Teaching, on_delete=models.CASCADE, related_name="renewals")
    badge = models.ForeignKey("labs.Badge", on_delete=models.CASCADE, related_name="renewals")
    lab = models.ForeignKey("labs.Lab", on_delete=models.CASCADE, related_name="renewals")
    version = models.CharField(max_length=14)
    asked_at = models.DateTimeField(default=timezone.now)
    until = models.DateTimeField()
    reason = models.CharField(max_length=200, blank=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")

    def __str__(self) -> str:
        return f"{self.badge} {self.version}"
