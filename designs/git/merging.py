"""Three-way merges on the objects, without a work tree: `merge-tree --write-tree`, commit-tree, update-ref."""

import datetime as dt
import re
import tempfile
from pathlib import Path

from django.utils.translation import gettext as _

from designs.errors import BadSource, GitFailed, MergeConflict, UnrelatedHistories
from designs.git import commits, environment, process
from designs.git.commits import NO_COMMIT, Author
from designs.git.names import OID, check_revision
from designs.git.repository import Repository

INTERNAL = "refs/internal/"
MERGE_WALL_S = 120.0
#: A file that a folder of the same name pushes aside is called path~commit by git.
ASIDE = re.compile(r"~[0-9a-f]{40}(_\d+)?$")


def conflicts(repository: Repository, ours: str, theirs: str) -> tuple[str, ...]:
    """The files that would have to be merged by hand, by path; none when the merge goes by itself.

    What git writes while it tries is thrown away, so that asking costs the repository nothing.
    Raises UnrelatedHistories.
    """
    with tempfile.TemporaryDirectory(prefix="lc-merge-") as folder:
        # A list in this variable is parsed; quotes keep any folder name whole.
        own = str(repository.path / "objects").replace("\\", "\\\\").replace('"', '\\"')
        env = environment.clean(GIT_OBJECT_DIRECTORY=folder, GIT_ALTERNATE_OBJECT_DIRECTORIES=f'"{own}"')
        return _merge_tree(repository, ours, theirs, env)[1]


def merge(
    repository: Repository,
    *,
    branch: str,
    theirs: str,
    message: str,
    author: Author,
    at: dt.datetime,
    squash: bool = False,
    mark: str = "",
) -> str:
    """Bring the commit `theirs` into the branch by a merge commit, or by one plain commit with `squash`; its id.

    `mark` is a hidden ref that names the new commit before the branch does, so that whoever finds the branch moved
    knows by what, even when this process died before it could tell.
    A branch that has it already is left as it is. Raises MergeConflict with `paths`, UnrelatedHistories, or BranchMoved
    when somebody wrote to the branch meanwhile; then the branch has not changed.
    """
    ours = repository.head(check_revision(branch))
    if not ours:
        made = _first(repository, theirs=theirs, message=message, author=author, at=at, squash=squash)
        _land(repository, branch=branch, made=made, expected=NO_COMMIT, mark=mark)
        return made
    if repository.is_ancestor(theirs, ours):
        return ours
    tree, paths = _merge_tree(repository, ours, theirs, environment.clean())
    if paths:
        named = ", ".join(paths[:8]) + (" …" if len(paths) > 8 else "")
        raise MergeConflict(
            _("Both sides changed %(paths)s. Bring the newest “%(branch)s” into the change, settle it there and push.")
            % {"paths": named, "branch": branch},
            paths=list(paths),
        )
    parents = (ours,) if squash else (ours, theirs)
    made = commits.commit_tree(repository, tree=tree, parents=parents, message=message, author=author, at=at)
    _land(repository, branch=branch, made=made, expected=ours, mark=mark)
    return made


def _land(repository: Repository, *, branch: str, made: str, expected: str, mark: str) -> None:
    """Let the mark name the new commit, and then the branch. Raises BranchMoved."""
    if mark:
        if not mark.startswith(INTERNAL):
            raise ValueError(f"not a ref below {INTERNAL}: {mark!r}")
        process.run(["update-ref", check_revision(mark), made], repository=repository.path)
    commits.move(repository, branch=branch, to=made, expected=expected)


def _first(repository: Repository, *, theirs: str, message: str, author: Author, at: dt.datetime, squash: bool) -> str:
    """The first commit of a branch that has none."""
    if not squash:
        return theirs
    tree = process.run(["rev-parse", "--verify", "--end-of-options", f"{theirs}^{{tree}}"], repository=repository.path)
    oid = tree.decode().split()[-1]
    return commits.commit_tree(repository, tree=oid, parents=(), message=message, author=author, at=at)


def _merge_tree(repository: Repository, ours: str, theirs: str, env: dict[str, str]) -> tuple[str, tuple[str, ...]]:
    """The merged tree, and the paths that did not merge."""
    code, out, complaint = process.attempt(
        ["merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", "--end-of-options", ours, theirs],
        repository=repository.path, env=env, timeout_s=MERGE_WALL_S,
    )  # fmt: skip
    if code not in {0, 1}:
        if b"unrelated histories" in complaint:
            raise UnrelatedHistories(
                _("These two have no commit in common, so they cannot be merged. Begin from a fork.")
            )
        raise GitFailed(_("git said: %(words)s") % {"words": process.last_line(complaint)})
    tree, *names = (field.decode("utf-8", "replace") for field in out.split(b"\0"))
    paths = {ASIDE.sub("", name) for name in names if name.strip()} if code == 1 else set()
    return tree.strip(), tuple(sorted(paths))


def bring(target: Repository, source: Repository, *, commit: str, ref: str) -> None:
    """Copy a commit of another repository of ours, with all that it needs, and keep it alive under `ref`.

    `ref` is below refs/internal/, which no client sees or fetches. Raises BadSource when the commit is not there.
    """
    if not ref.startswith(INTERNAL) or not OID.match(commit):
        raise ValueError(f"not a commit and a ref below {INTERNAL}: {commit!r} {ref!r}")
    check_revision(ref)
    if target.path == source.path:
        process.run(["update-ref", ref, commit], repository=target.path)
        return
    code, _out, complaint = process.attempt(
        ["-c", "protocol.file.allow=always", "fetch", "--quiet", "--no-auto-gc", "--no-write-fetch-head", "--no-tags",
         "--no-recurse-submodules", "--end-of-options", Path(source.path), f"+{commit}:{ref}"],
        repository=target.path, env=environment.clean(GIT_ALLOW_PROTOCOL="file"), timeout_s=600,
    )  # fmt: skip
    if code != 0:
        raise BadSource(_("The commit could not be copied: %(words)s.") % {"words": process.last_line(complaint)})


def forget(repository: Repository, ref: str) -> None:
    """Let go of what `bring` kept under `ref`."""
    if not ref.startswith(INTERNAL):
        raise ValueError(f"not a ref below {INTERNAL}: {ref!r}")
    process.run(["update-ref", "-d", check_revision(ref)], repository=repository.path)


def marked(repository: Repository, prefix: str) -> dict[str, str]:
    """The commits that marks below `prefix` name, by what stands after it."""
    if not prefix.startswith(INTERNAL):
        raise ValueError(f"not a ref below {INTERNAL}: {prefix!r}")
    asked = ["for-each-ref", "--format=%(refname) %(objectname)", check_revision(prefix)]
    lines = process.run(asked, repository=repository.path).decode().splitlines()
    return {name.removeprefix(f"{prefix}/"): oid for name, oid in (line.rsplit(" ", 1) for line in lines)}
