"""Folders of Gerber files, each one circuit board. What is known of a board lies in the store under a key made of the
contents of its files, so equal boards of different designs are drawn once, and a key says nothing to who lacks them."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from designs.queries import made
from designs.queries.files import File

KIND = "boards"
FEWEST, MOST = 2, 60
PICTURES = {"png": "picture.png", "small": "small.png"}


@dataclass(frozen=True, slots=True)
class Board:
    """Gerber files beside each other in a folder ("." for the top of the design)."""

    folder: str
    files: tuple[File, ...]

    @property
    def key(self) -> str:
        """Names and contents of its files and the engine's version, as one hash."""
        return made.key_of((PurePosixPath(file.path).name, file.entry.oid) for file in self.files)

    @property
    def about(self) -> dict[str, Any] | None:
        """{"reason", "facts"} once it was drawn, else None."""
        return made.about(KIND, self.key)

    @property
    def facts(self) -> dict[str, Any] | None:
        """Its facts when it could be drawn."""
        return (self.about or {}).get("facts")

    def picture(self, kind: str) -> Path | None:
        """The file of its picture, `png` or `small`, when there is one."""
        path = made.place_of(KIND, self.key) / PICTURES[kind]
        return path if path.is_file() else None


def boards(files: Iterable[File]) -> list[Board]:
    """The boards among the files of a version, by folder."""
    folders: dict[str, list[File]] = {}
    for file in files:
        if file.format == "gerber" and not file.path.lower().endswith(".zip") and not file.entry.is_symlink:
            folders.setdefault(str(PurePosixPath(file.path).parent), []).append(file)
    return [Board(name, tuple(found)) for name, found in sorted(folders.items()) if FEWEST <= len(found) <= MOST]


def board_in(files: Iterable[File], folder: str) -> Board | None:
    """The board in a folder, or None."""
    return next((board for board in boards(files) if board.folder == folder), None)
