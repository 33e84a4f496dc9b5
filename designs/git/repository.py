"""A bare repository on disk, by its opaque id, and every read of it by git's plumbing."""

import datetime as dt
import hashlib
import os
import shutil
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from django.conf import settings
from django.utils.translation import gettext as _

from commons.shelf import Shelf
from designs.errors import BadRevision, DesignNotFound
from designs.git import process
from designs.git.names import OID, check_path, check_revision, shown

BUNDLE_WALL_S = 600.0
BRANCHES = "refs/heads/"
TAGS = "refs/tags/"
SUBMODULE, SYMLINK = "160000", "120000"

# By the repository and by what names the content itself: neither a commit nor a blob ever changes.
_files: "Shelf[tuple[Entry, ...]]" = Shelf(20_000)
_logs: "Shelf[tuple[Commit, ...]]" = Shelf(8_000_000)
_blobs: Shelf[bytes] = Shelf(4_000_000)
_heads: Shelf[bool] = Shelf(5_000)


@dataclass(frozen=True, slots=True)
class Entry:
    """A file of a version. `size` in bytes."""

    path: str
    oid: str
    size: int
    mode: str

    @property
    def name(self) -> str:
        """The last part of the path."""
        return self.path.rsplit("/", 1)[-1]

    @property
    def is_symlink(self) -> bool:
        """A link is shown as what it says, never followed."""
        return self.mode == SYMLINK


@dataclass(frozen=True, slots=True)
class Commit:
    """A version with who made it, when, and why."""

    oid: str
    author: str
    email: str
    at: dt.datetime
    message: str

    @property
    def subject(self) -> str:
        """The first line of the message."""
        return self.message.split("\n", 1)[0]


@dataclass(frozen=True, slots=True)
class Introduced:
    """A commit put the blob at the path."""

    commit: str
    at: dt.datetime
    path: str
    blob: str


@dataclass(frozen=True, slots=True)
class Digest:
    """The names of a blob's bytes."""

    oid: str
    size: int
    sha1: str
    sha256: str
    head: bytes


@dataclass(frozen=True, slots=True)
class Repository:
    """A bare repository. All reads; writes are in `commits`, `serve` and `fetching`."""

    path: Path

    def refs(self) -> dict[str, str]:
        """Branches and tags with the commits that they point at; an annotated tag is followed to its commit."""
        wanted = "%(refname)%00%(objectname)%00%(*objectname)%00%(objecttype)%00%(*objecttype)"
        out = process.run(["for-each-ref", f"--format={wanted}", BRANCHES, TAGS], repository=self.path)
        found = {}
        for line in out.decode("utf-8", "replace").splitlines():
            name, oid, peeled, kind, peeled_kind = line.split("\0")
            if (peeled_kind or kind) == "commit":
                found[name] = peeled or oid
        return found

    def commit_of(self, revision: str) -> str:
        """The commit of a branch, tag or commit id. Raises BadRevision."""
        check_revision(revision)
        tries = [revision] if OID.match(revision) else []
        tries += [f"{BRANCHES}{revision}", f"{TAGS}{revision}"]
        if not OID.match(revision) and len(revision) >= 7 and all(c in "0123456789abcdef" for c in revision):
            tries.append(revision)
        for name in tries:
            code, out, _err = process.attempt(
                ["rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}"], repository=self.path
            )
            lines = out.decode().split()
            if code == 0 and lines and OID.match(lines[-1]) and (name != revision or self._leads_to(lines[-1])):
                return lines[-1]
        raise BadRevision(_("There is no version “%(name)s”.") % {"name": revision[:80]})

    def _leads_to(self, commit: str) -> bool:
        """Whether a ref of the repository has the commit in its history.

        Others lie in its store too: what a force-push left, what forks of one pool hold. They are no versions of it.
        """
        out = process.run(
            ["for-each-ref", "--count=1", f"--contains={commit}", "--format=x", BRANCHES, TAGS, "refs/internal/"],
            repository=self.path,
        )
        return bool(out.strip())

    def head(self, branch: str) -> str:
        """The newest commit of the branch, or nothing when it has none yet."""
        try:
            tip = self._tip(branch)
            if not _heads.holds((self.path, tip)):
                tip = self.commit_of(branch)
                _heads.get((self.path, tip), lambda: True)
        except BadRevision:
            return ""
        return tip

    def _tip(self, branch: str) -> str:
        """What the branch's own file says, without asking git; nothing where it is packed, or no branch by its name."""
        if OID.match(check_revision(branch)):
            return ""
        try:
            said = (self.path / BRANCHES / branch).read_bytes()[:41].decode("ascii", "replace").rstrip("\n")
        except OSError:
            return ""
        return said if OID.match(said) else ""

    def files(self, commit: str) -> list[Entry]:
        """Every file of a version; submodules are left out."""
        if not OID.match(commit):
            return self._listed(commit)
        return list(_files.get((self.path, commit), lambda: tuple(self._listed(commit)), len))

    def _listed(self, commit: str) -> list[Entry]:
        out = process.run(["ls-tree", "-r", "-l", "-z", "--end-of-options", commit], repository=self.path)
        entries = []
        for record in out.split(b"\0"):
            if not record:
                continue
            meta, _tab, path = record.partition(b"\t")
            mode, kind, oid, size = meta.decode().split()
            if kind == "blob":
                entries.append(Entry(shown(path), oid, int(size), mode))
        return entries

    def entry(self, commit: str, path: str) -> Entry:
        """One file of a version. Raises DesignNotFound."""
        check_path(path)
        out = process.run(
            ["ls-tree", "-l", "-z", "--end-of-options", commit, "--", path], repository=self.path, accept=(0, 128)
        )
        for record in out.split(b"\0"):
            meta, _tab, name = record.partition(b"\t")
            if name.decode("utf-8", "replace") == path:
                mode, kind, oid, size = meta.decode().split()
                if kind == "blob":
                    return Entry(path, oid, int(size), mode)
        raise DesignNotFound(_("There is no file “%(path)s” in this version.") % {"path": path[:200]})

    def read(self, oid: str, *, limit: int) -> bytes:
        """The bytes of a blob. Raises TooLarge over the limit."""
        from designs.git import objects  # noqa: PLC0415 GitPython takes long to import

        return _blobs.get((self.path, oid, limit), lambda: objects.read(self.path, oid, limit=limit), len)

    def stream(self, oid: str) -> Iterator[bytes]:
        """The bytes of a blob in pieces of 64 KiB; git ends when the reader goes away."""
        with process.started(["cat-file", "blob", oid], repository=self.path, wall_s=600) as git:
            assert git.stdout is not None  # noqa: S101 a pipe was asked for
            while piece := git.stdout.read(65536):
                yield piece

    def copy_to(self, oid: str, target: Path) -> None:
        """Write a blob's bytes to a file."""
        with target.open("wb") as out:
            for piece in self.stream(oid):
                out.write(piece)

    def archive(self, commit: str, *, prefix: str) -> Iterator[bytes]:
        """The version as a .zip in pieces."""
        arguments = ["archive", "--format=zip", f"--prefix={prefix}/", "--end-of-options", commit]
        with process.started(arguments, repository=self.path, wall_s=600) as git:
            assert git.stdout is not None  # noqa: S101
            while piece := git.stdout.read(65536):
                yield piece

    def bundle(self, target: Path) -> None:
        """Write all branches and tags, of which there must be some, with their whole history into one file that
        `git clone` reads."""
        unborn, _out, _err = process.attempt(["rev-parse", "--verify", "--quiet", "HEAD"], repository=self.path)
        first = [] if unborn else ["HEAD"]  # what a clone checks out
        words = ["bundle", "create", "--quiet", str(target), *first, "--branches", "--tags"]
        process.run(words, repository=self.path, timeout_s=BUNDLE_WALL_S)

    def history(self, commit: str, *, limit: int = 50, skip: int = 0, path: str = "") -> list[Commit]:
        """Commits, newest first; of one path if given."""
        options = [f"--max-count={limit}", f"--skip={skip}"]
        paths = [check_path(path)] if path else []
        if not OID.match(commit):
            return read_log(self, options, [commit], *paths)
        key = self.path, commit, limit, skip, path
        return list(_logs.get(key, lambda: tuple(read_log(self, options, [commit], *paths)), _log_size))

    def introduced(self, *, tips: Iterable[str], known: Iterable[str] = (), limit: int) -> Iterator[Introduced]:
        """Each (commit, path, blob) that the commits of `tips` brought and those of `known` did not have, newest first.

        A merge counts only for what none of its parents had. At most `limit` are given.
        """
        wanted = [*tips, *(f"^{oid}" for oid in known)]
        out = process.run(
            ["log", "--stdin", "-z", "--raw", "-r", "--root", "--no-renames", "--no-abbrev", "-c",
             "--no-show-signature", "--topo-order", "--format=%x01%H %ct"],
            repository=self.path, stdin=("\n".join(wanted) + "\n").encode(), timeout_s=600,
        )  # fmt: skip
        yield from islice(_raw_log(out), limit)

    def digests(self, oids: Iterable[str]) -> Iterator[Digest]:
        """SHA-1 and SHA-256 of each blob's bytes, read as a stream whatever their size."""
        with process.started(["cat-file", "--batch"], repository=self.path, stdin=-1, wall_s=3600) as git:
            assert git.stdin is not None and git.stdout is not None  # noqa: S101
            for oid in oids:
                git.stdin.write(f"{oid}\n".encode())
                yield from _digest_one(oid, git.stdin, git.stdout)

    def is_ancestor(self, older: str, newer: str) -> bool:
        """Whether `newer` holds `older` in its history."""
        code, _out, _err = process.attempt(["merge-base", "--is-ancestor", older, newer], repository=self.path)
        return code == 0

    def holds(self, commit: str) -> bool:
        """Whether the commit is here."""
        code, _out, _err = process.attempt(
            ["cat-file", "-e", f"{check_revision(commit)}^{{commit}}"], repository=self.path
        )
        return code == 0

    def point_head(self, branch: str) -> None:
        """Let HEAD name the branch, so that clones check it out."""
        process.run(["symbolic-ref", "HEAD", f"{BRANCHES}{check_revision(branch)}"], repository=self.path)
        settle(self.path)

    def remove(self) -> None:
        """Delete the repository from disk."""
        if "designs.git.objects" in sys.modules:
            sys.modules["designs.git.objects"].forget(self.path)
        shutil.rmtree(self.path, ignore_errors=True)


def of(repository_id: str) -> Repository:
    """The repository of that id; folders are sharded by its first two letters."""
    return Repository(Path(settings.REPOSITORIES_DIR) / repository_id[:2] / f"{repository_id}.git")


def create(repository_id: str, *, branch: str = "main") -> Repository:
    """A new empty bare repository. `refs/heads/<branch>` is where its HEAD points."""
    made = of(repository_id)
    made.path.mkdir(parents=True, exist_ok=True)
    process.run(["init", "--quiet", "--bare", f"--initial-branch={check_revision(branch)}", made.path])
    settle(made.path)
    return made


def settle(path: Path) -> None:
    """Let a repository survive a power cut where git itself leaves it to the system: HEAD, without which it is none,
    its configuration, and the names of its folders."""
    for part in (path / "HEAD", path / "config", path / "refs", path, path.parent):
        handle = os.open(part, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def read_log(repository: Repository, options: Iterable[str], revisions: Iterable[str], *paths: str) -> list[Commit]:
    """The commits that `git log` gives for the revisions."""
    fixed = ["log", "-z", "--no-show-signature", "--format=%H%x1f%an%x1f%ae%x1f%at%x1f%B"]
    arguments = [*fixed, *options, "--end-of-options", *revisions, "--", *paths]
    out = process.run(arguments, repository=repository.path)
    return [_commit(record) for record in out.decode("utf-8", "replace").split("\0") if record.strip()]


def _commit(record: str) -> Commit:
    oid, author, email, seconds, message = record.strip("\n").split("\x1f", 4)
    return Commit(oid, author, email, dt.datetime.fromtimestamp(int(seconds), dt.UTC), message.strip())


def _log_size(commits: "tuple[Commit, ...]") -> int:
    return sum(200 + len(one.message) for one in commits)


def _raw_log(out: bytes) -> Iterator[Introduced]:
    """Parse `log --raw -z -c`: a header of ours for each commit, then `:`-records each followed by its path."""
    commit, at = "", dt.datetime.fromtimestamp(0, dt.UTC)
    fields = iter(out.split(b"\0"))
    for raw in fields:
        field = raw.lstrip(b"\n")
        if field.startswith(b"\x01"):
            header, _newline, field = field[1:].partition(b"\n")
            oid, seconds = header.decode().split()
            commit, at = oid, dt.datetime.fromtimestamp(int(seconds), dt.UTC)
            field = field.lstrip(b"\n")
        if not field.startswith(b":"):
            continue
        parents = len(field) - len(field.lstrip(b":"))
        words = field.lstrip(b":").decode().split()
        mode, blob = words[parents], words[2 * parents + 1]
        path = next(fields, b"").decode("utf-8", "replace")
        if mode not in {"000000", SUBMODULE}:
            yield Introduced(commit, at, path, blob)


def _digest_one(oid: str, stdin: IO[bytes], stdout: IO[bytes]) -> Iterator[Digest]:
    stdin.flush()
    name, kind, *rest = stdout.readline().decode().split()
    if kind == "missing":
        return
    size = int(rest[0])
    # These are names of content that other systems use, not a defence.
    sha1, sha256, head, left = hashlib.sha1(usedforsecurity=False), hashlib.sha256(), b"", size
    while left:
        piece = stdout.read(min(left, 1 << 20))
        if not piece:
            return
        head = head or piece[:1024]
        sha1.update(piece)
        sha256.update(piece)
        left -= len(piece)
    stdout.read(1)
    if kind == "blob":
        yield Digest(name, size, sha1.hexdigest(), sha256.hexdigest(), head)
