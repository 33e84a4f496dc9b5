"""`manage.py up`: the whole city in the foreground."""

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from commons.errors import CityError
from livingcity.dev import supervisor


class Command(BaseCommand):
    """Starts PostgreSQL, Valkey, web, worker and clock, and keeps them alive until Ctrl-C."""

    help = "Start the whole city in the foreground; Ctrl-C stops it."
    needs_services = False  # it brings them itself, after it has seen that the port is free
    requires_system_checks = ()

    def handle(self, *args: Any, **options: Any) -> None:
        """Run until told to stop."""
        try:
            supervisor.run(self.say)
        except CityError as error:
            raise CommandError(str(error.sentence)) from None

    def say(self, sentence: str) -> None:
        """A line for whoever watches."""
        self.stdout.write(sentence)
        self.stdout.flush()
        sys.stdout.flush()
