"""Judges answers. The right ones lie in a public repository, so a check helps to learn; it is no gate by itself."""

import random
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from labs.courses.blocks import cells_of, decimal
from labs.courses.document import Check

NUMBER = re.compile(r"\A\s*(?P<number>[-+−]?\d{1,12}(?:[.,]\d{1,12})?)\s*(?P<unit>[^\d\s].*)?\Z")


@dataclass(frozen=True, slots=True)
class Judged:
    """Whether an answer is right, and how much of it: 2 of 3 hazards."""

    right: bool
    found: int = 0
    of: int = 0
    given: bool = True


def field(check: Check) -> str:
    """The name of its field in a form."""
    return f"c-{check.key}"


def shuffled(check: Check, seed: str) -> list[tuple[int, str]]:
    """Its options with their numbers, in an order of this person's own; never the right order of an order."""
    options = list(enumerate(check.options))
    drawn = random.Random(f"{seed}:{check.key}")  # noqa: S311 an order of options is no secret
    drawn.shuffle(options)
    if check.kind == "order" and [n for n, _words in options] == sorted(n for n, _words in options):
        options.append(options.pop(0))
    return options


def judge(check: Check, answer: Mapping[str, Sequence[str]]) -> Judged:
    """Judge what a form brought: lists of texts by the names of fields. Whatever stands in it, it is no fault."""
    return {"choice": _choice, "number": _number, "order": _order, "hazard": _hazard}[check.kind](check, answer)


def _choice(check: Check, answer: Mapping[str, Sequence[str]]) -> Judged:
    chosen = {text for text in answer.get(field(check), ()) if text}
    return Judged(chosen == {str(n) for n in check.right}, given=bool(chosen))


def _number(check: Check, answer: Mapping[str, Sequence[str]]) -> Judged:
    text = "".join(answer.get(field(check), ())[:1])
    match = NUMBER.match(text[:60])
    if match is None:
        return Judged(False, given=bool(text.strip()))
    unit = (match["unit"] or "").strip()
    if unit and unit.casefold() != check.unit.casefold():
        return Judged(False)
    # half of the last digit that doubles keep, so that 0.1 + 0.2 is 0.3
    slack = 1e-9 * max(1.0, abs(check.number))
    return Judged(abs(decimal(match["number"]) - check.number) <= check.tolerance + slack)


def _order(check: Check, answer: Mapping[str, Sequence[str]]) -> Judged:
    places = ["".join(answer.get(f"{field(check)}-{n}", ())[:1]) for n in range(len(check.options))]
    right = sum(place == str(n + 1) for n, place in enumerate(places))
    return Judged(right == len(places), right, len(places), given=any(places))


def _hazard(check: Check, answer: Mapping[str, Sequence[str]]) -> Judged:
    """Every hazard by one of its fields at least, and at most one field where there is none."""
    known = set(cells_of(check.columns, check.rows))
    chosen = {text for text in answer.get(field(check), ()) if text in known}
    found = sum(any(cell in chosen for cell in hazard.cells) for hazard in check.hazards)
    dangerous = {cell for hazard in check.hazards for cell in hazard.cells}
    return Judged(
        found == len(check.hazards) and len(chosen - dangerous) <= 1, found, len(check.hazards), given=bool(chosen)
    )
