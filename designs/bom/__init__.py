"""Parts lists: read from tables, from the head of a Markdown file or from an OKH manifest, compared and added up."""

from designs.bom.compare import LineChange, compare
from designs.bom.front import from_manifest, read_front_matter
from designs.bom.lines import Bom, Finding, Line
from designs.bom.rollup import Found, Node, Rolled, Totals, roll_up
from designs.bom.table import read_table
from designs.bom.write import write_csv

__all__ = [
    "Bom",
    "Finding",
    "Found",
    "Line",
    "LineChange",
    "Node",
    "Rolled",
    "Totals",
    "compare",
    "from_manifest",
    "read_front_matter",
    "read_table",
    "roll_up",
    "write_csv",
]
