# ruff: noqa: T201
"""How many faults the tests would find: `python -m tests.mutation [GROUP…]`, or `make mutation ARGS=…`.

    --every N       one mutant of N, always the same ones, chosen by their hash
    --again         what was found before, and by a test that still exists, stays found; the others are tried anew
    --only TEXT     mutants of functions whose module:function has TEXT in it
    --patience S    seconds of tests for one mutant at most (20)
    --shown         run nothing: the table and the survivors of the last run

Prints killed, timeouts, survivors and mutants that no test covers, by module, each survivor with its change, and the
figures for docs/trust.md. Ends with 1 when a group is below 85 of 100.
"""

import argparse
import os
import subprocess
import sys
from itertools import groupby
from typing import Any

from tests.figures_said import figure
from tests.mutation import table
from tests.mutation.mutants import ROOT

HEAD = f"{'module':45s}" + "".join(f"{word:>11s}" for word in ("killed", *table.OTHERS, "found"))


def run(group: table.Group, more: list[str]) -> bool:
    """Try the group's mutants, in a pytest of their own."""
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "tests.mutation.plugin", "-p", "no:cacheprovider"]
    argv += ["-m", "not drill", "--mutate", group.name, *more, *group.tests]
    env = {"LIVINGCITY_EXAMPLES": "12"} | os.environ  # of each property: a fault shows in few or in none
    env |= {"PYTHONPATH": os.pathsep.join(str(ROOT / name) for name in ("platform", "", "labs/agent"))}
    return not subprocess.run(argv, cwd=ROOT, env=env, check=False).returncode


def tell(rows: list[dict[str, Any]], listed: list[dict[str, str]]) -> None:
    """The survivors, with what they change."""
    for row in rows:
        if row["verdict"] in table.MISSED and not table.is_listed(row, listed):
            print(f"\n{row['verdict']}  {row['module']}:{row['function']}:{row['line']}\n{row['change']}")


def main(words: list[str] | None = None) -> int:
    """Run what is asked for and print what came of it."""
    parser = argparse.ArgumentParser(prog="python -m tests.mutation", description=__doc__)
    known = table.groups()
    parser.add_argument("groups", nargs="*", metavar="GROUP", choices=[[], *known])
    parser.add_argument("--every", type=int, default=1)
    parser.add_argument("--again", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--patience", type=float, default=20.0)
    parser.add_argument("--shown", action="store_true")
    asked = parser.parse_args(words)
    more = [f"--every={asked.every}", f"--only={asked.only}", f"--patience={asked.patience}"]
    more += ["--again"] if asked.again else []
    listed, scores, whole = table.equivalent(), list[table.Score](), list[dict[str, Any]]()
    for name in asked.groups or known:
        if not asked.shown and not run(known[name], more):
            print(f"{name}: the tests could not be run")
            return 1
        rows = table.asked_last(name)
        tell(rows, listed)
        print(f"\n{HEAD}")
        for module, own in groupby(sorted(rows, key=lambda row: row["module"]), key=lambda row: row["module"]):
            print(table.score(module, own, listed).line())
        scores.append(table.score(name, rows, listed))
        whole += rows
    total = table.score("all", whole, listed)
    print("\n" + "\n".join([HEAD, *(one.line() for one in [*scores, total])]))
    for one in scores:
        figure(f"mutation_{one.module}", f"{one.share:.1f}", "%")
    if len(scores) == len(known):
        figure("mutation_score", f"{total.share:.1f}", f"% of {total.counted}")
    return int(any(one.share < table.TARGET for one in scores))


if __name__ == "__main__":
    sys.exit(main())
