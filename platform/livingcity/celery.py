"""The doorbell: Celery only rings; the truth about work stands in PostgreSQL (commons.runs)."""

import os
from typing import Any

from celery import Celery
from celery.signals import task_prerun

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "livingcity.settings")

app = Celery("livingcity")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()


@task_prerun.connect
def drop_broken_connections(**_: Any) -> None:
    """A reused connection that PostgreSQL has dropped would otherwise fail every later task."""
    from django.db import close_old_connections  # noqa: PLC0415 settings must be loaded first

    close_old_connections()
