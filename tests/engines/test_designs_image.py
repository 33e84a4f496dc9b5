"""Pictures of strangers: drawn anew the right way up, without what they tell of places, and bombs refused."""

import struct
import zlib
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from designs import sandbox
from designs.engine import image
from designs.engine.errors import Unreadable
from designs.sandbox import results

RED, BLUE = (220, 30, 30), (30, 30, 220)


def _halves(size: tuple[int, int] = (1000, 600)) -> Image.Image:
    """Red on the left, blue on the right."""
    picture = Image.new("RGB", size, RED)
    picture.paste(BLUE, (size[0] // 2, 0, size[0], size[1]))
    return picture


def _photo(path: Path, orientation: int) -> Path:
    """A JPEG with a place, a comment and a colour profile in it."""
    from PIL import ImageCms

    exif = Image.Exif()
    exif[0x0112], exif[0x8825] = orientation, {1: "N", 2: (60.0, 10.0, 5.0), 3: "E", 4: (24.0, 56.0, 0.0)}
    profile = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    _halves().save(path, "JPEG", exif=exif, comment=b"SECRET", icc_profile=profile, quality=95)
    return path


def _colour(raw: bytes, across: float, down: float) -> tuple[int, ...]:
    seen = Image.open(BytesIO(raw)).convert("RGB")
    found = seen.getpixel((int(across * seen.width), int(down * seen.height)))
    assert isinstance(found, tuple)
    return found


def _is(found: tuple[int, ...], wanted: tuple[int, ...]) -> bool:
    return max(abs(a - b) for a, b in zip(found, wanted, strict=True)) < 30


@pytest.mark.parametrize(
    ("orientation", "red_at", "blue_at", "size"),
    [
        (1, (0.1, 0.5), (0.9, 0.5), (1000, 600)), (2, (0.9, 0.5), (0.1, 0.5), (1000, 600)),
        (3, (0.9, 0.5), (0.1, 0.5), (1000, 600)), (6, (0.5, 0.1), (0.5, 0.9), (600, 1000)),
        (8, (0.5, 0.9), (0.5, 0.1), (600, 1000)),
    ],
)  # fmt: skip
def test_a_photo_is_turned_as_its_camera_said(
    tmp_path: Path, orientation: int, red_at: tuple[float, float], blue_at: tuple[float, float], size: tuple[int, int]
) -> None:
    """The sides are those of the EXIF standard: 6 is turned right by a quarter, 8 left, 3 by half, 2 mirrored."""
    picture, small, large, facts = image.draw(_photo(tmp_path / "p.jpg", orientation), "jpeg")
    assert facts.more == {"kind": "picture", "width_px": size[0], "height_px": size[1], "moving": False}
    for raw, longest in ((picture, 640), (small, 256), (large, 1000)):
        assert max(Image.open(BytesIO(raw)).size) == longest
        assert _is(_colour(raw, *red_at), RED) and _is(_colour(raw, *blue_at), BLUE)


def test_nothing_but_pixels_is_left(tmp_path: Path) -> None:
    source = _photo(tmp_path / "p.jpg", 1)
    assert Image.open(source).getexif().get_ifd(0x8825) and b"SECRET" in source.read_bytes()
    for raw in image.draw(source, "jpeg")[:3]:
        again = Image.open(BytesIO(raw))
        assert not again.getexif() and not {"exif", "icc_profile", "xmp", "comment"} & again.info.keys()
        assert not any(mark in raw for mark in (b"SECRET", b"Exif", b"EXIF", b"ICCP", b"XMP "))


def test_a_moving_picture_shows_its_first_frame(tmp_path: Path) -> None:
    path = tmp_path / "m.gif"
    Image.new("RGB", (40, 30), RED).save(path, save_all=True, append_images=[Image.new("RGB", (40, 30), BLUE)] * 3)
    picture, _small, large, facts = image.draw(path, "gif")
    assert _is(_colour(picture, 0.5, 0.5), RED) and large == b""
    assert facts.more is not None and facts.more["moving"] is True
    assert not getattr(Image.open(BytesIO(picture)), "is_animated", False)


def test_clear_parts_stay_clear_and_deep_greys_stay_grey(tmp_path: Path) -> None:
    clear, deep = tmp_path / "c.png", tmp_path / "d.png"
    Image.new("RGBA", (50, 50), (*RED, 0)).save(clear)
    assert Image.open(BytesIO(image.draw(clear, "png")[0])).getextrema()[3] == (0, 0)  # type: ignore[index]
    Image.fromarray(np.full((50, 50), 0x8000, np.uint16)).save(deep)
    assert _is(_colour(image.draw(deep, "png")[0], 0.5, 0.5), (128, 128, 128))


def _png_of(width: int, height: int) -> bytes:
    """A PNG that says it is so large, with hardly any bytes."""

    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize(
    ("content", "file_format", "word"),
    [
        (_png_of(60_000, 60_000), "png", "80 megapixels"), (_png_of(9_000, 9_000), "png", "80 megapixels"),
        (_png_of(500, 500), "png", "cut off"), (b"<script>", "png", "cut off"), (b"ftypheic" * 20, "heic", "HEIC"),
        (b"\xff\xd8\xff\xe1", "jpeg", "cut off"),
    ],
)  # fmt: skip
def test_what_is_no_picture_is_a_sentence(tmp_path: Path, content: bytes, file_format: str, word: str) -> None:
    (tmp_path / "x").write_bytes(content)
    with pytest.raises(Unreadable, match=word):
        image.draw(tmp_path / "x", file_format)


def test_through_the_walls(tmp_path: Path) -> None:
    result = sandbox.draw(_photo(tmp_path / "p.jpg", 6), "jpeg").result
    assert result.ready, result.reason
    assert result.facts is not None and result.facts["more"]["width_px"] == 600
    assert result.png[:4] == result.small[:4] == result.large[:4] == b"RIFF"


def test_a_webp_with_more_than_pixels_is_not_believed(tmp_path: Path) -> None:
    good, bad, moving = tmp_path / "good.webp", tmp_path / "bad.webp", tmp_path / "moving.webp"
    _halves().save(good, "WEBP")
    _halves().save(bad, "WEBP", exif=b"Exif\0\0II*\0\x08\0\0\0\0\0")
    _halves().save(moving, "WEBP", save_all=True, append_images=[_halves((1000, 600)).rotate(180)])
    assert results._webp(good) == good.read_bytes()
    for path in (bad, moving):
        with pytest.raises(ValueError, match="webp chunk"):
            results._webp(path)
