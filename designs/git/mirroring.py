"""Following a repository elsewhere: its branches and tags are fetched beside ours, looked at, and then taken over.

Nothing is lost by it: where the source rewrote or deleted a branch, its old head stays under refs/internal/old/. A tag
that a release fixes is never moved.
"""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from django.utils.translation import gettext as _

from designs.errors import BadRevision, BadSource, BranchMoved
from designs.git import fetching, moving, process
from designs.git.names import check_revision
from designs.git.repository import BRANCHES, TAGS, Repository
from designs.git.tags import FIXED

INCOMING = "refs/internal/incoming/"
OLD = "refs/internal/old/"
REFSPECS = (f"+refs/heads/*:{INCOMING}heads/*", f"+refs/tags/*:{INCOMING}tags/*")
#: More than this a source may not have; each is a file or a line that every read of the repository looks at.
MAX_REFS = 5000


@dataclass(frozen=True, slots=True)
class Step:
    """A branch or tag that the source has otherwise than we: what it names here and there, empty for nothing. `grew`
    says that nothing is lost when it is taken over."""

    ref: str
    here: str
    there: str
    grew: bool


@dataclass(frozen=True, slots=True)
class Brought:
    """What a fetch found: the differences, and the branches that the source has now."""

    steps: tuple[Step, ...]
    branches: tuple[str, ...]

    @property
    def rewritten(self) -> int:
        """How many branches were rewritten or deleted at the source."""
        return sum(step.ref.startswith(BRANCHES) and not step.grew for step in self.steps)


def look(repository: Repository, fetch: Callable[[tuple[str, ...]], None]) -> Brought:
    """Fetch beside our own branches and say what differs; they are not touched.

    `fetch` is called with the refspecs. Raises what it raises, and BadSource when the source has no branch any more:
    then what is here stays.
    """
    forget(repository)
    before = _drafts(repository)
    try:
        fetch(REFSPECS)
    except BaseException:
        for draft in _drafts(repository) - before:
            draft.unlink(missing_ok=True)
        forget(repository)
        raise
    theirs = {ref: oid for ref, oid in _incoming(repository) if _is_named_well(ref)}
    branches = tuple(sorted(ref.removeprefix(BRANCHES) for ref in theirs if ref.startswith(BRANCHES)))
    if not branches:
        forget(repository)
        raise BadSource(_("The source has no branch any more; everything that was here stays."))
    if len(theirs) > MAX_REFS:
        forget(repository)
        raise BadSource(_("The source has more than %(n)d branches and tags.") % {"n": MAX_REFS})
    return Brought(tuple(_steps(repository, theirs)), branches)


def _drafts(repository: Repository) -> set[Path]:
    """Halves of packs, which a fetch that was broken off leaves."""
    return set((repository.path / "objects" / "pack").glob("tmp_*"))


def _incoming(repository: Repository) -> Iterator[tuple[str, str]]:
    for name, oid in _listed(repository, INCOMING):
        yield "refs/" + name.removeprefix(INCOMING), oid


def _listed(repository: Repository, *prefixes: str) -> list[tuple[str, str]]:
    """(ref, object) below the prefixes; an annotated tag is the tag itself here, not its commit."""
    out = process.run(["for-each-ref", "--format=%(refname)%00%(objectname)", *prefixes], repository=repository.path)
    return [(name, oid) for name, oid in (line.split("\0") for line in out.decode("utf-8", "replace").splitlines())]


def _is_named_well(ref: str) -> bool:
    """Whether the site could show it; a ref with another name is left out."""
    name = ref.split("/", 2)[2]
    try:
        check_revision(name)
    except BadRevision:
        return False
    return name != "HEAD"


def _steps(repository: Repository, theirs: Mapping[str, str]) -> Iterator[Step]:
    ours = dict(_listed(repository, BRANCHES, TAGS))
    fixed = {TAGS + name.removeprefix(FIXED) for name, _oid in _listed(repository, FIXED)}
    for ref in sorted({*ours, *theirs}):
        here, there = ours.get(ref, ""), theirs.get(ref, "")
        if here == there or _is_fixed(ref, fixed):
            continue
        grew = not here or (bool(there) and ref.startswith(BRANCHES) and repository.is_ancestor(here, there))
        yield Step(ref, here, there, grew)


def _is_fixed(ref: str, fixed: set[str]) -> bool:
    """Whether a release has the tag, or one that could not be there beside it (`a` and `a/b`)."""
    return ref in fixed or any(ref.startswith(f"{one}/") or one.startswith(f"{ref}/") for one in fixed)


def take_over(repository: Repository, brought: Brought, *, at: dt.datetime) -> None:
    """Let our branches and tags be those of the source. Raises BranchMoved when ours moved since they were looked at.

    First what goes, with its old head kept, then what comes: `a` can become `a/b`.
    """
    day = f"{OLD}{at:%Y-%m-%dT%H%M%S}/"
    gone, come = [], []
    moving.announce(repository.path)
    for step in brought.steps:
        if step.here and not step.grew:
            gone.append(f"update {day}{step.ref.removeprefix('refs/')} {step.here}")
        if not step.there:
            gone.append(f"delete {step.ref} {step.here}")
        else:
            come.append(f"update {step.ref} {step.there} {step.here or '0' * 40}")
    for lines in (gone, come):
        if lines:
            _update(repository, lines)
    forget(repository)


def forget(repository: Repository) -> None:
    """Drop what a fetch brought and nobody took over; git cleans its objects away later."""
    lines = [f"delete {name}" for name, _oid in _listed(repository, INCOMING)]
    if lines:
        _update(repository, lines)


def _update(repository: Repository, lines: list[str]) -> None:
    code, _out, complaint = process.attempt(
        ["update-ref", "--stdin"], repository=repository.path, stdin="".join(f"{line}\n" for line in lines).encode()
    )
    if code != 0:
        raise BranchMoved(
            _("The branches could not be taken over: %(words)s.") % {"words": process.last_line(complaint)}
        )


def from_https(repository: Repository, url: str, *, most_bytes: int, say: fetching.Say = fetching.silent) -> Brought:
    """`look` at an https address, with the address checks of an import. Raises BadSource, AddressRefused, OverQuota."""
    return look(
        repository,
        lambda refspecs: fetching.from_https(repository, url, say=say, refspecs=refspecs, most_bytes=most_bytes),
    )
