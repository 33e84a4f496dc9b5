"""What a driver is: three verbs, each answered by what the relay itself then says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

#: How long a relay may take to answer one message.
SILENCE_S = 3.0
MOST_BYTES = 64_000


class RelayError(Exception):
    """The relay gave no answer (`silent`), or another one than was asked for."""

    def __init__(self, sentence: str, *, silent: bool = False) -> None:
        super().__init__(sentence)
        self.silent = silent


@dataclass(frozen=True, slots=True)
class Target:
    """Where a relay is: the host as it was typed, the address that was checked, and how it is spoken to."""

    scheme: str
    host: str
    port: int
    address: str
    user: str = ""
    password: str = field(default="", repr=False)
    options: Mapping[str, Any] = field(default_factory=dict)

    @property
    def tls(self) -> bool:
        """Whether it is spoken to through TLS."""
        return self.scheme in {"https", "mqtts"}

    def number(self, name: str, default: int) -> int:
        """A whole number of its options."""
        value = self.options.get(name)
        return default if value is None or value == "" else int(value)

    def text(self, name: str, default: str = "") -> str:
        """A text of its options."""
        return str(self.options.get(name) or default)


@dataclass(frozen=True, slots=True)
class Reading:
    """What the relay says: whether its contacts are closed, and after how many seconds it opens them by itself."""

    on: bool
    opens_in_s: float | None = None


class Driver(Protocol):
    """Speaks to one relay. Every verb reads back what came of it, and raises RelayError."""

    def on(self, for_s: int) -> Reading:
        """Close the contacts for at most so many seconds, by the relay's own timer."""

    def off(self) -> Reading:
        """Open the contacts."""

    def read(self) -> Reading:
        """What they are."""
