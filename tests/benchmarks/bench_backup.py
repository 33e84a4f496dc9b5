"""What is lost at most and how soon the city stands again: a filled city backed up, restored and verified.

    python tests/benchmarks/bench_backup.py [--readings 500000] [--repositories 200]

It starts a PostgreSQL of its own, durable as a real one, and fills it: readings on ten days, designs with their
repositories, a large file each tenth. Beside our commands run the plain tools on the same bytes in the same minute:
`pg_dump --format=custom --compress=gzip:1` with `cp -a`, and `pg_restore` into an empty database with `cp -a` back.
Those keep no sums, look at no commit and know nothing of order; ratios count, seconds are the machine's.
"""

import argparse
import datetime as dt
import hashlib
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]

from tests.benchmarks.servers import city  # noqa: E402 the path comes first

DAYS = 10


def say(line: str) -> None:
    """A line of the report."""
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    """Seconds, and what it answered."""
    began = time.monotonic()
    found = work()
    return time.monotonic() - began, found


def fill(readings: int, repositories: int) -> None:
    """Readings, people, designs with two versions, large files."""
    from django.db import connection

    from commons.devices.services import partitions
    from commons.people.services import create_user
    from designs.services import create_design, index_now, lfs, write_files

    first = dt.date(2026, 3, 1)
    days = [first + dt.timedelta(days=number) for number in range(DAYS)]
    partitions.ensure_days(days)
    with connection.cursor() as cursor:
        for day in days:
            cursor.execute(
                """INSERT INTO devices_reading
                   SELECT n, %s::timestamptz + n * interval '1.7 s', now(), 200 + 100 * sin(n / 50.0),
                          n %% 40, n %% 4, 0 FROM generate_series(1, %s) AS n""",
                [f"{day} 00:00+00", readings // DAYS],
            )
    person = create_user(username="aila")
    for number in range(repositories):
        design = create_design(owner=person.handle, name=f"Design {number}", licence="MIT", by=person)
        for version in range(2):
            files = {f"part{version}.bin": os.urandom(60_000), "README.md": b"# A design\n" * 40}
            write_files(design=design, files=files, message=f"v{version}", author=person, by=person)
        index_now(design=design, by=person)
        if number % 10 == 0:
            body = os.urandom(2_000_000)
            lfs.take(design=design, oid=hashlib.sha256(body).hexdigest(), body=io.BytesIO(body), by=person)


def command(words: list[str], **environ: str) -> dict[str, Any]:
    """A command in a process of its own, as on a bad day; what it answers."""
    env = {**os.environ, **environ}
    for name in [name for name, value in environ.items() if not value]:
        env.pop(name)
    done = subprocess.run(
        [sys.executable, str(ROOT / "manage.py"), *words, "--json"],
        env=env,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(done.stderr[-3000:] + done.stdout)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def plainly(folder: Path) -> tuple[float, float]:
    """The plain tools: seconds to keep, seconds to bring back."""
    from livingcity.dev.places import database_settings
    from livingcity.dev.services import postgres_binaries

    named, binaries, data = database_settings(), postgres_binaries(None), Path(os.environ["LIVINGCITY_DATA"])
    where = ["-h", named["OPTIONS"].get("host") or named["HOST"], "-U", "postgres"]

    def keep() -> None:
        dump = [binaries / "pg_dump", *where, "-d", named["NAME"], "--format=custom", "--compress=gzip:1", "-f"]
        subprocess.run([*dump, folder / "dump"], check=True)
        subprocess.run(["cp", "-a", data, folder / "files"], check=True)
        os.sync()

    def bring() -> None:
        subprocess.run([binaries / "createdb", *where, "plain"], check=True)
        subprocess.run([binaries / "pg_restore", *where, "-d", "plain", folder / "dump"], check=True)
        subprocess.run(["cp", "-a", folder / "files", folder / "again"], check=True)
        os.sync()

    return timed(keep)[0], timed(bring)[0]


def report(readings: int, repositories: int) -> None:
    """Fill, keep, keep again, bring back, verify."""
    folder = Path(tempfile.mkdtemp(prefix="lc-bench-backup-", dir="/var/tmp"))
    folder.chmod(0o711)
    backups, other = folder / "backups", folder / "other"
    try:
        took, _ = timed(lambda: fill(readings, repositories))
        say(f"filled with {readings} readings and {repositories} repositories in {took:.0f} s")
        first = command(["backup", "--to", str(backups)])
        size_mb = first["bytes"] / 1e6
        say(
            f"backup          {first['took_s']:7.1f} s   {first['rows']} rows, {first['files']} files, "
            f"{size_mb:.0f} MB: {size_mb / first['took_s']:.0f} MB/s"
        )
        second = command(["backup", "--to", str(backups)])
        say(f"backup again    {second['took_s']:7.1f} s   {second['new_bytes'] / 1e6:.1f} MB are new in it")
        machine = {"LIVINGCITY_DATA": str(other), "DATABASE_URL": "", "REDIS_URL": ""}
        whole_s, restored = timed(lambda: command(["restore", str(backups)], **machine))
        say(
            f"restore (RTO)   {whole_s:7.1f} s   {size_mb / whole_s:.0f} MB/s with a new PostgreSQL, "
            f"{restored['checked']['tables']} tables compared, {restored['checked']['commits']} commits looked for"
        )
        shutil.rmtree(other)
        verify_s, verified = timed(lambda: command(["verify", str(backups)]))
        say(f"verify          {verify_s:7.1f} s   {verified['sentence']}")
        keep_s, bring_s = plainly(folder)
        say(f"pg_dump + cp    {keep_s:7.1f} s   ours takes {first['took_s'] / keep_s:.2f} times as long")
        say(f"pg_restore + cp {bring_s:7.1f} s   ours, all checked, takes {whole_s / bring_s:.2f} times as long")
        say(f"lost at most (RPO): what came since the last one; one each hour takes {second['took_s']:.0f} s of it")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--readings", type=int, default=500_000)
    parser.add_argument("--repositories", type=int, default=200)
    given = parser.parse_args()
    with city():
        report(given.readings, given.repositories)


if __name__ == "__main__":
    main()
