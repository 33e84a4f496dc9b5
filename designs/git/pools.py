"""Pools: one store of objects behind a public design and its forks, so that a fork costs kilobytes.

Each member's `objects/info/alternates` names the pool. A pool is never pruned: it keeps what nobody names any more, so
nothing that a member does (a force-push, a deletion, `gc`) can take an object from another. Objects come in as hard
links of whole packs, which takes milliseconds whatever the size, and is free until the two are packed again.

Nobody is served a pool. What a member serves is bounded by its own branches and tags (`wants`), not by what lies in the
pool. Only designs that everybody may see share one; a design that becomes private leaves it.
"""

import contextlib
import fcntl
import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings
from django.utils.translation import gettext as _

from commons.web.disk import force_folder
from designs.errors import GitFailed
from designs.git import environment, moving, process
from designs.git.repository import BRANCHES, TAGS, Repository, create, settle

MEMBERS = "refs/members/"
PACK_WALL_S = 3600.0
#: An index comes last: git looks at a pack only when it sees one.
PACK_PARTS = (".pack", ".rev", ".idx")


def of(pool_id: str) -> Repository:
    """The pool of that id."""
    return Repository(Path(settings.REPOSITORIES_DIR) / "pools" / pool_id[:2] / f"{pool_id}.git")


def create_pool() -> str:
    """A new empty pool; its id."""
    pool_id = secrets.token_hex(16)
    made = of(pool_id)
    made.path.mkdir(parents=True)
    process.run(["init", "--quiet", "--bare", made.path])
    settle(made.path)
    return pool_id


@contextmanager
def held(repository: Repository) -> Iterator[None]:
    """Alone with the packs of a repository: two that repack, or one that repacks while another copies, would lose some.

    Pushes and fetches need no such lock.
    """
    with (repository.path / "packing.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def absorb(pool: Repository, member: Repository) -> None:
    """Bring into the pool every object that the member has itself, and remember the member's branches and tags."""
    with held(pool), held(member):
        refs = _refs(member)
        _link_objects(member.path / "objects", pool.path / "objects")
        prefix = f"{MEMBERS}{member.path.stem}/"
        _replace_refs(pool, prefix, {prefix + name.removeprefix("refs/"): oid for name, oid in refs.items()})


def join(pool: Repository, member: Repository) -> None:
    """Let the member read from the pool what it does not have itself. What both have goes at the next `pack`."""
    info = member.path / "objects" / "info"
    info.mkdir(exist_ok=True)
    target = os.path.relpath(pool.path / "objects", member.path / "objects")
    draft = info / f"alternates.{os.getpid()}"
    with draft.open("w") as file:
        file.write(target + "\n")
        file.flush()
        os.fsync(file.fileno())
    draft.replace(info / "alternates")
    force_folder(info)


def is_member(repository: Repository) -> bool:
    """Whether the repository reads from a pool."""
    return (repository.path / "objects" / "info" / "alternates").exists()


def leave(member: Repository) -> None:
    """Make the repository whole by itself and let go of the pool. Raises GitFailed; then it is still a member."""
    alternates = member.path / "objects" / "info" / "alternates"
    if not alternates.exists():
        return
    with held(member):
        process.run(["repack", "-a", "-d", "-q"], repository=member.path, timeout_s=PACK_WALL_S)
        aside = alternates.with_name("alternates.left")
        alternates.replace(aside)
        fault = check(member)
        if fault:
            aside.replace(alternates)
            raise GitFailed(_("The repository could not be made whole: %(fault)s.") % {"fault": fault})
        aside.unlink()
        force_folder(alternates.parent)


def fork(source: Repository, target_id: str, *, branch: str, pool: Repository | None) -> Repository:
    """A new repository with the branches and tags of `source`: by way of the pool, or with a copy of all objects."""
    made = create(target_id, branch=branch)
    refs = _refs(source)
    if pool is not None:
        absorb(pool, source)
        join(pool, source)
        join(pool, made)
    elif refs:
        _copy(source, made)
    moving.announce(made.path)
    _write_refs(made, refs)
    process.run(["pack-refs", "--all"], repository=made.path)
    return made


def _copy(source: Repository, target: Repository) -> None:
    """All that the branches and tags of a repository reach, and nothing else of it."""
    process.run(
        ["-c", "protocol.file.allow=always", "fetch", "--quiet", "--no-auto-gc", "--no-write-fetch-head", "--no-tags",
         "--no-recurse-submodules", "--end-of-options", source.path,
         f"+{BRANCHES}*:{BRANCHES}*", f"+{TAGS}*:{TAGS}*"],
        repository=target.path, env=environment.clean(GIT_ALLOW_PROTOCOL="file"), timeout_s=PACK_WALL_S,
    )  # fmt: skip


def pack(repository: Repository, *, is_pool: bool = False) -> None:
    """Pack the objects again, so that reads and clones stay fast; write the commit graph and, where git can, a bitmap.

    What nobody names any more is kept for two weeks, in a pool for ever. A member drops what the pool has.
    """
    with held(repository):
        process.run(["pack-refs", "--all"], repository=repository.path)
        if is_pool:
            options = ["-a", "-d", "-k", "-b", "-q"]
        elif is_member(repository):
            options = ["-A", "-d", "-l", "-q", "--unpack-unreachable=2.weeks.ago"]
        else:
            options = ["-A", "-d", "-b", "-q", "--unpack-unreachable=2.weeks.ago"]
        process.run(["repack", *options], repository=repository.path, timeout_s=PACK_WALL_S)
        if not is_pool:
            process.run(["prune", "--expire=2.weeks.ago"], repository=repository.path, timeout_s=PACK_WALL_S)
        process.run(["commit-graph", "write", "--reachable"], repository=repository.path, timeout_s=PACK_WALL_S)


def packs(repository: Repository) -> int:
    """How many packs the repository has of its own."""
    return sum(1 for _pack in (repository.path / "objects" / "pack").glob("*.pack"))


def loose(repository: Repository) -> int:
    """How many loose objects the repository has of its own."""
    objects = repository.path / "objects"
    return sum(1 for folder in objects.glob("[0-9a-f][0-9a-f]") for _object in folder.iterdir())


def size_bytes(repository: Repository) -> int:
    """What the repository takes on the disk by itself; what lies in its pool is not counted."""
    total = repository.path.lstat().st_blocks
    for entry in repository.path.rglob("*"):
        with contextlib.suppress(FileNotFoundError):
            total += entry.lstat().st_blocks
    return total * 512


def check(repository: Repository) -> str:
    """What `git fsck --connectivity-only` finds wrong, or nothing."""
    code, out, complaint = process.attempt(
        ["fsck", "--connectivity-only", "--no-dangling", "--no-progress"],
        repository=repository.path, timeout_s=PACK_WALL_S,
    )  # fmt: skip
    if code == 0:
        return ""
    return process.last_line(complaint or out)


def remove(pool_id: str) -> None:
    """Delete a pool that has no members left."""
    shutil.rmtree(of(pool_id).path, ignore_errors=True)


def _refs(repository: Repository) -> dict[str, str]:
    out = process.run(["for-each-ref", "--format=%(objectname) %(refname)", BRANCHES, TAGS], repository=repository.path)
    pairs = (line.split(" ", 1) for line in out.decode("utf-8", "surrogateescape").splitlines())
    return {name: oid for oid, name in pairs}


def _replace_refs(repository: Repository, prefix: str, refs: dict[str, str]) -> None:
    """Let the refs below `prefix` be exactly these; what the old ones named stays in a pool all the same."""
    out = process.run(["for-each-ref", "--format=%(refname)", prefix], repository=repository.path)
    old = set(out.decode("utf-8", "surrogateescape").splitlines()) - set(refs)
    lines = b"".join(f"delete {name}\0\0".encode("utf-8", "surrogateescape") for name in sorted(old))
    if lines:
        process.run(["update-ref", "-z", "--stdin"], repository=repository.path, stdin=lines)
    _write_refs(repository, refs)


def _write_refs(repository: Repository, refs: dict[str, str]) -> None:
    lines = b"".join(
        f"update {name}\0{oid}\0\0".encode("utf-8", "surrogateescape") for name, oid in sorted(refs.items())
    )
    if lines:
        process.run(["update-ref", "-z", "--stdin"], repository=repository.path, stdin=lines)


def _link_objects(source: Path, target: Path) -> None:
    """Hard links of packs and loose objects; the files of git's store are never written to again."""
    (target / "pack").mkdir(exist_ok=True)
    for index in sorted((source / "pack").glob("pack-*.idx")):
        for part in PACK_PARTS:
            _link(index.with_suffix(part), target / "pack" / index.with_suffix(part).name)
    force_folder(target / "pack")
    for folder in source.iterdir():
        if len(folder.name) == 2:
            (target / folder.name).mkdir(exist_ok=True)
            for file in folder.iterdir():
                if not file.name.startswith("tmp_"):
                    _link(file, target / folder.name / file.name)
            force_folder(target / folder.name)
    force_folder(target)


def _link(source: Path, target: Path) -> None:
    with contextlib.suppress(FileExistsError):
        try:
            os.link(source, target)
        except FileNotFoundError:
            if source.suffix != ".rev":  # git 2.39 writes none
                raise
