"""The published test set of the share of open production, and what this city's own program makes of it."""

import datetime as dt
import json
from pathlib import Path
from typing import Any

from designs.licences import is_open
from labs.engine import openness
from labs.engine.openness import Made, Part

FOLDER = Path(__file__).parents[1] / "figures"
TEST_SET = FOLDER / f"open_production_{openness.VERSION}.json"
CHECK = FOLDER / "check_open_production.py"


def document() -> dict[str, Any]:
    """The test set."""
    found: dict[str, Any] = json.loads(TEST_SET.read_text(encoding="utf-8"))
    return found


def made_of(job: dict[str, Any]) -> Made:
    """A job of the test set as the definition counts it."""
    end = dt.datetime.fromisoformat(job["finished_at"])
    hours = (end - dt.datetime.fromisoformat(job["started_at"])).total_seconds() / 3600
    parts = []
    for part in job["parts"]:
        since = part["public_since"]
        public = since is not None and dt.datetime.fromisoformat(since) <= end
        parts.append(Part(part["provenance"], public and is_open(part["licence"]), part["share"]))
    return Made(hours, job["material_g"], job["energy_kwh"], parts)


def tallies(found: dict[str, Any]) -> openness.Tallies:
    """The four tallies of the test set by our own program."""
    return openness.count(made_of(job) for job in found["jobs"] if job["outcome"] == "finished")
