"""git is called in one place alone, with nothing of the caller in it."""

import ast
import datetime as dt
import os
import shutil
from pathlib import Path
from typing import Any

import pytest

from designs import git
from designs.errors import AddressRefused, BadPath, BadRevision, GitFailed, TooLarge
from designs.git import commits, environment, fetching, objects, pools, process
from designs.git.names import check_path, check_revision
from designs.git.repository import Repository

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("designs", "labs", "energy", "twin", "platform/commons", "platform/livingcity")


def modules() -> list[Path]:
    return [path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "node_modules" not in path.parts]


RUNNERS = {"run", "Popen", "call", "check_call", "check_output", "getoutput", "system", "popen", "execvp", "execv"}


def imported(node: ast.AST) -> set[str]:
    """The packages that a statement imports by their full names."""
    if isinstance(node, ast.Import):
        return {name.name.split(".")[0] for name in node.names}
    if isinstance(node, ast.ImportFrom) and node.level == 0:
        return {(node.module or "").split(".")[0]}
    return set()


def git_uses(tree: ast.AST) -> list[tuple[int, str]]:
    """Where a module commands git: GitPython's `.git.<command>`, its import, or a program called git."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "git":
            found.append((node.lineno, "command"))
        elif "git" in imported(node):
            found.append((node.lineno, "library"))
        elif isinstance(node, ast.List | ast.Tuple) and node.elts and getattr(node.elts[0], "value", None) == "git":
            found.append((node.lineno, "program"))
        elif isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            words = getattr(node.args[0], "value", None) if node.args else None
            if called in RUNNERS and isinstance(words, str) and words.split()[:1] == ["git"]:
                found.append((node.lineno, "program"))
    return found


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("repo.git.log('--output=x')", "command"),
        ("self.repo.git.diff", "command"),
        ("import git", "library"),
        ("import git.cmd as g", "library"),
        ("from git import Repo", "library"),
        ("subprocess.run(['git', 'log'])", "program"),
        ("subprocess.Popen(('git',))", "program"),
        ("os.system('git gc')", "program"),
    ],
)
def test_the_walk_sees_every_way_to_git(source: str, kind: str) -> None:
    assert [found for _line, found in git_uses(ast.parse(source))] == [kind]


def test_nobody_else_runs_git() -> None:
    """No `.git.` command access anywhere, GitPython in one module alone, and no program git outside `designs/git`."""
    guilty = []
    for path in modules():
        inside = path.is_relative_to(ROOT / "designs/git")
        for line, kind in git_uses(ast.parse(path.read_text())):
            allowed = {"command": False, "library": path.name == "objects.py" and inside, "program": inside}
            if not allowed[kind]:
                guilty.append(f"{path.relative_to(ROOT)}:{line} ({kind})")
    assert guilty == []
    assert (ROOT / "designs/git/objects.py") in modules(), "the walk reads the tree that it is about"


def test_blobs_come_from_a_git_that_stays_and_few_of_them(tmp_path: Path, settings: object) -> None:
    settings.REPOSITORIES_DIR = tmp_path  # type: ignore[attr-defined]
    at = dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
    kept: list[tuple[Repository, str]] = []

    def filled(number: int) -> tuple[Repository, str]:
        repository = git.create(f"{number:032x}")
        commits.commit(
            repository, branch="main", files={"a": b"%d\n\0" % number * 9}, message="m",
            author=commits.Author("A", "a@x"), at=at,
        )  # fmt: skip
        return repository, repository.entry("main", "a").oid

    def count() -> tuple[int, int]:
        children = Path(f"/proc/{os.getpid()}/task/{os.getpid()}/children").read_text().split()
        return len(list(Path("/proc/self/fd").iterdir())), len(children)

    for path in list(objects._open):  # of other tests
        objects.forget(path)
    kept = [filled(number) for number in range(20)]
    fds, children = count()
    for turn in range(2):
        for number, (repository, oid) in enumerate(kept):
            assert objects.read(repository.path, oid, limit=1000) == b"%d\n\0" % number * 9, turn
    now = count()
    assert now[0] - fds <= 2 * objects.MOST_OPEN and now[1] - children <= objects.MOST_OPEN
    with pytest.raises(TooLarge):
        kept[19][0].read(kept[19][1], limit=5)
    assert kept[19][0].read(kept[19][1], limit=1000)
    with pytest.raises(GitFailed):
        kept[19][0].read("1" * 40, limit=1000)
    with pytest.raises(GitFailed):
        kept[19][0].read("HEAD\n", limit=1000)
    # A pack that comes later, and a git that was killed, are no obstacle.
    repository = kept[19][0]
    commits.commit(
        repository, branch="main", files={"b": b"later"}, message="m", author=commits.Author("A", "a@x"), at=at
    )
    pools.pack(repository)
    assert repository.read(repository.entry("main", "b").oid, limit=10) == b"later"
    objects._reader(repository.path).cat_file_all.proc.kill()
    assert objects.read(repository.path, repository.entry("main", "b").oid, limit=10) == b"later"
    for repository, _oid in kept:
        repository.remove()
    assert count()[1] == children


def test_a_branch_is_as_git_says_however_it_is_kept(tmp_path: Path, settings: object) -> None:
    settings.REPOSITORIES_DIR = tmp_path  # type: ignore[attr-defined]
    repository = git.create("a" * 32)
    author, at = commits.Author("A", "a@x"), dt.datetime(2026, 5, 1, tzinfo=dt.UTC)

    def commit(text: bytes, branch: str = "main") -> str:
        commits.commit(repository, branch=branch, files={"a": text}, message=text.decode(), author=author, at=at)
        return repository.commit_of(branch)

    assert repository.head("main") == ""
    for text in (b"one", b"two"):
        tip = commit(text)
        for _turn in range(2):
            assert repository.head("main") == tip
            assert [entry.path for entry in repository.files(tip)] == ["a"]
            assert repository.history(tip, limit=1)[0].message == text.decode()
            assert repository.read(repository.files(tip)[0].oid, limit=10) == text
    process.run(["pack-refs", "--all"], repository=repository.path)
    assert not (repository.path / "refs/heads/main").exists()
    assert repository.head("main") == tip
    assert repository.head("main") != commit(b"three") == repository.head("main")
    missing = repository.path / "refs/heads/missing"
    missing.write_text("1" * 40 + "\n")
    assert repository.head("missing") == ""
    missing.write_text("ref: refs/heads/main\n")
    assert repository.head("missing") == repository.head("main")
    for strange in ("../../HEAD", "main/..", "-x", "", tip[:7] + "x"):
        assert repository.head(strange) == ""
    process.run(["update-ref", "-d", "refs/heads/main"], repository=repository.path)
    assert repository.head("main") == ""


def test_what_never_changes_is_asked_of_git_once(
    tmp_path: Path, settings: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.REPOSITORIES_DIR = tmp_path  # type: ignore[attr-defined]
    repository = git.create("b" * 32)
    author, at = commits.Author("A", "a@x"), dt.datetime(2026, 5, 1, tzinfo=dt.UTC)
    commits.commit(repository, branch="main", files={"a": b"one"}, message="m", author=author, at=at)
    tip = repository.head("main")
    files, log = repository.files(tip), repository.history(tip, limit=5)
    assert repository.read(files[0].oid, limit=9) == b"one"
    files.clear()  # who is given a list may do with it as they like

    def fails(*_arguments: object, **_more: object) -> None:
        raise AssertionError("git was asked again")

    monkeypatch.setattr(process, "started", fails)
    monkeypatch.setattr(objects, "read", fails)
    assert repository.head("main") == tip
    [entry] = repository.files(tip)
    assert entry.path == "a" and repository.read(entry.oid, limit=9) == b"one"
    assert repository.history(tip, limit=5) == log
    with pytest.raises(AssertionError, match="asked again"):
        repository.read(entry.oid, limit=2)


def test_nothing_of_the_environment_reaches_git(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_DIR", "GIT_SSH_COMMAND", "GIT_CONFIG_COUNT", "GIT_EXTERNAL_DIFF", "SECRET_KEY", "LD_PRELOAD"):
        monkeypatch.setenv(name, "evil")
    seen = environment.clean()
    assert "evil" not in seen.values()
    assert seen["GIT_ALLOW_PROTOCOL"] == ""
    assert seen["GIT_CONFIG_NOSYSTEM"] == "1"
    assert set(seen) - set(os.environ) <= {
        name for name in seen if name.startswith("GIT_") or name in {"HOME", "LC_ALL"}
    }


@pytest.mark.parametrize("name", ["--upload-pack=x", "-x", "a..b", "a@{1}", "main^", "x.lock", "", "a b", "a\nb", "/a"])
def test_revisions_that_are_no_names_are_refused(name: str) -> None:
    with pytest.raises(BadRevision):
        check_revision(name)


@pytest.mark.parametrize("path", ["../x", "/x", "a//b", ".git/config", "a/.GIT/x", "a\nb", "", "x" * 800])
def test_paths_that_lead_elsewhere_are_refused(path: str) -> None:
    with pytest.raises(BadPath):
        check_path(path)


@pytest.mark.parametrize("path", ["a", "ä/ö ü.stl", "--x", "-rf", "<script>.stl", "a/.gitignore"])
def test_odd_but_honest_paths_pass(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.5.5", "169.254.169.254", "100.64.0.1", "0.0.0.1", "224.0.0.1",
     "::1", "fe80::1", "fc00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "255.255.255.255"],
)  # fmt: skip
def test_addresses_inside_are_refused(address: str) -> None:
    with pytest.raises(AddressRefused, match="private network"):
        fetching.check_address("https://example.org/x.git", resolver=lambda host, port: [address])


def test_one_private_address_among_public_ones_is_enough() -> None:
    with pytest.raises(AddressRefused):
        fetching.check_address("https://example.org/x", resolver=lambda host, port: ["93.184.216.34", "10.0.0.1"])


@pytest.mark.parametrize(
    "url",
    ["http://example.org/x", "file:///etc", "ssh://x/y", "ext::sh -c id", "git://x/y", "https://u:p@example.org/x",
     "https:///x", "https://example.org:x/", "/etc", "-x"],
)  # fmt: skip
def test_only_plain_https_addresses_pass(url: str) -> None:
    with pytest.raises(AddressRefused):
        fetching.check_address(url, resolver=lambda host, port: ["93.184.216.34"])


def test_a_public_address_is_pinned() -> None:
    assert fetching.check_address("https://example.org/x.git", resolver=lambda host, port: ["93.184.216.34"]) == (
        "example.org", 443, "93.184.216.34",
    )  # fmt: skip


def test_git_never_runs_without_our_configuration(tmp_path: Path, settings: Any) -> None:
    """In whichever folder the city's data are, and also after somebody has cleared it away."""
    for folder in (tmp_path / "one", tmp_path / "other", tmp_path / "one"):
        settings.DATA_DIR = folder
        config = Path(environment.clean()["GIT_CONFIG_GLOBAL"])
        assert config == folder / "git" / "config"
        assert "fsync = all" in config.read_text() and (folder / "git" / "hooks" / "pre-receive").is_file()
        shutil.rmtree(folder)
