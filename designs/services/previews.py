"""Keeping what the sandbox drew. A blob is drawn once, whatever the number of designs and forks that hold it."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext_lazy

from commons.runs import services as runs
from commons.runs.models import Run
from commons.said import said
from commons.web.disk import put
from designs.engine import ENGINE_VERSION
from designs.engine.formats import DRAWN
from designs.models import Blob, Design
from designs.models.index import LARGE, LAYERS
from designs.sandbox.results import Result
from designs.services import cards, covers
from designs.services.index import open_run, subject_of

MOST_ASKED = 60


def store() -> Path:
    """Where pictures and models lie."""
    return Path(settings.MEDIA_ROOT) / "previews"


def is_outdated(blob: Blob) -> bool:
    """Whether an older engine drew it: its picture stays shown until the new one is there."""
    return blob.preview in {Blob.Preview.READY, Blob.Preview.FAILED} and blob.engine_version != ENGINE_VERSION


def is_wanted(blob: Blob) -> bool:
    """Whether a worker should draw it: never drawn, or drawn by an older engine."""
    never = blob.preview == Blob.Preview.NONE and blob.format in DRAWN  # from before its format was drawn
    return blob.preview == Blob.Preview.PENDING or never or is_outdated(blob)


def ask(*, design: Design, blobs: Iterable[Blob | None], commit: str = "", more: bool = False) -> Run | None:
    """Have drawn what somebody looks at and nobody drew yet: files of old versions, and pictures of an older engine.

    `more` says that something made of several files of the version `commit` is wanted too.

    None when there is nothing to draw or a run already works on the design.
    """
    wanted = sorted({b.pk: b for b in blobs if b is not None and is_wanted(b)}.values(), key=lambda b: b.size)
    if not (wanted or more) or open_run(design) is not None:
        return None
    return start(design=design, blobs=wanted[:MOST_ASKED], commit=commit)


def start(*, design: Design, blobs: list[Blob], again: bool = False, commit: str = "") -> Run:
    """Ask a worker to draw these blobs in this order; `again` also those that are drawn already. What is made of
    several files is drawn of the newest version and of `commit`."""
    more: dict[str, str | bool] = {"again": True} if again else {}
    if commit and commit != design.head:
        more["commit"] = commit
    return runs.start(
        kind="designs.preview",
        inputs={"design": design.pk, "blobs": [blob.oid for blob in blobs], **more},
        title=said(gettext_lazy("Drawing %(design)s"), design=design.name),
        subject=subject_of(design),
        owner=design.created_by,
        public=design.is_shown,
        demo=design.demo,
    )


def keep(*, blob: Blob, result: Result, engine_version: str) -> None:
    """Write a blob's pictures, model and facts, then forget those of older engines. The same bytes give the same files,
    so twice is harmless, and a worker that dies half way leaves the old ones shown."""
    folder = f"{blob.oid[:2]}/{blob.oid}-{engine_version}"
    for name, content in ((LARGE, result.large), (LAYERS, result.layers)):
        if result.ready and content:
            write(f"{folder}/{name}", content)
    written = {
        field: write(f"{folder}/{name}", content) if result.ready and content else ""
        for field, (name, content) in named(result).items()
    }
    Blob.objects.filter(pk=blob.pk).update(
        preview=Blob.Preview.READY if result.ready else Blob.Preview.FAILED,
        reason=result.reason,
        facts=result.facts,
        engine_version=engine_version,
        **written,
    )
    for older in (store() / blob.oid[:2]).glob(f"{blob.oid}-*"):
        if older != store() / folder:
            shutil.rmtree(older, ignore_errors=True)


def named(result: Result) -> dict[str, tuple[str, bytes]]:
    """The pictures and the model of a result, each by its field with the name of its file and its content."""
    ending = "webp" if result.png[:4] == b"RIFF" else "png"
    return {
        "png": (f"picture.{ending}", result.png), "small": (f"small.{ending}", result.small),
        "glb": ("model.glb", result.glb),
    }  # fmt: skip


def write(name: str, content: bytes) -> str:
    """Put a file into the store, whole or not at all; its name there."""
    put(content, store() / name)
    return name


@transaction.atomic
def settle_cover(*, design: Design) -> None:
    """Choose the cover anew once pictures are there, and tell the list the sizes that are known now."""
    held = Design.objects.select_for_update(no_key=True).filter(pk=design.pk).first()
    if held is not None:
        held.cover = covers.choose(held)
        held.save(update_fields=["cover"])
        cards.refresh(held)
