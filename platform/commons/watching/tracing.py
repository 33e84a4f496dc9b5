"""One number for what one request sets off: W3C trace context across web, runs, workers and agents, and spans of it.

The trace id is also the request's id: it stands in the answer (`X-Request-ID`), on the page of a fault, in each line of
the log and in the row of a run, so that a worker goes on in the trace of who asked. A caller may bring its own
(`traceparent`); whether it is sampled is decided here alone, by the id, so every process decides the same.

Spans go out as OTLP over HTTP in JSON (`commons.watching.export`) when OTEL_EXPORTER_OTLP_ENDPOINT is set; without it a
span costs nothing. What must leave no trace (the ballot's path) runs `without_trace`.
"""

import re
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field

from commons.watching import export

_HEADER = re.compile(r"^(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-[0-9a-f]{2}(-.*)?$")

INTERNAL, SERVER, CLIENT, PRODUCER, CONSUMER = 1, 2, 3, 4, 5
"""Kinds of spans, as OTLP numbers them."""


@dataclass(frozen=True, slots=True)
class Trace:
    """Where we are: the trace, and the span that is open."""

    trace_id: str
    span_id: str

    @property
    def sampled(self) -> bool:
        """Whether its spans are kept."""
        return export.samples(self.trace_id)

    @property
    def header(self) -> str:
        """As `traceparent` says it (W3C Trace Context, version 00)."""
        return f"00-{self.trace_id}-{self.span_id}-{'01' if self.sampled else '00'}"


_current: ContextVar[Trace | None] = ContextVar("trace", default=None)


def current() -> Trace | None:
    """The trace of what is done now, if it has one."""
    return _current.get()


def header() -> str:
    """What is passed on to whom we ask or leave work to; empty without a trace."""
    trace = _current.get()
    return trace.header if trace else ""


def read(said: str | None) -> Trace | None:
    """The trace that a `traceparent` names; None for none, and for nonsense."""
    found = _HEADER.match(said.strip()) if said else None
    if found is None or (found[0].startswith("00") and found[3]):
        return None
    return Trace(found[1], found[2])


def new() -> Trace:
    """A trace that begins here; its span is nobody's."""
    return Trace(secrets.token_hex(16), secrets.token_hex(8))


@dataclass(slots=True)
class Span:
    """A piece of work that takes its time."""

    name: str
    kind: int
    trace: Trace
    parent: str
    attributes: dict[str, str | int | float | bool] = field(default_factory=dict)
    began_ns: int = field(default_factory=time.time_ns)
    ended_ns: int = 0
    fault: str = ""
    kept: bool = True


@contextmanager
def span(
    name: str, kind: int = INTERNAL, *, parent: Trace | None = None, **attributes: str | int | float | bool
) -> Iterator[Span]:
    """A span while the block runs: of `parent`, else of the trace that is open, else the first of a new one."""
    above = parent or _current.get()
    trace = Trace(above.trace_id, secrets.token_hex(8)) if above else new()
    made = Span(name, kind, trace, above.span_id if above else "", dict(attributes))
    token = _current.set(trace)
    try:
        yield made
    except BaseException as fault:
        made.fault = type(fault).__name__
        raise
    finally:
        _current.reset(token)
        if not made.ended_ns:
            made.ended_ns = time.time_ns()
        if made.kept and export.wanted() and trace.sampled:
            export.put(made)


@contextmanager
def without_trace() -> Iterator[None]:
    """What is done in the block belongs to no trace."""
    token = _current.set(None)
    try:
        yield
    finally:
        _current.reset(token)


def forget() -> None:
    """From here on nothing belongs to the trace; until whoever opened it ends it."""
    _current.set(None)
