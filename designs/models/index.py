"""The index of what repositories hold: blobs, and where each version of a design has them. `services.index.rebuild`
makes every row again from git."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from designs.models.designs import Design

#: Pictures of up to this many pixels have no larger one, others lie beside it under this name.
PICTURE_PX, LARGE = 640, "large.webp"
#: The layers of a program lie beside its picture under this name.
LAYERS = "layers.bin"


class Blob(models.Model):
    """The content of a file, once for the whole city whatever the number of designs that hold it.

    `oid` is git's name of it, `sha1` and `sha256` are of the bytes themselves: machines report those. `png`, `small`
    and `glb` are paths under the preview store, empty when there is none.

    A picture that is drawn from several files of a design (a script and what it includes) belongs to all of them, so
    it is not kept here: `made_of` then is the key under which it lies, on a copy that is never saved.

    `lfs` is set on a Git LFS pointer: hashes, size, format and preview are then those of the real file, and a design
    has versions of it only while it holds a link to that file.
    """

    class Preview(models.TextChoices):
        NONE = "none", _("No picture for this format")
        PENDING = "pending", _("Being drawn")
        READY = "ready", _("Ready")
        FAILED = "failed", _("Could not be drawn")

    made_of: str = ""
    oid = models.CharField(max_length=40, unique=True)
    sha1 = models.CharField(max_length=40, db_index=True)
    sha256 = models.CharField(max_length=64, db_index=True)
    size = models.BigIntegerField()
    lfs = models.CharField(max_length=64, blank=True, db_index=True)
    format = models.CharField(max_length=24, blank=True)
    facts = models.JSONField(null=True, blank=True)
    preview = models.CharField(max_length=8, choices=Preview.choices, default=Preview.NONE)
    reason = models.CharField(max_length=400, blank=True)
    png = models.CharField(max_length=120, blank=True)
    small = models.CharField(max_length=120, blank=True)
    glb = models.CharField(max_length=120, blank=True)
    engine_version = models.CharField(max_length=40, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        constraints = (
            models.CheckConstraint(name="designs_blob_size", condition=models.Q(size__gte=0)),
            models.CheckConstraint(
                name="designs_blob_ready_is_known",
                condition=~models.Q(preview="ready")
                | ~models.Q(png="")
                | ~models.Q(glb="")
                | models.Q(facts__isnull=False, facts__has_key="more"),
            ),
        )
        indexes = (models.Index(fields=["preview"], name="designs_pending", condition=models.Q(preview="pending")),)

    def __str__(self) -> str:
        return self.oid[:10]

    @property
    def folder(self) -> str:
        """Where its pictures lie under the preview store, "" when there are none."""
        return (self.png or self.glb).rpartition("/")[0]

    @property
    def can_be_made(self) -> bool:
        """Whether it may be given to a machine: not when its shape could not be read, since nobody knows what it is."""
        return self.preview != self.Preview.FAILED

    @property
    def is_photo(self) -> bool:
        """Whether its file is a picture itself; then what we drew has the sides of that picture, not of a page."""
        return self.png.endswith(".webp")

    def stored(self, kind: str) -> str:
        """The path of a picture (`png`, `small`, `large`), model (`glb`) or `layers` under the preview store, or ""."""
        more = (self.facts or {}).get("more") or {}
        if kind == "layers":
            return f"{self.folder}/{LAYERS}" if self.png and more.get("drawn_layers") else ""
        if kind == "large":
            longest = max(more.get("width_px") or 0, more.get("height_px") or 0)
            return f"{self.folder}/{LARGE}" if self.is_photo and longest > PICTURE_PX else self.png
        return {"png": self.png, "small": self.small, "glb": self.glb}.get(kind, "")


class FileVersion(models.Model):
    """A commit of a design put this content at this path. `current` says that the default branch has it there now."""

    design = models.ForeignKey(Design, on_delete=models.CASCADE, related_name="file_versions")
    blob = models.ForeignKey(Blob, on_delete=models.PROTECT, related_name="file_versions")
    path = models.CharField(max_length=700)
    commit = models.CharField(max_length=40)
    committed_at = models.DateTimeField()
    current = models.BooleanField(default=False)

    class Meta:
        constraints = (models.UniqueConstraint("design", "path", "blob", "commit", name="designs_file_version_once"),)
        indexes = (
            models.Index(fields=["blob", "-committed_at"], name="designs_origins"),
            models.Index(fields=["design", "path"], name="designs_current", condition=models.Q(current=True)),
        )

    def __str__(self) -> str:
        return f"{self.path} @ {self.commit[:10]}"
