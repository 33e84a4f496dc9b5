"""What came from elsewhere: uploads that wait to be confirmed, and which row of which program became what."""

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class LabImport(models.Model):
    """Files that a lab wants to take over: checked by a dry run, then confirmed or forgotten.

    `options` are the zone, the form of dates and whether letters go out. `report` is that of the dry run until the
    import is done, and of the import itself then.
    """

    class Adapter(models.TextChoices):
        CSV = "csv", _("Tables (CSV)")
        NEMO = "nemo", _("NEMO")

    class Status(models.TextChoices):
        CHECKING = "checking", _("Being checked")
        CHECKED = "checked", _("Waits for you")
        IMPORTING = "importing", _("Being taken over")
        DONE = "done", _("Taken over")

    lab = models.ForeignKey("labs.Lab", on_delete=models.CASCADE, related_name="imports")
    by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    adapter = models.CharField(max_length=8, choices=Adapter.choices)
    source = models.CharField(max_length=40)
    options = models.JSONField(default=dict, blank=True)
    status = models.CharField(max_length=12, choices=Status.choices, default=Status.CHECKING)
    run = models.ForeignKey("runs.Run", null=True, blank=True, on_delete=models.SET_NULL, related_name="+")
    report = models.JSONField(null=True, blank=True)
    created_at = models.DateTimeField(default=timezone.now)
    done_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        indexes = (models.Index(fields=["lab", "-created_at"], name="labs_import_of_lab"),)

    def __str__(self) -> str:
        return f"{self.lab} ← {self.source}"


class ImportFile(models.Model):
    """A file of an import; deleted once it is done, and after a week in any case, since it names people."""

    of = models.ForeignKey(LabImport, on_delete=models.CASCADE, related_name="files")
    kind = models.CharField(max_length=12)
    name = models.CharField(max_length=200)
    body = models.BinaryField()

    def __str__(self) -> str:
        return self.name


class ImportedRow(models.Model):
    """A row of another program and what it became, so that the same file can come again and makes nothing twice.

    `object_key` is the primary key of the user, machine, badge grant or booking. `letter_due` marks accounts whose
    person has not been written to yet.
    """

    class Kind(models.TextChoices):
        MEMBER = "member", _("Member")
        MACHINE = "machine", _("Machine")
        GRANT = "grant", _("Badge")
        BOOKING = "booking", _("Booking")

    lab = models.ForeignKey("labs.Lab", on_delete=models.CASCADE, related_name="imported_rows")
    source = models.CharField(max_length=40)
    kind = models.CharField(max_length=8, choices=Kind.choices)
    foreign_id = models.CharField(max_length=400)
    object_key = models.CharField(max_length=40)
    letter_due = models.BooleanField(default=False)
    at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = (
            models.Index(fields=["at"], name="labs_imported_letters", condition=models.Q(letter_due=True)),
            models.Index(fields=["kind", "object_key"], name="labs_imported_object"),
        )
        constraints = (models.UniqueConstraint("lab", "source", "kind", "foreign_id", name="labs_imported_once"),)

    def __str__(self) -> str:
        return f"{self.source} {self.kind} {self.foreign_id}"
