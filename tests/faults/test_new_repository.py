"""A power cut takes what was not forced to the disk: the short form of `test_power_cut.py`, for what git leaves to us,
a repository that has just been made. What git forces of a push is counted by strace in
`tests/designs/test_push_rules.py`.
"""

import os
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from designs import git
from designs.git import commits, process


@pytest.fixture
def forced(monkeypatch: pytest.MonkeyPatch) -> set[int]:
    """The inodes of what this process has forced to the disk."""
    seen, fsync = set[int](), os.fsync

    def seen_fsync(handle: int) -> None:
        seen.add(os.fstat(handle).st_ino)
        fsync(handle)

    monkeypatch.setattr(os, "fsync", seen_fsync)
    return seen


def cut(folder: Path, forced: set[int]) -> list[str]:
    """What a power cut may do to a folder: files that were not forced are empty; their names."""
    lost = [path for path in folder.rglob("*") if path.is_file() and path.stat().st_ino not in forced]
    for path in lost:
        path.chmod(0o600)
        path.write_bytes(b"")
    return [path.name for path in lost]


def test_a_new_repository_outlasts_a_power_cut(forced: set[int], settings: Any, tmp_path: Path) -> None:
    settings.REPOSITORIES_DIR = tmp_path / "repositories"
    made = git.create("ab" + "1" * 30)
    assert cut(made.path, forced) == []
    made.point_head("trunk")
    assert cut(made.path, forced) == []
    author = commits.Author("A", "a@example.org")
    head = commits.commit(made, branch="trunk", files={"a": b"a"}, message="m", author=author, at=timezone.now())
    assert made.head("trunk") == head
    assert process.attempt(["fsck", "--strict"], repository=made.path)[0] == 0


def test_a_repository_that_was_not_forced_would_not(settings: Any, tmp_path: Path) -> None:
    """The cut of this test is one that a repository does not outlast by itself."""
    settings.REPOSITORIES_DIR = tmp_path / "repositories"
    made = git.create("ab" + "2" * 30)
    assert "HEAD" in cut(made.path, set())
    assert process.attempt(["rev-parse", "--git-dir"], repository=made.path)[0] != 0
