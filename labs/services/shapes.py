"""Shapes of meshes of designs, described once for each content and kept (docs/provenance.md)."""

import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import transaction
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as lazy

from commons.runs import services as runs
from commons.runs.models import Run
from commons.said import said
from labs.models import ShapeProfile

if TYPE_CHECKING:
    from designs.models import Blob, Design

KIND = "labs.shapes"
#: Files that machines lay down in layers.
FORMATS = ("stl", "3mf", "obj", "step", "ply", "off")
MAX_BYTES = 100 * 1024 * 1024
#: Files of a design that one run describes.
MOST = 400


def version() -> int:
    """The version of the descriptions, without loading numpy."""
    return 1


def missing(design: "Design") -> "QuerySet[Blob]":
    """Contents of a design, of any version, that nobody has described yet."""
    from designs.models import Blob  # noqa: PLC0415 the room may be left out

    known = ShapeProfile.objects.filter(version=version()).values("blob")
    rows = Blob.objects.filter(file_versions__design=design, format__in=FORMATS, size__lte=MAX_BYTES)
    return rows.exclude(pk__in=known).distinct().order_by("size")


def describe_later(*, design: "Design") -> Run | None:
    """Have what is missing described; None when nothing is."""
    waiting = [Run.Status.QUEUED, Run.Status.RUNNING]
    if (
        not missing(design).exists()
        or Run.objects.filter(kind=KIND, subject=_subject(design), status__in=waiting).exists()
    ):
        return None
    return runs.start(
        kind=KIND, inputs={"design": design.pk},
        title=said(lazy("Describing shapes of %(design)s"), design=design.name),
        subject=_subject(design), owner=design.created_by, demo=design.demo,
    )  # fmt: skip


def _subject(design: "Design") -> str:
    return f"labs.shapes:{design.pk}"


def describe(*, design: "Design", blob: "Blob") -> int:
    """Describe a content in the sandbox and keep it; how many descriptions. For workers. Twice is harmless."""
    from designs.errors import DesignNotFound, GitFailed, LargeFileMissing  # noqa: PLC0415
    from designs.queries import contents  # noqa: PLC0415
    from designs.sandbox import client  # noqa: PLC0415
    from designs.sandbox.limits import Limits  # noqa: PLC0415

    rows: list[ShapeProfile] = []
    with tempfile.TemporaryDirectory(prefix="lc-shape-") as name:
        source, folder = Path(name) / "source", Path(name) / "out"
        folder.mkdir()
        try:
            contents.put(design, blob, source)
        except (GitFailed, DesignNotFound, LargeFileMissing, OSError):
            return 0
        work = "labs.engine.extrusion.work:mesh"
        answer = client.ask(source=source, folder=folder, file_format=blob.format, work=work, limits=Limits())
        if answer["status"] == 0:
            rows = _rows(blob, folder)
    rows = rows or [ShapeProfile(blob=blob, version=version())]
    with transaction.atomic():
        ShapeProfile.objects.filter(blob=blob).delete()
        ShapeProfile.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _rows(blob: "Blob", folder: Path) -> list[ShapeProfile]:
    """What the sandbox wrote, believed only after a look."""
    from designs.sandbox import results  # noqa: PLC0415
    from labs.engine.extrusion import UPS, pack, unpack_all  # noqa: PLC0415 numpy, which the web never loads

    try:
        told = json.loads(results._bytes(folder / "result.json", 65_536))
        if told["reason"]:
            return []
        profiles = unpack_all(results._bytes(folder / "profiles.bin", 4_000_000))
        named = [(int(part), str(up)) for part, up in told["found"]]
    except (OSError, ValueError, KeyError, TypeError):
        return []
    if len(named) != len(profiles) or len(set(named)) != len(named) or any(up not in UPS for _part, up in named):
        return []
    return [
        ShapeProfile(
            blob=blob, part=part, up=up, version=version(), height_mm=one.height_mm, girth_mm=one.girth_mm,
            hull_mm2=one.hull_mm2, packed=pack(one),
        )
        for (part, up), one in zip(named, profiles, strict=True)
    ]  # fmt: skip


def designs_waiting(most: int = 20) -> "list[Design]":
    """Designs with files that nobody has described, for the sweep."""
    from designs.models import Design, FileVersion  # noqa: PLC0415

    known = ShapeProfile.objects.filter(version=version()).values("blob")
    rows = FileVersion.objects.filter(blob__format__in=FORMATS, blob__size__lte=MAX_BYTES, design__deleted_at=None)
    waiting = rows.exclude(blob__in=known).values("design").distinct()
    return list(Design.objects.filter(pk__in=waiting).order_by("pk")[:most])
