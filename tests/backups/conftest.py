"""A small city with something of everything that a backup has to keep."""

import datetime as dt
import hashlib
import io
import os
import re
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connection

from commons.devices.services import partitions
from commons.people.models import User
from commons.people.services import create_user
from designs import git
from designs.models import Design
from designs.services import create_design, index_now, lfs, write_files
from tests.ground.test_migrations import SCHEMA

CASTS = re.compile(r"::(character varying|text)|[()\[\]]")
ROOT = Path(__file__).resolve().parents[2]
LARGE = os.urandom(70_000)
DAYS = [dt.date(2026, 3, day) for day in (1, 2)]


@dataclass(frozen=True)
class City:
    """Where the city of a test keeps its things, and one of each."""

    data: Path
    person: User
    design: Design

    @property
    def repository(self) -> git.Repository:
        """The design's."""
        return git.of(self.design.repository)


def at_home(settings: Any, data: Path) -> None:
    """Let the data folder be this one."""
    settings.DATA_DIR = data
    settings.REPOSITORIES_DIR, settings.LFS_DIR, settings.MEDIA_ROOT = (
        data / n for n in ("repositories", "lfs", "media")
    )


@pytest.fixture
def city(tmp_path: Path, settings: Any, transactional_db: None) -> City:
    """A person, a design with two versions and a large file, a fork in a pool, two days of readings, pictures."""
    data = tmp_path / "data"
    at_home(settings, data)
    (data / "media" / "pictures").mkdir(parents=True)
    (data / "media" / "pictures" / "ä b\\c.png").write_bytes(os.urandom(3000))
    (data / "media" / "pictures" / "old.png").write_bytes(b"old")
    (data / "secret_key").write_text("not for backups")
    person = create_user(username="aila", name="Aila\tö \\N 'x'", password="a-long-password", is_staff=True)
    design = create_design(owner=person.handle, name="Cube", licence="MIT", by=person)
    write_files(design=design, files={"README.md": b"# Cube\n"}, message="First", author=person, by=person)
    write_files(design=design, files={"notes.txt": b"more\n"}, message="Second", author=person, by=person)
    lfs.take(design=design, oid=hashlib.sha256(LARGE).hexdigest(), body=io.BytesIO(LARGE), by=person)
    readings(2000)
    return City(data, person, index_now(design=design, by=person))


def readings(count: int) -> None:
    """So many readings on each of two days, with values that text must not round."""
    partitions.ensure_days(DAYS)
    with connection.cursor() as cursor:
        for day in DAYS:
            cursor.execute(
                """INSERT INTO devices_reading
                   SELECT n, %s::timestamptz + n * interval '0.0317 s', now(), sqrt(n) * 1e-7, n %% 7, n %% 3, 0
                   FROM generate_series(1, %s) AS n""",
                [f"{day} 00:00+00", count],
            )


def oracle(address: str) -> dict[str, tuple[int, str]]:
    """Each table of a database as SQL itself sums it: rows, and MD5 over the sorted text of all rows."""
    with psycopg.connect(address, autocommit=True) as asked:
        asked.execute("SET TIME ZONE 'UTC'")
        names = [
            name
            for (name,) in asked.execute(
                "SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"
            ).fetchall()
        ]
        found = {}
        for name in names:
            row = asked.execute(
                f"""SELECT count(*), md5(coalesce(string_agg(md5(r::text), '' ORDER BY md5(r::text)), ''))
                    FROM ONLY "{name}" AS r"""  # noqa: S608 names of our own tables
            ).fetchone()
            assert row is not None
            found[name] = (row[0], row[1])
        return found


def definition(address: str) -> list[list[str]]:
    """How the tables of a database are made, with all that hangs on them, as PostgreSQL itself writes it down.

    A list that was written down and read again has its casts at other places, to the same end: they are left out.
    """
    with psycopg.connect(address) as asked:
        return sorted([CASTS.sub("", str(word)) for word in row] for row in asked.execute(SCHEMA).fetchall())


def here() -> str:
    """The address of the test's database."""
    named = connection.settings_dict
    return f"postgresql://{named['USER']}@/{named['NAME']}?host={named['HOST']}"


def sums_hold(backup: Path) -> bool:
    """What `sha256sum` says of a backup."""
    asked = subprocess.run(["sha256sum", "--check", "--quiet", "SHA256SUMS"], cwd=backup, check=False)
    return asked.returncode == 0


Said = Callable[[float, str], None]


def silent(_share: float, _what: str) -> None:
    """Nobody wants to know how far it is."""
