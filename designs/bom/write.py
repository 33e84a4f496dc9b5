"""Parts lists as CSV that a spreadsheet opens without running anything."""

from collections.abc import Iterable

from commons import csv_files
from designs.bom.lines import Line

COLUMNS = ("name", "quantity", "unit", "mass_g", "cost", "currency", "supplier_ref", "source_url", "file", "design",
           "designators", "material", "note")  # fmt: skip


def write_csv(lines: Iterable[Line]) -> str:
    """The lines with our own headings; `read_table` reads them again."""
    return csv_files.text(COLUMNS, map(_cells, lines))


def _cells(line: Line) -> list[str]:
    design = f"{line.design}@{line.version}" if line.design and line.version else line.design
    return [
        line.name, "" if line.quantity is None else f"{line.quantity:.12g}", line.unit,
        "" if line.mass_g is None else f"{line.mass_g:.12g}", "" if line.cost is None else f"{line.cost:f}",
        line.currency, line.supplier_ref, line.source_url, line.path, design, line.designators, line.material,
        line.note,
    ]  # fmt: skip
