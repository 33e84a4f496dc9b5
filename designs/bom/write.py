"""Parts lists as CSV that a spreadsheet opens without running anything."""

import csv
import io
from collections.abc import Iterable

from designs.bom.lines import Line

#: A cell that begins so is a formula for some program; an apostrophe before it makes it words.
STARTS = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "%", "＝", "＋", "－", "＠")
COLUMNS = ("name", "quantity", "unit", "mass_g", "cost", "currency", "supplier_ref", "source_url", "file", "design",
           "designators", "material", "note")  # fmt: skip


def write_csv(lines: Iterable[Line]) -> str:
    """The lines with our own headings; `read_table` reads them again."""
    out = io.StringIO()
    table = csv.writer(out, lineterminator="\r\n")
    table.writerow(COLUMNS)
    for line in lines:
        table.writerow([safe_cell(cell) for cell in _cells(line)])
    return out.getvalue()


def _cells(line: Line) -> list[str]:
    design = f"{line.design}@{line.version}" if line.design and line.version else line.design
    return [
        line.name, "" if line.quantity is None else f"{line.quantity:.12g}", line.unit,
        "" if line.mass_g is None else f"{line.mass_g:.12g}", "" if line.cost is None else f"{line.cost:f}",
        line.currency, line.supplier_ref, line.source_url, line.path, design, line.designators, line.material,
        line.note,
    ]  # fmt: skip


def safe_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula."""
    return f"'{text}" if text.lstrip(" ").startswith(STARTS) else text
