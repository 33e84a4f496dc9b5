"""The tables: who hears what from which route. They are text: a change of who may do something is read in a diff.

A line is `METHOD address  name [variant] -> status: roles; status: roles`. `login` is a page that sends to sign in,
`rest` all who are not named. Roles stand in the order of `tests/authz/roles.py`.
"""

import re
from collections import defaultdict
from dataclasses import dataclass
from pathlib import Path

from tests.authz.roles import ORDER

FOLDER = Path(__file__).parent / "tables"
LINE = re.compile(r"(?P<method>[A-Z]+) +(?P<path>\S+)  (?P<name>\S+)(?: \[(?P<variant>[^\]]+)\])? -> (?P<answers>.+)")
Key = tuple[str, str, str]


@dataclass(frozen=True)
class Row:
    """What everybody hears from one way of asking one route."""

    method: str
    path: str
    name: str
    variant: str
    answers: dict[str, str]

    @property
    def key(self) -> Key:
        """What makes the row the only one."""
        return self.name, self.method, self.variant

    def written(self) -> str:
        """The line. Of several groups the largest is `rest`, unless everybody hears the same."""
        groups: dict[str, list[str]] = defaultdict(list)
        for role in ORDER:
            groups[self.answers[role]].append(role)
        largest = max(groups, key=lambda status: len(groups[status]))
        parts = [
            f"{status}: {'all' if len(groups) == 1 else 'rest' if status == largest else ' '.join(groups[status])}"
            for status in sorted(groups, key=lambda status: (status == largest, status))
        ]
        variant = f" [{self.variant}]" if self.variant else ""
        return f"{self.method:6} {self.path}  {self.name}{variant} -> {'; '.join(parts)}"


def read_line(text: str) -> Row:
    """A row of a line. Raises ValueError that says what is wrong with it."""
    found = LINE.fullmatch(text)
    if found is None:
        raise ValueError(f"this is no row of an access table: {text}")
    answers: dict[str, str] = {}
    rest = ""
    for part in found["answers"].split("; "):
        status, _colon, roles = part.partition(": ")
        if roles in {"rest", "all"}:
            rest = status
            continue
        for role in roles.split():
            if role not in ORDER or role in answers:
                raise ValueError(f"“{role}” is no role, or stands twice: {text}")
            answers[role] = status
    if not rest and len(answers) < len(ORDER):
        raise ValueError(f"not everybody is named, and there is no rest: {text}")
    whole = {role: answers.get(role, rest) for role in ORDER}
    return Row(found["method"], found["path"], found["name"], found["variant"] or "", whole)


def read(folder: Path = FOLDER) -> dict[Key, Row]:
    """Every row of every table. Raises ValueError for a line that is none, or that stands twice."""
    rows: dict[Key, Row] = {}
    for file in sorted(folder.glob("*.txt")):
        for text in file.read_text().splitlines():
            if not text or text.startswith("#"):
                continue
            row = read_line(text)
            if row.key in rows:
                raise ValueError(f"two rows of {row.key}, one in {file.name}")
            rows[row.key] = row
    return rows


def write(room: str, rows: list[Row]) -> None:
    """The table of a room, whole."""
    head = f"# Who hears what from the routes of {room}. How to read and to add to it: docs/access.md.\n"
    lines = sorted(rows, key=lambda row: (row.path, row.name, row.method, row.variant))
    (FOLDER / f"{room}.txt").write_text(head + "".join(f"{row.written()}\n" for row in lines))
