"""Where in a JSON document a value stands, written as a person would: `ENERGY.Power[0]`, or as a JSON pointer.

A dotted path has names between dots and places in lists in brackets; a name with a dot or a colon is put into
brackets and quotes: `status["switch:0"].apower` (a colon alone needs none: `switch:0.apower`). A text that begins
with / is a JSON pointer (RFC 6901). The empty path is the whole document.
"""

import re
from typing import Any

Step = str | int
_STEP = re.compile(
    r"""\.?(?:(?P<name>[^.\[\]"']+)|\[(?P<place>-?\d+)\]|\[(?:"(?P<double>[^"]*)"|'(?P<single>[^']*)')\])"""
)


class PathError(ValueError):
    """A path that cannot be read, or a document in which it leads nowhere."""


def steps_of(path: str) -> tuple[Step, ...]:
    """The steps of a path. Raises PathError."""
    if path.startswith("/"):
        if re.search(r"~(?![01])", path):
            raise PathError(f"“{path}” is no JSON pointer: ~ is written ~0.")
        return tuple(part.replace("~1", "/").replace("~0", "~") for part in path[1:].split("/"))
    rest = path.removeprefix("$")
    steps: list[Step] = []
    at = 0
    while at < len(rest):
        found = _STEP.match(rest, at)
        if found is None or (at == 0 and rest.startswith(".") and rest == path):
            raise PathError(f"“{path}” is no path such as ENERGY.Power[0].")
        if found["place"] is not None:
            steps.append(int(found["place"]))
        else:
            steps.append(next(text for text in (found["name"], found["double"], found["single"]) if text is not None))
        at = found.end()
    return tuple(steps)


def find(document: Any, path: str) -> Any:
    """The value at a path. Raises PathError with how far it led."""
    here = document
    for n, step in enumerate(steps_of(path)):
        try:
            if isinstance(here, list):
                here = here[_place(step, len(here))]
            elif isinstance(here, dict):
                here = here[str(step)]
            else:
                raise KeyError(step)
        except (KeyError, IndexError, ValueError):
            known = (
                ", ".join(list(here)[:8])
                if isinstance(here, dict)
                else f"{len(here)} items"
                if isinstance(here, list)
                else type(here).__name__
            )
            raise PathError(f"“{path}” leads nowhere at step {n + 1}, “{step}”; there is: {known}.") from None
    return here


def _place(step: Step, length: int) -> int:
    place = int(step)
    if not -length <= place < length:
        raise IndexError(place)
    return place
