"""Secrets in messages to workers, and none of them in a worker's log: Celery carries numbers of rows alone, and what it
cannot do is written down without what opens doors.
"""

import base64
import inspect
import json
import os
import time
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
from celery import current_app
from django.db import connection

pytestmark = pytest.mark.django_db(transaction=True)

PASSWORD, KEY = "seven quiet otters 4711 at the pond", "k3y-of-a-relay-9931"
TOKEN, DEVICE = f"lcu_{'Qw7' * 16}", f"lcd_{'Er5' * 16}"
PLANTED = {"password": PASSWORD, "key": KEY, "token": TOKEN, "device token": DEVICE}
CONTROL = "plain-word-0815"


def forms(secret: str) -> set[str]:
    """As it may stand somewhere: in an address, a form, JSON, base64."""
    coded = base64.b64encode(secret.encode()).decode().rstrip("=")
    return {secret, quote(secret), quote_plus(secret), json.dumps(secret)[1:-1], coded}


def found_in(places: dict[str, str]) -> list[str]:
    """Which secret stands where, with a piece of what is around it."""
    return [
        f"{what} in {place}: …{text[max(at - 80, 0) : at + 20]!r}"
        for what, secret in PLANTED.items()
        for form in forms(secret)
        for place, text in places.items()
        if (at := text.find(form)) >= 0
    ]


def test_a_secret_that_is_there_is_found() -> None:
    for secret in PLANTED.values():
        for form in forms(secret):
            assert found_in({"log": f"before {form} after"})


#: What tasks are told, besides nothing: numbers of rows. Everything else stands in the database.
ARGUMENTS = {"run_id", "design", "keys", "booking", "community"}


def test_celery_carries_numbers_of_rows_alone() -> None:
    current_app.loader.import_default_modules()
    ours = {name: task for name, task in current_app.tasks.items() if not name.startswith("celery.")}
    told = {name: set(inspect.signature(task.run).parameters) - ARGUMENTS for name, task in ours.items()}
    assert len(ours) > 10
    assert not {name: more for name, more in told.items() if more}, "tell a task the number of a row, or say it here"


def test_what_a_worker_cannot_do_is_written_down_without_its_secrets(worker: Any) -> None:
    """Tasks of nobody and with wrong arguments, whose bodies Celery writes into its log."""
    log = Path(os.environ["LIVINGCITY_DATA"]) / "worker.log"
    start = log.stat().st_size
    more = {"password": PASSWORD, "api_key": KEY, "token": TOKEN}
    current_app.send_task(f"tests.{CONTROL}", args=[TOKEN, DEVICE], kwargs=more, queue="default")
    current_app.send_task("runs.work", args=[TOKEN], queue="default")
    current_app.send_task("runs.work", kwargs=more, queue="default")
    until = time.monotonic() + 120
    while (said := log.read_bytes()[start:].decode(errors="replace")).count("Traceback") < 2 or CONTROL not in said:
        assert time.monotonic() < until, said
        time.sleep(0.2)
    assert found_in({"the worker's log": said}) == []
    connection.close()
