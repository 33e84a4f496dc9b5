"""What lies between two versions of a design: its files, and of each what differs in the thing itself."""

import difflib
import re
from dataclasses import dataclass, replace
from typing import Any

from django.utils.functional import cached_property
from django.utils.translation import gettext as _

from commons.errors import CityError
from designs import git, sheets
from designs.engine import formats
from designs.engine.diff import DIFF_VERSION
from designs.errors import BadRevision, DesignNotFound
from designs.git import comparing
from designs.git.comparing import Change, Hunk, Line
from designs.models import Blob, Design, ShapeDiff
from designs.queries import lfs, tables
from designs.sheets import SheetDiff

#: Of one comparison: shapes that are compared, files that are listed, texts that are shown in full.
MAX_SHAPES = 40
MAX_FILES = 400
MAX_LINES = 1500
MAX_TABLE_BYTES = 256 * 1024
IMAGES = frozenset(formats.IMAGES.values())
DRAWINGS = frozenset(formats.DRAWINGS.values())
TABLES = re.compile(r"(^|[/_. -])(bom|parts|partslist|parts[_-]list|stueckliste)([/_. -]|$)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class FileDiff:
    """A file that differs. `shape` is what the engine found, None where there is nothing to compute or not yet.

    `kind`: solid, drawing, image, table, text or other; `moved` when only its name changed.
    """

    change: Change
    kind: str
    before: Blob | None = None
    after: Blob | None = None
    shape: ShapeDiff | None = None
    left_out: bool = False

    @property
    def path(self) -> str:
        """Where it is, or was if it is gone."""
        return self.change.path

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.change.path.rsplit("/", 1)[-1]

    @property
    def both(self) -> bool:
        """Whether it was there before and is there after, with other bytes."""
        return bool(self.change.old_oid and self.change.new_oid) and not self.change.is_moved_only

    @property
    def wants_shape(self) -> bool:
        """Whether the engine has something to compare here."""
        return self.kind in {"solid", "drawing"} and self.both and not self.left_out

    @property
    def formats(self) -> str:
        """The formats of both sides, as the engine takes them."""
        return f"{formats.of_name(self.change.old_path)}/{formats.of_name(self.change.path)}"

    @property
    def status(self) -> str:
        """ready, pending, failed, or none where nothing is computed."""
        if not self.wants_shape:
            return "none"
        return self.shape.status if self.shape else ShapeDiff.Status.PENDING

    @property
    def figures(self) -> dict[str, Any]:
        """What the engine found; empty until then."""
        return self.shape.figures if self.shape and self.shape.status == ShapeDiff.Status.READY else {}

    @property
    def method(self) -> str:
        """boolean, sampled, drawing, or none."""
        return self.shape.method if self.shape and self.shape.status == ShapeDiff.Status.READY else "none"

    @property
    def is_untouched(self) -> bool:
        """Whether the two solids hold exactly the same material."""
        figures = self.figures
        return self.method == "boolean" and not figures["added_mm3"] and not figures["removed_mm3"]

    @property
    def only_volume_mm3(self) -> float | None:
        """The volume of a shape that is only on one side, or is the same on both."""
        blob = self.after or self.before
        return (blob.facts or {}).get("volume_mm3") if blob and not self.both else None


@dataclass(frozen=True)
class Comparison:
    """Two versions of a design. `base` is "" for the beginning of everything. `cut` counts files that are not listed,
    `run` is the work that compares shapes now, `held_back` says that none was begun since too many were asked for."""

    design: Design
    base: str
    head: str
    files: tuple[FileDiff, ...]
    cut: int = 0
    run: Any = None
    held_back: bool = False

    @property
    def waiting(self) -> int:
        """How many shapes are still being compared."""
        return sum(file.status == "pending" for file in self.files)

    @property
    def shapes(self) -> list[FileDiff]:
        """The files with a shape, those that differ in it first."""
        return [file for file in self.files if file.kind in {"solid", "drawing"}]

    @cached_property
    def totals(self) -> dict[str, float]:
        """mm³ added and removed over all solids whose volumes are known."""
        added = removed = 0.0
        for file in self.files:
            figures = file.figures
            added += figures.get("added_mm3") or 0.0
            removed += figures.get("removed_mm3") or 0.0
            if file.kind == "solid" and not file.both and not file.change.is_moved_only:
                volume = file.only_volume_mm3 or 0.0
                added, removed = (added + volume, removed) if file.change.new_oid else (added, removed + volume)
        return {"added_mm3": added, "removed_mm3": removed}

    def find(self, path: str) -> FileDiff | None:
        """The file at that path, by its new or old name."""
        return next((file for file in self.files if path and path in {file.path, file.change.old_path}), None)

    def first(self) -> FileDiff | None:
        """What to show first: a shape with a known difference, then any shape, then anything."""
        ranked = sorted(self.files, key=_rank)
        return ranked[0] if ranked else None


def _rank(file: FileDiff) -> int:
    if file.kind == "solid" and file.both:
        return 2 if file.is_untouched else 0
    order = {"drawing": 1, "solid": 3, "image": 4, "table": 5, "text": 6}
    return order.get(file.kind, 7)


def comparison(design: Design, base: str, head: str) -> Comparison:
    """What turns commit `base` into commit `head`; reads only. Raises TooLarge over the limit of files."""
    changes = comparing.changes(git.of(design.repository), base, head)
    listed = changes[:MAX_FILES]
    oids = {oid for change in listed for oid in (change.old_oid, change.new_oid) if oid}
    blobs = {blob.oid: blob for blob in Blob.objects.filter(oid__in=oids)}
    absent = lfs.without_bytes(design, blobs.values())
    files = [_file(change, blobs, absent) for change in listed]
    return Comparison(design, base, head, tuple(_with_shapes(files)), len(changes) - len(listed))


def _file(change: Change, blobs: dict[str, Blob], absent: set[str]) -> FileDiff:
    left_out = bool({change.old_oid, change.new_oid} & absent)
    return FileDiff(change, kind_of(change), blobs.get(change.old_oid), blobs.get(change.new_oid), left_out=left_out)


def kind_of(change: Change) -> str:
    """How a change is shown."""
    sides = [path for path, oid in ((change.old_path, change.old_oid), (change.path, change.new_oid)) if oid]
    found = {formats.of_name(path) for path in sides}
    if found <= formats.SOLID:
        return "solid"
    if found <= DRAWINGS:
        return "drawing"
    if found <= IMAGES:
        return "image"
    if found <= {"csv"} and TABLES.search(change.path):
        return "table"
    return "text"


def _with_shapes(files: list[FileDiff]) -> list[FileDiff]:
    """The files with the differences that are known, in one query; only the first MAX_SHAPES are ever computed."""
    wanted = [file for file in files if file.wants_shape]
    known = {
        (diff.base, diff.head, diff.formats): diff
        for diff in ShapeDiff.objects.filter(
            engine_version=DIFF_VERSION,
            base__in={file.change.old_oid for file in wanted},
            head__in={file.change.new_oid for file in wanted},
        )
    }
    over = {id(file) for file in wanted[MAX_SHAPES:]}
    return [
        replace(
            file,
            shape=known.get((file.change.old_oid, file.change.new_oid, file.formats)) if file.wants_shape else None,
            left_out=file.left_out or id(file) in over,
        )
        for file in files
    ]


def file_between(design: Design, base: str, head: str, oids: tuple[str, str]) -> FileDiff:
    """The file with these two contents ("" is none) that differs between two versions of the design. Raises
    DesignNotFound."""
    for file in comparison(design, base, head).files:
        if (file.change.old_oid, file.change.new_oid) == oids and not file.left_out:
            return file
    raise DesignNotFound(_("There is no such comparison."))


def version(design: Design, revision: str) -> str:
    """The commit of a branch, tag or commit id. Raises BadRevision."""
    if not revision:
        raise BadRevision(_("Say which two versions to compare."))
    return git.of(design.repository).commit_of(revision)


def parent(design: Design, commit: str) -> str:
    """The version before a commit, "" for the first."""
    found = git.of(design.repository).history(commit, limit=2)
    return found[1].oid if len(found) > 1 else ""


@dataclass(frozen=True, slots=True)
class Word:
    """A piece of a line; `changed` when the other side's line has another there."""

    text: str
    changed: bool


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a text difference, its words told apart where one line became another."""

    line: Line
    words: tuple[Word, ...]


@dataclass(frozen=True, slots=True)
class TextDiff:
    """Lines that differ, by section. `why` is the sentence where there are none to show. `more` counts lines that are
    not shown."""

    hunks: tuple[tuple[Hunk, tuple[Row, ...]], ...] = ()
    why: str = ""
    more: int = 0

    @property
    def added(self) -> int:
        """Lines that came."""
        return sum(line.sign == "+" for hunk, _rows in self.hunks for line in hunk.lines)

    @property
    def removed(self) -> int:
        """Lines that went."""
        return sum(line.sign == "-" for hunk, _rows in self.hunks for line in hunk.lines)


def text_between(design: Design, file: FileDiff) -> TextDiff:
    """The lines of a file that differ, words marked; a sentence instead where it is no text or too long."""
    change = file.change
    if change.is_moved_only:
        return TextDiff(why=_("Only its name changed."))
    try:
        hunks = comparing.text_diff(git.of(design.repository), change.old_oid, change.new_oid)
    except CityError as refusal:
        return TextDiff(why=str(refusal.sentence))
    shown, left, more = [], MAX_LINES, 0
    for hunk in hunks:
        if left <= 0:
            more += len(hunk.lines)
            continue
        shown.append((hunk, tuple(rows_of(hunk.lines[:left]))))
        more += max(0, len(hunk.lines) - left)
        left -= len(hunk.lines)
    return TextDiff(tuple(shown), "" if shown else _("Nothing in its lines changed."), more)


def rows_of(lines: tuple[Line, ...]) -> list[Row]:
    """Lines with the words marked that differ between a removed line and the added one in its place."""
    rows: list[Row] = []
    at = 0
    while at < len(lines):
        gone = _run_of(lines, at, "-")
        come = _run_of(lines, at + len(gone), "+")
        if not gone and not come:
            rows.append(Row(lines[at], (Word(lines[at].text, False),)))
            at += 1
            continue
        pairs = [_words(old.text, new.text) for old, new in zip(gone, come, strict=False)]
        rows += [Row(line, pairs[n][0] if n < len(pairs) else _whole(line)) for n, line in enumerate(gone)]
        rows += [Row(line, pairs[n][1] if n < len(pairs) else _whole(line)) for n, line in enumerate(come)]
        at += len(gone) + len(come)
    return rows


def _run_of(lines: tuple[Line, ...], start: int, sign: str) -> list[Line]:
    end = start
    while end < len(lines) and lines[end].sign == sign:
        end += 1
    return list(lines[start:end])


def _whole(line: Line) -> tuple[Word, ...]:
    return (Word(line.text, False),)


def _words(old: str, new: str) -> tuple[tuple[Word, ...], tuple[Word, ...]]:
    """Both lines in pieces; lines that have little in common, or are very long, are not picked apart."""
    if len(old) + len(new) > 2000:
        return (Word(old, False),), (Word(new, False),)
    a, b = re.findall(r"\w+|\s+|[^\w\s]", old), re.findall(r"\w+|\s+|[^\w\s]", new)
    matcher = difflib.SequenceMatcher(None, a, b, autojunk=False)
    if matcher.ratio() < 0.4:
        return (Word(old, False),), (Word(new, False),)
    before: list[Word] = []
    after: list[Word] = []
    for tag, i, j, k, m in matcher.get_opcodes():
        if i < j:
            before.append(Word("".join(a[i:j]), tag != "equal"))
        if k < m:
            after.append(Word("".join(b[k:m]), tag != "equal"))
    return tuple(before), tuple(after)


def table_between(design: Design, file: FileDiff) -> list[tables.Difference] | None:
    """The parts of a parts list that came, went or changed; None where one side cannot be read as a table."""
    repository = git.of(design.repository)
    try:
        sides = [
            repository.read(oid, limit=MAX_TABLE_BYTES) if oid else b""
            for oid in (file.change.old_oid, file.change.new_oid)
        ]
        return tables.differences(sides[0], sides[1], file.path)
    except CityError:
        return None


def sheet_between(design: Design, file: FileDiff) -> SheetDiff | None:
    """The rows of a table (CSV) that came, went or changed; None for other files and where a side is no table."""
    if not file.both or file.left_out or set(file.formats.split("/")) != {"csv"}:
        return None
    repository = git.of(design.repository)
    try:
        sides = [
            sheets.read(repository.read(oid, limit=MAX_TABLE_BYTES))
            for oid in (file.change.old_oid, file.change.new_oid)
        ]
    except CityError:
        return None
    before, after = sides
    return sheets.compare(before, after) if before and after else None
