"""Designs that come as a .zip: small ones at once, larger ones by a run, hostile ones not at all."""

import io
import random
import struct
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from commons.people.models import User
from commons.runs.models import Run
from commons.runs.work import do
from designs import git
from designs.errors import BadSource, NotYours, OverQuota, TooLarge
from designs.models import Design
from designs.services import uploads, zips

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, settings: Any) -> Path:
    """Where uploads lie; repositories are elsewhere."""
    settings.DATA_DIR = tmp_path / "data"
    return tmp_path / "data" / "uploads"


def zipped(files: Mapping[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", how) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return out.getvalue()


def sent(content: bytes, name: str = "My Thing.zip") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, content)


def left(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file()]


def files_of(design: Design) -> dict[str, bytes]:
    repository = git.of(design.repository)
    return {e.path: b"".join(repository.stream(e.oid)) for e in repository.files(repository.head("main"))}


def test_a_small_archive_is_a_design_at_once(maker: User, folder: Path) -> None:
    content = zipped({
        "thing/parts/deep/a.txt": b"a", "thing/b.txt": b"b", "thing/.git/config": b"[core]",
        "__MACOSX/thing/._b.txt": b"x", "thing/.DS_Store": b"x",
    })  # fmt: skip
    design = uploads.take(file=sent(content), owner=maker.handle, by=maker, summary="A thing", licence="MIT")
    assert isinstance(design, Design)
    assert (design.slug, design.name, design.summary) == ("my-thing", "my-thing", "A thing")
    assert files_of(design) == {"parts/deep/a.txt": b"a", "b.txt": b"b"}
    assert left(folder) == []
    assert Run.objects.get().kind == "designs.index"


def test_a_larger_one_is_unpacked_by_a_run(maker: User, folder: Path) -> None:
    noise = random.Random(7).randbytes(uploads.SMALL_BYTES + 1)
    run = uploads.take(file=sent(zipped({"a.bin": noise})), owner=maker.handle, by=maker, name="Big", licence="MIT")
    assert isinstance(run, Run)
    assert len(left(folder)) == 1
    do(run.pk)
    run.refresh_from_db()
    assert (run.status, run.result) == ("done", {"owner": "aila", "slug": "big", "url": "/designs/aila/big/"})
    assert files_of(Design.objects.get()) == {"a.bin": noise}


def test_small_outside_and_large_inside_is_not_unpacked_in_the_web(maker: User) -> None:
    content = zipped({"a.txt": b"\0" * (uploads.SMALL_UNPACKED_BYTES + 1)})
    assert len(content) < 100_000
    assert isinstance(uploads.take(file=sent(content), owner=maker.handle, by=maker, licence="MIT"), Run)


def lying(content: bytes, size: int) -> bytes:
    """The archive with another unpacked size in its table and before its file."""
    out = bytearray(content)
    for signature, at in ((b"PK\x03\x04", 22), (b"PK\x01\x02", 24)):
        start = out.index(signature)
        out[start + at : start + at + 4] = struct.pack("<I", size)
    return bytes(out)


def encrypted(content: bytes) -> bytes:
    out = bytearray(content)
    for signature, at in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        out[out.index(signature) + at] |= 1
    return bytes(out)


ONE = zipped({"a.txt": b"hello " * 100})
HOSTILE = {
    "no zip": (b"PK\x03\x04 not at all", BadSource),
    "nothing": (b"", BadSource),
    "no files": (zipped({}), BadSource),
    "leads out": (zipped({"../../out.txt": b"x"}), BadSource),
    "leads out by one": (zipped({"../out.txt": b"x"}), BadSource),
    "absolute": (zipped({"/etc/passwd": b"x"}), BadSource),
    "file and folder": (zipped({"a": b"x", "a/b": b"x"}), BadSource),
    "encrypted": (encrypted(ONE), BadSource),
    "says less than it holds": (lying(ONE, 7), BadSource),
    "says more than it may": (lying(ONE, 300 * 1024 * 1024), TooLarge),
    "cut": (ONE[: len(ONE) // 2], BadSource),
    "a table as large as a house": (ONE[:-10] + struct.pack("<I", zips.MAX_TABLE_BYTES + 1) + ONE[-6:], TooLarge),
    "a second end": (ONE[:-22] + b"PK\x06\x07" + bytes(16) + ONE[-22:], TooLarge),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_archives_are_refused_and_leave_nothing(what: str, maker: User, folder: Path, tmp_path: Path) -> None:
    content, refusal = HOSTILE[what]
    with pytest.raises(refusal) as said:
        uploads.take(file=sent(content), owner=maker.handle, by=maker, licence="MIT")
    assert str(tmp_path) not in str(said.value)
    assert left(folder) == []
    assert not Design.objects.exists()
    assert not list((tmp_path / "repositories").glob("*/*.git"))


def test_hostile_archives_over_http_hear_a_sentence_and_a_good_one_is_taken(maker: User, folder: Path) -> None:
    browser = Client(raise_request_exception=False)
    browser.force_login(maker)
    for what, (content, _refusal) in HOSTILE.items():
        answer = browser.post("/api/v1/designs/import/", {"archive": sent(content), "name": what, "licence": "MIT"})
        assert answer.status_code in {400, 413} and len(answer.json()["detail"]) > 15, (what, answer.content)
        page = browser.post("/designs/new/", {"name": what, "licence": "MIT", "archive": sent(content)})
        assert page.status_code in {400, 413, 422} and b"Traceback" not in page.content, what
    assert left(folder) == [] and not Design.objects.exists()
    good = browser.post("/api/v1/designs/import/", {"archive": sent(ONE), "name": "Good", "licence": "MIT"})
    assert good.status_code == 201 and files_of(Design.objects.get()) == {"a.txt": b"hello " * 100}


def test_too_many_files(maker: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(zips, "MAX_FILES", 3)
    content = zipped({f"{n}.txt": b"" for n in range(4)})
    with pytest.raises(TooLarge, match="4 files; 3 can"):
        uploads.take(file=sent(content), owner=maker.handle, by=maker, licence="MIT")


def test_room_and_rights(maker: User, neighbour: User, settings: Any, folder: Path) -> None:
    with pytest.raises(NotYours):
        uploads.take(file=sent(ONE), owner=maker.handle, by=neighbour, licence="MIT")
    settings.OWNER_QUOTA_BYTES = 500
    with pytest.raises(OverQuota):
        uploads.take(file=sent(ONE), owner=maker.handle, by=maker, licence="MIT")
    assert left(folder) == []


def test_the_page_and_the_api_take_it(maker: User) -> None:
    browser = Client()
    browser.force_login(maker)
    form = {"name": "Thing", "licence": "MIT", "visibility": "private", "summary": "Of a zip"}
    answer = browser.post("/designs/new/", {**form, "archive": sent(ONE)})
    assert (answer.status_code, answer["Location"]) == (302, "/designs/aila/thing/")
    both = browser.post("/designs/new/", {**form, "name": "Two", "archive": sent(ONE), "source": "https://a.example/x"})
    assert both.status_code == 422
    api = browser.post("/api/v1/designs/import/", {"archive": sent(ONE), "name": "By API", "licence": "MIT"})
    assert (api.status_code, api.json()["slug"], api.json()["mirror_of"]) == (201, "by-api", None)
    neither = browser.post("/api/v1/designs/import/", {"name": "By API"})
    assert (neither.status_code, neither.json()["code"]) == (400, "design:bad-source")
    bad = browser.post("/api/v1/designs/import/", {"archive": sent(b"x"), "name": "Bad", "licence": "MIT"})
    assert (bad.status_code, bad.json()["code"]) == (400, "design:bad-source")
