"""What hangs on a machine: its facts, photos and manuals. A photo is only ever shown as we drew it."""

import contextlib
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.utils.translation import gettext as _

from commons.people.models import User
from commons.runs import services as runs
from commons.web.disk import put, receive
from labs.errors import BadMachine
from labs.errors.catalogue import BadUpload
from labs.materials import normal
from labs.models import Badge, Machine, MachinePhoto, Manual

if TYPE_CHECKING:
    from django.core.files.uploadedfile import UploadedFile

    from designs.sandbox.photos import Photo

MAX_PHOTO_BYTES, MAX_MANUAL_BYTES, MOST_PHOTOS, MOST_MANUALS = 16_000_000, 30_000_000, 12, 20
SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF")
FIELDS = frozenset({
    "name", "cls", "process", "maker", "model", "about", "rated_w", "volume_x_mm", "volume_y_mm", "volume_z_mm",
    "tolerance_mm", "materials", "circuit", "buffer_before_min", "buffer_after_min", "longest_h", "unattended",
    "takes_commands", "okw",
})  # fmt: skip


@transaction.atomic
def change_machine(*, machine: Machine, required_badges: Sequence[Badge] | None = None, **facts: Any) -> Machine:
    """Change facts of a machine; its address stays. Raises BadMachine; then nothing is changed."""
    if unknown := set(facts) - FIELDS:
        raise BadMachine(_("A machine has no “%(name)s”.") % {"name": min(unknown)})
    if facts.get("cls", machine.cls) not in Machine.Kind.values:
        raise BadMachine(_("“%(cls)s” is no class of machine.") % {"cls": facts["cls"]})
    if facts.get("process", machine.process) not in Machine.Process.values:
        raise BadMachine(_("“%(process)s” is no process.") % {"process": facts["process"]})
    held = Machine.objects.select_for_update(no_key=True, of=("self",)).select_related("lab").get(pk=machine.pk)
    circuit = facts.get("circuit")
    if circuit is not None and circuit.lab_id != held.lab_id:
        raise BadMachine(_("That circuit is in another lab."))
    for name in ("volume_x_mm", "volume_y_mm", "volume_z_mm", "tolerance_mm"):
        value = facts.get(name)
        if value is not None and not 0 < value < 1_000_000:
            raise BadMachine(_("Sizes are in mm, above 0."))
    if "materials" in facts:
        facts["materials"] = list(dict.fromkeys(normal(one) for one in facts["materials"] if one.strip()))[:60]
    for name, value in facts.items():
        setattr(held, name, value)
    try:
        with transaction.atomic():
            held.save(update_fields=list(facts))
    except IntegrityError:
        raise BadMachine(_("These facts do not go together.")) from None
    if required_badges is not None:
        held.required_badges.set(required_badges)
    return held


# --- photos ------------------------------------------------------------------------------------------------------


def store() -> Path:
    """Where photos and manuals of machines lie."""
    return Path(settings.MEDIA_ROOT) / "labs"


def incoming(photo: MachinePhoto) -> Path:
    """A photo as it was sent, until it is drawn."""
    return store() / "incoming" / photo.name


def picture_path(name: str, size: str) -> Path:
    """A drawn photo: `large` or `small`."""
    return store() / "photos" / name[:2] / f"{name}-{size}.jpg"


def manual_path(manual: Manual) -> Path:
    """A manual that was sent."""
    return store() / "manuals" / manual.name[:2] / f"{manual.name}.pdf"


@transaction.atomic
def add_photo(*, machine: Machine, sent: "UploadedFile[bytes]", by: User, words: str = "") -> MachinePhoto:
    """Keep a photo until a worker has drawn it anew. Raises BadUpload."""
    if sent.size is None or not 0 < sent.size <= MAX_PHOTO_BYTES:
        raise BadUpload(_("A photo has at most %(mb)d MB.") % {"mb": MAX_PHOTO_BYTES // 1_000_000})
    head = sent.read(16)
    if not head.startswith(SIGNATURES) or (head.startswith(b"RIFF") and head[8:12] != b"WEBP"):
        raise BadUpload(_("Send a photo as JPEG, PNG or WebP."))
    if machine.photos.count() >= MOST_PHOTOS:
        raise BadUpload(_("A machine has at most %(n)d photos; take one away first.") % {"n": MOST_PHOTOS})
    photo = MachinePhoto.objects.create(machine=machine, words=words.strip()[:200], by=by)
    runs.start(
        kind="labs.photo", inputs={"photo": photo.pk}, title=_("Photo of %(machine)s") % {"machine": machine.name},
        subject=f"machine:{machine.pk}", owner=by, public=False, demo=machine.demo,
    )  # fmt: skip
    _write(sent, incoming(photo))  # at last: rows are taken back when something fails, files are not
    return photo


def keep_photo(*, photo: MachinePhoto, drawn: "Photo") -> None:
    """Keep what the sandbox drew, and let what was sent go."""
    if drawn.reason:
        MachinePhoto.objects.filter(pk=photo.pk).update(state=MachinePhoto.State.FAILED, reason=drawn.reason)
    else:
        for size, raw in (("large", drawn.large), ("small", drawn.small)):
            put(raw, picture_path(photo.name, size))
        MachinePhoto.objects.filter(pk=photo.pk).update(
            state=MachinePhoto.State.READY, width=drawn.width, height=drawn.height, reason=""
        )
    incoming(photo).unlink(missing_ok=True)


@transaction.atomic
def remove_photo(*, photo: MachinePhoto) -> None:
    """Take a photo away with its files."""
    files = [incoming(photo), picture_path(photo.name, "large"), picture_path(photo.name, "small")]
    photo.delete()
    transaction.on_commit(lambda: _unlink(files))


# --- manuals -----------------------------------------------------------------------------------------------------


@transaction.atomic
def add_manual(
    *, machine: Machine, title: str, by: User, url: str = "", sent: "UploadedFile[bytes] | None" = None
) -> Manual:
    """A manual: an address, or a PDF of at most 30 MB. Raises BadUpload."""
    if not title.strip():
        raise BadUpload(_("A manual has a title."))
    if bool(url) == (sent is not None):
        raise BadUpload(_("Give the address of the manual, or send it as a PDF; one of the two."))
    if machine.manuals.count() >= MOST_MANUALS:
        raise BadUpload(_("A machine has at most %(n)d manuals; take one away first.") % {"n": MOST_MANUALS})
    if sent is None:
        return Manual.objects.create(machine=machine, title=title.strip()[:120], url=url, by=by)
    if sent.size is None or not 0 < sent.size <= MAX_MANUAL_BYTES:
        raise BadUpload(_("A manual has at most %(mb)d MB.") % {"mb": MAX_MANUAL_BYTES // 1_000_000})
    if not sent.read(1024).lstrip().startswith(b"%PDF-"):
        raise BadUpload(_("Send a manual as PDF."))
    manual = Manual(machine=machine, title=title.strip()[:120], size=sent.size, by=by)
    manual.name = MachinePhoto._meta.get_field("name").get_default()
    manual.save()
    _write(sent, manual_path(manual))
    return manual


@transaction.atomic
def remove_manual(*, manual: Manual) -> None:
    """Take a manual away with its file."""
    files = [manual_path(manual)] if manual.name else []
    manual.delete()
    transaction.on_commit(lambda: _unlink(files))


def _write(sent: "UploadedFile[bytes]", path: Path) -> None:
    sent.seek(0)
    receive(sent.chunks(), path)


def _unlink(files: list[Path]) -> None:
    for path in files:
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
