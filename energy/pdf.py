"""Papers as PDF: text in two faces, right-set columns and thin rules, by fpdf2 with the letters that are used inside.

Noto Sans has Latin, Greek and Cyrillic; a letter of another script becomes the sign for a letter that lacks. The same
words of the same moment make the same bytes. fpdf2 is loaded by the first paper, not with the pages.
"""

import datetime as dt
import logging
import unicodedata
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fpdf import FPDF

MARGIN_PT = 56.0
FOOT_PT = 24.0
FONTS = Path(__file__).parent / "fonts"
LACKING = "\ufffd"
SPACES = str.maketrans({"\u202f": "\u00a0", "\u2009": "\u00a0", "\t": " "})


@cache
def letters() -> frozenset[int]:
    """The code points that the faces have."""
    from fontTools.ttLib import TTFont  # noqa: PLC0415 loaded by the first paper alone

    return frozenset(TTFont(FONTS / "NotoSans-Regular.ttf", lazy=True).getBestCmap())


def plain(text: str) -> str:
    """The text in letters of the face: composed, narrow spaces as plain ones, what lacks as its sign."""
    composed = unicodedata.normalize("NFC", text.translate(SPACES))
    return "".join(letter if ord(letter) in letters() else LACKING for letter in composed)


class Document:
    """Pages of A4 that fill from the top; begins another where the next line would not fit. `made_at` is what the file
    says of its making.
    """

    def __init__(self, *, title: str, made_at: dt.datetime, language: str = "en", foot: str = "") -> None:
        self.foot = foot
        self._file = _empty(title, language, made_at)
        self.y = 0.0
        self._turn()

    @property
    def right(self) -> float:
        """The right edge of what is set."""
        return float(self._file.w) - MARGIN_PT

    def _turn(self) -> None:
        self._file.add_page()
        self.y = MARGIN_PT

    def room(self, points: float) -> None:
        """Begin another page if so much is not left on this one."""
        if self.y + points > self._file.h - MARGIN_PT - FOOT_PT:
            self._turn()

    def down(self, points: float) -> None:
        """Leave room."""
        self.y += points

    def _face(self, size: float, *, bold: bool) -> None:
        self._file.set_font("Noto", "B" if bold else "", size)

    def width(self, text: str, size: float, *, bold: bool = False) -> float:
        """How wide a text is, in points."""
        self._face(size, bold=bold)
        return float(self._file.get_string_width(plain(text)))

    def wrapped(self, text: str, size: float, most: float, *, bold: bool = False) -> list[str]:
        """The text in lines no wider than `most` points, parted at spaces; a longer word stands alone."""
        lines = [""]
        for word in text.split(" "):
            longer = f"{lines[-1]} {word}".strip()
            if lines[-1] and self.width(longer, size, bold=bold) > most:
                lines.append(word)
            else:
                lines[-1] = longer
        return lines

    def text(self, x: float, text: str, size: float = 10, *, bold: bool = False, end: bool = False) -> None:
        """A text on the line of now, beginning at x, or ending there."""
        left = x - self.width(text, size, bold=bold) if end else x
        self._face(size, bold=bold)
        self._file.text(left, self.y, plain(text))

    def line(self, text: str, size: float = 10, *, bold: bool = False) -> None:
        """Lines of text across the page."""
        for part in self.wrapped(text, size, self.right - MARGIN_PT, bold=bold):
            self.room(size * 1.4)
            self.down(size * 1.4)
            self.text(MARGIN_PT, part, size, bold=bold)

    def rule(self, weight: float = 0.5) -> None:
        """A thin line across."""
        self.down(5)
        self._file.set_line_width(weight)
        self._file.line(MARGIN_PT, self.y, self.right, self.y)

    def bytes(self) -> bytes:
        """The file; nothing can be set after it."""
        count = self._file.pages_count
        self.y = self._file.h - MARGIN_PT + 20
        for number in range(1, count + 1):
            self._file.page = number
            self.text(MARGIN_PT, f"{self.foot}  {number}/{count}".strip(), 8)
        return bytes(self._file.output())


def _empty(title: str, language: str, made_at: dt.datetime) -> "FPDF":
    from fpdf import FPDF  # noqa: PLC0415 loaded by the first paper alone
    from fpdf.prefs import ViewerPreferences  # noqa: PLC0415

    logging.getLogger("fontTools").setLevel(logging.WARNING)  # else it tells of each table of each face
    file = FPDF(unit="pt", format="A4")
    file.set_auto_page_break(False)
    file.set_title(title)
    file.viewer_preferences = ViewerPreferences(display_doc_title=True)
    file.set_lang(language)
    file.set_producer("Living City")
    file.set_creation_date(made_at)
    for style, name in (("", "Regular"), ("B", "Bold")):
        file.add_font("Noto", style, FONTS / f"NotoSans-{name}.ttf")
    return file
