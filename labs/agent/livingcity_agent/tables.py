"""Tables of the configuration, asked key by key; what is wrong is collected with its line, and told at once."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_MISSING = object()


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing that is wrong. `line` 0: not known."""

    line: int
    sentence: str

    def __str__(self) -> str:
        return f"line {self.line}: {self.sentence}" if self.line else self.sentence


class ConfigError(Exception):
    """Everything that is wrong with a configuration."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = sorted(faults)
        super().__init__("\n".join(map(str, self.faults)))


@dataclass
class Table:
    """A table of the configuration. Every getter answers something usable even where it notes a fault.

    `path`: the keys that lead to it, a number for the place in an array, e.g. ("device", 0, "source", 1).
    """

    values: Mapping[str, Any]
    path: tuple[str | int, ...] = ()
    text: str = ""
    folder: Path = field(default_factory=Path)
    faults: list[Fault] = field(default_factory=list)
    _asked: set[str] = field(default_factory=set)

    def fault(self, key: str, sentence: str) -> None:
        """Note what is wrong with a key; `sentence` follows its name: “must be …”."""
        self.faults.append(Fault(line_of(self.text, self.path, key), f"{self._said(key)} {sentence}"))

    def string(self, key: str, default: str | None = None, *, most: int = 500) -> str:
        """A text that is not empty."""
        value = self._take(key, default)
        if value == default:
            return default or ""
        if not isinstance(value, str) or not value.strip() or len(value) > most:
            self.fault(key, f"must be a text of 1 to {most} characters.")
            return default or ""
        return value.strip()

    def number(self, key: str, default: float | None = None, *, least: float = 0.0, most: float = 1e12) -> float:
        """A number within bounds."""
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            if value is not None:
                self.fault(key, f"must be a number from {least:g} to {most:g}.")
            return default if default is not None else least
        return float(value)

    def whole(self, key: str, default: int | None = None, *, least: int = 0, most: int = 2**31) -> int:
        """A whole number within bounds."""
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            if value is not None:
                self.fault(key, f"must be a whole number from {least} to {most}.")
            return default if default is not None else least
        return value

    def flag(self, key: str, default: bool = False) -> bool:
        """true or false."""
        value = self._take(key, default)
        if not isinstance(value, bool):
            self.fault(key, "must be true or false, without quotes.")
            return default
        return value

    def choice(self, key: str, choices: Sequence[str], default: str | None = None) -> str:
        """One of some words."""
        value = self._take(key, default)
        if value not in choices:
            if value is not None:
                self.fault(key, f"must be one of {', '.join(choices)}.")
            return default if default is not None else choices[0]
        return str(value)

    def url(self, key: str, default: str | None = None, *, schemes: Sequence[str] = ("http", "https")) -> str:
        """An address with a host, without a slash at its end."""
        value = self.string(key, default)
        if value:
            try:
                parts = urlsplit(value)
                good = parts.scheme in schemes and bool(parts.hostname)
                _port = parts.port
            except ValueError:
                good = False
            if not good:
                self.fault(key, f"must be an address such as {schemes[0]}://192.168.1.20.")
        return value.rstrip("/")

    def secret(self, key: str, default: str | None = None) -> str:
        """A password or key, given as `key` itself or as `key_file`, a file that holds nothing else."""
        if key not in self.values and f"{key}_file" in self.values:
            named = self.string(f"{key}_file")
            try:
                return (self.folder / named).expanduser().read_text(encoding="utf-8").strip()
            except (OSError, UnicodeDecodeError) as error:
                self.fault(f"{key}_file", f"cannot be read: {getattr(error, 'strerror', None) or error}.")
                return default or ""
        return self.string(key, default)

    def strings(self, key: str, default: Sequence[str] | None = None) -> tuple[str, ...]:
        """A list of texts."""
        value = self._take(key, default)
        if value is None:
            return ()
        if not isinstance(value, list | tuple) or not all(isinstance(v, str) and v for v in value):
            self.fault(key, 'must be a list of texts, such as ["a", "b"].')
            return tuple(default or ())
        return tuple(value)

    def wholes(
        self, key: str, default: Sequence[int] | None = None, *, least: int = 0, most: int = 2**31
    ) -> tuple[int, ...]:
        """A list of different whole numbers within bounds."""
        value = self._take(key, default)
        if value is None:
            return ()
        good = isinstance(value, list | tuple) and all(type(n) is int and least <= n <= most for n in value)
        if not good or not (value or not default) or len(set(value)) != len(value):
            self.fault(key, f"must be a list of different whole numbers from {least}, such as [{least}, {least + 1}].")
            return tuple(default or ())
        return tuple(value)

    def table(self, key: str, *, needed: bool = False) -> "Table":
        """A table within; an empty one where there is none."""
        value = self._take(key, None if needed else {})
        if not isinstance(value, Mapping):
            if value is not None:
                self.fault(key, f"must be a table: [{key}] and its keys below.")
            value = {}
        return self._inner(value, (*self.path, key))

    def tables(self, key: str) -> list["Table"]:
        """The tables of an array; none where there is none."""
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(v, Mapping) for v in value):
            self.fault(key, f"must be written as [[{key}]], with two brackets.")
            return []
        return [self._inner(v, (*self.path, key, n)) for n, v in enumerate(value)]

    def keys(self) -> tuple[str, ...]:
        """All keys of it, for tables whose keys are the user's own names (ask for each, or it is a fault)."""
        return tuple(self.values)

    def done(self) -> None:
        """Note the keys that nobody asked for: most are mistyped."""
        for key in self.values:
            if key not in self._asked:
                known = ", ".join(sorted(self._asked))
                self.fault(key, f"is not known here. Known are: {known}.")

    def _take(self, key: str, default: Any) -> Any:
        self._asked.add(key)
        value = self.values.get(key, _MISSING)
        if value is not _MISSING:
            return value
        if default is None:
            self.fault(key, "is missing.")
        return default

    def _inner(self, values: Mapping[str, Any], path: tuple[str | int, ...]) -> "Table":
        return Table(values, path, self.text, self.folder, self.faults)

    def _said(self, key: str) -> str:
        words = [f"{part + 1}." if isinstance(part, int) else part for part in self.path]
        where = " ".join(words)
        return f"“{key}” of {where}" if where else f"“{key}”"


_HEADER = re.compile(r"^\s*(\[\[?)\s*([A-Za-z0-9_.\"'-]+)\s*\]\]?")


def line_of(text: str, path: Sequence[str | int], key: str) -> int:
    """The line on which a key of a table stands; that of the table's head where the key is missing; else 0."""
    names = [part for part in path if isinstance(part, str)]
    wanted = {n: part for n, part in enumerate(path) if isinstance(part, int)}
    numbers = {".".join(p for p in path[:n] if isinstance(p, str)): part for n, part in wanted.items()}
    counts: dict[str, int] = {}
    here: list[str] = []
    head = 0
    for number, line in enumerate(text.splitlines(), 1):
        if found := _HEADER.match(line):
            here = [part.strip("\"'") for part in found[2].split(".")]
            dotted = ".".join(here)
            if found[1] == "[[":
                counts[dotted] = counts.get(dotted, -1) + 1
                for inner in [name for name in counts if name.startswith(f"{dotted}.")]:
                    del counts[inner]
            if here == names and all(counts.get(name) == at for name, at in numbers.items()):
                head = number
            continue
        right = here == names and all(counts.get(name) == at for name, at in numbers.items())
        if right and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*[=.]", line):
            return number
    return head
