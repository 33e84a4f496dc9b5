"""PDF documents made here, with pages and sizes that are known."""

import io
from pathlib import Path

import pytest
from PIL import Image

from designs.engine import document
from designs.engine.errors import Unreadable


def read(tmp_path: Path, raw: bytes) -> dict:
    path = tmp_path / "d.pdf"
    path.write_bytes(raw)
    return document.draw(path)[2].as_json()


@pytest.mark.parametrize("pages", [1, 3])
def test_pages_and_size_as_another_program_wrote_them(tmp_path: Path, pages: int) -> None:
    out = io.BytesIO()
    sheets = [Image.new("RGB", (595, 842), "white") for _ in range(pages)]
    sheets[0].save(out, "PDF", resolution=72, save_all=True, append_images=sheets[1:])
    found = read(tmp_path, out.getvalue())
    assert found["more"]["pages"] == pages
    assert found["extents_mm"][:2] == pytest.approx((209.9, 297.0), abs=0.1)
    assert not found["more"]["locked"]


def test_pages_packed_in_a_stream(tmp_path: Path) -> None:
    import zlib

    packed = zlib.compress(b"1 0 2 40 <</Type/Pages/Kids[3 0 R]/Count 7/MediaBox[0 0 720 360]>> <</Type/Catalog>>")
    raw = (
        b"%PDF-1.5\n5 0 obj<</Type/ObjStm/N 2/First 9/Filter/FlateDecode/Length 99>>stream\n"
        + packed
        + b"\nendstream endobj"
    )
    found = read(tmp_path, raw)
    assert found["more"]["pages"] == 7
    assert found["extents_mm"][:2] == (254, 127)


@pytest.mark.parametrize("raw", [b"", b"hello", b"%PDF-1.4 nothing", b"%PDF-1.7" + b"<<" * 200_000 + b"/Type/Pages"])
def test_hostile_documents_are_a_sentence(tmp_path: Path, raw: bytes) -> None:
    try:
        read(tmp_path, raw)
    except Unreadable as reason:
        assert str(reason).endswith(".")


def test_a_bomb_is_unpacked_within_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import zlib

    monkeypatch.setattr(document, "MAX_UNPACKED", 10_000)
    bomb = zlib.compress(b"\0" * 5_000_000 + b"/Type/Pages/Count 9 endobj")
    raw = b"%PDF-1.5 /Type/Page \n<</Type/ObjStm>>stream\n" + bomb + b"endstream"
    assert sum(map(len, document._objects(raw))) <= 10_000
    assert read(tmp_path, raw)["more"]["pages"] == 1
