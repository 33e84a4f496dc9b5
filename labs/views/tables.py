"""Tables for spreadsheets."""

import csv
import io
from collections.abc import Iterable, Iterator, Sequence

from django.http import StreamingHttpResponse

STARTS_A_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def csv_of(name: str, columns: Sequence[str], rows: Iterable[Sequence[str]]) -> StreamingHttpResponse:
    """The rows as a CSV file, written as they are read; text that a spreadsheet would run is marked as text."""

    def lines() -> Iterator[str]:
        held = io.StringIO()
        writer = csv.writer(held)
        writer.writerow(columns)
        for row in rows:
            writer.writerow([_harmless(cell) for cell in row])
            if held.tell() > 32_768:
                yield held.getvalue()
                held.seek(0)
                held.truncate()
        yield held.getvalue()

    answer = StreamingHttpResponse(lines(), content_type="text/csv; charset=utf-8")
    answer["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    return answer


def _harmless(cell: str) -> str:
    """The cell; a quote before what a spreadsheet would take for a formula, but numbers stay numbers."""
    if not cell.startswith(STARTS_A_FORMULA):
        return cell
    try:
        float(cell)
    except ValueError:
        return f"'{cell}"
    return cell
