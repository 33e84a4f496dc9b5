"""Open Know-How manifests: read, checked and written in both of their languages."""

from designs.okh.documents import Unreadable
from designs.okh.export import write
from designs.okh.manifest import FileRef, Manifest, Part, Person, Reference, Software
from designs.okh.read import Reading, read
from designs.okh.writing import write_toml, write_yaml

__all__ = [
    "FileRef",
    "Manifest",
    "Part",
    "Person",
    "Reading",
    "Reference",
    "Software",
    "Unreadable",
    "read",
    "write",
    "write_toml",
    "write_yaml",
]
