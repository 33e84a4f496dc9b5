"""The doorbell: Celery only rings; the truth about work stands in PostgreSQL (commons.runs)."""

import datetime as dt
import os
import socket
import sys
import warnings
from typing import Any

from celery import Celery
from celery.signals import (
    heartbeat_sent,
    import_modules,
    task_prerun,
    worker_init,
    worker_process_init,
    worker_ready,
    worker_shutdown,
)

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "livingcity.settings")
# It is meant for pickled tasks; ours are JSON, and in a container everything is root.
warnings.filterwarnings("ignore", message="You're running the worker with superuser privileges")

# A lost broker cancels nothing: a run belongs to whom its lease says.
warnings.filterwarnings("ignore", message=".*In Celery 5.1 we introduced an optional breaking change")
# `manage.py check` and the tests look for what is wrong; a worker that was killed shall be back soon.
os.environ.setdefault("CELERY_SKIP_CHECKS", "1")
LONG_AGO = dt.datetime(2000, 1, 1, tzinfo=dt.UTC)

app = Celery("livingcity")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@worker_init.connect
def share_what_is_loaded(**_: Any) -> None:
    """The children that are forked next share it."""
    from livingcity import lean  # noqa: PLC0415 settings must be loaded first

    lean.settle()


@task_prerun.connect
def drop_broken_connections(**_: Any) -> None:
    """A reused connection that PostgreSQL has dropped would otherwise fail every later task."""
    from django.db import close_old_connections  # noqa: PLC0415 settings must be loaded first

    close_old_connections()


@worker_process_init.connect
def die_with_the_worker(**_: Any) -> None:
    """A child of a worker that was killed would otherwise finish its task for nobody."""
    from commons.watching import shared  # noqa: PLC0415 settings must be loaded first
    from livingcity.dev.processes import die_with_parent  # noqa: PLC0415 only workers need it

    die_with_parent()
    shared.announce("worker")


@worker_process_init.connect
def warm_up(**_: Any) -> None:
    """What this process will work with is loaded before it is asked for, where the city wants that (WARM_WORKERS)."""
    from django.conf import settings  # noqa: PLC0415 settings must be loaded first

    if settings.WARM_WORKERS:
        from commons.runs import warming  # noqa: PLC0415 as above

        warming.begin(list(app.amqp.queues.consume_from))


@import_modules.connect
def gather_beat(sender: Celery, **_: Any) -> None:
    """What beat rings: the `BEAT` of every app's tasks. Connected after autodiscovery, so all of them are imported."""
    from django.apps import apps  # noqa: PLC0415 settings must be loaded first

    for config in apps.get_app_configs():
        tasks = sys.modules.get(f"{config.name}.tasks")
        for name, entry in getattr(tasks, "BEAT", {}).items():
            sender.conf.beat_schedule[name] = {"last_run_at": LONG_AGO, **entry}


@worker_ready.connect
@heartbeat_sent.connect
def worker_lives(sender: Any, **_: Any) -> None:
    """The worker's heart, every two seconds, in its main process: busy children do not hold it up."""
    from commons.runs import workers  # noqa: PLC0415 settings must be loaded first

    workers.beat(_hostname(sender), list(app.amqp.queues.consume_from))


@worker_shutdown.connect
def worker_left(sender: Any, **_: Any) -> None:
    """A worker that stops in good order is gone at once."""
    from commons.runs import workers  # noqa: PLC0415 settings must be loaded first

    workers.forget(_hostname(sender))


def _hostname(sender: Any) -> str:
    eventer = getattr(sender, "eventer", sender)
    return str(getattr(eventer, "hostname", "") or socket.gethostname())
