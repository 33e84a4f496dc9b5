"""The world of a module, and all of its routes."""

from collections.abc import Iterator
from typing import Any

import pytest
from celery import Task
from django.db import transaction
from django.test import override_settings

from commons.runs import services as runs
from commons.web.api import Throttle
from tests.authz.world import World, build


@pytest.fixture(scope="module")
def world(django_db_setup: None, django_db_blocker: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Built once in one transaction that is taken back. Nobody is rung, and nobody is throttled: how often somebody may
    ask is another question."""
    folder = tmp_path_factory.mktemp("authz")
    own = {name: folder / name.lower() for name in ("REPOSITORIES_DIR", "LFS_DIR", "MEDIA_ROOT", "DATA_DIR")}
    for path in own.values():
        path.mkdir()
    with pytest.MonkeyPatch.context() as patch, override_settings(**own), django_db_blocker.unblock():
        patch.setattr(Task, "apply_async", lambda self, *_args, **_more: self.AsyncResult("not sent"))
        patch.setattr(runs, "ring", lambda _run: None)
        patch.setattr(Throttle, "allow_request", lambda *_args: True)
        with transaction.atomic():
            try:
                yield build(folder)
            finally:
                transaction.set_rollback(True)
