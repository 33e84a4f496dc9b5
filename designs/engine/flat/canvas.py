"""Pictures of flat things: lines and areas in millimetres put on a page by resvg, on no ground or on their own."""

from collections.abc import Iterable, Sequence
from io import BytesIO
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from designs.engine.errors import Unreadable

if TYPE_CHECKING:
    from PIL.Image import Image

Points = npt.NDArray[np.float64]
WIDTH, HEIGHT = 640, 480
SMALL = (256, 192)
MARGIN_PX = 28.0
#: Colours that read on light and on dark paper, spruce first.
PALETTE = ("#2f7d68", "#c8643c", "#4a78b5", "#b0892f", "#8a5fa8", "#5d7f3a", "#b04a6a", "#5b6f7d")
#: More numbers than these in one picture are no picture any more.
#: Further off the page than this a place makes no difference to the picture, but may break the rasteriser.
FAR_PX = 20_000.0
MAX_POINTS = 3_000_000


class Canvas:
    """A page of 640 x 480 px, or a part of one, that shows a box (low x, low y, high x, high y in mm) with y up."""

    def __init__(
        self, box: Sequence[float], *, frame: Sequence[float] = (0, 0, WIDTH, HEIGHT), flip: bool = True
    ) -> None:
        left, top, right, bottom = frame
        width, height = max(box[2] - box[0], 1e-3), max(box[3] - box[1], 1e-3)
        self.px = min((right - left - 2 * MARGIN_PX) / width, (bottom - top - 2 * MARGIN_PX) / height)
        self._middle = np.array([(box[0] + box[2]) / 2, (box[1] + box[3]) / 2])
        self._at = np.array([(left + right) / 2, (top + bottom) / 2])
        self._turn = np.array([self.px, -self.px if flip else self.px])
        self.body: list[str] = []
        self._count = 0

    def mirror(self, *, across: bool) -> None:
        """Show the box as seen from behind."""
        if across:
            self._turn = self._turn * np.array([-1.0, 1.0])

    def spot(self, points: Points) -> Points:
        """Where points in mm (n, 2) are on the page, in px."""
        seen: Points = (np.asarray(points, np.float64) - self._middle) * self._turn + self._at
        return np.clip(seen, -FAR_PX, FAR_PX)

    def path(self, lines: Iterable[Points], *, closed: bool = False) -> str:
        """The lines as the data of one SVG path, thinned to what a hundredth of a pixel shows."""
        pieces = []
        for line in lines:
            seen = self.spot(line)
            if len(seen) > 400:
                seen = seen[np.concatenate([[True], np.abs(np.diff(np.round(seen * 4), axis=0)).sum(axis=1) > 0])]
            if len(seen) == 1:
                seen = np.repeat(seen, 2, axis=0)
            self._count += len(seen)
            if self._count > MAX_POINTS:
                raise Unreadable("The drawing has too many lines for a picture.")
            pieces.append("M" + "L".join(f"{x:.2f} {y:.2f}" for x, y in seen.tolist()) + ("Z" if closed else ""))
        return "".join(pieces)

    def stroke(
        self, lines: Iterable[Points], colour: str, *, px: float, closed: bool = False, opacity: float = 1
    ) -> None:
        """Draw lines of that width in px."""
        data = self.path(lines, closed=closed)
        if data:
            self.body.append(
                f'<path d="{data}" fill="none" stroke="{colour}" stroke-width="{px:.2f}" stroke-linecap="round"'
                f' stroke-linejoin="round" opacity="{opacity:.2f}"/>'
            )

    def fill(self, rings: Iterable[Points], colour: str, *, opacity: float = 1) -> None:
        """Fill closed rings, with holes where rings lie in rings."""
        data = self.path(rings, closed=True)
        if data:
            self.body.append(f'<path d="{data}" fill="{colour}" fill-rule="evenodd" opacity="{opacity:.2f}"/>')


def png(*canvases: Canvas) -> tuple[bytes, bytes]:
    """The canvases over one another as a picture and a small one, PNG with alpha."""
    body = "".join(piece for canvas in canvases for piece in canvas.body)
    return of_svg(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}">{body}</svg>')


def of_svg(svg: str) -> tuple[bytes, bytes]:
    """A picture and a small one of an SVG text that fills the page."""
    import resvg_py  # noqa: PLC0415 only for drawings
    from PIL import Image  # noqa: PLC0415

    Image.MAX_IMAGE_PIXELS = 50_000_000
    try:
        picture = Image.open(BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=svg, width=WIDTH, dpi=96)))).convert("RGBA")
    except (ValueError, OSError, Image.DecompressionBombError) as error:
        raise Unreadable(f"The drawing cannot be drawn: {str(error)[:100]}.") from None
    return on_page(picture)


def beside(svgs: Sequence[str]) -> tuple[bytes, bytes]:
    """One picture of one or two SVG texts: two stand beside or over each other, whichever shows them larger."""
    from PIL import Image  # noqa: PLC0415

    drawn = [_rastered(svg) for svg in svgs]
    if len(drawn) == 1:
        return on_page(drawn[0], margin=int(MARGIN_PX))
    first = drawn[0]
    wide = first.width > first.height * WIDTH / HEIGHT
    gap = max(first.size) // 16
    size = (max(d.width for d in drawn), sum(d.height for d in drawn) + gap) if wide else (
        sum(d.width for d in drawn) + gap, max(d.height for d in drawn))  # fmt: skip
    sheet, at = Image.new("RGBA", size, (255, 255, 255, 0)), 0
    for one in drawn:
        sheet.paste(one, (0, at) if wide else (at, 0))
        at += (one.height if wide else one.width) + gap
    return on_page(sheet, margin=int(MARGIN_PX))


def _rastered(svg: str) -> "Image":
    import resvg_py  # noqa: PLC0415 only for drawings
    from PIL import Image  # noqa: PLC0415

    Image.MAX_IMAGE_PIXELS = 50_000_000
    try:
        raw = bytes(resvg_py.svg_to_bytes(svg_string=svg, width=2 * WIDTH, dpi=96))
        return Image.open(BytesIO(raw)).convert("RGBA")
    except (ValueError, OSError, Image.DecompressionBombError) as error:
        raise Unreadable(f"The drawing cannot be drawn: {str(error)[:100]}.") from None


def on_page(picture: "Image", *, margin: int = 0) -> tuple[bytes, bytes]:
    """A Pillow picture fitted into the middle of the page, and the same small, as PNG with alpha."""
    from PIL import Image  # noqa: PLC0415

    fitted = picture.convert("RGBA")
    fitted.thumbnail((WIDTH - 2 * margin, HEIGHT - 2 * margin), Image.Resampling.LANCZOS)
    stage = Image.new("RGBA", (WIDTH, HEIGHT), (255, 255, 255, 0))
    stage.paste(fitted, ((WIDTH - fitted.width) // 2, (HEIGHT - fitted.height) // 2))
    out, small = BytesIO(), BytesIO()
    stage.save(out, "PNG", optimize=True)
    stage.resize(SMALL, Image.Resampling.LANCZOS).save(small, "PNG", optimize=True)
    return out.getvalue(), small.getvalue()
