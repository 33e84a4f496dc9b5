"""A backup holds everything of one moment, takes no room twice, and is whole or has no name."""

import gzip
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from django.db import connection

from commons.errors import CityError
from livingcity.backups import making, shelf
from livingcity.backups.errors import BackupDamaged, BackupFailed
from livingcity.backups.manifest import Backup, read
from tests.backups.conftest import ROOT, City, readings, silent, sums_hold


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "backups"


def make(folder: Path, **how: Any) -> Backup:
    return making.make(folder, **{"keep": 7, "say": silent, **how})[0]


def test_it_holds_every_row_and_every_file(city: City, folder: Path) -> None:
    made = make(folder)
    assert sums_hold(made.folder)
    kept = {each.table.name: each for each in made.manifest.tables}
    assert {"people_user", "designs_design", "devices_reading_20260301", "django_migrations"} <= set(kept)
    assert "devices_reading" not in kept, "its rows are those of its partitions"
    with connection.cursor() as cursor:
        for name, each in kept.items():
            cursor.execute(f'SELECT count(*) FROM ONLY "{name}"')  # noqa: S608
            rows = gzip.decompress((made.folder / each.table.file).read_bytes()).splitlines()
            assert len(rows) == each.rows == cursor.fetchone()[0], name
    files = {entry.path for entry in made.entries() if entry.sha256}
    assert "media/pictures/ä b\\c.png" in files
    assert f"repositories/{city.repository.path.parent.name}/{city.repository.path.name}/HEAD" in files
    assert [path for path in files if path.startswith("lfs/")]
    assert not [path for path in files if "secret" in path or path.startswith(("postgres", "log"))]
    assert not (made.folder / "secret_key").exists()
    assert oct(made.folder.stat().st_mode)[-3:] == "700"


def test_what_is_as_it_was_takes_no_room(city: City, folder: Path) -> None:
    first = make(folder)
    (city.data / "media" / "pictures" / "old.png").write_bytes(b"newer")
    readings(1)  # the days of before stay as they are but for one row each
    second = make(folder)
    inode = lambda backup, path: (backup.folder / path).stat().st_ino  # noqa: E731
    assert inode(first, "tables/people_user.gz") == inode(second, "tables/people_user.gz")
    assert inode(first, "schema/before.sql") == inode(second, "schema/before.sql")
    assert inode(first, "tables/devices_reading_20260301.gz") != inode(second, "tables/devices_reading_20260301.gz")
    large = next(entry.path for entry in second.entries() if entry.path.startswith("lfs/"))
    assert inode(first, f"files/{large}") == inode(second, f"files/{large}")
    assert (first.folder / "files/media/pictures/old.png").read_bytes() == b"old"
    assert (second.folder / "files/media/pictures/old.png").read_bytes() == b"newer"
    assert second.manifest.new_bytes < first.manifest.new_bytes / 2
    assert sums_hold(first.folder)
    assert sums_hold(second.folder)


def test_the_oldest_go_and_the_secret_comes_only_when_asked(city: City, folder: Path, settings: Any) -> None:
    names = [make(folder, keep=2, with_secret=number == 2).name for number in range(3)]
    assert [backup.name for backup in shelf.backups(folder)] == names[1:]
    kept = folder / names[2] / "secret_key"
    assert kept.read_text() == settings.SECRET_KEY
    assert oct(kept.stat().st_mode)[-3:] == "600"
    assert sums_hold(folder / names[2]), "what it shared with one that went is still there"


def test_what_goes_while_it_is_made_is_in_it(city: City, folder: Path) -> None:
    """A picture is deleted and a version pushed between the first walk and the snapshot: each row finds its file."""
    done = []

    def meanwhile(_share: float, what: str) -> None:
        if what == "axes_accessattempt" and not done:  # the first table
            done.append((city.data / "media" / "pictures" / "old.png").unlink())
            from designs.services import write_files

            write_files(design=city.design, files={"z.txt": b"z"}, message="Z", author=city.person, by=city.person)

    made = make(folder, say=meanwhile)
    assert done
    files = {entry.path for entry in made.entries()}
    assert "media/pictures/old.png" in files
    copied = made.folder / "files" / city.repository.path.relative_to(city.data)
    newest = city.repository.head("main")
    asked = subprocess.run(
        ["git", "-c", "safe.directory=*", f"--git-dir={copied}", "rev-parse", "main"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert asked.stdout.strip() == newest


def test_one_at_a_time_and_faults_in_words(city: City, folder: Path, tmp_path: Path) -> None:
    with shelf.alone(folder, ".lock"), pytest.raises(BackupFailed, match="Another backup"):
        make(folder)
    (tmp_path / "file").write_text("")
    with pytest.raises(BackupFailed, match="cannot be written"):
        make(tmp_path / "file" / "below")
    with pytest.raises(BackupDamaged, match="no manifest"):
        read(tmp_path)
    made = make(folder)
    text = (made.folder / "manifest.json").read_text()
    (made.folder / "manifest.json").write_text(text[: len(text) // 2])
    with pytest.raises(BackupDamaged, match="cannot be read"):
        read(made.folder)
    (made.folder / "files.jsonl").write_text('{"path": "../x", "size": 1, "mtime_ns": 1, "mode": 1, "sha256": "a"}\n')
    with pytest.raises(BackupDamaged, match="leads out"):
        list(made.entries())


def test_a_disk_that_is_full_ends_it_in_words(city: City, folder: Path, settings: Any) -> None:
    first = make(folder)
    (city.data / "media" / "more.bin").write_bytes(b"m" * 5000)
    settings.DISK_RESERVE_BYTES = shutil.disk_usage(folder).free + 2**30
    with pytest.raises(CityError, match="reserve"):
        make(folder)
    assert [path.name for path in folder.iterdir() if path.is_dir()] == [first.name]
    assert sums_hold(first.folder)


def test_killed_at_any_moment_it_leaves_whole_backups_alone(
    city: City, folder: Path, city_environment: dict[str, str]
) -> None:
    before = make(folder).name
    argv = [sys.executable, str(ROOT / "manage.py"), "backup", "--to", str(folder)]
    environ = {**city_environment, "LIVINGCITY_DATA": str(city.data)}
    stages = 0
    for wait_s in (0.0, 0.15, 0.6):
        child = subprocess.Popen(argv, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        until = time.monotonic() + 120
        while child.poll() is None and not list(folder.glob(".making-*")) and time.monotonic() < until:
            time.sleep(0.01)
        time.sleep(wait_s)
        child.send_signal(signal.SIGKILL)
        child.wait()
        stages += bool(list(folder.glob(".making-*")))
        assert all(sums_hold(backup.folder) for backup in shelf.backups(folder))
    assert stages, "none was killed while it worked"
    assert before in [backup.name for backup in shelf.backups(folder)]
    last = make(folder)
    assert sums_hold(last.folder)
    assert not list(folder.glob(".making-*"))
    assert last.name in [backup.name for backup in shelf.backups(folder)]
