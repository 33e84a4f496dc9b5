"""`manage.py ingest`: takes in what devices report, until it is told to stop."""

import asyncio
from typing import Any

from django.core.management.base import BaseCommand

from commons.devices import serving


class Command(BaseCommand):
    """The process that stores readings; `manage.py up` starts it and keeps it alive."""

    help = "Take in what devices report, behind the web server; stops with TERM or Ctrl-C."
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until told to stop."""
        asyncio.run(serving.serve())
