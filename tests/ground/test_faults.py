"""What the city says while a server is away or a disk is full, and how it knows which tables it has."""

import errno
import json
import subprocess
import sys

import psycopg
import pytest
import redis
from django.db import connection, utils
from django.db.migrations.loader import MigrationLoader
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import URLPattern, URLResolver, path

from commons.errors import NotFound
from commons.runs import workers
from commons.web.faults import explain
from livingcity import urls as addresses
from livingcity.dev import schema
from livingcity.dev.processes import child_environment

handler500 = "commons.web.faults.answer_fault"


def away(_request: HttpRequest) -> HttpResponse:
    """A view whose database is really not there."""
    with utils.DatabaseErrorWrapper(connection):
        psycopg.connect(host="/nonexistent", connect_timeout=1)
    raise AssertionError("somebody answered")


def full(_request: HttpRequest) -> HttpResponse:
    """A view whose database has no room."""
    with utils.DatabaseErrorWrapper(connection):
        raise psycopg.errors.DiskFull('could not extend file "base/5/16397": No space left on device')


def broken(_request: HttpRequest) -> HttpResponse:
    """A view with a defect."""
    raise KeyError("a defect")


urlpatterns: list[URLPattern | URLResolver] = [
    path(f"{at}{name}/", view)
    for at in ("", "api/v1/")
    for name, view in {"away": away, "full": full, "broken": broken}.items()
]
urlpatterns += addresses.urlpatterns  # the layout names pages


@pytest.fixture
def client(settings: object) -> Client:
    settings.ROOT_URLCONF = __name__  # type: ignore[attr-defined]
    return Client(raise_request_exception=False)


@pytest.mark.parametrize(("name", "status"), [("away", 503), ("full", 507), ("broken", 500)])
def test_the_api_says_which_fault_it_is(client: Client, name: str, status: int) -> None:
    answer = client.get(f"/api/v1/{name}/")
    assert answer.status_code == status
    assert answer["Content-Type"] == "application/problem+json"
    code = {503: "city:server-away", 507: "city:disk-full", 500: "city:fault"}[status]
    assert json.loads(answer.content)["code"] == code
    assert ("Retry-After" in answer) == (status == 503)


def test_a_page_says_it_without_asking_any_server(client: Client) -> None:
    answer = client.get("/away/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "5")
    assert "does not answer just now" in answer.content.decode()
    assert "disk is full" in client.get("/full/").content.decode()


def test_only_these_faults_are_explained() -> None:
    full_disk = OSError(errno.ENOSPC, "No space left on device")
    assert explain(full_disk).code == "city:disk-full"  # type: ignore[union-attr]
    stuck = redis.ResponseError("MISCONF Errors writing to the AOF file: No space left on device")
    assert explain(stuck).code == "city:disk-full"  # type: ignore[union-attr]
    assert explain(redis.ConnectionError("gone")).code == "city:server-away"  # type: ignore[union-attr]
    assert explain(NotFound("not here")).status == 404  # type: ignore[union-attr]
    for ours in (OSError(errno.EACCES, "denied"), utils.IntegrityError("twice"), redis.ResponseError("WRONGTYPE")):
        assert explain(ours) is None


def test_a_queue_that_nobody_takes_is_not_healthy(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers, "PREFIX", "test-worker:")
    workers.beat("quick@here", ["default", "ingest"])
    assert workers.health().sentence == "No worker takes the queues previews, simulations."
    workers.beat("heavy@here", ["previews", "simulations"])
    assert workers.health().ok
    assert set(workers.alive()) == {"quick@here", "heavy@here"}
    for name in ("quick@here", "heavy@here"):
        workers.forget(name)
    assert not workers.health().ok


def test_file_names_tell_the_migrations(db: None, tmp_path: object, monkeypatch: pytest.MonkeyPatch) -> None:
    assert schema.on_disk() == set(MigrationLoader(None).disk_migrations)
    ran: list[str] = []
    monkeypatch.setattr(schema, "call_command", lambda name, **_: ran.append(name))
    monkeypatch.setattr(schema, "_note", lambda: tmp_path / "tables")  # type: ignore[operator]
    assert not schema.known()
    assert not schema.bring_up_to_date()
    assert schema.known()
    found = schema.on_disk() | {("people", "9999_later")}
    monkeypatch.setattr(schema, "on_disk", lambda: found)
    assert not schema.known()
    assert schema.bring_up_to_date()
    assert ran == ["migrate"]


def test_neither_the_site_nor_up_loads_an_engine() -> None:
    """Their seconds would be everyone's first page."""
    engines = {"numpy", "scipy", "numba", "trimesh", "shapely", "pyproj", "osmium", "sklearn", "highspy", "manifold3d"}
    words = "import sys, livingcity.asgi, livingcity.urls, livingcity.dev.supervisor\n"
    words += f"print({engines} & sys.modules.keys())"
    done = subprocess.run(
        [sys.executable, "-c", words],
        env=child_environment(DJANGO_SETTINGS_MODULE="livingcity.settings"),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "set()"
