"""A maker, a neighbour, and a design with two versions."""

import datetime as dt
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from commons.people.models import User
from commons.people.services import create_token, create_user
from designs.models import Design
from designs.services import create_design, index_now, write_files

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
def own_folders(tmp_path: Path, settings: object, request: pytest.FixtureRequest) -> Iterator[None]:
    """Repositories and pictures of a test are its own, unless another process serves them."""
    if not {"live_city", "worker", "manage"} & set(request.fixturenames):
        settings.REPOSITORIES_DIR = tmp_path / "repositories"  # type: ignore[attr-defined]
        settings.MEDIA_ROOT = tmp_path / "media"  # type: ignore[attr-defined]
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
        design=design, files={"cube.stl": cube_stl(10), "README.md": b"# Cube\n"}, message="First", author=maker, by=maker,
        at=FIRST,
    )  # fmt: skip
    write_files(design=design, files={"cube.stl": cube_stl(12)}, message="Larger", author=maker, by=maker, at=SECOND)
    return index_now(design=design, by=maker)


@pytest.fixture
def design(maker: User) -> Design:
    return make(maker)


@pytest.fixture
def private(maker: User) -> Design:
    return make(maker, name="Secret cube", visibility="private")
