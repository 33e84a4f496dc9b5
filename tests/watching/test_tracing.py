"""One number for what one request sets off, by W3C's rules: web, run and worker, the log, a collector."""

import asyncio
import json
import logging
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import path
from google.protobuf.json_format import ParseDict
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.sampling import TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from commons.runs import registry, services, work
from commons.runs.models import Run
from commons.watching import export, logs, tracing, wires
from commons.watching.middleware import watched
from livingcity import urls as addresses
from livingcity_agent.city import City

GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


@pytest.mark.parametrize(
    "said",
    [
        GIVEN,
        "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-what-the-future-will-be-like",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00",
        "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-more",
        "00-00000000000000000000000000000000-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
        "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
        "00-0af7651916cd43dd8448eb211c80319-b7ad6b7169203331-01",
        "nonsense",
        "",
    ],
)
def test_a_callers_trace_is_read_as_opentelemetry_reads_it(said: str) -> None:
    ours = tracing.read(said)
    context = TraceContextTextMapPropagator().extract({"traceparent": said})
    theirs = next(iter(context.values())).get_span_context() if context else None
    if theirs is None:
        assert ours is None
    else:
        assert ours == tracing.Trace(f"{theirs.trace_id:032x}", f"{theirs.span_id:016x}")


def test_what_we_pass_on_is_read_by_opentelemetry() -> None:
    assert tracing.header() == ""
    with tracing.span("a"):
        trace = tracing.current()
        assert trace is not None
        context = TraceContextTextMapPropagator().extract({"traceparent": tracing.header()})
        theirs = next(iter(context.values())).get_span_context()
        assert (f"{theirs.trace_id:032x}", f"{theirs.span_id:016x}") == (trace.trace_id, trace.span_id)
        with tracing.span("b"):
            inner = tracing.current()
            assert inner is not None and inner.trace_id == trace.trace_id and inner.span_id != trace.span_id
        with tracing.without_trace():
            assert tracing.current() is None
        assert tracing.current() == trace
    assert tracing.current() is None


# --- a collector -------------------------------------------------------------------------------------------------


class Collector:
    """Takes OTLP over HTTP; `refuses` makes it answer 503."""

    def __init__(self) -> None:
        self.documents: list[dict[str, Any]] = []
        self.headers: list[dict[str, str]] = []
        self.refuses = False
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.path == "/v1/traces" and not outer.refuses:
                    outer.documents.append(json.loads(body))
                    outer.headers.append({name.lower(): value for name, value in self.headers.items()})
                self.send_response(503 if outer.refuses else 200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = HTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def spans(self) -> list[dict[str, Any]]:
        return [
            span
            for document in self.documents
            for resource in document["resourceSpans"]
            for scope in resource["scopeSpans"]
            for span in scope["spans"]
        ]


@pytest.fixture
def collector(monkeypatch: pytest.MonkeyPatch) -> Iterator[Collector]:
    found = Collector()
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{found.server.server_port}")
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_HEADERS", "x-team=a%20b")
    monkeypatch.setattr(export, "EVERY_S", 0.01)
    export.endpoint.cache_clear()
    export.share.cache_clear()
    yield found
    export.flush()
    found.server.shutdown()
    found.server.server_close()
    export.endpoint.cache_clear()
    export.share.cache_clear()


def test_a_collector_takes_what_we_send(collector: Collector) -> None:
    with pytest.raises(ValueError, match="broken"), tracing.span("outer", tracing.SERVER, a="x", n=3, f=0.5, yes=True):
        with tracing.span("inner"):
            pass
        raise ValueError("broken")
    export.flush()
    assert collector.headers[0]["x-team"] == "a b"
    inner, outer = collector.spans
    assert inner["parentSpanId"] == outer["spanId"] and "parentSpanId" not in outer
    assert inner["traceId"] == outer["traceId"]
    read = ParseDict(collector.documents[0], ExportTraceServiceRequest())
    spans = [span for scope in read.resource_spans[0].scope_spans for span in scope.spans]
    assert [span.name for span in spans] == ["inner", "outer"][: len(spans)]
    last = ParseDict(collector.documents[-1], ExportTraceServiceRequest()).resource_spans[0].scope_spans[0].spans[-1]
    assert (last.kind, last.status.code, last.status.message) == (2, 2, "ValueError")
    said = {one.key: one.value for one in last.attributes}
    assert (said["a"].string_value, said["n"].int_value, said["f"].double_value, said["yes"].bool_value) == (
        "x", 3, 0.5, True,
    )  # fmt: skip
    assert last.start_time_unix_nano < last.end_time_unix_nano


def test_a_collector_that_is_away_costs_spans_and_nothing_else(collector: Collector) -> None:
    collector.refuses = True
    for _ in range(3):
        with tracing.span("lost"):
            pass
    export.flush()
    assert collector.spans == []
    collector.refuses = False
    with tracing.span("kept"):
        pass
    export.flush()
    assert [span["name"] for span in collector.spans] == ["kept"]


def test_who_is_sampled_is_decided_as_opentelemetry_decides(
    collector: Collector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OTEL_TRACES_SAMPLER_ARG", "0.25")
    export.share.cache_clear()
    theirs = TraceIdRatioBased(0.25)
    ids = [tracing.new().trace_id for _ in range(400)]
    for trace_id in ids:
        decision = theirs.should_sample(None, int(trace_id, 16), "x").decision.is_sampled()
        assert export.samples(trace_id) == decision
    assert 50 < sum(map(export.samples, ids)) < 150


# --- through the site --------------------------------------------------------------------------------------------


@registry.kind("tests.traced")
def traced(job: registry.Job, inputs: registry.Inputs) -> registry.Outcome:
    """Says in which trace it works."""
    trace = tracing.current()
    logging.getLogger("tests.traced").warning("at work")
    return registry.Outcome({"trace": trace.trace_id if trace else ""})


def starts(request: HttpRequest, secret: str) -> HttpResponse:
    """A page that leaves work to a worker."""
    return HttpResponse(str(services.start(kind="tests.traced", inputs={}, bell=False).pk))


def breaks(request: HttpRequest) -> HttpResponse:
    raise ValueError("it broke")


def ballot(request: HttpRequest) -> HttpResponse:
    logging.getLogger("tests.ballot").warning("a ballot: %s", tracing.header())
    return HttpResponse(tracing.header())


ballot.remembers_answers = False  # type: ignore[attr-defined]
handler500 = "commons.web.faults.answer_fault"
urlpatterns = [
    path("tests/start/<str:secret>/", starts, name="tests_start"),
    path("tests/broken/", breaks),
    path("tests/ballot/", ballot),
    *addresses.urlpatterns,
]


@pytest.fixture
def written() -> Iterator[list[dict[str, Any]]]:
    """The log in JSON."""
    found: list[dict[str, Any]] = []
    formatter = logs.Json()

    class Keep(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            found.append(json.loads(formatter.format(record)))

    keep = Keep()
    requests = logging.getLogger("city.requests")
    before = requests.level
    requests.setLevel(logging.INFO)
    logging.getLogger().addHandler(keep)
    yield found
    logging.getLogger().removeHandler(keep)
    requests.setLevel(before)


@pytest.mark.django_db
@pytest.mark.urls(__name__)
def test_a_worker_goes_on_in_the_trace_of_who_asked(
    client: Client, collector: Collector, written: list[dict[str, Any]]
) -> None:
    answer = client.get("/tests/start/lcs_abc/", HTTP_TRACEPARENT=GIVEN)
    given = tracing.read(GIVEN)
    assert given is not None
    assert answer["X-Request-ID"] == given.trace_id
    run = Run.objects.get(pk=answer.content.decode())
    assert work.do(run.pk)
    run.refresh_from_db()
    assert run.result == {"trace": given.trace_id}
    export.flush()
    by_name = {span["name"]: span for span in collector.spans}
    request, done = by_name["GET tests_start"], by_name["run tests.traced"]
    assert request["traceId"] == done["traceId"] == given.trace_id
    assert request["parentSpanId"] == given.span_id
    assert done["parentSpanId"] == request["spanId"]
    lines = {line["logger"]: line for line in written}
    assert lines["city.requests"]["trace"] == lines["tests.traced"]["trace"] == given.trace_id
    assert (lines["city.requests"]["route"], lines["city.requests"]["status"]) == ("tests_start", 200)
    assert "lcs_abc" not in json.dumps([written, collector.documents]), "a secret of the address"


@pytest.mark.django_db
@pytest.mark.urls(__name__)
def test_a_fault_has_the_number_that_the_page_shows(written: list[dict[str, Any]]) -> None:
    answer = Client(raise_request_exception=False).get("/tests/broken/")
    assert answer.status_code == 500
    number = answer["X-Request-ID"]
    assert number in answer.content.decode()
    line = next(line for line in written if line["level"] == "ERROR")
    assert line["trace"] == number
    assert "ValueError: it broke" in line["fault"]


@pytest.mark.django_db
@pytest.mark.urls(__name__)
def test_a_ballot_leaves_no_trace(client: Client, collector: Collector, written: list[dict[str, Any]]) -> None:
    answer = client.get("/tests/ballot/", HTTP_TRACEPARENT=GIVEN)
    assert answer.content == b""
    assert "X-Request-ID" not in answer
    export.flush()
    assert collector.spans == []
    assert [line["logger"] for line in written] == ["tests.ballot"]
    assert "trace" not in written[0]
    assert tracing.current() is None


def test_the_way_of_the_ballot_is_untraced_in_the_real_addresses() -> None:
    """Every view of the secret ballot says so; the middleware looks at the class behind DRF's function."""
    from commons.decisions import api

    for view in (api.Token, api.SecretVote):
        request = HttpRequest()
        watched(lambda _request: HttpResponse()).process_view(request, view.as_view())
        assert request.untraced  # type: ignore[attr-defined]


def test_a_line_for_people_ends_with_the_number() -> None:
    record = logging.LogRecord("city", logging.INFO, __file__, 1, "at work", (), None)
    assert logs.WithTrace().filter(record)
    assert logging.Formatter("%(message)s%(trace)s").format(record) == "at work"
    with tracing.span("a") as span:
        assert logs.WithTrace().filter(record)
    assert logging.Formatter("%(message)s%(trace)s").format(record) == f"at work [{span.trace.trace_id}]"


# --- from the agent ----------------------------------------------------------------------------------------------


class Machine(BaseHTTPRequestHandler):
    """Stands for the city's door and keeps what came with the body."""

    heard: ClassVar[list[str]] = []

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.heard.append(self.headers["traceparent"])
        body = b'{"acked": 1, "stored": 1, "duplicates": 0}'
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        pass


def test_each_batch_of_the_agent_has_a_number_that_the_door_goes_on_with(collector: Collector) -> None:
    server = HTTPServer(("127.0.0.1", 0), Machine)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    line = City(f"http://127.0.0.1:{server.server_port}", "lcd_x")
    for _ in range(2):
        asyncio.run(line.readings(b'{"readings": []}'))
    server.shutdown()
    server.server_close()
    first, second = (tracing.read(said) for said in Machine.heard)
    assert first and second and first.trace_id != second.trace_id
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def door(send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})

    scope = {"path": "/api/v1/telemetry/", "headers": [(b"traceparent", Machine.heard[0].encode())]}
    asyncio.run(wires.exchange(scope, send, door))
    export.flush()
    (span,) = collector.spans
    assert (span["traceId"], span["parentSpanId"]) == (first.trace_id, first.span_id)
    assert span["name"] == "POST door:/api/v1/telemetry/"
    assert sent[0]["status"] == 200
