"""`access DISTRICT --json`"""

import json
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from commons.errors import CityError
from twin import queries, services
from twin.engine import ENGINE_VERSION
from twin.models import Access
from twin.words import KINDS, word


class Command(BaseCommand):
    """Minutes on foot from each building to the nearest service of each kind."""

    help = "Minutes on foot from each building to the nearest service of each kind."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("district")
        parser.add_argument("--version-number", type=int, default=None, help="as of this version")
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            kept = self._access(options["district"], options["version_number"])
        except CityError as refusal:
            raise CommandError(str(refusal.sentence)) from refusal
        if options["json"]:
            self.stdout.write(json.dumps(kept.summary))
            return
        self.stdout.write(f"{'':28} median   max   <=5   <=10   <=15 min")
        for kind, r in kept.summary.items():
            shares = "  ".join(f"{r[share]:5.1%}" for share in ("share_5", "share_10", "share_15"))
            self.stdout.write(f"{word(KINDS, kind):28} {r['median_min']:6.2f} {r['max_min']:5.1f}  {shares}")

    def _access(self, slug: str, number: int | None) -> Access:
        """What is kept, or reckoned afresh when the engine is newer."""
        version = queries.version(queries.district(slug), number)
        kept = queries.access(version)
        if kept is None or kept.engine_version != ENGINE_VERSION:
            from twin.engine import district  # noqa: PLC0415 loads scipy

            kept = services.store_access(version=version, access=district.access(queries.as_model(version)))
        return kept
