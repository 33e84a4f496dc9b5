"""What a push may bring, looked at between git's own checks and the moment when refs move.

git's pre-receive hook is a few lines of shell that ask the process that started git, and wait for its word: a Python of
their own would take as long as all that git does after a pack has come. Everything asked here runs on git's quarantine,
so a refused push leaves nothing behind; without a word nothing comes in.
"""

import re
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import IO

from designs.errors import GitFailed
from designs.git import environment, process
from designs.git.names import RAW_FAULT, shown

REF = re.compile(r"^refs/(heads|tags)/[A-Za-z0-9][A-Za-z0-9._/+-]{0,200}$")
RESERVED = {"refs/heads/HEAD", "refs/tags/HEAD"}
NOTHING = "0" * 40
OID = re.compile(r"^[0-9a-f]{40}$")
POINTER = re.compile(
    rb"^(?P<blob>[0-9a-f]{40}) blob \d+\nversion https://git-lfs\.github\.com/spec/v1\n"
    rb"(?:ext-[^\n]*\n)*oid sha256:(?P<oid>[0-9a-f]{64})\nsize \d+\n",
    re.MULTILINE,
)
#: A pointer (Git LFS) is never shorter nor longer.
POINTER_BYTES = range(101, 1024)
#: After the last line of what the hook asks comes an empty one.
END = b"\n\n"
MAX_REFS = 2000
MAX_OBJECTS = 200_000
MAX_PATH_BYTES = 700
#: Folders as git keeps them. Packed, a few bytes may stand for very many names.
MAX_TREE_BYTES, TREES_AT_ONCE_BYTES = 512_000_000, 16_000_000
#: What file systems can keep.
MAX_NAME_BYTES = 255
MAX_FAULTS = 20
BATCH = 5000
WALL_S = 600.0
WALK = ("rev-list", "--objects", "--stdin", "--not", "--all")
LOOK = ("cat-file", "--buffer", "--batch-check=%(objectname) %(objecttype) %(objectsize) %(rest)")

Update = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Rules:
    """What holds for the pushes to a design.

    `protected` is the ref that is never rewritten. Both others are asked only when they matter: `held` says which of
    some large files (Git LFS, by their SHA-256) the design holds, `room_bytes` how much the push may add to the disk.
    """

    protected: str = ""
    held: Callable[[set[str]], set[str]] = lambda _oids: set()
    room_bytes: Callable[[], int] | None = None


@dataclass(frozen=True, slots=True)
class Incoming:
    """A push that waits: the repository, where git keeps what it brought (None if that is nothing), and what it would
    change."""

    repository: Path
    quarantine: Path | None
    updates: Sequence[Update]

    @property
    def env(self) -> dict[str, str]:
        """git's environment in which the objects of the push can be seen."""
        if self.quarantine is None:
            return environment.clean()
        return environment.clean(
            GIT_OBJECT_DIRECTORY=str(self.quarantine),
            GIT_ALTERNATE_OBJECT_DIRECTORIES=f'"{_quoted(self.repository / "objects")}"',
            GIT_QUARANTINE_PATH=str(self.quarantine),
        )

    def git(self, *arguments: str, stdin: bytes = b"") -> bytes:
        """What git prints about it. Raises GitFailed or GitTimeout."""
        return process.run(arguments, repository=self.repository, stdin=stdin, env=self.env, timeout_s=WALL_S)

    def says(self, *arguments: str) -> bool:
        """Whether git says yes."""
        return process.attempt(arguments, repository=self.repository, env=self.env, timeout_s=WALL_S)[0] == 0


def _quoted(path: Path) -> str:
    return str(path).replace("\\", "\\\\").replace('"', '\\"')


def read(question: bytes, repository: Path) -> Incoming:
    """What the hook asks: a line with the quarantine, or an empty one, then lines "old new ref".

    Raises ValueError for anything else.
    """
    if not question.endswith(END):
        raise ValueError("the question is longer than it may be")
    first, *lines = question.removesuffix(END).decode("utf-8", "replace").split("\n")
    quarantine = Path(first) if first else None
    if quarantine and not quarantine.is_relative_to(repository / "objects"):
        raise ValueError(f"{first!r} is no quarantine of this repository")
    updates = []
    for line in lines:
        old, new, ref = line.split(" ", 2)
        if not OID.match(old) or not OID.match(new):
            raise ValueError(f"{line[:100]!r} is no update of a ref")
        updates.append((old, new, ref))
    return Incoming(repository, quarantine, updates)


def faults(push: Incoming, rules: Rules) -> list[str]:
    """Why the push is refused, in English sentences for git's client; none when it may come in. Raises GitFailed."""
    found = list(islice(_ref_faults(push, rules.protected), MAX_FAULTS))
    if len(push.updates) > MAX_REFS:
        found.append(f"the push changes {len(push.updates)} branches and tags; push fewer at once")
    news = [new for _old, new, _ref in push.updates if new != NOTHING]
    if news and not found:
        found = list(_room_faults(push, rules))
    if news and not found:
        found = list(islice(_object_faults(push, news, rules.held), MAX_FAULTS))
    return found


def _ref_faults(push: Incoming, protected: str) -> Iterator[str]:
    """Names that would bite later, and rewriting of the protected branch."""
    for old, new, ref in push.updates:
        if not REF.match(ref) or ref in RESERVED or ".." in ref or ref.endswith((".lock", "/", ".")):
            yield f"{ref}: only branches and tags can be pushed, with letters, digits and . _ / + - in their names"
        elif ref.startswith("refs/tags/") and _is_released(push, ref):
            yield f"{ref}: this tag is a release, which never changes; push another tag"
        elif ref == protected and new == NOTHING:
            yield f"{ref}: the main branch of a design cannot be deleted"
        elif ref == protected and old != NOTHING and not push.says("merge-base", "--is-ancestor", old, new):
            yield f"{ref}: the main branch cannot be rewritten; fetch first, then push on top of it"


def _is_released(push: Incoming, tag: str) -> bool:
    fixed = "refs/internal/releases/" + tag.removeprefix("refs/tags/")
    return push.says("show-ref", "--verify", "--quiet", fixed)


def _room_faults(push: Incoming, rules: Rules) -> Iterator[str]:
    """More bytes than the owner has room for: what git has put into its quarantine for this push, as it is on disk."""
    if rules.room_bytes is None or push.quarantine is None:
        return
    brought = sum(file.stat().st_size for file in push.quarantine.rglob("*") if file.is_file())
    room_bytes = rules.room_bytes()
    if brought > room_bytes:
        yield (
            f"the push brings {brought / 1e6:.1f} MB, and its owner has room for {room_bytes / 1e6:.1f} MB more; "
            "delete what is not needed, or ask the steward of the city"
        )


def _object_faults(push: Incoming, news: Sequence[str], held: Callable[[set[str]], set[str]]) -> Iterator[str]:
    """Files too large, too many objects, bad names, submodules that are not https, large files that are not here.

    One git walks, the next looks up what it finds, and we read: only what may be a pointer is remembered.
    """
    small: dict[str, str] = {}
    trees: list[tuple[str, int]] = []
    for number, (oid, kind, size, path) in enumerate(_objects(push, news), 1):
        if number > MAX_OBJECTS:
            yield f"the push brings more than {MAX_OBJECTS} objects; push it in smaller parts"
            return
        if kind == "tree":
            trees.append((oid, size))
        if kind != "blob":
            continue
        yield from _blob_faults(push, oid, size, path)
        if size in POINTER_BYTES:
            small[oid] = path
            if len(small) >= BATCH:
                yield from _large_faults(push, small, held)
                small = {}
    yield from _name_faults(push, trees)
    yield from _large_faults(push, small, held)


def _name_faults(push: Incoming, trees: Sequence[tuple[str, int]]) -> Iterator[str]:
    """Names of files and folders that nobody can type or keep, or that read as another, also of files that were here
    before."""
    if sum(size for _oid, size in trees) > MAX_TREE_BYTES:
        yield f"the folders of the push are more than {MAX_TREE_BYTES / 1e6:.0f} MB of names; push it in smaller parts"
        return
    if any(size > TREES_AT_ONCE_BYTES for _oid, size in trees):
        yield f"a folder of the push is more than {TREES_AT_ONCE_BYTES / 1e6:.0f} MB of names; part it into several"
        return
    for group in _groups(trees):
        out = push.git("cat-file", "--batch", "--buffer", stdin="".join(f"{oid}\n" for oid in group).encode())
        for name in _names(out):
            if RAW_FAULT.search(name):
                yield (
                    f"{shown(name)[:80]!a}: a name may hold no control characters, and none that turn the direction "
                    "of writing; rename the file"
                )
            elif len(name) > MAX_NAME_BYTES:
                yield f"{shown(name)[:60]}…: a name longer than {MAX_NAME_BYTES} bytes is no file anywhere; rename it"


def _groups(trees: Sequence[tuple[str, int]]) -> Iterator[list[str]]:
    """The trees by their ids, as many together as are read into memory at once."""
    group, weight = list[str](), 0
    for oid, size in trees:
        if group and weight + size > TREES_AT_ONCE_BYTES:
            yield group
            group, weight = [], 0
        group.append(oid)
        weight += size
    if group:
        yield group


def _names(out: bytes) -> Iterator[bytes]:
    """The names in trees as `cat-file --batch` prints them: "oid tree size", then "mode name", zero, 20 bytes."""
    at = 0
    while at < len(out):
        line = out.index(b"\n", at)
        at, end = line + 1, line + 1 + int(out[at:line].rsplit(b" ", 1)[1])
        while at < end:
            zero = out.index(b"\0", at)
            yield out[at:zero].split(b" ", 1)[1]
            at = zero + 21
        at += 1


def _objects(push: Incoming, news: Sequence[str]) -> Iterator[tuple[str, str, int, str]]:
    """(name, kind, bytes, path) of every object that the push brings. Raises GitFailed if one is not there."""
    with tempfile.TemporaryFile() as wanted:
        wanted.write("".join(f"{new}\n" for new in news).encode())
        wanted.seek(0)
        with _started(push, WALK, wanted) as walker, _started(push, LOOK, walker.stdout) as looker:
            for line in looker.stdout or ():
                words = line.rstrip(b"\n").decode("utf-8", "replace").split(" ", 3)
                if len(words) < 4:
                    raise GitFailed(f"an object of the push is not there: {' '.join(words)}")
                yield words[0], words[1], int(words[2]), words[3]
            if looker.wait() or walker.wait():
                raise GitFailed("git could not read what was pushed")


def _started(
    push: Incoming, arguments: Sequence[str], stdin: IO[bytes] | None
) -> AbstractContextManager[process.Running]:
    assert stdin is not None  # noqa: S101 a pipe was asked for
    return process.started(arguments, repository=push.repository, env=push.env, stdin=stdin, wall_s=WALL_S)


def _blob_faults(push: Incoming, oid: str, size: int, path: str) -> Iterator[str]:
    most = environment.MAX_BLOB_BYTES
    if size > most:
        yield f"{path}: {size / 1e6:.0f} MB is more than the {most / 1e6:.0f} MB that a file may have"
    elif len(path.encode()) > MAX_PATH_BYTES:
        yield f"{path[:60]}…: the path is longer than {MAX_PATH_BYTES} bytes"
    elif path == ".gitmodules" or path.endswith("/.gitmodules"):
        yield from _submodule_faults(push.git("cat-file", "blob", oid).decode("utf-8", "replace"))


def _submodule_faults(text: str) -> Iterator[str]:
    """A submodule's address is opened by whoever clones: https only."""
    for line in text.splitlines():
        key, _, value = line.strip().partition("=")
        if key.strip().lower() == "url" and not value.strip().strip('"').startswith(("https://", "./", "../")):
            yield f".gitmodules: the address {value.strip()!r} is not https"


def _large_faults(push: Incoming, small: dict[str, str], held: Callable[[set[str]], set[str]]) -> Iterator[str]:
    """Pointers (Git LFS) to large files that the design does not hold; git-lfs sends those before it pushes."""
    if not small:
        return
    out = push.git("cat-file", "--batch", "--buffer", stdin="".join(f"{oid}\n" for oid in small).encode())
    named = {found["blob"].decode(): found["oid"].decode() for found in POINTER.finditer(out)}
    here = held(set(named.values())) if named else set()
    for blob, oid in named.items():
        if oid not in here:
            yield f"{small[blob]}: its large file {oid[:12]} was not sent; run “git lfs push --all” first"
