"""Why a file cannot become a district. The room turns a reason into a sentence (twin/errors.py)."""

from typing import Literal

Reason = Literal[
    "empty",
    "unknown-format",
    "broken",
    "no-buildings",
    "no-crs",
    "bad-crs",
    "bad-version",
    "bad-index",
    "bad-json",
    "bad-coordinates",
    "far-apart",
    "not-degrees",
    "no-column",
    "bad-number",
]


class Unreadable(Exception):
    """A file that cannot be read as a city. `where` names the file and the spot, `detail` what was met
    there.
    """

    def __init__(self, reason: Reason, where: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {where}: {detail}")
        self.reason: Reason = reason
        self.where = where
        self.detail = detail
