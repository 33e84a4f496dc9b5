"""Drawn once: the same bytes anywhere are no work; older engines' pictures stay until new ones are there."""

import json
import re
import shutil
from io import BytesIO
from typing import Any

import pytest
from django.test import Client
from PIL import Image

from commons.people.models import User
from commons.runs.models import Run
from commons.runs.work import do
from designs import git
from designs.engine import ENGINE_VERSION
from designs.models import Blob, Design
from designs.queries.cautions import cautions
from designs.queries.drawn import to_redraw
from designs.queries.files import files_at
from designs.queries.scripts import LIBRARY
from designs.sandbox import scripts
from designs.services import create_design, index_now, previews, write_files
from designs.services.previews import store
from tests.designs.conftest import FIRST, cube_stl, make, wait_for
from tests.engines.test_designs_boards import SET
from tests.engines.test_designs_scad import needs_openscad

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


def _exif_photo() -> bytes:
    """A JPEG on its side, with a place in it."""
    exif = Image.Exif()
    exif[0x0112], exif[0x8825] = 6, {1: "N", 2: (60.0, 10.0, 5.0)}
    out = BytesIO()
    Image.effect_noise((900, 700), 90).convert("RGB").save(out, "JPEG", exif=exif)
    return out.getvalue()


def test_pictures_are_shown_as_we_drew_them_alone(client: Client, maker: User) -> None:
    design = create_design(owner=maker.handle, name="Photos", licence="MIT", by=maker)
    readme = b"# Photos\n\n![the thing](img/a.jpg) ![gone](img/none.jpg) ![torn](img/torn.png)"
    files = {"README.md": readme, "img/a.jpg": _exif_photo(), "img/torn.png": b"\x89PNG torn", "img/b.heic": b"x" * 90}
    write_files(design=design, files=files, message="Photos", author=maker, by=maker)
    design = index_now(design=design, by=maker, draw=True)
    shown, torn, heic = (Blob.objects.get(format=kind) for kind in ("jpeg", "png", "heic"))
    assert (shown.preview, torn.preview, heic.preview) == ("ready", "failed", "failed")
    assert "JPEG or PNG" in heic.reason and design.cover == shown

    base = "/designs/aila/photos"
    page = client.get(f"{base}/").content.decode()
    large = f"{base}/previews/{shown.oid}.large?v={ENGINE_VERSION}"
    assert f'src="{large}" alt="the thing"' in page
    assert "/raw/" not in re.sub(r'href="[^"]*"', "", page)
    for kind, longest in (("large", 900), ("png", 640), ("small", 256)):
        answer = client.get(f"{base}/previews/{shown.oid}.{kind}?v={ENGINE_VERSION}")
        assert answer["Content-Type"] == "image/webp" and "max-age=86400" in answer["Cache-Control"]
        drawn = Image.open(BytesIO(b"".join(answer)))  # type: ignore[arg-type]
        assert drawn.height == longest > drawn.width and not drawn.getexif()
    assert "max-age=300" in client.get(f"{base}/previews/{shown.oid}.png")["Cache-Control"]  # which may be drawn anew
    assert "700 × 900" in client.get(f"{base}/files/img/a.jpg").content.decode().replace("\u202f", "")
    raw = client.get(f"{base}/raw/main/img/a.jpg")
    assert raw["Content-Disposition"].startswith("attachment") and raw["Content-Type"] == "application/octet-stream"

    write_files(design=design, files={"img/a.jpg": _exif_photo()[:-200] + b"\0" * 200}, message="New", author=maker,
                by=maker)  # fmt: skip
    index_now(design=design, by=maker, draw=True)
    compared = client.get(f"{base}/compare/?path=img/a.jpg").content.decode()
    addresses = re.findall(r'src="(/designs/aila/photos/compared/[^"]+-large\.png\?v=[^"]+)"', compared)
    assert len(addresses) == 2
    assert [client.get(address)["Content-Type"] for address in addresses] == ["image/webp"] * 2


def test_a_format_that_is_drawn_since_is_drawn_when_somebody_looks(client: Client, maker: User) -> None:
    design = create_design(owner=maker.handle, name="Older", licence="MIT", by=maker)
    write_files(design=design, files={"a.jpg": _exif_photo()}, message="x", author=maker, by=maker)
    index_now(design=design, by=maker)
    Run.objects.filter(kind="designs.preview").delete()
    Blob.objects.update(preview=Blob.Preview.NONE, reason="There is no picture for this kind of file.")
    assert [found for _design, found in to_redraw()] == [[Blob.objects.get(format="jpeg")]]
    client.get("/designs/aila/older/")
    do(Run.objects.get(kind="designs.preview").pk)
    assert Blob.objects.get(format="jpeg").preview == Blob.Preview.READY


POST = b"include <sizes.scad>\nmodule post() { cube([wide, wide, 7]); }"


@needs_openscad
def test_a_script_of_several_files_is_drawn_of_all_of_them(client: Client, maker: User, neighbour: User) -> None:
    """What it includes decides its shape, so another design with another library has another picture."""
    main = b'use <lib/post.scad>\npost(); translate([20, 0, 0]) import("cube.stl");'
    files: dict[str, bytes | None] = {
        "main.scad": main, "lib/post.scad": POST, "lib/sizes.scad": b"wide = 6;", "cube.stl": cube_stl(3),
        "lost.scad": b"use <BOSL2/std.scad>\ncuboid(3);", "out.scad": b"include <../../etc/passwd.scad>\ncube(1);",
    }  # fmt: skip
    design = create_design(owner=maker.handle, name="Posts", licence="MIT", by=maker, visibility="private")
    write_files(design=design, files=files, message="One", author=maker, by=maker)
    design = index_now(design=design, by=maker, draw=True)
    first = {file.path: file for file in files_at(design, design.head)}
    assert first["main.scad"].is_drawn
    assert first["main.scad"].blob.facts["volume_mm3"] == pytest.approx(6 * 6 * 7 + 27)  # type: ignore[union-attr,index]
    assert (first["lost.scad"].status, first["out.scad"].status) == ("failed", "failed")
    assert (first["lib/sizes.scad"].status, LIBRARY) == ("none", scripts.LIBRARY)  # a library is no fault
    client.force_login(maker)
    base = "/designs/aila/posts"
    lost = client.get(f"{base}/files/lost.scad").content.decode()
    assert "does not hold: BOSL2/std.scad" in lost and "cuboid(3)" in lost
    page = client.get(f"{base}/files/main.scad").content.decode()
    [address] = re.findall(rf'lc-model src="({base}/previews/[0-9a-f]{{40}}-[0-9a-f]{{64}}\.glb)"', page)
    assert b"".join(client.get(address))[:4] == b"glTF"  # type: ignore[arg-type]
    assert Client().get(address).status_code == 404

    other = create_design(owner=neighbour.handle, name="Wider", licence="MIT", by=neighbour)
    wide: dict[str, bytes | None] = files | {"lib/sizes.scad": b"wide = 8;"}
    write_files(design=other, files=wide, message="x", author=neighbour, by=neighbour)
    other = index_now(design=other, by=neighbour, draw=True)
    [wider] = [file for file in files_at(other, other.head) if file.path == "main.scad"]
    assert wider.entry.oid == first["main.scad"].entry.oid
    assert wider.blob.facts["volume_mm3"] == pytest.approx(8 * 8 * 7 + 27)  # type: ignore[union-attr,index]
    stolen = address.replace("/designs/aila/posts/", "/designs/niko/wider/")
    assert client.get(stolen).status_code == 404  # it holds the script, not all that this picture is made of
    made = {path: path.stat().st_mtime_ns for path in (store() / "scripts").glob("*/*/about.json")}
    index_now(design=other, by=neighbour, draw=True)
    again = {path: path.stat().st_mtime_ns for path in (store() / "scripts").glob("*/*/about.json")}
    assert again == made and len(made) == 4  # main.scad and lib/post.scad, each as either design has it


def test_a_board_of_an_old_version_is_drawn_when_somebody_looks(client: Client, maker: User) -> None:
    design = create_design(owner=maker.handle, name="Boards", licence="MIT", by=maker)
    files: dict[str, bytes | None] = {f"pcb/{name}": content for name, content in SET.items()}
    write_files(design=design, files=files, message="One", author=maker, by=maker)
    index_now(design=design, by=maker, draw=True)
    old = git.of(design.repository).head("main")
    last = sorted(files)[-1]
    write_files(design=design, files={last: None}, message="Two", author=maker, by=maker)
    design = index_now(design=design, by=maker, draw=True)
    shutil.rmtree(store() / "boards")  # as if only the newest had ever been looked at
    assert design.head != old
    page = f"/designs/aila/boards/?ref={old}"
    assert "It is drawn when its files are" in client.get(page).content.decode()
    do(Run.objects.get(kind="designs.preview", status=Run.Status.QUEUED).pk)
    shown = client.get(page).content.decode()
    picture = f"/designs/aila/boards/board/{old}/png/pcb"
    assert picture in shown and client.get(picture).status_code == 200
    client.get(page)
    assert not Run.objects.filter(kind="designs.preview", status=Run.Status.QUEUED).exists()
