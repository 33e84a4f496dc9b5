"""Drawn once: the same bytes anywhere are no work; older engines' pictures stay until new ones are there."""

import json
from typing import Any

import pytest
from django.test import Client

from commons.people.models import User
from commons.runs.models import Run
from commons.runs.work import do
from designs.engine import ENGINE_VERSION
from designs.models import Blob, Design
from designs.queries.cautions import cautions
from designs.queries.drawn import to_redraw
from designs.services import create_design, index_now, previews, write_files
from designs.services.previews import store
from tests.designs.conftest import FIRST, cube_stl, make, wait_for

pytestmark = pytest.mark.django_db(transaction=True)


def drawn(maker: User) -> Design:
    return index_now(design=make(maker), by=maker, draw=True)


def files_of(blob: Blob) -> dict[str, int]:
    """Every kept file of a blob with the time of its writing."""
    return {str(p): p.stat().st_mtime_ns for p in store().glob(f"*/{blob.oid}-*/*")}


def test_the_same_bytes_in_another_design_are_no_work(maker: User, neighbour: User) -> None:
    drawn(maker)
    blob = Blob.objects.get(preview=Blob.Preview.READY)
    before, runs = files_of(blob), Run.objects.filter(kind="designs.preview").count()
    assert len(before) == 3
    other = create_design(owner=neighbour.handle, name="The same", licence="MIT", by=neighbour)
    write_files(design=other, files={"again.stl": cube_stl(12)}, message="Same", author=neighbour, by=neighbour)
    other = index_now(design=other, by=neighbour, draw=True)
    assert Run.objects.filter(kind="designs.preview").count() == runs
    assert files_of(blob) == before
    assert other.cover == blob


def test_an_older_engines_picture_stays_until_the_new_one_is_there(maker: User, client: Client) -> None:
    design = drawn(maker)
    blob = Blob.objects.get(preview=Blob.Preview.READY)
    old = previews.write(f"{blob.oid[:2]}/{blob.oid}-0/picture.png", b"\x89PNG old")
    Blob.objects.filter(pk=blob.pk).update(engine_version="0", png=old)
    [(holder, found)] = to_redraw()
    assert holder == design
    assert blob in found
    page = f"/designs/{design.owner.name}/{design.slug}"
    assert client.get(f"{page}/").status_code == 200
    run = Run.objects.get(kind="designs.preview", status=Run.Status.QUEUED)
    assert client.get(f"{page}/").status_code == 200
    assert Run.objects.filter(kind="designs.preview", status=Run.Status.QUEUED).count() == 1  # asked once
    shown = client.get(f"{page}/previews/{blob.oid}.png")
    assert b"".join(shown) == b"\x89PNG old"  # type: ignore[arg-type]
    do(run.pk)
    blob.refresh_from_db()
    assert (blob.preview, blob.engine_version) == (Blob.Preview.READY, ENGINE_VERSION)
    assert {name.split("/")[-2] for name in files_of(blob)} == {f"{blob.oid}-{ENGINE_VERSION}"}
    assert all(blob not in found for _holder, found in to_redraw())


def test_a_worker_that_died_half_way_leaves_only_the_rest_to_do(maker: User) -> None:
    design = make(maker)
    write_files(
        design=design, files={"second.stl": cube_stl(5)}, message="More", author=maker, by=maker, at=FIRST
    )  # fmt: skip
    design = index_now(design=design, by=maker)
    Run.objects.filter(kind="designs.preview").delete()
    waiting = list(Blob.objects.filter(preview=Blob.Preview.PENDING, file_versions__current=True))
    assert len(waiting) == 2
    do(previews.start(design=design, blobs=waiting[:1]).pk)
    first = files_of(waiting[0])
    assert first
    do(previews.start(design=design, blobs=waiting).pk)
    assert files_of(waiting[0]) == first
    assert Blob.objects.get(pk=waiting[1].pk).preview == Blob.Preview.READY


def test_a_file_of_an_old_version_is_drawn_when_somebody_looks(maker: User, client: Client) -> None:
    design = drawn(maker)
    old = Blob.objects.get(preview=Blob.Preview.PENDING)
    version = design.file_versions.get(blob=old)
    page = f"/designs/{design.owner.name}/{design.slug}/files/{version.path}?ref={version.commit}"
    assert client.get(page).status_code == 200
    do(Run.objects.get(kind="designs.preview", status=Run.Status.QUEUED).pk)
    answer = client.get(page)
    assert b"lc-model" in answer.content
    assert b'width="640" height="480"' in answer.content
    assert b"256w" in answer.content


def test_a_broken_shape_that_is_text_is_shown_and_called_broken(maker: User, client: Client) -> None:
    design = create_design(owner=maker.handle, name="Torn", licence="MIT", by=maker)
    torn = b"solid x\nfacet nonsense"
    write_files(design=design, files={"torn.stl": torn}, message="Torn", author=maker, by=maker)
    index_now(design=design, by=maker, draw=True)
    page = client.get("/designs/aila/torn/files/torn.stl").content.decode()
    assert "facet nonsense" in page and "cut off" in page


def test_redraw_draws_all_again_and_says_how_far_it_is(worker: object, maker: User, manage: Any) -> None:
    make(maker)
    wait_for(lambda: not Run.objects.exclude(status__in=[Run.Status.DONE, Run.Status.FAILED]).exists())
    assert sorted(Blob.objects.exclude(preview="none").values_list("preview", flat=True)) == ["pending", "ready"]
    done = manage("redraw", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["files"] == 1, "the version that nobody looked at"
    assert "0 of 1 files" in done.stderr
    assert set(Blob.objects.exclude(preview="none").values_list("preview", flat=True)) == {"ready"}
    assert manage("redraw", "--json").stdout.startswith('{"files": 0')


def test_cautions_are_said_of_thin_and_of_hanging_shapes_alone() -> None:
    fine = {"thinnest_wall_mm": 1.2, "thinnest_wall_at_mm": [1, 2, 3], "overhang_share": 0.01,
            "overhang_best_share": 0.0, "best_up": "-z"}  # fmt: skip
    assert cautions(fine) == []
    assert cautions({"extents_mm": [1, 2, 3]}) == []
    thin, hanging = cautions(fine | {"thinnest_wall_mm": 0.4, "overhang_share": 0.3})
    assert "0.40 mm, near x 1.0, y 2.0, z 3.0" in thin
    assert "30 %" in hanging
    assert "-z up, 0 %" in hanging
