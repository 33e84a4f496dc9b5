"""A stranger's photo drawn anew: two JPEGs without any of its metadata. Runs behind the walls of the sandbox alone."""

import json
from pathlib import Path

from PIL import Image, ImageOps

LARGE_PX, SMALL_PX = 1600, 480
MAX_PIXELS = 80_000_000
FORMATS = ("JPEG", "PNG", "WEBP")


def make(source: Path, folder: Path) -> None:
    """Write large.jpg (at most 1600 px), small.jpg (at most 480 px) and photo.json into the folder.

    The picture is turned as its camera said and put on white; EXIF, XMP, comments, colour profiles and thumbnails are
    left behind, since a photo's place can be in any of them. A picture of more than 80 megapixels, or that cannot be
    read to its end, is a reason in words.
    """
    document = _drawn(source, folder)
    (folder / "photo.json").write_text(json.dumps(document))


def _drawn(source: Path, folder: Path) -> dict[str, object]:
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        with Image.open(source, formats=FORMATS) as opened:
            if opened.width * opened.height > MAX_PIXELS:
                return {"reason": "The photo has more than 80 megapixels."}
            opened.draft("RGB", (LARGE_PX, LARGE_PX))
            upright = ImageOps.exif_transpose(opened) or opened
            picture = _on_white(upright)
    except Image.DecompressionBombError:
        return {"reason": "The photo has more than 80 megapixels."}
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, KeyError):
        return {"reason": "This is no JPEG, PNG or WebP photo that can be read."}
    small = picture.copy()
    picture.thumbnail((LARGE_PX, LARGE_PX), Image.Resampling.LANCZOS)
    small.thumbnail((SMALL_PX, SMALL_PX), Image.Resampling.LANCZOS)
    _save(picture, folder / "large.jpg")
    _save(small, folder / "small.jpg")
    return {"width": picture.width, "height": picture.height}


def _on_white(picture: Image.Image) -> Image.Image:
    """A new RGB picture that shares nothing but pixels with the old one."""
    seen = picture.convert("RGBA") if picture.mode in {"RGBA", "LA", "PA", "P"} else picture.convert("RGB")
    white = Image.new("RGB", seen.size, "white")
    white.paste(seen, mask=seen.getchannel("A") if seen.mode == "RGBA" else None)
    return white


def _save(picture: Image.Image, path: Path) -> None:
    picture.save(path, "JPEG", quality=85, optimize=True, progressive=True)
