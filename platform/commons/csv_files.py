"""The one writer of CSV: UTF-8, commas, CRLF (RFC 4180), and no cell that a spreadsheet would run.

A cell that begins with `=`, `+`, `-`, `@`, a tab or a line end is a formula to one program or another, also behind
blanks; so is what follows a semicolon, a tab or a line end within a cell, where a program parts the columns there. An
apostrophe before it makes it words. Numbers stay numbers: `-4.5` is written as it is (`docs/hostile-input.md`).
"""

import csv
import io
import re
from collections.abc import Iterable, Iterator, Sequence
from decimal import Decimal
from typing import IO, Any

import orjson
from django.http import StreamingHttpResponse

TYPE = "text/csv; charset=utf-8"
#: How much is gathered before it is sent.
CHUNK = 32_768
_BLANK = r"[ \x0b\x0c\u00a0\u200b\u200e\u200f\u202a-\u202e\u2060\u3000\ufeff]*"
_FORMULA = r"[=+\-@\t\r\n|%＝＋－＠]"
_STARTS = re.compile(rf"{_BLANK}{_FORMULA}")
_WITHIN = re.compile(r"([;\t\r\n]['\"]*" + _BLANK + r"['\"]*)(?=[=+\-@＝＋－＠])")
_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


def harmless(cell: Any) -> Any:
    """The cell as it may stand in a file: a number, or text that no spreadsheet takes for a formula."""
    if cell is None:
        return ""
    if isinstance(cell, bool | int | float | Decimal):
        return cell
    words = _as_json(cell) if isinstance(cell, dict | list | tuple) else str(cell)
    if _NUMBER.fullmatch(words):
        return words
    words = _WITHIN.sub(r"\1'", words)
    return f"'{words}" if _STARTS.match(words) else words


def _as_json(cell: Any) -> str:
    return orjson.dumps(cell, default=str, option=orjson.OPT_NON_STR_KEYS).decode()


def lines(columns: Sequence[Any], rows: Iterable[Sequence[Any]]) -> Iterator[str]:
    """The file piece by piece, as the rows are read."""
    held = io.StringIO()
    writer = csv.writer(held)
    writer.writerow([harmless(cell) for cell in columns])
    for row in rows:
        writer.writerow([harmless(cell) for cell in row])
        if held.tell() > CHUNK:
            yield held.getvalue()
            held.seek(0)
            held.truncate()
    yield held.getvalue()


def text(columns: Sequence[Any], rows: Iterable[Sequence[Any]]) -> str:
    """The whole file."""
    return "".join(lines(columns, rows))


def write(out: IO[bytes], columns: Sequence[Any], rows: Iterable[Sequence[Any]]) -> None:
    """The file into an open one."""
    for piece in lines(columns, rows):
        out.write(piece.encode("utf-8", "replace"))


def answer(name: str, columns: Sequence[Any], rows: Iterable[Sequence[Any]]) -> StreamingHttpResponse:
    """The file `NAME.csv` to be kept, sent as its rows are read."""
    pieces = (piece.encode("utf-8", "replace") for piece in lines(columns, rows))
    response = StreamingHttpResponse(pieces, content_type=TYPE)
    response["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return response
