"""`manage.py retention [--keep KIND=RAW/QUARTERS …] [--run] [--json]`."""

import json
from argparse import ArgumentParser
from dataclasses import asdict
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from commons.devices.services import retention
from commons.errors import CityError


class Command(BaseCommand):
    """Show how long readings are kept, change it, do it."""

    help = "Shows how long readings are kept; --keep power=90/800 changes it (days of raw readings, of quarters)."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--keep", action="append", default=[], metavar="KIND=RAW/QUARTERS")
        parser.add_argument("--run", action="store_true", help="do now what the clock does every night")
        parser.add_argument("--json", action="store_true")

    def handle(self, *_args: Any, **options: Any) -> None:
        try:
            for text in options["keep"]:
                kind, raw_days, quarter_days = _read(text)
                retention.set_policy(kind=kind, raw_days=raw_days, quarter_days=quarter_days)
        except CityError as refusal:
            raise CommandError(str(refusal.sentence)) from None
        done = retention.run() if options["run"] else None
        rows: dict[str, dict[str, Any]] = {
            kind: {
                "raw_days": row.raw_days,
                "quarter_days": row.quarter_days,
                "closed_until": row.closed_until.isoformat() if row.closed_until else None,
            }
            for kind, row in retention.policy().items()
        }
        size = retention.size()
        if options["json"]:
            self.stdout.write(json.dumps({"policy": rows, "done": asdict(done) if done else None, **size}))
            return
        for kind, row in rows.items():
            gone = f"closed until {row['closed_until'][:10]}" if row["closed_until"] else "nothing closed yet"
            self.stdout.write(
                f"{kind:8} raw {row['raw_days']} days, quarters {row['quarter_days']}, hours for ever; {gone}"
            )
        self.stdout.write(f"{size['days']} days of readings, {size['readings_bytes'] / 1e6:.1f} MB")
        if done:
            self.stdout.write(", ".join(f"{name} {count}" for name, count in asdict(done).items()))


def _read(text: str) -> tuple[str, int, int]:
    kind, _, days = text.partition("=")
    raw_days, _, quarter_days = days.partition("/")
    if not (raw_days.isdecimal() and quarter_days.isdecimal()):
        raise CommandError(f"“{text}” is not of the form power=90/800.")
    return kind, int(raw_days), int(quarter_days)
