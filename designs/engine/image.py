"""A stranger's picture drawn anew, in three sizes and without any of its metadata. Runs behind the walls alone."""

from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

from designs.engine.errors import Unreadable
from designs.engine.facts import Facts

#: The longest side of each size, in px.
LARGE_PX, PICTURE_PX, SMALL_PX = 1600, 640, 256
MAX_PIXELS = 80_000_000
FORMATS = ("JPEG", "PNG", "WEBP", "GIF")
ORIENTATION = 0x0112


def draw(path: Path, file_format: str) -> tuple[bytes, bytes, bytes, Facts]:
    """The picture, a small one and a large one as WebP (the last empty where the first is as large), and the facts.

    It is turned as its camera said; of a moving picture it is the first frame. EXIF, XMP, comments and colour profiles
    stay behind, since a place can be in any of them. Raises Unreadable.
    """
    if file_format == "heic":
        raise Unreadable("HEIC pictures are not read here; save it as JPEG or PNG and it is shown.")
    Image.MAX_IMAGE_PIXELS = MAX_PIXELS
    try:
        with Image.open(path, formats=FORMATS) as opened:
            size = opened.size
            if size[0] * size[1] > MAX_PIXELS:
                raise Unreadable("The picture has more than 80 megapixels.")
            turned = opened.getexif().get(ORIENTATION, 1) in {5, 6, 7, 8}
            moving = bool(getattr(opened, "is_animated", False))
            if moving:
                opened.seek(0)
            opened.draft("RGB", (LARGE_PX, LARGE_PX))
            seen = _pixels(ImageOps.exif_transpose(opened) or opened)
    except Image.DecompressionBombError:
        raise Unreadable("The picture has more than 80 megapixels.") from None
    except (OSError, ValueError, SyntaxError, EOFError, IndexError, TypeError, KeyError, OverflowError):
        raise Unreadable("The picture cannot be read: it is cut off, or no PNG, JPEG, WebP or GIF.") from None
    width, height = (size[1], size[0]) if turned else size
    more = {"kind": "picture", "width_px": width, "height_px": height, "moving": moving}
    large = _webp(seen, LARGE_PX) if max(size) > PICTURE_PX else b""
    found = Facts("px", 0, False, None, 0.0, (0.0, 0.0, 0.0), 1, (), more=more)
    return _webp(seen, PICTURE_PX), _webp(seen, SMALL_PX), large, found


def _pixels(picture: Image.Image) -> Image.Image:
    """A new picture, RGB or with alpha RGBA, that shares nothing but pixels with the old one."""
    if picture.mode.startswith("I"):  # 16 bits a pixel, which a plain conversion would cut off at 255
        deep = np.asarray(picture).astype(np.int64)
        picture = Image.fromarray((np.clip(deep, 0, 65535) >> 8).astype(np.uint8), "L")
    clear = picture.mode in {"RGBA", "LA", "PA", "La", "RGBa"} or "transparency" in picture.info
    seen = picture.convert("RGBA" if clear else "RGB")
    fresh = Image.new(seen.mode, seen.size)
    fresh.paste(seen)
    return fresh


def _webp(picture: Image.Image, longest: int) -> bytes:
    seen = picture.copy()
    seen.thumbnail((longest, longest), Image.Resampling.LANCZOS)
    out = BytesIO()
    seen.save(out, "WEBP", quality=84, method=4)
    return out.getvalue()
