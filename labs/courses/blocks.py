"""The inside of a check: its question, what is right, and why."""

import hashlib
import math
import re
from collections.abc import Sequence
from itertools import pairwise

from django.utils.translation import gettext_noop as say

from labs.courses.document import CHECKS, Check, Hazard

OPTION = re.compile(r"\A\s*[-*] \[(?P<right>[ xX])\] +(?P<words>\S.*)\Z")
STEP = re.compile(r"\A\s*(?P<number>\d+)[.)] +(?P<words>\S.*)\Z")
NUMBER = re.compile(
    r"\A\s*=\s*(?P<number>[-+−]?\d+(?:[.,]\d+)?)\s*(?:(?:\+-|±|\+/-)\s*(?P<tolerance>\d+(?:[.,]\d+)?))?\s*(?P<unit>\S.*)?\Z"
)
PICTURE = re.compile(r"\A\s*!\[(?P<alt>[^\]]*)\]\((?P<path>[^)\s]+)\)\s*\Z")
GRID = re.compile(r"\A\s*grid +(?P<columns>\d+) *[x×] *(?P<rows>\d+)\s*\Z")
HAZARD = re.compile(r"\A\s*! *(?P<cells>[A-Za-z]\d{1,2}(?:[ ,]+[A-Za-z]\d{1,2})*) +(?P<words>\S.*)\Z")
MOST_OPTIONS, MOST_COLUMNS, MOST_ROWS = 12, 12, 9


class Wrong(ValueError):
    """What is wrong with a check, at a line of its file."""

    def __init__(self, line: int, words: str, **values: str) -> None:
        super().__init__(words)
        self.line, self.words, self.values = line, words, values


def fingerprint(kind: str, text: str) -> str:
    """The name of what a question says: other blanks do not change it, other words do."""
    return hashlib.sha256(f"{kind}\n{' '.join(text.split())}".encode()).hexdigest()[:16]


def read_check(info: str, lines: Sequence[str], line: int, pictures: frozenset[str]) -> Check:
    """The check of a fenced block that begins at `line`. Raises Wrong."""
    words = info.split()
    kind = words[1] if len(words) == 2 else ""
    if kind not in CHECKS:
        raise Wrong(line, say("A check is of one kind: choice, number, order or hazard."))
    why = " ".join(one.strip()[1:].strip() for one in lines if one.strip().startswith(">"))
    kept = [(line + n, one) for n, one in enumerate(lines, start=1) if one.strip() and not one.strip().startswith(">")]
    check = READERS[kind](fingerprint(kind, "\n".join(lines)), kept, line, why)
    if not check.question:
        raise Wrong(line, say("This check asks nothing; begin it with its question."))
    if check.picture and check.picture not in pictures:
        at = next(n for n, one in kept if PICTURE.match(one))
        raise Wrong(at, say("The picture “%(path)s” is not in the repository."), path=check.picture)
    return check


Kept = list[tuple[int, str]]


def _question(kept: Kept, *marks: re.Pattern[str]) -> str:
    """What stands before the first marked line."""
    asked = []
    for _line, text in kept:
        if any(mark.match(text) for mark in marks):
            break
        asked.append(text.strip())
    return " ".join(asked)


def _marked(kept: Kept, mark: re.Pattern[str], words: str) -> list[tuple[int, re.Match[str]]]:
    """The marked lines; nothing else may follow the first of them."""
    found: list[tuple[int, re.Match[str]]] = []
    for line, text in kept:
        if match := mark.match(text):
            found.append((line, match))
        elif found:
            raise Wrong(line, words)
    return found


def _choice(key: str, kept: Kept, line: int, why: str) -> Check:
    found = _marked(kept, OPTION, say("This line is no option; write - [ ] or - [x] before it."))
    right = tuple(n for n, (_line, match) in enumerate(found) if match["right"] != " ")
    if not 2 <= len(found) <= MOST_OPTIONS:
        raise Wrong(line, say("A choice has 2 to 12 options, each in a line that begins with - [ ] or - [x]."))
    if not right:
        raise Wrong(line, say("No option is right; mark it with - [x]."))
    if len(right) == len(found):
        raise Wrong(line, say("Every option is right; then there is nothing to choose."))
    return Check(
        key, "choice", _question(kept, OPTION), line, why, options=tuple(m["words"] for _l, m in found), right=right
    )


def _number(key: str, kept: Kept, line: int, why: str) -> Check:
    found = _marked(kept, NUMBER, say("After the line with = nothing else may come."))
    if len(found) != 1:
        raise Wrong(line, say("A number has one line such as = 3 ± 0.5 mm."))
    match = found[0][1]
    number, tolerance = decimal(match["number"]), decimal(match["tolerance"] or "0")
    if not (math.isfinite(number) and math.isfinite(tolerance)):
        raise Wrong(found[0][0], say("This number is too large."))
    unit = (match["unit"] or "").strip()[:20]
    return Check(key, "number", _question(kept, NUMBER), line, why, number=number, tolerance=tolerance, unit=unit)


def _order(key: str, kept: Kept, line: int, why: str) -> Check:
    found = _marked(kept, STEP, say("This line is no step; write its number before it."))
    steps = tuple(match["words"] for _line, match in found)
    if not 2 <= len(steps) <= MOST_OPTIONS:
        raise Wrong(line, say("An order has 2 to 12 steps, numbered in the right order."))
    for (_line, before), (at, after) in pairwise(found):
        if int(after["number"]) != int(before["number"]) + 1:
            raise Wrong(at, say("The steps are numbered 1, 2, 3 and so on."))
    if len(set(steps)) < len(steps):
        raise Wrong(line, say("Two steps say the same; then there is no one right order."))
    return Check(key, "order", _question(kept, STEP), line, why, options=steps)


def _hazard(key: str, kept: Kept, line: int, why: str) -> Check:
    pictures = [(at, match) for at, text in kept if (match := PICTURE.match(text))]
    grids = [(at, match) for at, text in kept if (match := GRID.match(text))]
    marked = [(at, match) for at, text in kept if not PICTURE.match(text) and (match := HAZARD.match(text))]
    if len(pictures) != 1 or len(grids) != 1 or not marked:
        raise Wrong(
            line, say("A hazard check has one picture, one line such as grid 6 x 4, and lines such as ! B2 C2 A cable.")
        )
    (at, picture), (grid_at, grid) = pictures[0], grids[0]
    if not picture["alt"].strip():
        raise Wrong(at, say("Say in the brackets what the picture shows, for those who cannot see it."))
    columns, rows = int(grid["columns"]), int(grid["rows"])
    if not (2 <= columns <= MOST_COLUMNS and 2 <= rows <= MOST_ROWS):
        raise Wrong(grid_at, say("A grid has 2 to 12 columns and 2 to 9 rows."))
    fields = set(cells_of(columns, rows))
    hazards = []
    for at, match in marked:
        cells = tuple(cell.upper() for cell in re.split(r"[ ,]+", match["cells"]))
        if outside := [cell for cell in cells if cell not in fields]:
            raise Wrong(at, say("The field %(cell)s is not on the grid."), cell=outside[0])
        hazards.append(Hazard(cells, match["words"]))
    return Check(
        key, "hazard", _question(kept, PICTURE, GRID, HAZARD), line, why, picture=picture["path"].removeprefix("./"),
        alt=picture["alt"].strip(), columns=columns, rows=rows, hazards=tuple(hazards),
    )  # fmt: skip


READERS = {"choice": _choice, "number": _number, "order": _order, "hazard": _hazard}


def cells_of(columns: int, rows: int) -> list[str]:
    """The names of the fields of a grid, row by row: A1 is at the top left."""
    return [f"{chr(ord('A') + column)}{row + 1}" for row in range(rows) for column in range(columns)]


def decimal(text: str) -> float:
    """A number with a point or a comma."""
    return float(text.replace(",", ".").replace("−", "-"))
