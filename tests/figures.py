"""What is promised and what was measured: runs the drills and benchmarks of `figures.toml`, writes docs/trust.md.

    python -m tests.figures                      run everything, on a machine that does nothing else
    python -m tests.figures --only load soak     only these runs; the other figures stay as they were
    python -m tests.figures --short              short forms: good for trying them out, and said in the table
    python -m tests.figures --read OUTPUT        take the figures that a run has printed into a file
    python -m tests.figures --write              only write the table anew

A figure is a line `FIGURE name value unit` that a run says (`tests.figures_said`). All that were ever measured are
kept, with their day and how they were run, in docs/trust.json; the table between the markers of docs/trust.md is made
from it, so no figure there is typed by hand. What was not measured says so.
"""

import argparse
import datetime as dt
import json
import os
import re
import subprocess
import sys
import tempfile
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
TABLE, KEPT, PAGE = ROOT / "tests" / "figures.toml", ROOT / "docs" / "trust.json", ROOT / "docs" / "trust.md"
BEGIN, END = "<!-- figures: begin -->", "<!-- figures: end -->"
LINE = re.compile(r"^FIGURE (?P<name>[a-z][a-z0-9_]*) (?P<value>\S+)(?: (?P<unit>.+))?$")
NOT_YET = "not yet measured"


@dataclass(frozen=True, slots=True)
class Measured:
    """A figure of a run."""

    name: str
    value: str
    unit: str


def found_in(lines: Iterable[str]) -> list[Measured]:
    """The figures among what was printed: what was said last, and of those that are added up the sum."""
    found: dict[str, Measured] = {}
    for line in lines:
        if match := LINE.match(line.strip()):
            name, value = match["name"], match["value"]
            if value.startswith("+"):
                before = float(found[name].value) if name in found else 0.0
                value = f"{before + float(value):g}"
            found[name] = Measured(name, value, match["unit"] or "")
    return list(found.values())


def promises() -> dict[str, Any]:
    """The table of points and runs. Raises ValueError for a name that stands twice, or a run that does not exist."""
    table = tomllib.loads(TABLE.read_text(encoding="utf-8"))
    names = [figure["name"] for point in table["points"] for figure in point["figures"]]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"{TABLE.name}: {', '.join(sorted(twice))} stands twice")
    runs = {figure["run"] for point in table["points"] for figure in point["figures"] if "run" in figure}
    if unknown := runs - set(table["runs"]):
        raise ValueError(f"{TABLE.name}: no run is called {', '.join(sorted(unknown))}")
    return table


def kept() -> dict[str, dict[str, str]]:
    """What was measured so far."""
    return dict(json.loads(KEPT.read_text(encoding="utf-8"))) if KEPT.exists() else {}


def keep(measured: Iterable[Measured], how: str) -> None:
    """Note the figures that are promised, with today and how they were run; what else a run says are its details."""
    today = dt.datetime.now(dt.UTC).date().isoformat()
    promised = {figure["name"] for point in promises()["points"] for figure in point["figures"]}
    found = [m for m in measured if m.name in promised]
    noted = kept() | {m.name: {"value": m.value, "unit": m.unit, "day": today, "how": how} for m in found}
    KEPT.write_text(json.dumps(noted, indent=1, sort_keys=True, ensure_ascii=False) + "\n", encoding="utf-8")


def table_of(points: list[dict[str, Any]], known: dict[str, dict[str, str]]) -> str:
    """The table in Markdown."""
    lines = ["| point | figure | target | measured | day | how |", "|---|---|---|---|---|---|"]
    for point in points:
        for number, figure in enumerate(point["figures"]):
            title = point["title"] if not number else ""
            at = known.get(figure["name"])
            measured = f"{at['value']} {at['unit']}".strip() if at else NOT_YET
            cells = [title, figure["words"], figure.get("target", "–"), measured]
            cells += [at["day"], at["how"]] if at else ["–", figure.get("run", "–")]
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
    return "\n".join(lines)


def written(page: str) -> str:
    """The page with the table of now. Raises ValueError where a marker is missing."""
    head, begin, rest = page.partition(BEGIN)
    _old, end, tail = rest.partition(END)
    if not (begin and end):
        raise ValueError(f"{PAGE.name} needs the lines {BEGIN} and {END}")
    return f"{head}{BEGIN}\n{table_of(promises()['points'], kept())}\n{END}{tail}"


def run(name: str, asked: dict[str, Any], *, short: bool) -> bool:
    """Run one and keep its figures; whether it held all its limits."""
    argv = [sys.executable, *asked["command"], *(asked.get("short", []) if short else [])]
    with tempfile.TemporaryDirectory() as folder:
        to = Path(folder) / "figures"
        to.touch()
        path = os.pathsep.join([str(ROOT / "platform"), str(ROOT)])
        env = os.environ | {"PYTHONPATH": path, "FIGURES_TO": str(to)}
        ended = subprocess.run(argv, cwd=ROOT, env=env, check=False).returncode
        keep(found_in(to.read_text(encoding="utf-8").splitlines()), f"`{name}`, short" if short else f"`{name}`")
    if ended:
        sys.stdout.write(f"{name} ended with {ended}\n")
    return not ended


def main(words: list[str] | None = None) -> int:
    """Run what is asked for, then write the page."""
    parser = argparse.ArgumentParser(prog="python -m tests.figures")
    table = promises()
    parser.add_argument("--only", nargs="+", choices=sorted(table["runs"]), metavar="RUN")
    parser.add_argument("--short", action="store_true")
    parser.add_argument("--read", type=Path, metavar="OUTPUT")
    parser.add_argument("--how", default="", help="how it was run, for --read")
    parser.add_argument("--write", action="store_true")
    asked = parser.parse_args(words)
    held = True
    if asked.read:
        keep(found_in(asked.read.read_text(encoding="utf-8").splitlines()), asked.how or f"from {asked.read.name}")
    elif not asked.write:
        for name in asked.only or table["runs"]:
            held = run(name, table["runs"][name], short=asked.short) and held
    PAGE.write_text(written(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    return 0 if held else 1


if __name__ == "__main__":
    sys.exit(main())
