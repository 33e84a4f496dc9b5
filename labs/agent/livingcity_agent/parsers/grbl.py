"""What GRBL says over its serial line, and how a program is streamed to it.

Status reports of 1.1 are `<Run|MPos:1.000,2.000,3.000|FS:500,8000|Ln:12>`, those of 0.9 `<Run,MPos:1.000,2.000,3.000,
WPos:…,Buf:5,RX:0,Ln:12,F:500.>`. Each line of a program is answered by one `ok` or `error:…`, in order; everything else
(`[…]`, `<…>`, `$…`, `ALARM:…`, the greeting) answers no line. A line is sent once it fits into the receive buffer,
whose fill is known by counting the characters of the lines that are not answered yet.
Sources: GRBL's own documents interface.md and jogging.md of 1.1h, report.c of 1.1h and 0.9j.
"""

import re
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from livingcity_agent.parsers.measured import number

RECEIVE_BUFFER = 127
LONGEST_LINE = 78
_STATUS = re.compile(r"<(?P<state>[A-Za-z]+)(?::(?P<sub>\d+))?(?P<rest>[|,][^<>]*)?>")
_FIELD = re.compile(r"(?:^|[|,])(?P<key>[A-Za-z]+):(?P<value>[^|]*?)(?=$|\||,[A-Za-z]+:)")
_EEPROM = re.compile(r"\$|G10|G28\.1|G30\.1|G5[4-9]|G28|G30", re.IGNORECASE)

STATES = {
    "idle": "idle",
    "run": "making",
    "hold": "paused",
    "door": "paused",
    "alarm": "error",
    "jog": "idle",
    "home": "idle",
    "check": "idle",
    "sleep": "idle",
    "tool": "paused",
}
"""GRBL's states (and grblHAL's `Tool`) as words of the city. Jogging and homing move, but make nothing."""


@dataclass(frozen=True, slots=True)
class Status:
    """One status report. `state` as GRBL says it, in small letters; `file_progress` 0 to 1 where the controller plays a
    file of its own card (`SD:` of grblHAL and FluidNC).
    """

    state: str
    sub: int | None = None
    position_mm: tuple[float, ...] = ()
    feed_mm_min: float | None = None
    spindle_rpm: float | None = None
    line: int | None = None
    file_progress: float | None = None
    file_name: str = ""

    @property
    def word(self) -> str:
        """The state as a word of the city."""
        return STATES.get(self.state, "idle")


def status(line: str) -> Status | None:
    """A status report, or None for any other line."""
    found = _STATUS.fullmatch(line.strip())
    if found is None:
        return None
    fields = {f["key"]: f["value"] for f in _FIELD.finditer(found["rest"] or "")}
    feed, spindle = _pair(fields.get("FS", fields.get("F", "")))
    percent, _comma, name = fields.get("SD", "").partition(",")
    played = number(percent, 0.01)
    return Status(
        found["state"].lower(),
        int(found["sub"]) if found["sub"] else None,
        _numbers(fields.get("MPos", fields.get("WPos", ""))),
        feed,
        spindle,
        _line_number(fields.get("Ln", "")),
        None if played is None else min(max(played, 0.0), 1.0),
        name.strip(),
    )


def _pair(text: str) -> tuple[float | None, float | None]:
    values = [number(part) for part in text.split(",")]
    return values[0], values[1] if len(values) > 1 else None


def _numbers(text: str) -> tuple[float, ...]:
    return tuple(value for part in text.split(",") if (value := number(part)) is not None)


def _line_number(text: str) -> int | None:
    return int(text) if text.isdecimal() and len(text) < 10 else None


def is_greeting(line: str) -> bool:
    """Whether the controller has just started: `Grbl 1.1h ['$' for help]`, `GrblHAL 1.1f …`."""
    return bool(re.match(r"grbl(hal)?\s+\d", line.strip(), re.IGNORECASE))


def is_alarm(line: str) -> bool:
    """`ALARM:1`, or `ALARM: Hard/soft limit` of 0.9."""
    return line.strip().upper().startswith("ALARM")


def answer(line: str) -> str | None:
    """What answers a line that was sent: "ok", or "error:9" and the like; None for a line that answers none."""
    text = line.strip()
    if text == "ok":
        return "ok"
    return text if text.lower().startswith("error") else None


def program(lines: Iterable[str]) -> Iterator[str]:
    """A file's lines as GRBL wants them: without comments, blanks, block deletes and the % of paper tapes."""
    for raw in lines:
        line = re.sub(r"\([^)]*\)?|;.*", "", raw)
        line = re.sub(r"\s+", "", line)
        if line and not line.startswith(("%", "/")):
            yield line


def unfit(lines: Iterable[str]) -> str:
    """Why a program cannot be streamed, as a sentence; empty when it can."""
    count = 0
    for count, line in enumerate(lines, 1):
        if len(line) > LONGEST_LINE:
            return f"Line {count} has {len(line)} characters; GRBL takes {LONGEST_LINE}."
        if not line.isascii() or not line.isprintable():
            return f"Line {count} is no G-code."
        if line.startswith("$"):
            return f"Line {count} changes the controller's settings ({line[:20]}); a job may not."
        if not re.match(r"[A-Za-z]", line):
            return f"Line {count} is no G-code."
    return "" if count else "There is no G-code in it."


@dataclass
class Stream:
    """A program on its way. Ask `due` for what may be sent now, and tell `take` each answer."""

    lines: list[str]
    sent: int = 0
    answered: int = 0
    error: str = ""
    _waiting: deque[int] = field(default_factory=deque)
    _alone: bool = False

    def due(self) -> bytes:
        """The bytes that fit into the receive buffer now; none after an error, or while a line that writes or reads the
        controller's memory waits for its answer (the receiver is deaf meanwhile).
        """
        out = bytearray()
        while self.sent < len(self.lines) and not self.error and not (self._alone and self._waiting):
            line = self.lines[self.sent].encode("ascii") + b"\n"
            alone = bool(_EEPROM.search(self.lines[self.sent]))
            if self._waiting and (alone or sum(self._waiting) + len(line) > RECEIVE_BUFFER):
                break
            out += line
            self._waiting.append(len(line))
            self._alone = alone
            self.sent += 1
        return bytes(out)

    def take(self, said: str) -> None:
        """The controller answered a line: "ok", or an error, which ends the stream."""
        if not self._waiting:
            return
        self._waiting.popleft()
        self.answered += 1
        if said != "ok" and not self.error:
            self.error = f"line {self.answered} ({self.lines[self.answered - 1][:40]}) was answered by {said}"

    @property
    def complete(self) -> bool:
        """Whether every line was sent and answered; the machine may still be moving."""
        return self.answered == len(self.lines) and not self.error

    @property
    def progress(self) -> float:
        """Answered lines of all, 0 to 1."""
        return self.answered / len(self.lines) if self.lines else 1.0
