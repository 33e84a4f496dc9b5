"""Comparisons and merges on the objects say what stock git says in a work tree."""

import datetime as dt
import os
import random
import subprocess
from pathlib import Path

import pytest

from designs import git
from designs.errors import BranchMoved, MergeConflict, NotText, UnrelatedHistories
from designs.git import commits, comparing, merging
from designs.git.commits import Author
from designs.git.repository import Repository

AT = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
AINO = Author("Aino", "aino@example.org")


class Bench:
    """A work tree of stock git, and a bare repository of ours beside it with the same objects."""

    def __init__(self, folder: Path) -> None:
        self.tree = folder / "tree"
        self.tree.mkdir()
        self("init", "--quiet", "-b", "main")
        self.ours = git.create("ab" + "0" * 30)

    def __call__(self, *arguments: str, fails: bool = False) -> str:
        person = {f"GIT_{who}_{what}": value for who in ("AUTHOR", "COMMITTER")
                  for what, value in (("NAME", "n"), ("EMAIL", "e@x"), ("DATE", "1700000000 +0000"))}  # fmt: skip
        done = subprocess.run(
            ["git", "-c", "merge.conflictStyle=merge", *arguments], cwd=self.tree, check=False, capture_output=True,
            env={"PATH": os.environ["PATH"], "HOME": str(self.tree), "GIT_CONFIG_NOSYSTEM": "1", **person},
        )  # fmt: skip
        assert fails or done.returncode == 0, done.stderr.decode()
        return done.stdout.decode().strip()

    def put(self, message: str, **files: bytes | None) -> str:
        """Write files (dots in names as __), commit; the commit."""
        for name, content in files.items():
            path = self.tree / name.replace("__", ".").replace("--", "/")
            if content is None:
                path.unlink()
            else:
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_bytes(content)
        self("add", "-A")
        self("commit", "--quiet", "--allow-empty", "-m", message)
        return self("rev-parse", "HEAD")

    def hand_over(self) -> Repository:
        """Give our repository what the work tree's has."""
        self("push", "--quiet", "--force", "--mirror", str(self.ours.path))
        return self.ours


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


LINES = [f"line {n}\n".encode() for n in range(30)]


def text(**changed: bytes) -> bytes:
    """Thirty lines, some replaced: text(l3=b"new")."""
    return b"".join(changed.get(f"l{n}", line.rstrip(b"\n")) + b"\n" for n, line in enumerate(LINES))


def test_changes_of_every_kind_with_sizes(bench: Bench) -> None:
    binary = bytes(range(256)) * 20
    base = bench.put("base", a__txt=text(), b__stl=binary, c__txt=b"gone\n", same__txt=b"same\n")
    bench("mv", "b.stl", "moved.stl")
    (bench.tree / "päällä ä\tb.txt").write_bytes(b"odd name\n")
    head = bench.put("head", a__txt=text(l3=b"three"), c__txt=None, new__txt=b"12345")
    found = {change.path: change for change in comparing.changes(bench.hand_over(), base, head)}
    assert {path: change.kind for path, change in found.items()} == {
        "a.txt": "changed", "moved.stl": "renamed", "c.txt": "removed", "new.txt": "added",
        "päällä ä\ufffdb.txt": "added",
    }  # fmt: skip
    assert found["moved.stl"].old_path == "b.stl" and found["moved.stl"].is_moved_only
    assert (found["new.txt"].old_oid, found["new.txt"].old_size, found["new.txt"].new_size) == ("", 0, 5)
    assert (found["c.txt"].new_oid, found["c.txt"].old_size) == ("", 5)
    assert found["a.txt"].new_oid == bench("rev-parse", "HEAD:a.txt")
    from_nothing = comparing.changes(bench.ours, "", head)
    assert {change.kind for change in from_nothing} == {"added"} and len(from_nothing) == 5


def test_where_two_histories_parted_and_what_came_since(bench: Bench) -> None:
    base = bench.put("base", a__txt=b"a\n")
    bench("checkout", "-qb", "side")
    side = [bench.put(f"side {n}", side__txt=f"{n}\n".encode()) for n in range(3)]
    bench("checkout", "-q", "main")
    main = bench.put("main", main__txt=b"m\n")
    ours = bench.hand_over()
    assert comparing.merge_base(ours, main, side[-1]) == base == bench("merge-base", main, side[-1])
    assert [commit.oid for commit in comparing.commits_between(ours, main, side[-1], 10)] == side[::-1]
    assert [commit.oid for commit in comparing.commits_between(ours, main, side[-1], 2)] == side[:0:-1]
    assert [commit.subject for commit in comparing.commits_between(ours, "", main, 10)] == ["main", "base"]
    assert comparing.count_between(ours, main, side[-1]) == (1, 3)


def test_lines_of_a_text_are_those_of_git_diff(bench: Bench) -> None:
    bench.put("one", a__txt=text())
    bench.put("two", a__txt=text(l3=b"three", l25=b"twenty-five\nand more"))
    ours = bench.hand_over()
    old, new = bench("rev-parse", "HEAD^:a.txt"), bench("rev-parse", "HEAD:a.txt")
    hunks = comparing.text_diff(ours, old, new)
    assert [(h.old_start, h.old_count, h.new_start, h.new_count) for h in hunks] == [(1, 7, 1, 7), (23, 7, 23, 8)]
    shown = [f"{line.sign}{line.text}" for hunk in hunks for line in hunk.lines]
    stock = [line for line in bench("diff", "HEAD^", "HEAD", "--", "a.txt").splitlines()[4:] if line[:2] != "@@"]
    assert shown == stock
    changed = [
        (line.sign, line.old_number, line.new_number) for hunk in hunks for line in hunk.lines if line.sign != " "
    ]
    assert changed == [("-", 4, None), ("+", None, 4), ("-", 26, None), ("+", None, 26), ("+", None, 27)]
    assert [len(h.lines) for h in comparing.text_diff(ours, "", new)] == [31]
    assert {line.sign for line in comparing.text_diff(ours, old, "")[0].lines} == {"-"}
    assert comparing.text_diff(ours, old, old) == []


def test_bytes_have_no_lines(bench: Bench) -> None:
    bench.put("one", a__stl=b"\0\1\2" * 100)
    bench.put("two", a__stl=b"\0\1\3" * 100)
    ours = bench.hand_over()
    old, new = bench("rev-parse", "HEAD^:a.stl"), bench("rev-parse", "HEAD:a.stl")
    for pair in ((old, new), ("", new), (old, "")):
        with pytest.raises(NotText):
            comparing.text_diff(ours, *pair)


def merged_by_hand(bench: Bench, ours: str, theirs: str) -> tuple[str, tuple[str, ...]]:
    """What `git merge` does in a work tree: the tree, or the paths that it leaves unmerged."""
    bench("checkout", "-qf", "--detach", ours)
    bench("merge", "--no-ff", "-m", "m", theirs, fails=True)
    left = tuple(sorted(set(bench("diff", "--name-only", "--diff-filter=U").splitlines())))
    tree = "" if left else bench("rev-parse", "HEAD^{tree}")
    bench("merge", "--abort", fails=True)
    bench("reset", "-q", "--hard")
    bench("clean", "-qfd")
    return tree, left


CASES = {
    "both add different files": ({"x__txt": b"x\n"}, {"y__txt": b"y\n"}),
    "different lines of one file": ({"a__txt": text(l2=b"two")}, {"a__txt": text(l20=b"twenty")}),
    "the same line": ({"a__txt": text(l2=b"two")}, {"a__txt": text(l2=b"TWO")}),
    "the same change twice": ({"a__txt": text(l2=b"two")}, {"a__txt": text(l2=b"two")}),
    "one deletes, one changes": ({"a__txt": None}, {"a__txt": text(l2=b"two")}),
    "bytes on both sides": ({"p__stl": b"\0one" * 99}, {"p__stl": b"\0two" * 99}),
    "bytes on one side": ({"p__stl": b"\0one" * 99}, {"y__txt": b"y\n"}),
    "renamed here, changed there": ({"a__txt": None, "b__txt": text()}, {"a__txt": text(l9=b"nine")}),
    "renamed to two names": ({"a__txt": None, "b__txt": text()}, {"a__txt": None, "c__txt": text()}),
    "both add the same name": ({"n__txt": b"one\n"}, {"n__txt": b"two\n"}),
    "file here, folder there": ({"n": b"file\n"}, {"n--in__txt": b"inside\n"}),
}


@pytest.mark.parametrize("case", CASES)
def test_a_merge_is_what_git_does_in_a_work_tree(bench: Bench, case: str) -> None:
    bench.put("base", a__txt=text(), p__stl=b"\0base" * 99)
    here, there = CASES[case]
    bench("checkout", "-qb", "there")
    theirs = bench.put("theirs", **there)
    bench("checkout", "-q", "main")
    ours = bench.put("ours", **here)
    tree, left = merged_by_hand(bench, ours, theirs)
    repository = bench.hand_over()
    # A folder pushes a file aside: the work tree names the file alone, and so do we.
    assert merging.conflicts(repository, ours, theirs) == tuple(sorted({path.split("~")[0] for path in left}))
    if left:
        with pytest.raises(MergeConflict) as refused:
            merging.merge(repository, branch="main", theirs=theirs, message="Merge", author=AINO, at=AT)
        assert refused.value.paths == merging.conflicts(repository, ours, theirs)
        assert all(path in str(refused.value.sentence) for path in refused.value.paths)
        assert repository.head("main") == ours
    else:
        made = merging.merge(repository, branch="main", theirs=theirs, message="Merge", author=AINO, at=AT)
        assert repository.head("main") == made
        shown = subprocess.run(
            ["git", "-C", repository.path, "log", "-1", "--format=%T %P"], capture_output=True, check=True
        )
        assert shown.stdout.decode().split() == [tree, ours, theirs]


def test_a_squash_is_one_commit_of_the_merged_tree(bench: Bench) -> None:
    bench.put("base", a__txt=text())
    bench("checkout", "-qb", "there")
    bench.put("theirs 1", a__txt=text(l2=b"two"))
    theirs = bench.put("theirs 2", a__txt=text(l2=b"TWO"))
    bench("checkout", "-q", "main")
    ours = bench.put("ours", b__txt=b"b\n")
    tree, _left = merged_by_hand(bench, ours, theirs)
    repository = bench.hand_over()
    made = merging.merge(repository, branch="main", theirs=theirs, message="One", author=AINO, at=AT, squash=True)
    shown = subprocess.run(
        ["git", "-C", repository.path, "log", "-1", "--format=%T %P %an", made], capture_output=True, check=True
    )
    assert shown.stdout.decode().split() == [tree, ours, "Aino"]


def test_criss_cross_merges_have_many_bases(bench: Bench) -> None:
    """Two branches that merged each other twice: the answer is that of git's recursive strategy."""
    bench.put("base", a__txt=text(), b__txt=text())
    bench("checkout", "-qb", "there")
    left = bench.put("there 1", a__txt=text(l1=b"one"))
    bench("checkout", "-q", "main")
    right = bench.put("here 1", b__txt=text(l1=b"one"))
    bench("merge", "-q", "--no-ff", "-m", "m1", left)
    bench("checkout", "-q", "there")
    bench("merge", "-q", "--no-ff", "-m", "m2", right)
    theirs = bench.put("there 2", a__txt=text(l1=b"one", l20=b"twenty"))
    bench("checkout", "-q", "main")
    ours = bench.put("here 2", a__txt=text(l1=b"one", l10=b"ten"))
    assert len(bench("merge-base", "--all", ours, theirs).split()) == 2
    tree, unmerged = merged_by_hand(bench, ours, theirs)
    repository = bench.hand_over()
    assert unmerged == () == merging.conflicts(repository, ours, theirs)
    made = merging.merge(repository, branch="main", theirs=theirs, message="m3", author=AINO, at=AT)
    assert comparing.changes(repository, made, made) == []
    out = subprocess.run(
        ["git", "-C", repository.path, "rev-parse", f"{made}^{{tree}}"], capture_output=True, check=True
    )
    assert out.stdout.decode().strip() == tree


def test_random_histories_merge_as_in_a_work_tree(bench: Bench) -> None:
    random_one = random.Random(20261122)
    clean = conflicting = 0
    for round_number in range(12):
        bench("checkout", "-q", "--orphan", f"base{round_number}")
        bench.put("base", a__txt=text(), b__txt=text(l1=b"b"), p__stl=b"\0base" * 50)
        tips = []
        for side in ("x", "y"):
            bench("checkout", "-qb", f"{side}{round_number}", f"base{round_number}")
            for step in range(random_one.randint(1, 3)):
                name = random_one.choice(["a__txt", "b__txt", "p__stl", f"{side}{step}__txt"])
                line = f"l{random_one.randint(0, 29)}"
                content = b"\0" + line.encode() * 50 if name == "p__stl" else text(**{line: side.encode()})
                bench.put(f"{side} {step}", **{name: content})
            tips.append(bench("rev-parse", "HEAD"))
        tree, left = merged_by_hand(bench, *tips)
        repository = bench.hand_over()
        assert merging.conflicts(repository, *tips) == left
        if not left:
            made = merging.merge(repository, branch=f"x{round_number}", theirs=tips[1], message="m", author=AINO, at=AT)
            out = subprocess.run(
                ["git", "-C", repository.path, "rev-parse", f"{made}^{{tree}}"], capture_output=True, check=True
            )
            assert out.stdout.decode().strip() == tree
        clean, conflicting = clean + (not left), conflicting + bool(left)
    assert clean >= 2 and conflicting >= 2


def test_asking_for_conflicts_writes_nothing(bench: Bench) -> None:
    bench.put("base", a__txt=text())
    bench("checkout", "-qb", "there")
    theirs = bench.put("theirs", a__txt=text(l2=b"two"))
    bench("checkout", "-q", "main")
    ours = bench.put("ours", a__txt=text(l20=b"twenty"))
    repository = bench.hand_over()
    before = sorted(repository.path.rglob("*"))
    assert merging.conflicts(repository, ours, theirs) == ()
    assert sorted(repository.path.rglob("*")) == before


def test_histories_with_nothing_in_common_are_refused_in_words(bench: Bench) -> None:
    ours = bench.put("ours", a__txt=b"a\n")
    bench("checkout", "-q", "--orphan", "there")
    theirs = bench.put("theirs", b__txt=b"b\n")
    repository = bench.hand_over()
    assert comparing.merge_base(repository, ours, theirs) == ""
    with pytest.raises(UnrelatedHistories):
        merging.conflicts(repository, ours, theirs)
    with pytest.raises(UnrelatedHistories):
        merging.merge(repository, branch="main", theirs=theirs, message="m", author=AINO, at=AT)
    assert repository.head("main") == ours


def test_what_is_there_already_changes_nothing_and_an_empty_branch_begins(bench: Bench) -> None:
    old = bench.put("base", a__txt=b"a\n")
    new = bench.put("more", a__txt=b"b\n")
    repository = bench.hand_over()
    assert merging.merge(repository, branch="main", theirs=old, message="m", author=AINO, at=AT) == new
    assert merging.merge(repository, branch="fresh", theirs=old, message="m", author=AINO, at=AT) == old
    made = merging.merge(repository, branch="flat", theirs=new, message="m", author=AINO, at=AT, squash=True)
    assert [commit.oid for commit in repository.history(made)] == [made]


def test_a_branch_that_moved_meanwhile_is_not_overwritten(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    bench.put("base", a__txt=text())
    bench("checkout", "-qb", "there")
    theirs = bench.put("theirs", a__txt=text(l2=b"two"))
    bench("checkout", "-q", "main")
    bench.put("ours", b__txt=b"b\n")
    repository = bench.hand_over()
    plain = commits.commit_tree

    def slow(*arguments: object, **named: object) -> str:
        """Somebody commits between our look at the branch and our write."""
        made: str = plain(*arguments, **named)  # type: ignore[arg-type]
        monkeypatch.undo()
        commits.commit(repository, branch="main", files={"c.txt": b"c"}, message="first", author=AINO, at=AT)
        return made

    monkeypatch.setattr(commits, "commit_tree", slow)
    with pytest.raises(BranchMoved):
        merging.merge(repository, branch="main", theirs=theirs, message="m", author=AINO, at=AT)
    assert repository.history("main")[0].subject == "first"


def test_what_is_brought_lives_under_a_hidden_ref(bench: Bench) -> None:
    first = bench.put("one", a__txt=text())
    second = bench.put("two", a__txt=text(l2=b"two"))
    fork = bench.hand_over()
    target = git.create("cd" + "0" * 30)
    merging.bring(target, fork, commit=first, ref="refs/internal/changes/1")
    merging.bring(target, fork, commit=second, ref="refs/internal/changes/1")
    assert target.refs() == {}
    assert [c.path for c in comparing.changes(target, first, second)] == ["a.txt"]
    seen = subprocess.run(["git", "ls-remote", target.path], capture_output=True, check=True)
    assert b"refs/internal" in seen.stdout  # without our configuration it is an ordinary ref
    with pytest.raises(ValueError, match="refs/internal"):
        merging.bring(target, fork, commit=first, ref="refs/heads/main")
