"""OGC API Processes, Part 1 (OGC 18-062r2): trying out a scenario as a process, its jobs and their results.

A job is a scenario's version together with the run that works on it; its name holds both, so nothing else is kept.
Whoever has the name may ask for it. An answer that is there already is given at once, also to who would have waited.
"""

import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar
from uuid import UUID

import orjson
from django.core.cache import cache
from django.http import HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.request import Request

from commons.errors import BadInput, CityError, NotAllowed, NotFound
from commons.runs import services as runs
from commons.runs.models import Run
from commons.web import outside
from twin import comparison, policies, queries, services
from twin.api.scenarios import Everybody, ScenarioThrottle, caller, edit_key
from twin.engine import SCENARIO_VERSION
from twin.models import ScenarioResult, ScenarioVersion
from twin.ogc.answers import HTML, JSON, Address, Link, answer, at, form_of, link, refusal, selves
from twin.ogc.collections import stamp
from twin.ogc.features import REL, interval, limit_of, where
from twin.queries.scenarios import KIND

CONFORMS = tuple(
    f"http://www.opengis.net/spec/ogcapi-processes-1/1.0/conf/{name}"
    for name in ("core", "ogc-process-description", "json", "html", "oas30", "job-list", "dismiss")
)
_EXCEPTIONS = "http://www.opengis.net/def/exceptions/ogcapi-processes-1/1.0/"
QUICK, DEEP = "run-scenario", "run-scenario-deep"
WAIT_S, POLL_S = 25.0, 0.2
WAITERS = threading.BoundedSemaphore(2)
"""Who waits for an answer holds a thread of the web: at most two do, the others are asked to come back."""
FORGOTTEN_S = 30 * 24 * 3600
MOST_JOBS = 1000
_STATES = {
    Run.Status.QUEUED: "accepted",
    Run.Status.RUNNING: "running",
    Run.Status.DONE: "successful",
    Run.Status.FAILED: "failed",
    Run.Status.CANCELLED: "dismissed",
}


class NoSuchProcess(NotFound):
    """There are two processes."""

    code = "ogc:no-such-process"
    kind: ClassVar[str] = "no-such-process"


class NoSuchJob(NotFound):
    """No job of that name."""

    code = "ogc:no-such-job"
    kind: ClassVar[str] = "no-such-job"


class NotReady(NotFound):
    """The job is not over."""

    code = "ogc:result-not-ready"
    kind: ClassVar[str] = "result-not-ready"


class Dismissed(CityError):
    """The job was dismissed."""

    code = "ogc:dismissed"
    status = 410


class JobFailed(CityError):
    """The engines refused, or we failed."""

    code = "ogc:job-failed"
    status = 422


class TooManyWait(CityError):
    """Nobody is free to wait with the caller."""

    code = "ogc:too-many-wait"
    status = 503
    retry_after_s = 5


class _Address(Address):
    """Refusals have the types of this standard."""

    def handle_exception(self, exc: Exception) -> Any:
        """As everywhere, with the standard's own type where it names one."""
        response = refusal(exc)
        if response is not None and (kind := getattr(exc, "kind", "")):
            said = orjson.loads(response.content)
            response.content = orjson.dumps(said | {"type": f"{_EXCEPTIONS}{kind}"})
        return response if response is not None else super().handle_exception(exc)


# --- what there is -----------------------------------------------------------------------------------------------


def described(request: Request, name: str) -> dict[str, Any]:
    """A process without its inputs."""
    deep = name == DEEP
    said = {
        QUICK: _("Measures of a scenario against the district as it stands, by engines that answer within seconds."),
        DEEP: _("The same with ranges: 20 paired seeds of SUMO (seeds), or vehicle by vehicle (deep)."),
    }
    return {
        "id": name,
        "version": SCENARIO_VERSION,
        "title": _("Try out a scenario, deeply") if deep else _("Try out a scenario"),
        "description": said[name],
        "keywords": ["scenario", "what-if", "city"],
        "jobControlOptions": ["async-execute", "dismiss"] if deep else ["sync-execute", "async-execute", "dismiss"],
        "outputTransmission": ["value"],
        "links": [
            link("self", at(request, where("process", name)), JSON, _("What it takes and answers")),
            link("alternate", at(request, where("process", name), f="html"), HTML, _("This document as a page")),
            link(f"{REL}execute", at(request, where("execution", name)), JSON, _("Where it is begun")),
        ],
    }


def _inputs(name: str) -> dict[str, Any]:
    """What a process takes, as JSON Schemas."""

    def one(title: Any, schema: dict[str, Any], least: int = 0) -> dict[str, Any]:
        return {"title": str(title), "schema": schema, "minOccurs": least, "maxOccurs": 1}

    text = {"type": "string", "maxLength": services.scenarios.LONGEST_QUESTION}
    measure = {"type": "object", "required": ["kind"], "properties": {"kind": {"type": "string"}}}
    given = {
        "district": one(_("The district, by its name in addresses"), {"type": "string"}, 1),
        "measures": one(
            _("What is changed, as in a scenario file: [{“kind”: “solar”, “share_percent”: 40}]"),
            {"type": "array", "items": measure},
            1,
        ),
        "title": one(_("A title"), {"type": "string", "maxLength": services.scenarios.LONGEST_TITLE}),
        "question": one(_("The question that it asks"), text),
        "assumptions": one(_("Assumptions that differ from ours"), {"type": "object"}),
        "listed": one(_("Whether the district's page lists it"), {"type": "boolean", "default": False}),
    }
    if name == DEEP:
        depth = {"type": "string", "enum": ["seeds", "deep"], "default": "seeds"}
        given["depth"] = one(_("How deep"), depth)
    return given


class Processes(_Address):
    """All processes."""

    takes = frozenset({"f", "limit"})

    def get(self, request: Request) -> HttpResponse:
        """There are two."""
        form = form_of(request)
        found = [described(request, name) for name in (QUICK, DEEP)][: limit_of(request)]
        rows = [[{"href": where("process", p["id"]), "text": p["title"]}, p["description"]] for p in found]
        document = {"processes": found, "links": selves(request, form)}
        page = {"columns": [_("Process"), _("What it does")], "rows": rows}
        return answer(request, form, document, title=_("Processes"), page=page)


class OneProcess(_Address):
    """One process."""

    def get(self, request: Request, name: str) -> HttpResponse:
        """With its inputs and outputs."""
        form = form_of(request)
        _check(name)
        inputs = _inputs(name)
        said = _("Figures today and in the scenario, who gains and loses, and limits.")
        output = {"title": _("The comparison"), "description": said, "schema": {"type": "object"}}
        document = described(request, name) | {"inputs": inputs, "outputs": {"comparison": output}}
        rows = [[key, about["title"], about["schema"]["type"]] for key, about in inputs.items()]
        page = {"lead": document["description"], "columns": [_("Input"), _("What it is"), _("Type")], "rows": rows}
        return answer(request, form, document, title=document["title"], page=page)


def _check(name: str) -> None:
    if name not in {QUICK, DEEP}:
        raise NoSuchProcess(_("There is no process “%(name)s”.") % {"name": name[:60]})


# --- jobs --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Job:
    """A version of a scenario and the run that works on it; `raw`: its result is told without a frame."""

    version: ScenarioVersion
    run: Run
    raw: bool

    @property
    def name(self) -> str:
        """What it is called: all that it is."""
        form = "r" if self.raw else "d"
        return f"{self.version.scenario_id}-{self.version.number}-{form}-{self.run.pk.hex}"

    @property
    def process(self) -> str:
        """Which process it is of."""
        return QUICK if self.run.inputs.get("depth") == "quick" else DEEP

    @property
    def dismissed(self) -> bool:
        """Whether it was dismissed."""
        return self.run.status == Run.Status.CANCELLED or bool(cache.get(f"ogc:dismissed:{self.name}"))

    @property
    def status(self) -> str:
        """The standard's word."""
        return "dismissed" if self.dismissed else _STATES[Run.Status(self.run.status)]

    def seconds(self) -> float:
        """How long it has worked."""
        began = self.run.started_at
        return ((self.run.finished_at or timezone.now()) - began).total_seconds() if began else 0.0


def job_named(name: str) -> Job:
    """The job of that name. Raises NoSuchJob."""
    pk, *rest = name.split("-")
    try:
        number, form, run_id = rest
        run = Run.objects.get(pk=UUID(hex=run_id), kind=KIND)
        version = ScenarioVersion.objects.select_related("scenario__district").get(scenario=pk, number=int(number))
    except (ValueError, OverflowError, Run.DoesNotExist, ScenarioVersion.DoesNotExist):
        raise NoSuchJob(_("There is no such job.")) from None
    same = (run.inputs["measures"], run.inputs["assumptions"]) == (version.measures, version.assumptions)
    if not same or run.inputs["district"] != version.scenario.district.slug or form not in {"r", "d"}:
        raise NoSuchJob(_("There is no such job."))
    return Job(version, run, form == "r")


def status_of(request: Request, job: Job) -> dict[str, Any]:
    """How far a job is."""
    run = job.run
    links: list[Link] = [link("self", at(request, where("job", job.name)), JSON, _("How far it is"))]
    if job.status == "successful":
        links.append(link(f"{REL}results", at(request, where("results", job.name)), JSON, _("What came of it")))
    elif job.status == "failed":
        links.append(link(f"{REL}exceptions", at(request, where("results", job.name)), JSON, _("What went wrong")))
    said: dict[str, Any] = {
        "jobID": job.name,
        "processID": job.process,
        "type": "process",
        "status": job.status,
        "message": run.error or run.doing or str(run),
        "created": stamp(run.created_at),
        "updated": stamp(run.finished_at or run.started_at or run.created_at),
        "progress": round(100 * run.progress),
        "links": links,
    }
    times = {"started": stamp(run.started_at), "finished": stamp(run.finished_at)}
    return said | {name: value for name, value in times.items() if value}


class Jobs(_Address):
    """Jobs of scenarios that are listed, newest first."""

    takes = frozenset({"f", "limit", "type", "processID", "status", "datetime", "minDuration", "maxDuration"})

    def get(self, request: Request) -> HttpResponse:
        """Those that the parameters mean."""
        form = form_of(request)
        limit = limit_of(request)
        wanted = _wanted(request)
        found = [status_of(request, job) for job, _n in zip(_listed(request, wanted), range(limit), strict=False)]
        document = {"jobs": found, "links": selves(request, form)}
        rows = [[{"href": where("job", j["jobID"]), "text": j["message"]}, j["status"], j["created"]] for j in found]
        page = {"columns": [_("Job"), _("Status"), _("Begun")], "rows": rows}
        return answer(request, form, document, title=_("Jobs"), page=page)


def _wanted(request: Request) -> dict[str, set[str]]:
    """Lists of the parameters. Raises BadInput for a status that there is not."""
    given = request.query_params
    found = {name: set(given[name].split(",")) for name in ("type", "processID", "status") if name in given}
    if unknown := found.get("status", set()) - set(_STATES.values()):
        raise BadInput(
            _("There is no status “%(name)s”; there are %(all)s.")
            % {"name": min(unknown)[:40], "all": ", ".join(_STATES.values())},
            where="status",
        )
    return found


def _listed(request: Request, wanted: Mapping[str, set[str]]) -> Iterator[Job]:
    least, most = _seconds(request, "minDuration"), _seconds(request, "maxDuration")
    start, end = interval(request.query_params["datetime"]) if "datetime" in request.query_params else (None, None)
    if "process" not in wanted.get("type", {"process"}):
        return
    rows = Run.objects.filter(kind=KIND).order_by("-created_at")
    rows = rows.filter(created_at__gte=start) if start else rows
    found = list((rows.filter(created_at__lte=end) if end else rows)[:MOST_JOBS])
    shown = ScenarioVersion.objects.filter(pk__in={run.inputs.get("version") for run in found}, scenario__listed=True)
    versions = {version.pk: version for version in shown.select_related("scenario__district")}
    for run in found:
        version = versions.get(run.inputs.get("version"))
        if version is None:
            continue
        job = Job(version, run, raw=False)
        meant = job.process in wanted.get("processID", {job.process}) and job.status in wanted.get(
            "status", {job.status}
        )
        if meant and least <= job.seconds() <= most:
            yield job


def _seconds(request: Request, name: str) -> float:
    text = request.query_params.get(name)
    if text is None:
        return 0.0 if name == "minDuration" else float("inf")
    if not (text.isascii() and text.isdigit() and len(text) < 10):
        raise BadInput(_("“%(name)s” is a whole number of seconds.") % {"name": name}, where=name)
    return float(text)


class OneJob(_Address):
    """How far a job is, and its end."""

    permission_classes = (Everybody,)

    def get(self, request: Request, name: str) -> HttpResponse:
        """Its status."""
        form = form_of(request)
        document = status_of(request, job_named(name))
        facts = [(key, value) for key, value in document.items() if key != "links"]
        return answer(request, form, document, title=document["message"], page={"facts": facts})

    def delete(self, request: Request, name: str) -> HttpResponse:
        """Stop it, or forget what came of it. Raises NotAllowed, Dismissed."""
        job = job_named(name)
        scenario = job.version.scenario
        unowned = scenario.owner_id is None and not scenario.listed
        if not (unowned or policies.may_edit_scenario(caller(request), scenario, edit_key(request))):
            raise NotAllowed(_("Only who began this job may dismiss it; send the edit key that its answer had."))
        if job.dismissed:
            raise Dismissed(_("This job was dismissed before."))
        cache.set(f"ogc:dismissed:{job.name}", 1, FORGOTTEN_S)
        if not job.run.is_over and job.run.inputs.get("version") == job.version.pk:
            runs.cancel(run=job.run)  # others who wait for the same answer go on waiting for their own run
        job.run.refresh_from_db()
        return answer(request, "json", status_of(request, job), title="")


class Results(_Address):
    """What came of a job."""

    def get(self, request: Request, name: str) -> HttpResponse:
        """The comparison. Raises NotReady, JobFailed, Dismissed."""
        form = form_of(request)
        job = job_named(name)
        if job.dismissed:
            raise Dismissed(_("This job was dismissed; nothing is kept of it."))
        if job.run.status == Run.Status.FAILED:
            raise JobFailed(job.run.error or _("We could not finish this; it is our fault."), cause=job.run.error_code)
        if not job.run.is_over:
            raise NotReady(_("This job is not over yet; ask for its status."))
        kept = ScenarioResult.objects.filter(inputs_hash=job.run.inputs["inputs_hash"], depth=job.run.inputs["depth"])
        result = kept.select_related("version__scenario__district").first()
        if result is None:
            raise NoSuchJob(_("What came of this job is no longer kept. Begin it again."))
        return answer(request, form, _framed(result, job.version, raw=job.raw), title=str(job.run))


def _framed(result: ScenarioResult, version: ScenarioVersion, *, raw: bool) -> dict[str, Any]:
    told = comparison.document(result, version)
    return told if raw else {"comparison": told}


# --- begun -------------------------------------------------------------------------------------------------------


class Execution(_Address):
    """Where a process is begun; by everybody, within the limits of scenarios."""

    permission_classes = (Everybody,)

    def get_throttles(self) -> list[Any]:
        """The usual ones, and that of scenarios."""
        return [*super().get_throttles(), ScenarioThrottle()]

    def post(self, request: Request, name: str) -> HttpResponse:
        """The results at once (200), or the job that works on them (201).

        A request with an Idempotency-Key is one transaction with its answer; the job begins after it, so it is a job.
        """
        _check(name)
        given, raw = _given(request, name)
        depth = given.pop("depth", "seeds") if name == DEEP else "quick"
        by = caller(request)
        key = "" if by else secrets.token_urlsafe(24)
        district = queries.district(given.pop("district"))
        scenario = services.scenarios.create(district=district, by=by, edit_key=key, **given)
        version = queries.scenarios.scenario_version(scenario)
        found = services.scenario_runs.start(version=version, depth=depth, by=by)
        asked = "respond-async" in request.headers.get("Prefer", "").lower()
        later = name == DEEP or asked or "Idempotency-Key" in request.headers
        if isinstance(found, Run):
            job = Job(version, found, raw)
            if later:
                return _begun(request, job, key)
            found = _waited(job)
        response = HttpResponse(orjson.dumps(_framed(found, version, raw=raw)), content_type=JSON)
        response["X-Edit-Key"] = key
        return response


def _begun(request: Request, job: Job, key: str) -> HttpResponse:
    response = HttpResponse(orjson.dumps(status_of(request, job)), status=201, content_type=JSON)
    response["Location"] = at(request, where("job", job.name))
    if "respond-async" in request.headers.get("Prefer", "").lower():
        response["Preference-Applied"] = "respond-async"
    response["X-Edit-Key"] = key
    return response


def _waited(job: Job) -> ScenarioResult:
    """The answer, when it comes in time. Raises TooManyWait, JobFailed."""
    if not WAITERS.acquire(blocking=False):
        raise TooManyWait(_("Others are waiting. Ask with “Prefer: respond-async”, or again in a few seconds."))
    try:
        until = time.monotonic() + WAIT_S
        while not job.run.is_over and time.monotonic() < until:
            time.sleep(POLL_S)
            job.run.refresh_from_db()
    finally:
        WAITERS.release()
    if not job.run.is_over:
        raise TooManyWait(_("It takes longer than we wait. Ask again, or with “Prefer: respond-async”."), job=job.name)
    kept = ScenarioResult.objects.filter(inputs_hash=job.run.inputs["inputs_hash"], depth=job.run.inputs["depth"])
    result = kept.first()
    if result is None:
        raise JobFailed(job.run.error or _("We could not finish this; it is our fault."), cause=job.run.error_code)
    return result


def _given(request: Request, name: str) -> tuple[dict[str, Any], bool]:
    """The inputs of a request to begin, and whether its result is wanted raw. Raises BadInput."""
    body = request.data
    if not isinstance(body, Mapping) or not isinstance(body.get("inputs", {}), Mapping):
        raise BadInput(_("Send {“inputs”: {…}} as JSON."), where="inputs")
    response = body.get("response", "raw")
    if response not in {"raw", "document"}:
        raise BadInput(_("“response” is raw or document."), where="response")
    outputs = body.get("outputs") or {}
    if not isinstance(outputs, Mapping) or set(outputs) - {"comparison"}:
        raise BadInput(_("There is one output, “comparison”."), where="outputs")
    known = _inputs(name)
    found = {key: _inline(key, value) for key, value in body.get("inputs", {}).items()}
    for key, value in found.items():
        if key not in known:
            raise BadInput(
                _("There is no input “%(name)s”; there are %(all)s.") % {"name": key[:60], "all": ", ".join(known)},
                where=key[:60],
            )
        _check_kind(key, value, known[key]["schema"])
    for key, about in known.items():
        if about["minOccurs"] and key not in found:
            raise BadInput(_("The input “%(name)s” is missing.") % {"name": key}, where=key)
    return {"title": _("A scenario asked for by program"), "listed": False, **found}, response == "raw"


_KINDS: Mapping[str, type] = {"string": str, "array": list, "object": dict, "boolean": bool}


def _check_kind(key: str, value: Any, schema: Mapping[str, Any]) -> None:
    if not isinstance(value, _KINDS[schema["type"]]):
        raise BadInput(
            _("The input “%(name)s” must be of the type %(type)s.") % {"name": key, "type": schema["type"]}, where=key
        )
    if "enum" in schema and value not in schema["enum"]:
        words = {"name": key, "all": ", ".join(schema["enum"])}
        raise BadInput(_("The input “%(name)s” is one of %(all)s.") % words, where=key)


def _inline(key: str, value: Any) -> Any:
    """The value of an input: itself, {"value": …}, or the JSON at {"href": …}."""
    if not isinstance(value, Mapping) or set(value) - {"value", "href", "type", "mediaType", "encoding", "schema"}:
        return value
    if "value" in value:
        return value["value"]
    if "href" not in value:
        return value
    try:
        return orjson.loads(outside.fetch(str(value["href"])))
    except (OSError, ValueError) as fault:
        raise BadInput(
            _("The input “%(name)s” cannot be had from its address: %(why)s.") % {"name": key[:60], "why": fault},
            where=key[:60],
        ) from fault
