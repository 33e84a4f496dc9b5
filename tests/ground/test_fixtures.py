"""The fixtures that all tests stand on."""

import os
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth import get_user_model
from django.core.cache import cache
from django.db import connection

from commons.runs import services
from commons.runs.models import Run
from tests.conftest import LONG_FILES, ROOT

from . import worker_kinds


def test_the_database_is_of_this_run_alone(db: None) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database(), current_setting('fsync'), version()")
        name, fsync, version = cursor.fetchone()
    assert name.startswith("test_livingcity")
    assert fsync == "off"
    assert version.startswith("PostgreSQL 18.")


def test_the_long_files_are_there() -> None:
    assert [name for name in LONG_FILES if not (ROOT / "tests" / name).is_file()] == []
    assert len(set(LONG_FILES)) == len(LONG_FILES)


def test_valkey_and_data_are_of_this_run_alone() -> None:
    cache.set("ground", 1, 5)
    assert cache.get("ground") == 1
    assert "/lc-test-" in os.environ["REDIS_URL"]
    assert "/lc-test-" in os.environ["LIVINGCITY_DATA"]


@pytest.mark.shared
def test_shared_is_the_folder_of_reference_data(shared: Path) -> None:
    assert (shared / "data").is_dir()


def test_a_real_worker_does_a_run(worker: Any) -> None:
    run = services.start(kind=worker_kinds.PID, inputs={"a": 1})
    done = services.wait(run=run, timeout_s=60)
    assert done.status == Run.Status.DONE, done.error
    assert done.result is not None
    assert done.result["pid"] != os.getpid()


def test_the_site_is_really_served(live_city: Any) -> None:
    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(f"{live_city.url}/api/v1/no-such-thing/", timeout=20)
    assert refused.value.code == 404
    assert refused.value.headers["Content-Type"] == "application/problem+json"


def test_a_command_works_on_the_test_database(manage: Any) -> None:
    get_user_model().objects.create(username="ground-fixture")
    words = "from commons.people.models import User; print(list(User.objects.values_list('username', flat=True)))"
    done = manage("shell", "-v", "0", "-c", words)
    assert done.returncode == 0, done.stderr
    assert "ground-fixture" in done.stdout
