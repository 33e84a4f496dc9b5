"""Writes of designs: making and naming them, their files, their index, their previews, copies from elsewhere."""

from designs.services.designs import create_design, delete_design
from designs.services.files import write_files
from designs.services.forks import fork_design, set_visibility
from designs.services.imports import import_design, import_later, wish
from designs.services.index import index_later, index_now, rebuild

__all__ = [
    "create_design",
    "delete_design",
    "fork_design",
    "import_design",
    "import_later",
    "index_later",
    "index_now",
    "rebuild",
    "set_visibility",
    "wish",
    "write_files",
]
