"""The process that takes a push, or a file on a page, is killed between git and the database: what git has is found."""

import hashlib
import os
import random
import shlex
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from commons.people.models import User
from commons.runs.models import Run
from commons.runs.work import do
from designs import git
from designs.git import environment, moving
from designs.models import Design
from designs.queries.origins import origins
from designs.services import index_later, write_files
from designs.services.index import find_missed
from tests.designs.conftest import Git, address, design, git_client, head_of, maker, token, wait_for
from tests.ground.test_services import alive

from .killing import killed_at
from .serving import kill_9, site

__all__ = ["design", "git_client", "maker", "token"]
pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def no_older_notes() -> None:
    """Other tests move branches and ask for no index."""
    moving.forget(note for notes in moving.left_behind(-1.0).values() for note in notes)


def indexed(design: Design) -> bool:
    """Whether the index knows every branch and tag."""
    design.refresh_from_db()
    return set(design.indexed_tips) == set(git.of(design.repository).refs().values())


def do_waiting() -> None:
    for run in Run.objects.filter(kind="designs.index", status="queued"):
        do(run.pk)


def is_indexed_soon(design: Design) -> bool:
    """Whether what was asked for leads to a whole index; a worker that another test has left running may be at it."""
    asked = Run.objects.filter(kind="designs.index", status__in=["queued", "running"])
    wait_for(lambda: do_waiting() or not asked.exists(), 120)
    return indexed(design)


def look_again() -> int:
    """What the sweep finds long after."""
    return find_missed(older_than_s=0, last_look_s=0)


def test_killed_at_any_moment_of_writing_a_file_it_is_found(design: Design, maker: User) -> None:
    killed = missed = 0
    for moment in range(1, 60):
        content = f"moment {moment}\n".encode()

        def write(content: bytes = content) -> None:
            write_files(design=design, files={"notes.txt": content}, message="Note", author=maker, by=maker)
            index_later(design=design, by=maker)

        died = killed_at(moment, write, commits=True)
        killed += died
        do_waiting()
        missed += not indexed(design)
        find_missed(older_than_s=0)
        do_waiting()
        assert indexed(design), f"killed at moment {moment}"
        assert find_missed(older_than_s=0) == 0, "looked at, and not again before its time"
        look_again()
        do_waiting()
        moved = git.of(design.repository).read(_blob(design), limit=100) == content
        assert bool(origins(sha256=hashlib.sha256(content).hexdigest())) == moved
        assert not moving.left_behind(-1.0)
        if not died:
            break
    assert killed >= 8 and missed >= 2, (killed, missed)
    assert find_missed(older_than_s=0) == 0


def _blob(design: Design) -> str:
    repository = git.of(design.repository)
    entries = {entry.path: entry.oid for entry in repository.files(repository.head("main"))}
    return entries.get("notes.txt", entries["README.md"])


def test_a_note_is_young_while_its_writer_is_at_work(design: Design, maker: User) -> None:
    write_files(design=design, files={"a.txt": b"a"}, message="A", author=maker, by=maker)
    assert find_missed() == 0 and not indexed(design)
    index_later(design=design, by=maker)
    assert not moving.left_behind(-1.0)


@pytest.mark.parametrize("kills", [1, pytest.param(10, marks=pytest.mark.drill)])
def test_the_web_server_is_killed_while_it_takes_a_push(
    kills: int, design: Design, token: str, git_client: Git, tmp_path: Path, city_environment: dict[str, str]
) -> None:
    work, log = tmp_path / "work", tmp_path / "web.log"
    repository = git.of(design.repository)
    chance = random.Random()
    acknowledged: list[str] = []
    moved = 0
    for kill in range(kills):
        with site(city_environment, log) as served:
            if not work.exists():
                git_client("clone", address(served, design), str(work))
            (work / "part.txt").write_text(f"push {kill}\n")
            git_client("add", "-A", at=work)
            git_client("commit", "-m", f"push {kill}", at=work)
            head, before = head_of(git_client, work), repository.head("main")
            words = ["git", "push", address(served, design, token), "main:main"]
            with (tmp_path / "push.log").open("ab") as said:
                push = subprocess.Popen(words, cwd=work, env=_plain(tmp_path), stderr=said)
            until = time.monotonic() + (90.0 if kills == 1 else chance.uniform(0.05, 0.6))
            while time.monotonic() < until and repository.head("main") == before and push.poll() is None:
                time.sleep(0.002)
            kill_9(served.process)
            if push.wait(60) == 0:
                acknowledged.append(head)
            wait_for(lambda: not gits_of(repository))
            moved += repository.head("main") == head
    said = (tmp_path / "push.log").read_text() + log.read_text()[-2000:]
    assert kills > 1 or moved == 1, f"the branch had not moved before the kill: {said}"
    find_missed(older_than_s=0)
    assert is_indexed_soon(design)
    assert all(repository.holds(head) for head in acknowledged)
    assert git_client("fsck", "--strict", at=repository.path).returncode == 0
    print(f"{kills} kills, {moved} pushes had come in, {len(acknowledged)} were acknowledged, all indexed")  # noqa: T201


def gits_of(repository: git.Repository) -> list[int]:
    """Processes of git that take a push into it, whoever started them."""
    return [pid for pid, (_parent, line) in alive().items() if "receive-pack" in line and str(repository.path) in line]


#: Run by git when it has everything and is about to move the refs.
STANDS_STILL = """#!/bin/sh
[ "$1" = prepared ] || exit 0
touch {folder}/there
while [ ! -e {folder}/go ]; do sleep 0.05; done
"""


@pytest.fixture
def held_git(tmp_path: Path) -> Iterator[Path]:
    """A folder: git stands still before it moves a ref (`there`), until it may go on (`go`)."""
    hook = environment.prepare().parent / "hooks" / "reference-transaction"
    folder = tmp_path / "held"
    folder.mkdir()
    hook.write_text(STANDS_STILL.format(folder=shlex.quote(str(folder))))
    hook.chmod(0o500)
    yield folder
    hook.unlink()


def test_a_git_that_outlives_its_server_is_not_forgotten(
    design: Design, token: str, git_client: Git, tmp_path: Path, city_environment: dict[str, str], held_git: Path
) -> None:
    """It has heard that it may, and stands still; the server is killed, the sweep looks and finds nothing new. Then git
    goes on and moves the branch: the sweep looks once more."""
    work, repository = tmp_path / "work", git.of(design.repository)
    with site(city_environment, tmp_path / "web.log") as served:
        git_client("clone", address(served, design), str(work))
        git_client("commit", "--allow-empty", "-m", "late", at=work)
        head, before = head_of(git_client, work), repository.head("main")
        words = ["git", "push", address(served, design, token), "main:main"]
        with (tmp_path / "push.log").open("wb") as said:
            push = subprocess.Popen(words, cwd=work, env=_plain(tmp_path), stderr=said)
        wait_for(lambda: (held_git / "there").exists() or push.poll() is not None, 90)
        assert push.poll() is None, (tmp_path / "push.log").read_text()
        kill_9(served.process)
        push.wait(60)
    assert find_missed(older_than_s=0) == 1
    assert is_indexed_soon(design) and repository.head("main") == before, "there is nothing to find yet"
    assert find_missed(older_than_s=0) == 0
    (held_git / "go").touch()
    wait_for(lambda: repository.head("main") == head)
    assert not indexed(design)
    assert look_again() == 1
    assert is_indexed_soon(design) and not moving.left_behind(-1.0)


def _plain(home: Path) -> dict[str, Any]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}


def test_repositories_are_where_the_site_looks_for_them() -> None:
    assert Path(settings.REPOSITORIES_DIR).is_relative_to(settings.DATA_DIR)
