# ruff: noqa: T201 a benchmark prints its figures
"""Forecasts of use and solar of seventeen homes, beside the naive guesses: `python -m tests.benchmarks.bench_forecast`.

Prints the mean absolute error of what was served over the last 183 days, of every naive guess, the skill, the share
inside the band (aim 88 to 92 %), the worst 28 days, and CPU seconds.
"""

import csv
import gzip
import os
import time
from pathlib import Path

import numpy as np

from energy.engine import forecast

SHARED = Path(os.environ.get("LIVINGCITY_SHARED", "../shared"))


def main() -> None:
    """Print the figures."""
    with gzip.open(SHARED / "data" / "energy" / "fontana17_hourly.csv.gz", "rt") as file:
        rows = csv.reader(file)
        head = next(rows)
        table = np.array([[float(cell) for cell in row] for row in rows])[1:]
    for name in ("load", "pv"):
        hours = table[:, [i for i, column in enumerate(head) if column.startswith(f"{name}_kwh")]].sum(axis=1)
        days = hours[: len(hours) // 24 * 24].reshape(-1, 24)
        began = time.process_time()
        score = forecast.backtest(days, 0, test_days=183)
        spent = time.process_time() - began
        naive = ", ".join(f"{guess} {mae:.3f}" for guess, mae in score.naive_mae.items())
        print(f"{name}: served {score.served_mae:.3f} kWh, {naive}")
        print(
            f"  skill {score.skill:.1%} (aim for use: 8 %), inside the band {score.covered:.1%}, worst 28 days "
            f"{forecast.worst_span(score):+.1%}, served {score.served}, {spent:.1f} CPU s"
        )


if __name__ == "__main__":
    main()
