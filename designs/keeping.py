"""What a backup has to know of repositories and large files, and whether both are all there."""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path

from django.utils.translation import gettext as _

from commons import sockets
from designs import git
from designs.git import pools, process
from designs.git.repository import Repository
from designs.models import Design, FileVersion, LfsObject, Make, Proposal, Release
from designs.queries.lfs import path_of
from designs.services import release_archives

Say = Callable[[float, str], None]
Checked = tuple[Mapping[str, int], Sequence[str]]
#: What a push or a repack has begun and not ended.
HALVES = ("*.lock", "tmp_*", "incoming-*")
MOST_TOLD = 20


def register() -> None:
    """Plug in."""
    sockets.kept_stores.register(sockets.KeptStore("repositories", is_repository, hold, rank, HALVES))
    sockets.kept_stores.register(sockets.KeptStore("lfs", skip=("incoming",)))
    sockets.kept_checks.register(sockets.KeptCheck("designs", check, order=20))


def is_repository(path: Path) -> bool:
    """Whether the path is one. Pools come after all others: what leaves a fork has gone into its pool before."""
    return path.suffix == ".git"


def hold(path: Path) -> AbstractContextManager[None]:
    """Nobody repacks it meanwhile; pushes go on."""
    return pools.held(Repository(path))


def rank(name: str) -> int:
    """References are read before the objects that they name, and single ones before those that are packed."""
    return {"refs": 0, "packed-refs": 1, "objects": 3}.get(name, 2)


def check(say: Say) -> Checked:
    """Every commit that the database names is in its repository, each repository is whole, each large file there."""
    faults: list[str] = []
    designs = list(Design.objects.order_by("pk").only("pk", "repository", "pool"))
    wanted, past = _named(), _mentioned()
    commits = replaced = 0
    for number, design in enumerate(designs):
        say(0.9 * number / len(designs), "git fsck")
        repository, named = git.of(design.repository), wanted.get(design.pk, set())
        if not repository.path.is_dir():
            faults.append(_("The repository of design %(n)d is not there.") % {"n": design.pk})
            continue
        commits += len(named | past.get(design.pk, set()))
        replaced += len(absent(repository, past.get(design.pk, set()) - named))
        gone = absent(repository, named)
        faults += [_("Design %(n)d lacks its commit %(commit)s.") % {"n": design.pk, "commit": oid} for oid in gone]
        faults += _unsound(repository, f"design {design.pk}")
    held = {design.pool for design in designs if design.pool}
    for pool in sorted(held):
        faults += _unsound(pools.of(pool), f"pool {pool[:8]}")
    say(0.95, "large files")
    kept = _stored()
    faults += [_("%(what)s is not there.") % {"what": what} for what, path in kept if not path.is_file()]
    figures = {"repositories": len(designs) + len(held), "commits": commits, "commits_replaced": replaced,
               "large_files": len(kept)}  # fmt: skip
    return figures, faults[:MOST_TOLD]


def _unsound(repository: Repository, name: str) -> list[str]:
    fault = pools.check(repository)
    return [_("The repository of %(name)s is damaged: %(fault)s.") % {"name": name, "fault": fault}] if fault else []


def _named() -> dict[int, set[str]]:
    """The commits that must be there: what branches, releases and offered changes name."""
    rows: list[tuple[int, str]] = [
        *Design.objects.exclude(head="").values_list("pk", "head"),
        *Release.objects.values_list("design", "commit"),
        *FileVersion.objects.filter(current=True).values_list("design", "commit").distinct(),
        *Proposal.objects.values_list("design", "head"),
    ]
    for design, versions in Proposal.objects.values_list("design", "versions"):
        rows += [(design, version["head"]) for version in versions]
    return _by_design(rows)


def _mentioned() -> dict[int, set[str]]:
    """Commits of the past. What a push has replaced is kept for two weeks by git, so some may be gone in good order."""
    return _by_design(
        [
            *FileVersion.objects.filter(current=False).values_list("design", "commit").distinct(),
            *Proposal.objects.exclude(merged_commit="").values_list("design", "merged_commit"),
            *Make.objects.exclude(commit="").values_list("design", "commit"),
        ]
    )


def _by_design(rows: Iterable[tuple[int, str]]) -> dict[int, set[str]]:
    found: defaultdict[int, set[str]] = defaultdict(set)
    for design, commit in rows:
        found[design].add(commit)
    return found


def absent(repository: Repository, commits: Iterable[str]) -> list[str]:
    """Those of the commits that the repository does not have."""
    named = sorted(commits)
    if not named:
        return []
    lines = "".join(f"{oid}\n" for oid in named).encode()
    out = process.run(
        ["cat-file", "--batch-check=%(objectname) %(objecttype)"], repository=repository.path, stdin=lines
    )
    have = {line.split()[0] for line in out.decode().splitlines() if line.endswith(" commit")}
    return [oid for oid in named if oid not in have]


def _stored() -> list[tuple[str, Path]]:
    large = [(f"lfs {oid[:12]}", path_of(oid)) for oid in LfsObject.objects.values_list("oid", flat=True)]
    archives = Release.objects.exclude(archive="").values_list("archive", flat=True)
    return large + [(f"archive {name}", release_archives.store() / name) for name in archives]
