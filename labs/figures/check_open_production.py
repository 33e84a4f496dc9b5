"""Checks a program's figures of open production against the published test set, with nothing but Python.

    python check_open_production.py open_production_2.json  works the figures out and compares
    python check_open_production.py open_production_2.json mine.json  compares yours with them

`mine.json`: {"jobs": {"lower", "upper", "coverage", "total"}, "machine_hours", "mass_g", "energy_kwh": the same}.
This program shares no line with the city's own. CC0-1.0.
"""

import json
import sys
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any


def opens(expression: str, table: dict[str, bool]) -> bool:
    """Whether an SPDX expression without brackets is open: of OR one side, of AND all."""
    return any(
        all(table[name.split(" WITH ")[0].strip()] for name in side.split(" AND ")) for side in expression.split(" OR ")
    )


def hours(job: dict[str, Any]) -> Fraction:
    """How long the machine worked, in hours."""
    length = datetime.fromisoformat(job["finished_at"]) - datetime.fromisoformat(job["started_at"])
    return Fraction(length.days * 86400 + length.seconds, 3600)


def shares(job: dict[str, Any], table: dict[str, bool]) -> list[Fraction]:
    """What the job's volume was made from: (open, closed, known), each a share of it."""
    parts = [(part, Fraction(str(part["share"]))) for part in job["parts"]]
    scale = max(sum(share for _part, share in parts), Fraction(1))
    found = [Fraction(0), Fraction(0), Fraction(0)]
    for part, share in parts:
        since = part["public_since"]
        public = since is not None and datetime.fromisoformat(since) <= datetime.fromisoformat(job["finished_at"])
        is_open = public and bool(part["licence"]) and opens(part["licence"], table)
        if part["provenance"] == "proven":
            found[0 if is_open else 1] += share / scale
        if part["provenance"] in ("proven", "probable"):
            found[2] += share / scale
    return found


def amount(job: dict[str, Any], unit: str) -> Any:
    """How much of the unit a job is; None where nobody knows."""
    if unit == "jobs":
        return 1
    return hours(job) if unit == "machine_hours" else job["material_g" if unit == "mass_g" else "energy_kwh"]


def figures(document: dict[str, Any]) -> dict[str, dict[str, float]]:
    """The four figures."""
    finished = [job for job in document["jobs"] if job["outcome"] == "finished"]
    told = {}
    for unit in ("jobs", "machine_hours", "mass_g", "energy_kwh"):
        rows = [(amount(job, unit), shares(job, document["licences_open"])) for job in finished]
        known = [(Fraction(str(much)), share) for much, share in rows if much is not None]
        total = sum(much for much, _share in known)
        proven, closed, covered = (sum(much * share[n] for much, share in known) for n in range(3))
        told[unit] = {
            "lower": float(proven / total),
            "upper": float(1 - closed / total),
            "coverage": float(covered / total),
            "total": float(total),
        }
    return told


def main(path: str, mine: str | None = None) -> int:
    """Compare, and say each figure that differs; how many did."""
    document = json.loads(Path(path).read_text(encoding="utf-8"))
    told = figures(document) if mine is None else json.loads(Path(mine).read_text(encoding="utf-8"))
    wrong = 0
    for unit, expected in document["expected"].items():
        for name, value in expected.items():
            got = told.get(unit, {}).get(name)
            if not isinstance(got, (int, float)) or abs(got - value) > 1e-9 * max(1.0, abs(value)):
                wrong += 1
                sys.stdout.write(f"{unit} {name}: expected {value}, got {got}\n")
    sys.stdout.write("all as expected\n" if not wrong else f"{wrong} differ\n")
    return wrong


if __name__ == "__main__":
    sys.exit(1 if main(*sys.argv[1:3]) else 0)
