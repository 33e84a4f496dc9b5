"""`manage.py mqtt_accounts [DIR] [--listen ADDRESS] [--store DIR] [--json]`."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from commons.devices.mqtt import accounts


class Command(BaseCommand):
    """Write the broker's password and access files, and a configuration when asked for one."""

    help = "Writes Mosquitto's password and access files from the devices that are let in, and tells the broker."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("folder", nargs="?", default="", help="default MQTT_ACCOUNTS")
        parser.add_argument("--listen", default="", help="write mosquitto.conf too: “1883” or “1883 127.0.0.1”")
        parser.add_argument("--store", default="", help="a folder of the broker's own, where it runs elsewhere")
        parser.add_argument("--json", action="store_true")

    def handle(self, *_args: Any, **options: Any) -> None:
        folder = Path(options["folder"] or settings.MQTT_ACCOUNTS).resolve()
        try:
            written = accounts.write(folder)
            if options["listen"]:
                store = Path(options["store"]) if options["store"] else None
                accounts.write_configuration(folder, listen=options["listen"], store=store)
        except OSError as fault:
            raise CommandError(f"The files could not be written: {fault}") from None
        if options["json"]:
            self.stdout.write(json.dumps({"folder": str(folder), **asdict(written)}))
            return
        self.stdout.write(f"{folder}: {written.devices} devices, {'changed' if written.changed else 'as before'}.")
        if written.changed and not written.told:
            self.stdout.write("The broker was not told: send it SIGHUP (kill -HUP), or it goes on with the old files.")
