"""A maker, a neighbour, and a design with two versions."""

import datetime as dt
import os
import struct
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from commons.people.models import User
from commons.people.services import create_token, create_user
from commons.runs import services as runs
from designs.models import Design
from designs.services import create_design, index_now, write_files

Git = Callable[..., "subprocess.CompletedProcess[str]"]
FIRST = dt.datetime(2026, 3, 1, 9, tzinfo=dt.UTC)
SECOND = dt.datetime(2026, 4, 1, 9, tzinfo=dt.UTC)


def cube_stl(size: float) -> bytes:
    """A binary STL of a cube."""
    points = [(x, y, z) for x in (0.0, size) for y in (0.0, size) for z in (0.0, size)]
    faces = ["013", "032", "467", "475", "045", "051", "237", "276", "026", "064", "157", "173"]
    out = b"\0" * 80 + struct.pack("<I", len(faces))
    for face in faces:
        out += struct.pack("<12fH", 0, 0, 0, *(c for corner in face for c in points[int(corner)]), 0)
    return out


@pytest.fixture(autouse=True)
def own_folders(
    tmp_path: Path, settings: object, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> Iterator[None]:
    """Repositories and pictures of a test are its own, unless another process serves them. A worker that an earlier
    test left running knows nothing of those folders, so nobody is rung: the test does its runs itself."""
    if not {"live_city", "worker", "manage"} & set(request.fixturenames):
        settings.REPOSITORIES_DIR = tmp_path / "repositories"  # type: ignore[attr-defined]
        settings.MEDIA_ROOT = tmp_path / "media"  # type: ignore[attr-defined]
        monkeypatch.setattr(runs, "ring", lambda _run: None)
    yield


@pytest.fixture
def maker(db: None) -> User:
    return create_user(username="aila", name="Aila", password="a-long-password")


@pytest.fixture
def neighbour(db: None) -> User:
    return create_user(username="niko", name="Niko")


@pytest.fixture
def token(maker: User) -> str:
    return create_token(user=maker, name="git", scopes=["designs:write"])[1]


def make(maker: User, *, name: str = "Test cube", visibility: str = "public") -> Design:
    """A design with two versions, indexed and not drawn."""
    design = create_design(owner=maker.handle, name=name, licence="MIT", by=maker, visibility=visibility)
    write_files(
        design=design, files={"cube.stl": cube_stl(10), "README.md": b"# Cube\n"}, message="First", author=maker,
        by=maker, at=FIRST,
    )  # fmt: skip
    write_files(design=design, files={"cube.stl": cube_stl(12)}, message="Larger", author=maker, by=maker, at=SECOND)
    return index_now(design=design, by=maker)


@pytest.fixture
def design(maker: User) -> Design:
    return make(maker)


@pytest.fixture
def private(maker: User) -> Design:
    return make(maker, name="Secret cube", visibility="private")


@pytest.fixture
def git_client(tmp_path: Path) -> Git:
    """A git client with an empty configuration."""
    env = {
        "PATH": os.environ["PATH"], "HOME": str(tmp_path), "GIT_CONFIG_NOSYSTEM": "1", "GIT_TERMINAL_PROMPT": "0",
        "GIT_AUTHOR_NAME": "Aila", "GIT_AUTHOR_EMAIL": "a@example.org", "GIT_COMMITTER_NAME": "Aila",
        "GIT_COMMITTER_EMAIL": "a@example.org", "LC_ALL": "C",
    }  # fmt: skip

    def run(*words: str, at: Path = tmp_path, good: bool = True, **more: Any) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(
            ["git", *words], cwd=at, env=env, capture_output=True, text=True, check=False, timeout=120, **more
        )
        assert (done.returncode == 0) == good, done.stderr
        return done

    return run


def address(city: Any, design: Design, token: str = "") -> str:
    head, _slashes, rest = str(city.url).partition("://")
    name = f"x:{token}@" if token else ""
    return f"{head}://{name}{rest}/designs/{design.owner.name}/{design.slug}.git"


def head_of(git_client: Git, at: Path) -> str:
    return git_client("rev-parse", "HEAD", at=at).stdout.strip()


def wait_for(check: Callable[[], Any], seconds: float = 60) -> Any:
    until = time.monotonic() + seconds
    while not (found := check()):
        assert time.monotonic() < until, "waited too long"
        time.sleep(0.2)
    return found
