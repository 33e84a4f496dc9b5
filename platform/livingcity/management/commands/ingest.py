"""`manage.py ingest`: takes in what devices report, until it is told to stop."""

import asyncio
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand

from livingcity.dev.processes import unprivileged
from livingcity.dev.services import private_folder


class Command(BaseCommand):
    """The process that stores readings; `manage.py up` starts it and keeps it alive."""

    help = "Take in what devices report, behind the web server; stops with TERM or Ctrl-C."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until told to stop."""
        from commons.devices import serving  # noqa: PLC0415 only this process needs it

        if not settings.INGEST_SOCKET.parent.exists():
            private_folder(settings.INGEST_SOCKET.parent, unprivileged())
        asyncio.run(serving.serve())
