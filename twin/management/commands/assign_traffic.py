"""`assign_traffic NET.tntp TRIPS.tntp --gap 1e-6 --json`"""

import json
import math
import time
from argparse import ArgumentParser
from pathlib import Path
from typing import TYPE_CHECKING, Any

from django.core.management.base import BaseCommand, CommandError

from commons import csv_files

if TYPE_CHECKING:
    from twin.engine.assignment import Assignment
    from twin.engine.tntp import Network

LARGEST_BYTES = 512 * 1024 * 1024


class Command(BaseCommand):
    """User equilibrium on a network of a file, without a district."""

    help = "User equilibrium of the trips on a TNTP network: nobody gets there sooner by another way."

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("network", type=Path, metavar="NET.tntp")
        parser.add_argument("trips", type=Path, metavar="TRIPS.tntp")
        parser.add_argument("--gap", type=float, default=1e-6, help="relative gap (total - shortest) / total")
        parser.add_argument("--most-rounds", type=int, default=500)
        parser.add_argument("--toll-weight", type=float, default=0.0, help="time per unit of toll")
        parser.add_argument("--distance-weight", type=float, default=0.0, help="time per unit of length")
        parser.add_argument(
            "--flows", type=Path, default=None, metavar="FILE.csv", help="write flow and cost of each link"
        )
        parser.add_argument("--json", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        from twin.engine import assignment, tntp  # noqa: PLC0415 loads numba

        if not (math.isfinite(options["gap"]) and options["gap"] > 0):
            raise CommandError("--gap must be above 0, such as 1e-6.")
        weights = {name: options[name] for name in ("toll_weight", "distance_weight")}
        if any(not math.isfinite(weight) or weight < 0 for weight in weights.values()):
            raise CommandError("A weight must be finite and not below 0.")
        at = options["network"]
        try:
            network = tntp.network(_text(at), **weights)
            at = options["trips"]
            demand = tntp.trips(_text(at), network.zones)
        except tntp.NotTntp as fault:
            raise CommandError(f"{at}: {fault}.") from fault
        assignment.warm_up()  # so that the seconds are those of the assignment, not of loading its code
        began = time.process_time()
        found = assignment.assign(network, demand, gap=options["gap"], max_iterations=options["most_rounds"])
        seconds = time.process_time() - began
        if options["flows"]:
            _write(options["flows"], network, found)
        self._tell(found, seconds, as_json=options["json"])
        if found.gap > options["gap"]:
            raise CommandError(
                f"The gap is {found.gap:.2e} after {found.iterations} rounds; allow more by --most-rounds."
            )

    def _tell(self, found: "Assignment", seconds: float, *, as_json: bool) -> None:
        answer = {
            "objective": found.objective,
            "relative_gap": found.gap,
            "iterations": found.iterations,
            "seconds": seconds,
            "total_travel_time": found.total_travel_time,
            "lower_bound": found.lower_bound,
            "unserved": found.unserved,
            "engine": found.engine,
        }
        if as_json:
            self.stdout.write(json.dumps(answer))
            return
        self.stdout.write(
            f"objective {found.objective:.6f}, relative gap {found.gap:.2e} after {found.iterations} rounds "
            f"and {seconds:.2f} CPU seconds; total travel time {found.total_travel_time:.6f} ({found.engine})"
        )
        if found.unserved:
            self.stdout.write(f"{found.unserved:g} trips have no way to where they go.")


def _text(path: Path) -> str:
    """The file's text; refuses what is missing, too large or not text."""
    try:
        if path.stat().st_size > LARGEST_BYTES:
            raise CommandError(f"{path} is larger than 512 MB.")
        return path.read_text("utf-8-sig", errors="strict")
    except UnicodeDecodeError as fault:
        raise CommandError(f"{path} is not text (at byte {fault.start}).") from fault
    except OSError as fault:
        raise CommandError(f"{path} cannot be read: {fault.strerror}.") from fault


def _write(path: Path, network: "Network", found: "Assignment") -> None:
    """Flow and cost of each link, in the order of the network's file."""
    try:
        ends = network.links()
        flows = enumerate(zip(found.flow.tolist(), found.cost_s.tolist(), strict=True))
        rows = ((i + 1, ends.tail[i] + 1, ends.head[i] + 1, flow, cost) for i, (flow, cost) in flows)
        with path.open("wb") as out:
            csv_files.write(out, ("link", "from", "to", "flow", "cost"), rows)
    except OSError as fault:
        raise CommandError(f"{path} cannot be written: {fault.strerror}.") from fault
