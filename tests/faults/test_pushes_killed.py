"""The process that takes a push, or a file on a page, is killed between git and the database: what git has is found."""

import hashlib
import os
import random
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from commons.people.models import User
from commons.runs.models import Run
from commons.runs.work import do
from designs import git
from designs.git import moving
from designs.models import Design
from designs.queries.origins import origins
from designs.services import index_later, write_files
from designs.services.index import find_missed
from tests.designs.conftest import Git, address, design, git_client, head_of, maker, token

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
            until = time.monotonic() + (20.0 if kills == 1 else chance.uniform(0.05, 0.6))
            while time.monotonic() < until and repository.head("main") == before and push.poll() is None:
                time.sleep(0.002)
            kill_9(served.process)
            if push.wait(60) == 0:
                acknowledged.append(head)
            moved += repository.head("main") == head
    said = (tmp_path / "push.log").read_text() + log.read_text()[-2000:]
    assert kills > 1 or moved == 1, f"the branch had not moved before the kill: {said}"
    find_missed(older_than_s=0)
    do_waiting()
    assert indexed(design)
    assert all(repository.holds(head) for head in acknowledged)
    assert git_client("fsck", "--strict", at=repository.path).returncode == 0
    print(f"{kills} kills, {moved} pushes had come in, {len(acknowledged)} were acknowledged, all indexed")  # noqa: T201


def _plain(home: Path) -> dict[str, Any]:
    return {"PATH": os.environ["PATH"], "HOME": str(home), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0"}


def test_repositories_are_where_the_site_looks_for_them() -> None:
    assert Path(settings.REPOSITORIES_DIR).is_relative_to(settings.DATA_DIR)
