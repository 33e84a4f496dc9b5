"""Spans on their way to a collector: OTLP over HTTP in JSON (opentelemetry.io/docs/specs/otlp), in a thread of its own.

Not the OpenTelemetry SDK: it takes twenty megabytes in each process and threads that do not outlive a fork, and a span
is a dozen fields. A collector that is away or slow costs spans and nothing else: they wait in a short queue, and what
does not fit is counted and dropped.
"""

import json
import logging
import os
import queue
import socket
import threading
import urllib.request
from collections.abc import Iterable, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

from commons.watching import measures

if TYPE_CHECKING:
    from commons.watching.tracing import Span

log = logging.getLogger(__name__)

MOST_WAITING, MOST_TOGETHER = 4096, 512
PATIENCE_S, EVERY_S = 5.0, 1.0


@cache
def endpoint() -> str:
    """Where spans go: OTEL_EXPORTER_OTLP_TRACES_ENDPOINT as it is, or OTEL_EXPORTER_OTLP_ENDPOINT with `/v1/traces`."""
    base = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").rstrip("/")
    return os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "") or (f"{base}/v1/traces" if base else "")


@cache
def share() -> float:
    """The share of traces that are kept: OTEL_TRACES_SAMPLER_ARG, all without it."""
    try:
        return min(max(float(os.environ.get("OTEL_TRACES_SAMPLER_ARG", "1")), 0.0), 1.0)
    except ValueError:
        log.warning("OTEL_TRACES_SAMPLER_ARG is no number from 0 to 1; every trace is kept")
        return 1.0


def wanted() -> bool:
    """Whether anybody takes spans."""
    return bool(endpoint())


def samples(trace_id: str) -> bool:
    """Whether the spans of a trace are kept: the same answer everywhere, as OpenTelemetry's TraceIdRatioBased."""
    return wanted() and int(trace_id[16:], 16) < share() * 2**64


class Sender:
    """The thread of this process that sends; another after a fork."""

    def __init__(self) -> None:
        self._waiting: queue.Queue[Span] = queue.Queue(MOST_WAITING)
        self._pid, self._lock = 0, threading.Lock()

    def put(self, span: "Span") -> None:
        """Let it be sent, soon."""
        if self._pid != os.getpid():
            self._start()
        try:
            self._waiting.put_nowait(span)
        except queue.Full:
            measures.count("city_spans_dropped_total")

    def flush(self, patience_s: float = PATIENCE_S) -> None:
        """Wait until what was put has been sent, or given up."""
        waiter = threading.Thread(target=self._waiting.join, daemon=True)
        waiter.start()
        waiter.join(patience_s)

    def _start(self) -> None:
        with self._lock:
            if self._pid == os.getpid():
                return
            self._waiting = queue.Queue(MOST_WAITING)
            self._pid = os.getpid()
            threading.Thread(target=self._run, args=(self._waiting,), name="spans", daemon=True).start()

    def _run(self, waiting: "queue.Queue[Span]") -> None:
        while True:
            group = [waiting.get()]
            threading.Event().wait(EVERY_S)
            while len(group) < MOST_TOGETHER and not waiting.empty():
                group.append(waiting.get())
            if not send(group):
                measures.count("city_spans_dropped_total", len(group))
            for _ in group:
                waiting.task_done()


sender = Sender()
put = sender.put
flush = sender.flush


def send(spans: "Iterable[Span]") -> bool:
    """POST them; whether they were taken."""
    request = urllib.request.Request(  # noqa: S310 an address that who runs the city has set
        endpoint(), json.dumps(document(spans)).encode(), {"Content-Type": "application/json", **_headers()}
    )
    try:
        with urllib.request.urlopen(request, timeout=PATIENCE_S) as answer:  # noqa: S310
            return int(answer.status) < 300
    except OSError as fault:
        log.debug("spans were not taken: %s", fault)
        return False


def _headers() -> dict[str, str]:
    """OTEL_EXPORTER_OTLP_HEADERS: `name=value,…`, percent-encoded."""
    pairs = (pair.partition("=") for pair in os.environ.get("OTEL_EXPORTER_OTLP_HEADERS", "").split(","))
    return {name.strip(): unquote(value.strip()) for name, equals, value in pairs if equals}


def document(spans: "Iterable[Span]") -> dict[str, Any]:
    """An ExportTraceServiceRequest in JSON."""
    resource = {
        "service.name": os.environ.get("OTEL_SERVICE_NAME", "livingcity"),
        "service.instance.id": f"{socket.gethostname()}:{os.getpid()}",
        "process.role": measures.role(),
    }
    scope = {"scope": {"name": "commons.watching"}, "spans": [_span(span) for span in spans]}
    return {"resourceSpans": [{"resource": {"attributes": _attributes(resource)}, "scopeSpans": [scope]}]}


def _span(span: "Span") -> dict[str, Any]:
    said: dict[str, Any] = {
        "traceId": span.trace.trace_id,
        "spanId": span.trace.span_id,
        "name": span.name,
        "kind": span.kind,
        "startTimeUnixNano": str(span.began_ns),
        "endTimeUnixNano": str(span.ended_ns),
        "attributes": _attributes(span.attributes),
        "status": {"code": 2, "message": span.fault} if span.fault else {},
    }
    return said | ({"parentSpanId": span.parent} if span.parent else {})


def _attributes(pairs: Mapping[str, str | int | float | bool]) -> list[dict[str, Any]]:
    return [{"key": key, "value": _value(value)} for key, value in pairs.items()]


def _value(value: str | int | float | bool) -> dict[str, Any]:
    if isinstance(value, bool):
        return {"boolValue": value}
    if isinstance(value, int):
        return {"intValue": str(value)}
    return {"doubleValue": value} if isinstance(value, float) else {"stringValue": value}
