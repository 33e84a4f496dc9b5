"""How a drill says a figure: the line that `tests.figures` reads, also where pytest holds back what is printed."""

import os
import sys
from pathlib import Path


def figure(name: str, value: float | str, unit: str = "") -> None:
    """Say a figure. A value that begins with “+” is added to what was said of it before in the same run."""
    line = f"FIGURE {name} {value if isinstance(value, str) else f'{value:.4g}'} {unit}".rstrip()
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()
    if path := os.environ.get("FIGURES_TO"):
        with Path(path).open("a", encoding="utf-8") as kept:
            kept.write(f"{line}\n")
