"""A disk that is full, really: small tmpfs for repositories, media and PostgreSQL. Refused in words, nothing half done,
what is kept can be read, and all goes on when there is room again.
"""

import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import psycopg
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, utils

from commons.people.models import User
from commons.web.disk import check_disk, put, watched
from commons.web.faults import DiskFull, explain
from designs import git
from designs.git import process
from designs.git.serve import PIECE
from designs.models import Design, LfsObject, Make
from designs.queries.lfs import path_of
from designs.services import create_design, lfs, uploads, write_files
from designs.services.makes import add_make, incoming, waiting
from livingcity.dev.services import DATABASE, Postgres
from tests.conftest import ROOT
from tests.designs.conftest import Git, address, cube_stl, git_client, head_of, make, maker, token
from tests.figures_said import figure

from .serving import lay_out, site

__all__ = ["git_client", "maker", "token"]
pytestmark = pytest.mark.django_db(transaction=True)
Disk = Callable[[int], Path]


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    """A disk of so many MB; only root can make one."""
    made: list[Path] = []

    def mount(megabytes: int) -> Path:
        place = tmp_path / f"disk{len(made)}"
        place.mkdir()
        asked = ["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0711", "tmpfs", str(place)]
        if os.getuid() != 0 or subprocess.run(asked, check=False, capture_output=True).returncode:
            pytest.skip("a small disk can only be made by root, where mounting is allowed")
        made.append(place)
        return place

    yield mount
    for place in made:
        subprocess.run(["umount", "--lazy", str(place)], check=True)


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


def fill(place: Path, *, leave_bytes: int) -> Path:
    """Somebody else's file that takes the room."""
    filler = place / "filler"
    free = os.statvfs(place).f_bavail * os.statvfs(place).f_frsize
    with filler.open("ab") as out:
        left = free - leave_bytes
        while left > 0:
            out.write(b"\0" * min(left, 1 << 20))
            left -= 1 << 20
    return filler


@pytest.mark.parametrize("reserve_mb", [8, 0])
def test_repositories_and_media_on_a_full_disk(disk: Disk, settings: Any, maker: User, reserve_mb: int) -> None:
    """With the reserve nothing is written at all; without it git itself meets the end of the disk. Either way: 507 in
    words, the branch as it was, a whole repository, and everything goes on afterwards."""
    place = disk(24)
    settings.REPOSITORIES_DIR, settings.MEDIA_ROOT = place / "repositories", place / "media"
    settings.LFS_DIR, settings.DISK_RESERVE_BYTES = place / "lfs", reserve_mb * 1_000_000
    design = make(maker)
    repository = git.of(design.repository)
    before = repository.head("main")
    filler = fill(place, leave_bytes=max(reserve_mb * 1_000_000 - 500_000, 200_000))
    with pytest.raises(DiskFull) as refused:
        write_files(design=design, files={"n.bin": noise(2_000_000)}, message="N", author=maker, by=maker)
    assert refused.value.status == 507 and "can still be read" in str(refused.value.sentence)
    assert repository.head("main") == before
    assert process.attempt(["fsck", "--strict"], repository=repository.path)[0] == 0
    entry = repository.entry(before, "cube.stl")
    assert repository.read(entry.oid, limit=10_000) == cube_stl(12)
    if reserve_mb:
        for refused_too in (
            lambda: uploads.take(file=SimpleUploadedFile("a.zip", noise(1000)), owner=maker.handle, by=maker),
            lambda: list(watched([b"a photo"], settings.MEDIA_ROOT)),
        ):
            settings.DATA_DIR = place
            with pytest.raises(DiskFull):
                refused_too()
    filler.unlink()
    made = write_files(design=design, files={"n.bin": noise(2_000_000)}, message="N", author=maker, by=maker)
    assert repository.head("main") == made
    check_disk(settings.MEDIA_ROOT)


def test_what_is_sent_meets_the_end_of_the_disk(disk: Disk, settings: Any, maker: User) -> None:
    """Nothing in reserve, and not room enough: a large file, photos, an archive and what a worker draws are whole or
    not there at all, and no part of them takes the last room."""
    place = disk(8)
    settings.REPOSITORIES_DIR, settings.MEDIA_ROOT, settings.DATA_DIR = place / "repositories", place / "media", place
    settings.LFS_DIR, settings.DISK_RESERVE_BYTES = place / "lfs", 0
    design, large = make(maker), noise(PIECE - 5000)
    oid, drawn = hashlib.sha256(large).hexdigest(), settings.MEDIA_ROOT / "drawn.png"
    put(b"drawn before", drawn)

    def tell() -> Make:
        sent = [SimpleUploadedFile(f"{n}.png", b"\x89PNG\r\n\x1a\n" + noise(n)) for n in (4_000, 60_000)]
        return add_make(design=design, author=maker, photos=sent)

    filler = fill(place, leave_bytes=40_000)
    kept = files_in(place)
    for write in (
        lambda: lfs.take(design=design, oid=oid, body=io.BytesIO(large), by=maker),
        tell,
        lambda: uploads.take(file=SimpleUploadedFile("a.zip", noise(60_000)), owner=maker.handle, by=maker),
        lambda: put(noise(60_000), drawn),
    ):
        with pytest.raises((DiskFull, OSError)) as refused:
            write()
        refusal = explain(refused.value)
        assert refusal is not None and refusal.status == HTTPStatus.INSUFFICIENT_STORAGE
        assert files_in(place) == kept
    assert not LfsObject.objects.exists() and not Make.objects.exists()
    filler.unlink()
    lfs.take(design=design, oid=oid, body=io.BytesIO(large), by=maker)
    unlike = int(path_of(oid).read_bytes() != large) + int(drawn.read_bytes() != b"drawn before")
    unlike += sum(not incoming(photo).exists() for photo in waiting(make=tell().pk))
    figure("disk_full_lost", f"+{unlike}", "acknowledged writes")
    assert not unlike


def files_in(place: Path) -> dict[Path, int]:
    """What lies there, and how large it is."""
    return {path: path.stat().st_size for path in place.rglob("*") if path.is_file()}


@pytest.mark.parametrize("reserve_mb", [8, 0])
def test_a_push_to_a_full_disk(
    disk: Disk, reserve_mb: int, maker: User, token: str, git_client: Git, tmp_path: Path,
    city_environment: dict[str, str], settings: Any,
) -> None:  # fmt: skip
    """Over HTTP with a real client: at the door, in the middle, and where git meets the end of the disk."""
    place, work = disk(40), tmp_path / "work"
    settings.REPOSITORIES_DIR, settings.DATA_DIR = place / "repositories", place
    design = create_design(owner=maker.handle, name="Full", licence="MIT", by=maker)
    here = {"LIVINGCITY_DATA": str(place), "DISK_RESERVE_MB": str(reserve_mb)}
    with site(city_environment, tmp_path / "web.log", **here) as served:
        git_client("init", "-b", "main", str(work))
        _commit(git_client, work, 1_000_000)
        url = address(served, design, token)
        git_client("push", url, "main:main", at=work)
        repository, head = git.of(design.repository), head_of(git_client, work)
        _commit(git_client, work, 9_000_000)
        filler = fill(place, leave_bytes=reserve_mb * 1_000_000 + 5_000_000)
        middle = git_client("push", url, "main:main", at=work, good=False)
        assert repository.head("main") == head, middle.stderr
        assert _free(place) > reserve_mb * 1_000_000 + 3_000_000, "nothing of the broken push is left"
        if reserve_mb:
            fill(place, leave_bytes=reserve_mb * 1_000_000 - 500_000)
            door = git_client("push", url, "main:main", at=work, good=False)
            assert "507" in door.stderr and "in reserve" in door.stderr, door.stderr
        git_client("clone", url, str(tmp_path / "copy"))
        figure("disk_full_lost", f"+{int(head_of(git_client, tmp_path / 'copy') != head)}", "acknowledged writes")
        assert head_of(git_client, tmp_path / "copy") == head
        assert process.attempt(["fsck", "--strict"], repository=repository.path)[0] == 0
        filler.unlink()
        git_client("push", url, "main:main", at=work)
        assert repository.head("main") == head_of(git_client, work)


def _commit(git_client: Git, work: Path, size: int) -> None:
    (work / f"{size}.bin").write_bytes(noise(size))
    git_client("add", "-A", at=work)
    git_client("commit", "-m", str(size), at=work)


def _free(place: Path) -> int:
    return os.statvfs(place).f_bavail * os.statvfs(place).f_frsize


@contextmanager
def postgres_on(place: Path, log: Path) -> Iterator[Postgres]:
    """A server on that disk."""
    sockets = Path(tempfile.mkdtemp(prefix="lc-full-", dir="/tmp"))  # short, and open to the account it runs as
    sockets.chmod(0o711)
    server = Postgres(place / "postgres", sockets / "s", log)
    try:
        server.start()
        yield server
    finally:
        server.stop()
        shutil.rmtree(sockets)


def test_postgresql_on_a_full_disk(disk: Disk, tmp_path: Path) -> None:
    """What was committed is there, the fault is explained (507, or 503 while it starts again), and it goes on."""
    place = disk(420)
    with postgres_on(place, tmp_path / "postgres.log") as server:
        with server.connect() as line:
            line.execute("CREATE TABLE kept (n int PRIMARY KEY, filling text)")
        filler = fill(place, leave_bytes=6_000_000)
        committed, refusal = _write_until_refused(server)
        assert refusal is not None and refusal.status in {503, 507}, refusal
        assert committed > 0
        filler.unlink()
        if server.child is not None and server.child.poll() is not None:
            server.start()  # what its keeper does
        with server.connect() as line:
            numbers = [n for (n,) in line.execute("SELECT n FROM kept ORDER BY n").fetchall()]
            figure("disk_full_lost", f"+{committed - len(set(numbers) & set(range(committed)))}", "acknowledged writes")
            assert numbers[:committed] == list(range(committed)), "nothing that was committed is lost"
            line.execute("INSERT INTO kept VALUES (-1, 'there is room again')")
        print(f"{committed} rows, then {refusal.status} {refusal.code}; all there, and it goes on")  # noqa: T201


def _write_until_refused(server: Postgres) -> tuple[int, Any]:
    filling = noise(30_000).hex()
    with server.connect() as line:
        for n in range(2000):
            try:
                with utils.DatabaseErrorWrapper(connection):
                    line.execute("INSERT INTO kept VALUES (%s, %s)", [n, filling])
            except (utils.Error, psycopg.Error) as fault:
                return n, explain(fault)
    return 2000, None


SOMEBODY = """
from commons.people.services import create_token, create_user
from designs.services import create_design
aila = create_user(username="aila")
create_design(owner=aila.handle, name="Cube", licence="MIT", by=aila)
print("token:", create_token(user=aila, name="drill", scopes=["designs:write"])[1])
"""


@pytest.mark.drill
def test_a_site_whose_database_has_a_full_disk(disk: Disk, tmp_path: Path, city_environment: dict[str, str]) -> None:
    """Over HTTP: who writes hears 507 in words until there is room, pages come all the while, and each thing that was
    said is there once, also what was refused at first and said again."""
    place = disk(420)
    with postgres_on(place, tmp_path / "postgres.log") as server:
        lay_out(server, tmp_path)
        with server.connect() as line:
            line.execute("CREATE TABLE kept (n int PRIMARY KEY, filling text)")
            line.execute("SELECT pg_switch_wal()")  # there is room in the log: tables meet the end of the disk first
            line.execute("CHECKPOINT")
        where = f"postgresql://postgres@/{DATABASE}?host={server.sockets}"
        env = city_environment | {"DATABASE_URL": where, "LIVINGCITY_DATA": str(tmp_path / "data")}
        words = [sys.executable, str(ROOT / "manage.py"), "shell", "--no-imports", "-v", "0", "-c", SOMEBODY]
        told = subprocess.run(words, env=env, check=True, stdout=subprocess.PIPE, text=True).stdout
        with site(env, tmp_path / "web.log") as served:
            talker = Talker(f"{served.url}/api/v1/designs/aila/cube/comments/", told.split("token:")[1].split()[0])
            assert talker.say()[0] == HTTPStatus.CREATED
            filler = fill(place, leave_bytes=2_000_000)
            _write_until_refused(server)
            answers = (talker.say() for _ in range(25))
            status, problem = next(answer for answer in answers if answer[0] != HTTPStatus.CREATED)
            assert (status, problem["code"]) == (HTTPStatus.INSUFFICIENT_STORAGE, "city:disk-full"), problem
            for page in ("/", "/designs/", "/designs/aila/cube/", "/api/v1/designs/aila/cube/comments/"):
                with urllib.request.urlopen(f"{served.url}{page}", timeout=60) as answer:
                    assert answer.status == HTTPStatus.OK, page
            filler.unlink()
            assert talker.say()[0] == HTTPStatus.CREATED
        with server.connect(DATABASE) as line:
            found = line.execute("SELECT count(*), count(DISTINCT body) FROM designs_comment").fetchone()
        figure("disk_full_lost", f"+{int(found != (talker.said, talker.said))}", "acknowledged writes")
        assert found == (talker.said, talker.said)


class Talker:
    """A person who says one thing after the other, and says again what was not heard."""

    def __init__(self, url: str, token: str) -> None:
        self.url, self.said = url, 0
        self.headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}

    def say(self) -> tuple[int, dict[str, Any]]:
        """The answer, and its status."""
        body = json.dumps({"body": noise(9_000 + self.said).hex()}).encode()
        asked = urllib.request.Request(self.url, body, self.headers | {"Idempotency-Key": f"said {self.said}"})
        try:
            with urllib.request.urlopen(asked, timeout=60) as answer:
                self.said += 1
                return answer.status, {}
        except HTTPError as refused:
            return refused.code, json.loads(refused.read())


def test_the_doors_look_at_the_disk_they_write_to(settings: Any, tmp_path: Path) -> None:
    settings.DISK_RESERVE_BYTES = 1 << 60
    with pytest.raises(DiskFull, match="in reserve"):
        check_disk(tmp_path / "not" / "made" / "yet")
    settings.DISK_RESERVE_BYTES = 0
    check_disk(tmp_path / "not" / "made" / "yet")
    assert Design.objects.count() == 0
