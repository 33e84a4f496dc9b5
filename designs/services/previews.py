"""Keeping what the sandbox drew. A blob is drawn once, whatever the number of designs and forks that hold it."""

import os
from pathlib import Path

from django.conf import settings
from django.db import transaction

from commons.runs import services as runs
from commons.runs.models import Run
from designs.models import Blob, Design
from designs.sandbox.results import Result
from designs.services import cards, covers
from designs.services.index import subject_of


def store() -> Path:
    """Where pictures and models lie."""
    return Path(settings.MEDIA_ROOT) / "previews"


def start(*, design: Design, blobs: list[Blob]) -> Run:
    """Ask a worker to draw these blobs, small ones first."""
    return runs.start(
        kind="designs.preview",
        inputs={"design": design.pk, "blobs": [blob.oid for blob in blobs]},
        title=f"Drawing {design.name}",
        subject=subject_of(design),
        owner=design.created_by,
        public=design.is_public,
        demo=design.demo,
    )


def keep(*, blob: Blob, result: Result, engine_version: str) -> None:
    """Write a blob's pictures, model and facts. The same bytes give the same files, so twice is harmless."""
    folder = f"{blob.oid[:2]}/{blob.oid}-{engine_version}"
    names = {"png": ("picture.png", result.png), "small": ("small.png", result.small), "glb": ("model.glb", result.glb)}
    written = {
        field: _write(f"{folder}/{name}", content) if result.ready and content else ""
        for field, (name, content) in names.items()
    }
    Blob.objects.filter(pk=blob.pk).update(
        preview=Blob.Preview.READY if result.ready else Blob.Preview.FAILED,
        reason=result.reason,
        facts=result.facts,
        engine_version=engine_version,
        **written,
    )


def _write(name: str, content: bytes) -> str:
    path = store() / name
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_bytes(content)
    draft.replace(path)
    return name


@transaction.atomic
def settle_cover(*, design: Design) -> None:
    """Choose the cover anew once pictures are there, and tell the list the sizes that are known now."""
    held = Design.objects.select_for_update().filter(pk=design.pk).first()
    if held is not None:
        held.cover = covers.choose(held)
        held.save(update_fields=["cover"])
        cards.refresh(held)
