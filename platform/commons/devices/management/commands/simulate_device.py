"""Play a machine against a running city: simulated readings over HTTP, as an agent would send them."""

import datetime as dt
import json
import time
import urllib.request
from argparse import ArgumentParser
from typing import Any
from urllib.parse import urlsplit

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone


class Command(BaseCommand):
    help = "Plays a machine: sends simulated power and counter readings with a device's token."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--url", required=True, help="the city, e.g. http://localhost:8000")
        parser.add_argument("--token", required=True, help="the device's token (lcd_…)")
        parser.add_argument("--kind", default="printer", help="printer, laser, cnc, vinyl, sewing or plug")
        parser.add_argument("--seed", type=int, default=1)
        parser.add_argument("--first-seq", type=int, default=1)
        parser.add_argument("--step", type=float, default=10.0, help="seconds between readings")
        parser.add_argument("--count", type=int, default=0, help="stop after so many moments; 0: never")

    def handle(self, *_args: Any, **options: Any) -> None:
        from commons.devices import simulator  # noqa: PLC0415 only this command needs it

        if urlsplit(options["url"]).scheme not in {"http", "https"}:
            raise CommandError("--url must begin with http:// or https://")
        since = timezone.now().date() - dt.timedelta(days=1)
        seq, sent = options["first_seq"], 0
        while not options["count"] or sent < options["count"]:
            made = simulator.readings(
                options["kind"], options["seed"], since=since, moments=[timezone.now()], first_seq=seq
            )
            items = list(made)
            self.stdout.write(json.dumps(self._send(options["url"], options["token"], items)))
            seq, sent = seq + len(items), sent + 1
            if sent != options["count"]:
                time.sleep(options["step"])

    def _send(self, url: str, token: str, items: list[Any]) -> Any:
        request = urllib.request.Request(  # noqa: S310 the scheme was checked
            f"{url.rstrip('/')}/api/v1/telemetry/",
            data=json.dumps({"readings": items}).encode(),
            headers={"Authorization": f"Bearer {token}", "Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310
                return json.load(answer)
        except OSError as error:
            raise CommandError(f"The city did not take the readings: {error}") from error
