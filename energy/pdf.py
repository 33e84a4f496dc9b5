"""PDF of plain pages: text in two faces, right-set columns and thin rules; no fonts inside, so it is a few kB (pure).

The faces are Helvetica and its bold, which every reader of PDF has; widths are those of Adobe's metrics. Letters are
those of Windows-1252: an accent that is not in it is dropped, and a letter that is not at all becomes a question mark.
"""

import unicodedata
import zlib
from collections.abc import Sequence

A4_PT = (595.28, 841.89)
MARGIN_PT = 56.0
# Adobe's metrics of Helvetica and Helvetica-Bold, thousandths of the size, for the letters 32 to 126
PLAIN = (
    278, 278, 355, 556, 556, 889, 667, 191, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 278, 278, 584, 584, 584, 556, 1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556, 333, 556, 556, 500, 556,
    556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556, 556, 556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334,
    260, 334, 584,
)  # fmt: skip
BOLD = (
    278, 333, 474, 556, 556, 889, 722, 238, 333, 333, 389, 584, 278, 333, 278, 278, 556, 556, 556, 556, 556, 556, 556,
    556, 556, 556, 333, 333, 584, 584, 584, 611, 975, 722, 722, 722, 722, 667, 611, 778, 722, 278, 556, 722, 611, 833,
    722, 778, 667, 778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 333, 278, 333, 584, 556, 333, 556, 611, 556, 611,
    556, 333, 611, 611, 278, 278, 556, 278, 889, 611, 611, 611, 611, 389, 556, 333, 611, 556, 778, 556, 556, 500, 389,
    280, 389, 584,
)  # fmt: skip
WIDE = {"€": 556, "–": 556, "—": 1000, "’": 222, "‘": 222, "“": 333, "”": 333, "§": 556, "·": 278, "×": 584, "…": 1000}
SPACES = str.maketrans({"\u202f": "\u00a0", "\u2009": "\u00a0", "\u2212": "–", "₂": "2"})


def plain(text: str) -> str:
    """The text in letters of Windows-1252."""
    found = []
    for letter in text.translate(SPACES):
        for form in (letter, unicodedata.normalize("NFKD", letter)[:1]):
            if form and form.encode("cp1252", "ignore"):
                found.append(form)
                break
        else:
            found.append("?")
    return "".join(found)


def width(text: str, size: float, *, bold: bool = False) -> float:
    """How wide a text is, in points; an accented letter is as wide as without."""
    table = BOLD if bold else PLAIN
    whole = 0
    for letter in plain(text):
        base = "\u0020" if letter == "\u00a0" else unicodedata.normalize("NFKD", letter)[:1]
        code = ord(base) - 32
        whole += WIDE.get(letter, table[code] if 0 <= code < len(table) else 556)
    return whole * size / 1000


def wrapped(text: str, size: float, most: float, *, bold: bool = False) -> list[str]:
    """The text in lines no wider than `most` points, parted at spaces; a longer word stands alone."""
    lines = [""]
    for word in text.split(" "):
        longer = f"{lines[-1]} {word}".strip()
        if lines[-1] and width(longer, size, bold=bold) > most:
            lines.append(word)
        else:
            lines[-1] = longer
    return lines


class Document:
    """Pages that fill from the top; begins another where the next line would not fit."""

    def __init__(self, *, title: str, language: str = "en", foot: str = "") -> None:
        self.title, self.language, self.foot = title, language, foot
        self._pages: list[list[str]] = []
        self.y = 0.0
        self._turn()

    @property
    def right(self) -> float:
        """The right edge of what is set."""
        return A4_PT[0] - MARGIN_PT

    def _turn(self) -> None:
        self._pages.append([])
        self.y = A4_PT[1] - MARGIN_PT

    def room(self, points: float) -> None:
        """Begin another page if so much is not left on this one."""
        if self.y - points < MARGIN_PT + 24:
            self._turn()

    def down(self, points: float) -> None:
        """Leave room."""
        self.y -= points

    def text(self, x: float, text: str, size: float = 10, *, bold: bool = False, end: bool = False) -> None:
        """A text on the line of now, beginning at x, or ending there."""
        known = plain(text)
        left = x - width(known, size, bold=bold) if end else x
        face = "B" if bold else "R"
        words = known.encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
        shown = words.decode("latin-1")
        self._pages[-1].append(f"BT /{face} {size:g} Tf {left:.2f} {self.y:.2f} Td ({shown}) Tj ET")

    def line(self, text: str, size: float = 10, *, bold: bool = False) -> None:
        """Lines of text across the page."""
        for part in wrapped(text, size, self.right - MARGIN_PT, bold=bold):
            self.room(size * 1.4)
            self.down(size * 1.4)
            self.text(MARGIN_PT, part, size, bold=bold)

    def rule(self, weight: float = 0.5) -> None:
        """A thin line across."""
        self.down(5)
        self._pages[-1].append(f"{weight:g} w {MARGIN_PT:.2f} {self.y:.2f} m {self.right:.2f} {self.y:.2f} l S")

    def bytes(self) -> bytes:
        """The file: PDF 1.7, the same bytes for the same words."""
        count = len(self._pages)
        for number, page in enumerate(self._pages, start=1):
            words = f"{self.foot}  {number}/{count}".strip()
            shown = plain(words).encode("cp1252").replace(b"\\", b"\\\\").replace(b"(", b"\\(").replace(b")", b"\\)")
            page.append(f"BT /R 8 Tf {MARGIN_PT:.2f} {MARGIN_PT - 20:.2f} Td ({shown.decode('latin-1')}) Tj ET")
        title = "<FEFF" + self.title.encode("utf-16-be").hex().upper() + ">"
        face = "<< /Type /Font /Subtype /Type1 /BaseFont /{} /Encoding /WinAnsiEncoding >>"
        kids = " ".join(f"{6 + 2 * i} 0 R" for i in range(count))
        objects: list[bytes] = [
            f"<< /Type /Catalog /Pages 2 0 R /Lang ({self.language}) "
            "/ViewerPreferences << /DisplayDocTitle true >> >>".encode(),
            f"<< /Type /Pages /Kids [{kids}] /Count {count} >>".encode(),
            face.format("Helvetica").encode(),
            face.format("Helvetica-Bold").encode(),
            f"<< /Title {title} /Producer (Living City) >>".encode(),
        ]
        for i, page in enumerate(self._pages):
            stream = zlib.compress("\n".join(page).encode("latin-1"), 9)
            objects.append(
                f"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 {A4_PT[0]} {A4_PT[1]}] /Contents {7 + 2 * i} 0 R "
                "/Resources << /Font << /R 3 0 R /B 4 0 R >> >> >>".encode()
            )
            objects.append(
                f"<< /Length {len(stream)} /Filter /FlateDecode >>\nstream\n".encode() + stream + b"\nendstream"
            )
        return _file(objects)


def _file(objects: Sequence[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.7\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for number, body in enumerate(objects, start=1):
        places.append(len(out))
        out += f"{number} 0 obj\n".encode() + body + b"\nendobj\n"
    start = len(out)
    out += f"xref\n0 {len(objects) + 1}\n0000000000 65535 f \n".encode()
    out += b"".join(f"{place:010d} 00000 n \n".encode() for place in places)
    out += f"trailer\n<< /Size {len(objects) + 1} /Root 1 0 R /Info 5 0 R >>\nstartxref\n{start}\n%%EOF\n".encode()
    return bytes(out)
