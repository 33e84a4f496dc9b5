"""The demo comes whole, comes again without doubling, and goes without a trace."""

from pathlib import Path
from typing import Any

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from psycopg import sql

from commons.runs.apps import forget_demo
from commons.runs.models import Run
from twin import files


def demo_rows() -> dict[str, int]:
    """How many demo rows each table has that knows of the demo."""
    models = [m for m in apps.get_models() if any(field.name == "demo" for field in m._meta.get_fields())]
    return {m._meta.label: m._base_manager.filter(demo=True).count() for m in models}


def rows() -> dict[str, int]:
    """How many rows each table has; partitions count for their table."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relkind IN ('r', 'p') AND NOT relispartition "
            "AND relnamespace = 'public'::regnamespace"
        )
        tables = [name for (name,) in cursor.fetchall()]
        found = {}
        for table in tables:
            cursor.execute(sql.SQL("SELECT count(*) FROM {}").format(sql.Identifier(table)))
            found[table] = cursor.fetchone()[0]
    return found


def kept_files() -> set[Path]:
    """Every file that the city keeps for itself."""
    folders = ("repositories", "media", "sources")
    return {f for name in folders for f in (Path(settings.DATA_DIR) / name).rglob("*") if f.is_file()}


def test_the_runs_of_the_demo_go_and_others_stay(db: None) -> None:
    for demo in (True, False):
        Run.objects.create(kind="ground.none", inputs={}, demo=demo)
    said: list[str] = []
    forget_demo(said.append)
    assert list(Run.objects.values_list("demo", flat=True)) == [False]
    assert said == ["1 runs taken away"]


def test_a_kept_file_goes_with_its_empty_folder() -> None:
    kept = files.keep("centre.osm.pbf", [b"some bytes of this test alone"])
    assert files.path(kept).exists()
    files.forget(kept)
    assert not files.path(kept).parent.exists()
    files.forget(kept)


@pytest.mark.drill
def test_the_demo_comes_twice_and_goes(worker: Any, manage: Any) -> None:
    before, kept_before = rows(), kept_files()
    counts = []
    for _ in range(2):
        done = manage("demo", "--json")
        assert done.returncode == 0, done.stderr
        counts.append(demo_rows())
    first, second = ({k: n for k, n in c.items() if k not in {"labs.Booking", "labs.Job", "runs.Run"}} for c in counts)
    assert first == second
    assert sum(first.values()) > 20
    assert manage("demo", "--remove").returncode == 0
    assert set(demo_rows().values()) == {0}
    left = {table: n for table, n in rows().items() if n != before[table]}
    assert set(left) <= {"devices_device", "devices_channel", "devices_lastvalue", "devices_reading", "devices_rollup"}
    assert left.get("devices_device", 0) <= 1, "only the city's own heartbeat stays"
    assert kept_files() <= kept_before
