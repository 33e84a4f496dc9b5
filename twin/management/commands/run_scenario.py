"""`run_scenario DISTRICT FILE.json [--depth quick|seeds|deep] --json [--inline]`"""

import json
import sys
from pathlib import Path
from typing import Any, ClassVar

from django.core.management.base import CommandError, CommandParser

from commons.runs import services as runs
from commons.runs.models import Run
from commons.runs.work import do
from commons.web.commands import CityCommand
from twin import comparison, queries, services
from twin.models import ScenarioResult, ScenarioVersion

LARGEST_BYTES = 1 << 20


class Command(CityCommand):
    """Run a scenario against the baseline and print the comparison."""

    help = "Runs a scenario file against the district as it stands: figures with intervals, who gains and who loses."
    needs_worker: ClassVar[bool] = "--inline" not in sys.argv

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("district")
        parser.add_argument("file", type=Path, help='{"title": …, "question": …, "measures": [{"kind": …}, …]}')
        parser.add_argument("--depth", choices=services.scenario_runs.DEPTHS, default="quick")
        parser.add_argument("--inline", action="store_true", help="compute in this process instead of a worker")
        parser.add_argument("--timeout", type=float, default=3600.0, help="seconds to wait for the worker")

    def run(self, **options: Any) -> dict[str, Any]:
        version = self._version(options["district"], _read(options["file"]))
        inline = options["inline"]
        found = services.scenario_runs.start(version=version, depth=options["depth"], demo=True, bell=not inline)
        if isinstance(found, ScenarioResult):
            return comparison.document(found, version)
        if not (inline and do(found.pk)):
            runs.wait(run=found, timeout_s=options["timeout"])
        found.refresh_from_db()
        if found.status != Run.Status.DONE:
            raise CommandError(found.error or f"The run ended as “{found.get_status_display()}”.")
        return comparison.document(queries.scenarios.answered(version, options["depth"]), version)

    def _version(self, slug: str, asked: dict[str, Any]) -> ScenarioVersion:
        """The scenario of this file, not listed; the same file again is the same scenario."""
        district = queries.district(slug)
        title = asked.get("title") or "Scenario"
        measures = services.scenarios.checked(district, asked.get("measures"))
        supposed = services.scenarios.checked_assumptions(asked.get("assumptions") or {})
        same = ScenarioVersion.objects.filter(
            scenario__district=district, scenario__owner=None, scenario__listed=False, scenario__title=title,
            measures=measures, assumptions=supposed, number=1,
        )  # fmt: skip
        if found := same.select_related("scenario__district__current").first():
            return found
        made = services.scenarios.create(
            district=district, by=None, title=title, question=asked.get("question") or "", measures=measures,
            assumptions=supposed, listed=False,
        )  # fmt: skip
        return queries.scenarios.scenario_version(made)

    def show(self, answer: dict[str, Any]) -> None:
        self.stdout.write(f"{answer['title']} ({answer['district']}, version {answer['city_version']})")
        for each in answer["figures"]:
            span = "" if each["low"] is None else f"  ({each['low']:+,.4g} to {each['high']:+,.4g})"
            words = f"{each['label']:<44} {each['baseline']:>14,.4g} → {each['scenario']:>14,.4g}"
            self.stdout.write(f"{words} {each['unit']:<12} {each['difference']:+,.4g}{span}")
        for sentence in answer["limits"]:
            self.stdout.write(f"· {sentence}")


def _read(path: Path) -> dict[str, Any]:
    """The file. Raises CommandError."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise CommandError(f"{path.name} is larger than 1 MB; a scenario file is a few lines.")
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as fault:
        raise CommandError(f"{path.name} cannot be read: {fault}") from fault
    except ValueError as fault:
        raise CommandError(f"{path.name} is not valid JSON: {fault}") from fault
    if not isinstance(found, dict):
        raise CommandError(f'{path.name} must be {{"title": …, "question": …, "measures": […]}}.')
    return found
