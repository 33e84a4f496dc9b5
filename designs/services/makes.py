"""Makes: what people made of a design, with words and photos.

A photo is kept as sent only until a worker has drawn it anew in the sandbox; what is shown is ours, without the place
and camera that a phone writes into a picture.
"""

import datetime as dt
import secrets
from collections.abc import Iterable, Sequence
from pathlib import Path

from django.conf import settings
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.people.models import User
from commons.runs import services as runs
from commons.said import said
from commons.sockets import MeasuredThing
from commons.web.disk import put, receive
from designs import git
from designs.errors import BadPhoto, NoSuchMeasured, NothingSaid, NotYours, TooMany
from designs.models import Design, Make, MakePhoto, Release
from designs.policies import check_not_archived, may_talk
from designs.queries.audience import audience
from designs.queries.measured import own_measured
from designs.sandbox.photos import Photo
from designs.services import declared
from designs.services.holding import hold
from designs.services.index import subject_of
from designs.services.telling import design_url, tell_people

MAX_PHOTOS, MAX_PHOTO_BYTES, MAX_TEXT, MAX_IN_AN_HOUR = 6, 16_000_000, 4000, 10
SIGNATURES = (b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"RIFF")


@transaction.atomic
def add_make(
    *,
    design: Design,
    author: User,
    text: str = "",
    photos: Sequence["UploadedFile[bytes]"] = (),
    release: Release | None = None,
    ref: str = "",
    measured: str = "",
) -> Make:
    """Tell that one made the design; a worker draws the photos. `ref` says which version, the shown one without it, and
    `measured` what a machine measured of it, which knows its version itself.

    Raises Archived, NotYours, NothingSaid, NoSuchMeasured, BadPhoto, BadRevision or TooMany; then nothing is kept.
    """
    check_not_archived(design)
    if not may_talk(author, design):
        raise NotYours(_("You cannot add makes to this design."))
    text = text.replace("\r\n", "\n").replace("\x00", "").strip()
    _check(text, photos, measured)
    since = timezone.now() - dt.timedelta(hours=1)
    if Make.objects.filter(author=author, created_at__gte=since).count() >= MAX_IN_AN_HOUR:
        raise TooMany(_("That is a lot of makes in an hour. Wait a little, nothing is lost."))
    repository = git.of(design.repository)
    commit = release.commit if release else repository.commit_of(ref) if ref else design.head
    if measured:
        commit = _own(design, author, measured).commit[:40] or commit
    make = Make.objects.create(
        design=design, author=author, text=text, release=release, commit=commit, measured=measured
    )
    count_makes(design)
    if photos:
        runs.start(
            kind="designs.photos", inputs={"make": make.pk},
            title=said(lazy("Photos of %(design)s"), design=design.name),
            subject=f"{subject_of(design)}:make:{make.pk}", owner=author, public=False, demo=design.demo,
        )  # fmt: skip
    words = said(lazy("%(name)s made %(design)s"), name=author, design=design.name)
    url = design_url(design, "rooms:design_makes") + f"#make-{make.pk}"
    tell_people(audience(design), kind="designs.make", text=words, url=url, actor=author)
    _receive(make, photos)  # at last: rows are taken back when something fails, files are not
    return make


def _own(design: Design, author: User, key: str) -> MeasuredThing:
    """What a machine made of the design for the author. Locks the design, so that two makes never point to the same."""
    hold(design)
    found = next((thing for thing in own_measured(design, author) if thing.key == key), None)
    if found is None:
        raise NoSuchMeasured(_("No machine made this for you, or you have told of it already."))
    return found


@transaction.atomic
def delete_make(*, make: Make, by: User) -> None:
    """Take one's own make away with its photos. Raises NotYours."""
    if make.author_id != by.pk:
        raise NotYours(_("Only who made it can take this away."))
    files = [path for photo in make.photos.all() for path in _paths(photo)]
    design = make.design
    make.delete()
    count_makes(design)
    transaction.on_commit(lambda: _unlink(files))


def count_makes(design: Design) -> None:
    """The design's count of makes, from those that show; its readiness follows."""
    before, design.make_count = design.make_count, Make.objects.filter(design=design, hidden_at=None).count()
    Design.objects.filter(pk=design.pk).update(make_count=design.make_count)
    if bool(before) != bool(design.make_count):
        declared.count_readiness(design=design)


# --- photos ------------------------------------------------------------------------------------------------------


def store() -> Path:
    """Where photos of makes lie."""
    return Path(settings.MEDIA_ROOT) / "makes"


def incoming(photo: MakePhoto) -> Path:
    """A photo as it was sent, until it is drawn."""
    return store() / "incoming" / photo.name


def picture_path(photo: MakePhoto, kind: str) -> Path:
    """A drawn photo: `large` or `small`."""
    return store() / photo.name[:2] / f"{photo.name}-{kind}.jpg"


def waiting(*, make: int) -> list[MakePhoto]:
    """Photos of a make that are not drawn yet."""
    return list(MakePhoto.objects.filter(make=make, state=MakePhoto.State.PENDING))


def keep_photo(*, photo: MakePhoto, drawn: Photo) -> None:
    """Keep what the sandbox drew, and let what was sent go."""
    if drawn.reason:
        MakePhoto.objects.filter(pk=photo.pk).update(state=MakePhoto.State.FAILED, reason=drawn.reason)
    else:
        for kind, content in (("large", drawn.large), ("small", drawn.small)):
            put(content, picture_path(photo, kind))
        MakePhoto.objects.filter(pk=photo.pk).update(
            state=MakePhoto.State.READY, width=drawn.width, height=drawn.height, reason=""
        )
    incoming(photo).unlink(missing_ok=True)


def forget_photos(design: Design) -> None:
    """Let go of all photos of a design that is going for good, once it is gone."""
    photos = MakePhoto.objects.filter(make__design=design)
    files = [path for photo in photos for path in _paths(photo)]
    transaction.on_commit(lambda: _unlink(files))


def _check(text: str, photos: Sequence["UploadedFile[bytes]"], measured: str) -> None:
    if not text and not photos and not measured:
        raise NothingSaid(_("Add a photo, or say how it went."))
    if len(text) > MAX_TEXT:
        raise NothingSaid(_("Up to %(n)d characters, please; this has %(m)d.") % {"n": MAX_TEXT, "m": len(text)})
    if len(photos) > MAX_PHOTOS:
        raise BadPhoto(_("A make has up to %(n)d photos.") % {"n": MAX_PHOTOS})
    for photo in photos:
        name = str(photo.name or "")[:60]
        if not photo.size or photo.size > MAX_PHOTO_BYTES:
            raise BadPhoto(
                _("“%(name)s” is empty or over %(n)d MB.") % {"name": name, "n": MAX_PHOTO_BYTES // 1_000_000}
            )
        head = photo.read(16)
        photo.seek(0)
        if not head.startswith(SIGNATURES):
            raise BadPhoto(_("“%(name)s” is no JPEG, PNG or WebP photo.") % {"name": name})


def _receive(make: Make, photos: Sequence["UploadedFile[bytes]"]) -> None:
    """Keep them all as they were sent, or none."""
    kept: list[Path] = []
    try:
        for number, sent in enumerate(photos):
            photo = MakePhoto.objects.create(make=make, position=number, name=secrets.token_hex(16))
            receive(sent.chunks(), incoming(photo))
            kept.append(incoming(photo))
    except BaseException:
        _unlink(kept)
        raise


def _paths(photo: MakePhoto) -> list[Path]:
    return [incoming(photo), picture_path(photo, "large"), picture_path(photo, "small")]


def _unlink(paths: Iterable[Path]) -> None:
    for path in paths:
        path.unlink(missing_ok=True)
