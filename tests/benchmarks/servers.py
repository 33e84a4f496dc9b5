"""A PostgreSQL and a Valkey of a benchmark's own, migrated, with Django set up on them."""

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path[:0] = [str(ROOT / "platform"), str(ROOT)]


@contextmanager
def city() -> Iterator[None]:
    """An empty city while the block runs; its servers are durable, as a real one's are."""
    from livingcity.dev.services import Postgres, Valkey

    folder = Path(tempfile.mkdtemp(prefix="lc-bench-"))
    folder.chmod(0o711)
    postgres = Postgres(folder / "postgres", folder / "s", folder / "postgres.log")
    valkey = Valkey(folder / "valkey", folder / "s", folder / "valkey.log", durable=False)
    postgres.start()
    valkey.start()
    try:
        postgres.ensure_database()
        os.environ |= {
            "DATABASE_URL": f"postgresql://postgres@/livingcity?host={postgres.sockets}",
            "REDIS_URL": f"unix://{valkey.socket}?db=0",
            "LIVINGCITY_DATA": str(folder / "data"),
            "LIVINGCITY_DEMO": "0",
            "LOG_LEVEL": "ERROR",
            "ALLOWED_HOSTS": "testserver,127.0.0.1,localhost",
            "DJANGO_SETTINGS_MODULE": "livingcity.settings",
            "SECRET_KEY": "only for benchmarks " * 4,
        }
        import django
        from django.core.management import call_command

        django.setup()
        call_command("migrate", verbosity=0)
        yield
    finally:
        valkey.stop()
        postgres.stop()
        shutil.rmtree(folder, ignore_errors=True)
