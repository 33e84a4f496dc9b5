"""What lies between two commits: where they parted, which commits and files came, which lines of a text changed."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from designs.errors import NotText, TooLarge
from designs.git import process
from designs.git.names import shown
from designs.git.repository import SUBMODULE, Commit, Repository, read_log

#: git's name of the tree that holds nothing, the same in every repository.
EMPTY_TREE = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
KINDS = {"A": "added", "C": "added", "D": "removed", "R": "renamed"}
MAX_CHANGES = 5000
MAX_TEXT_BYTES = 2_000_000
HUNK = re.compile(rb"^@@ -(\d+)(?:,(\d+))? \+(\d+)(?:,(\d+))? @@ ?(.*)$")


@dataclass(frozen=True, slots=True)
class Change:
    """A file that differs between two commits.

    `kind` is added, removed, changed or renamed. `old_path` is what it was called before, the same as `path` unless it
    was renamed. The side that is not there has the oid "" and the size 0. Sizes in bytes.
    """

    path: str
    old_path: str
    kind: str
    old_oid: str
    new_oid: str
    old_size: int
    new_size: int

    @property
    def is_moved_only(self) -> bool:
        """Whether the file has another name and the same bytes."""
        return self.kind == "renamed" and self.old_oid == self.new_oid


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a difference: `sign` is " ", "-" or "+"; numbers count from 1 and are None on the side without it."""

    sign: str
    text: str
    old_number: int | None
    new_number: int | None


@dataclass(frozen=True, slots=True)
class Hunk:
    """Lines that belong together. `heading` is the section that git names beside them, if any."""

    old_start: int
    old_count: int
    new_start: int
    new_count: int
    heading: str
    lines: tuple[Line, ...]


def merge_base(repository: Repository, a: str, b: str) -> str:
    """The best common ancestor of two commits, or "" when their histories have nothing in common."""
    out = process.run(["merge-base", "--end-of-options", a, b], repository=repository.path, accept=(0, 1))
    return out.decode().split("\n", 1)[0].strip()


def commits_between(repository: Repository, base: str, head: str, limit: int) -> list[Commit]:
    """The commits that `head` has and `base` has not, newest first; all of its history when `base` is ""."""
    span = [head, f"^{base}"] if base else [head]
    return read_log(repository, [f"--max-count={limit}", "--topo-order"], span)


def count_between(repository: Repository, base: str, head: str) -> tuple[int, int]:
    """How many commits each of the two has that the other has not: (of base, of head)."""
    out = process.run(
        ["rev-list", "--count", "--left-right", "--end-of-options", f"{base}...{head}"], repository=repository.path
    )
    left, right = out.decode().split()
    return int(left), int(right)


def changes(repository: Repository, base: str, head: str) -> list[Change]:
    """The files that differ between two commits, by path; renames are found by likeness. `base` "" is nothing at all.

    Submodules are left out, as everywhere. Raises TooLarge over MAX_CHANGES files.
    """
    out = process.run(
        ["diff-tree", "-r", "-z", "-M", "--raw", "--no-abbrev", "--no-ext-diff", "--ignore-submodules=all",
         "-l2000", "--end-of-options", base or EMPTY_TREE, head],
        repository=repository.path,
    )  # fmt: skip
    raw = list(_raw(out))
    if len(raw) > MAX_CHANGES:
        raise TooLarge(_("%(n)d files differ; at most %(most)d are shown.") % {"n": len(raw), "most": MAX_CHANGES})
    sizes = _sizes(repository, {oid for record in raw for oid in record[3:] if oid})
    found = [
        Change(path, old_path, kind, old, new, sizes.get(old, 0), sizes.get(new, 0))
        for kind, path, old_path, old, new in raw
    ]
    return sorted(found, key=lambda change: change.path)


def _raw(out: bytes) -> Iterator[tuple[str, str, str, str, str]]:
    """Parse `diff-tree --raw -z`: (kind, path, old path, old oid, new oid) of each file."""
    fields = iter(out.split(b"\0"))
    for meta in fields:
        if not meta.startswith(b":"):
            continue
        old_mode, new_mode, old, new, status = meta[1:].decode().split()
        kind = KINDS.get(status[0], "changed")
        path = old_path = shown(next(fields))
        if status[0] in "RC":
            path = shown(next(fields))
        old = "" if old_mode in {"000000", SUBMODULE} or status[0] == "C" else old
        new = "" if new_mode in {"000000", SUBMODULE} else new
        if not old and not new:
            continue
        if not old or not new:
            kind = "removed" if old else "added"
        yield kind, path, path if kind == "added" else old_path, old, new


def _sizes(repository: Repository, oids: set[str]) -> dict[str, int]:
    if not oids:
        return {}
    out = process.run(
        ["cat-file", "--batch-check=%(objectname) %(objectsize)"],
        repository=repository.path, stdin="".join(f"{oid}\n" for oid in sorted(oids)).encode(),
    )  # fmt: skip
    pairs = (line.split() for line in out.decode().splitlines())
    return {pair[0]: int(pair[1]) for pair in pairs if pair[1].isdigit()}


def text_diff(repository: Repository, old_oid: str, new_oid: str, context: int = 3) -> list[Hunk]:
    """The lines that differ between two blobs; "" is an empty file.

    Raises NotText when one of them is not text, TooLarge when one is over MAX_TEXT_BYTES.
    """
    if old_oid == new_oid:
        return []
    if not old_oid or not new_oid:
        return _one_sided(repository.read(old_oid or new_oid, limit=MAX_TEXT_BYTES), "-" if old_oid else "+")
    for size in _sizes(repository, {old_oid, new_oid}).values():
        if size > MAX_TEXT_BYTES:
            raise TooLarge(
                _("This text has %(size)d bytes; differences are shown up to %(limit)d.")
                % {"size": size, "limit": MAX_TEXT_BYTES}
            )
    out = process.run(
        ["diff", "--no-color", "--no-ext-diff", "--no-textconv", "--diff-algorithm=histogram", f"--unified={context}",
         "--end-of-options", old_oid, new_oid],
        repository=repository.path,
    )  # fmt: skip
    if b"\nBinary files " in out[:1000]:
        raise NotText(_("This is not text; its lines cannot be compared."))
    return list(_hunks(out))


def line_count(repository: Repository, oid: str) -> int | None:
    """How many lines a text has, counted as `text_diff` counts them; None for what is no text.

    Raises TooLarge above MAX_TEXT_BYTES.
    """
    content = repository.read(oid, limit=MAX_TEXT_BYTES)
    if _is_binary(content):
        return None
    return content.count(b"\n") + (not content.endswith(b"\n") and bool(content))


def _is_binary(content: bytes) -> bool:
    return b"\0" in content[:8000]


def _one_sided(content: bytes, sign: str) -> list[Hunk]:
    if _is_binary(content):
        raise NotText(_("This is not text; its lines cannot be compared."))
    texts = [text.decode("utf-8", "replace") for text in content.split(b"\n")]
    if texts[-1] == "":
        texts.pop()
    if not texts:
        return []
    is_new, count = sign == "+", len(texts)
    lines = tuple(Line(sign, t, None if is_new else n, n if is_new else None) for n, t in enumerate(texts, 1))
    return [Hunk(0, 0, 1, count, "", lines) if is_new else Hunk(1, count, 0, 0, "", lines)]


def _hunks(out: bytes) -> Iterator[Hunk]:
    """Parse a unified diff of one file. Lines that end without a newline are taken like the others."""
    head: re.Match[bytes] | None = None
    lines: list[Line] = []
    old = new = 0
    for raw in out.split(b"\n"):
        begins = HUNK.match(raw)
        if begins:
            if head:
                yield _hunk(head, lines)
            head, lines, old, new = begins, [], int(begins[1]), int(begins[3])
        elif head and raw[:1] in (b" ", b"-", b"+"):
            sign, text = chr(raw[0]), raw[1:].decode("utf-8", "replace")
            lines.append(Line(sign, text, None if sign == "+" else old, None if sign == "-" else new))
            old, new = old + (sign != "+"), new + (sign != "-")
    if head:
        yield _hunk(head, lines)


def _hunk(head: re.Match[bytes], lines: list[Line]) -> Hunk:
    old_start, old_count, new_start, new_count = (int(head[n]) if head[n] is not None else 1 for n in (1, 2, 3, 4))
    return Hunk(old_start, old_count, new_start, new_count, head[5].decode("utf-8", "replace").strip(), tuple(lines))
