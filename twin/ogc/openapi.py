"""The description of the addresses of OGC API Features and Processes: OpenAPI 3.0."""

from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from rest_framework.request import Request

from twin.ogc import crs
from twin.ogc.answers import GEOJSON, HTML, JSON, SCHEMA_JSON, Address, answer, form_of
from twin.ogc.features import LIMIT, MOST, OPENAPI

_STRING = {"type": "string"}
_OBJECT: dict[str, Any] = {"type": "object"}
_LINKS = {"type": "array", "items": {"$ref": "#/components/schemas/link"}}


class Api(Address):
    """The description itself."""

    def get(self, request: Request) -> HttpResponse:
        """As JSON, or as a page that lists the addresses."""
        form = form_of(request)
        said = document(request)
        rows = [
            [f"{method.upper()} {path}", about["summary"]]
            for path, methods in said["paths"].items()
            for method, about in methods.items()
        ]
        page = {"columns": ["Address", "Answer"], "rows": rows, "lead": said["info"]["description"]}
        return answer(request, form, said, title=said["info"]["title"], media=OPENAPI, page=page)


def document(request: Request) -> dict[str, Any]:
    """OpenAPI 3.0 of all addresses. Collections are a parameter; each says itself what it can be asked."""
    base = request.build_absolute_uri(reverse("ogc-landing")).rstrip("/")
    return {
        "openapi": "3.0.3",
        "info": {
            "title": "Living City: OGC API Features and Processes",
            "description": "The city model layer by layer, and a process that tries out a scenario. Licence and "
            "attribution stand with each collection.",
            "version": "1.0.0",
        },
        "servers": [{"url": base}],
        "tags": [{"name": name} for name in ("Capabilities", "Data", "Processes")],
        "paths": {**_features(), **_processes()},
        "components": {"parameters": _parameters(), "responses": _responses(), "schemas": _schemas()},
    }


def _ref(kind: str, name: str) -> dict[str, str]:
    return {"$ref": f"#/components/{kind}/{name}"}


def _ok(schema: str, *media: str, headers: dict[str, Any] | None = None) -> dict[str, Any]:
    content: dict[str, Any] = {kind: {"schema": _ref("schemas", schema)} for kind in media or (JSON,)}
    content[HTML] = {"schema": _STRING}
    return {"description": "What was asked for.", "content": content, **({"headers": headers} if headers else {})}


def _get(name: str, summary: str, tag: str, good: dict[str, Any], *parameters: str, missing: bool = False) -> Any:
    responses = {"200": good, "400": _ref("responses", "refused"), "406": _ref("responses", "refused")}
    if missing:
        responses["404"] = _ref("responses", "refused")
    responses |= {"429": _ref("responses", "refused"), "500": _ref("responses", "refused")}
    return {
        "operationId": name,
        "summary": summary,
        "tags": [tag],
        "parameters": [_ref("parameters", p) for p in (*parameters, "f")],
        "responses": responses,
    }


def _features() -> dict[str, Any]:
    crs_header = {"Content-Crs": {"description": "The coordinate system of the answer.", "schema": _STRING}}
    items = ("collectionId", "limit", "bbox", "bbox-crs", "crs", "datetime", "version", "after")
    return {
        "/": {"get": _get("getLandingPage", "Landing page", "Capabilities", _ok("landingPage"))},
        "/conformance": {"get": _get("getConformance", "Classes held", "Capabilities", _ok("confClasses"))},
        "/api": {"get": _get("getApi", "This description", "Capabilities", _ok("anything", OPENAPI))},
        "/collections": {"get": _get("getCollections", "All collections", "Capabilities", _ok("collections"))},
        "/collections/{collectionId}": {
            "get": _get(
                "describeCollection", "One collection", "Capabilities", _ok("collection"), "collectionId", missing=True
            )
        },
        "/collections/{collectionId}/queryables": {
            "get": _get(
                "getQueryables",
                "What its things are chosen by",
                "Data",
                _ok("anything", SCHEMA_JSON),
                "collectionId",
                missing=True,
            )
        },
        "/collections/{collectionId}/items": {
            "get": _get(
                "getFeatures",
                "Its things",
                "Data",
                _ok("featureCollection", GEOJSON, headers=crs_header),
                *items,
                "filter",
                "filter-lang",
                "filter-crs",
                "property",
                missing=True,
            )
        },
        "/collections/{collectionId}/items/{featureId}": {
            "get": _get(
                "getFeature",
                "One thing",
                "Data",
                _ok("feature", GEOJSON, headers=crs_header),
                "collectionId",
                "featureId",
                "crs",
                "datetime",
                "version",
                missing=True,
            )
        },
    }


def _processes() -> dict[str, Any]:
    execute: dict[str, Any] = {
        "operationId": "execute",
        "summary": "Try out a scenario",
        "tags": ["Processes"],
        "parameters": [_ref("parameters", "processId"), _ref("parameters", "Prefer")],
        "requestBody": {"required": True, "content": {JSON: {"schema": _ref("schemas", "execute")}}},
        "responses": {
            "200": {"description": "The results.", "content": {JSON: {"schema": _OBJECT}}},
            "201": {
                "description": "The job that works on it.",
                "headers": {"Location": {"schema": _STRING}, "Preference-Applied": {"schema": _STRING}},
                "content": {JSON: {"schema": _ref("schemas", "statusInfo")}},
            },
            **{code: _ref("responses", "refused") for code in ("400", "404", "413", "429", "500")},
        },
    }
    one = _get("getStatus", "How far a job is", "Processes", _ok("statusInfo"), "jobId", missing=True)
    gone = {
        "operationId": "dismiss",
        "summary": "Stop a job, or forget it",
        "tags": ["Processes"],
        "parameters": [_ref("parameters", "jobId")],
        "responses": {
            "200": {"description": "It is dismissed.", "content": {JSON: {"schema": _ref("schemas", "statusInfo")}}},
            **{code: _ref("responses", "refused") for code in ("403", "404", "410", "429", "500")},
        },
    }
    return {
        "/processes": {"get": _get("getProcesses", "All processes", "Processes", _ok("processList"), "processLimit")},
        "/processes/{processId}": {
            "get": _get("getProcess", "One process", "Processes", _ok("process"), "processId", missing=True)
        },
        "/processes/{processId}/execution": {"post": execute},
        "/jobs": {"get": _get("getJobs", "Public jobs", "Processes", _ok("jobList"), *_JOB_FILTERS, "limit")},
        "/jobs/{jobId}": {"get": one, "delete": gone},
        "/jobs/{jobId}/results": {
            "get": _get("getResult", "What came of a job", "Processes", _ok("anything"), "jobId", missing=True)
        },
    }


_JOB_FILTERS = ("type", "processID", "status", "datetime", "minDuration", "maxDuration")


def _query(name: str, said: str, schema: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"name": name, "in": "query", "required": False, "description": said, "schema": schema, **more}


def _path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": _STRING}


def _several(items: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "array", "items": items, **more}


def _parameters() -> dict[str, Any]:
    flat: dict[str, Any] = {"style": "form", "explode": False}
    system = {"type": "string", "format": "uri", "default": crs.CRS84}
    numbers = _several({"type": "number"}, minItems=4, maxItems=6)
    free = {"type": "object", "additionalProperties": _STRING}
    return {
        "f": _query("f", "json or html; without it `Accept` decides.", {"type": "string", "enum": ["json", "html"]}),
        "limit": _query(
            "limit",
            "How many at most.",
            {"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT},
            **flat,
        ),
        "processLimit": _query("limit", "How many at most.", {"type": "integer", "minimum": 1, "maximum": MOST}),
        "bbox": _query("bbox", "Things that meet this box.", numbers, **flat),
        "bbox-crs": _query("bbox-crs", "The coordinate system of `bbox`.", system),
        "crs": _query("crs", "The coordinate system of the answer.", system),
        "datetime": _query("datetime", "As of a moment, or what stood within an interval.", _STRING, **flat),
        "version": _query("version", "As of a version of the district.", {"type": "integer", "minimum": 1}),
        "after": _query("after", "Goes on after this identifier; `next` links have it.", _STRING),
        "filter": _query("filter", "A condition in CQL2 text.", _STRING),
        "filter-lang": _query(
            "filter-lang",
            "The language of `filter`.",
            {"type": "string", "enum": ["cql2-text"], "default": "cql2-text"},
        ),
        "filter-crs": _query("filter-crs", "The coordinate system of shapes in `filter`.", system),
        "property": _query("property", "Any queryable by its name.", free, style="form", explode=True),
        "type": _query("type", "Kinds of jobs.", _several({"type": "string", "enum": ["process"]}), **flat),
        "processID": _query("processID", "Jobs of these processes.", _several(_STRING), **flat),
        "status": _query(
            "status",
            "Jobs in these states.",
            _several({"type": "string", "enum": ["accepted", "running", "successful", "failed", "dismissed"]}),
            **flat,
        ),
        "minDuration": _query("minDuration", "At least so many seconds.", {"type": "integer"}),
        "maxDuration": _query("maxDuration", "At most so many seconds.", {"type": "integer"}),
        "collectionId": _path("collectionId"),
        "featureId": _path("featureId"),
        "processId": _path("processId"),
        "jobId": _path("jobId"),
        "Prefer": {"name": "Prefer", "in": "header", "required": False, "schema": _STRING},
    }


def _responses() -> dict[str, Any]:
    return {
        "refused": {
            "description": "A refusal: what, where, and what to do.",
            "content": {"application/problem+json": {"schema": _ref("schemas", "exception")}},
        }
    }


def _thing(required: list[str], **properties: Any) -> dict[str, Any]:
    must: dict[str, Any] = {"required": required} if required else {}
    return {"type": "object", **must, "properties": properties}


def _schemas() -> dict[str, Any]:
    link = _thing(["href", "rel"], href=_STRING, rel=_STRING, type=_STRING, title=_STRING)
    collection = _thing(
        ["id", "links"],
        id=_STRING,
        title=_STRING,
        description=_STRING,
        links=_LINKS,
        extent=_OBJECT,
        itemType=_STRING,
        crs=_several(_STRING),
        storageCrs=_STRING,
        license=_STRING,
        attribution=_STRING,
    )
    feature = _thing(
        ["type", "geometry", "properties"],
        type={"type": "string", "enum": ["Feature"]},
        id=_STRING,
        geometry=_OBJECT,
        properties={"type": "object", "nullable": True},
        links=_LINKS,
    )
    status = _thing(
        ["jobID", "status", "type"],
        jobID=_STRING,
        processID=_STRING,
        type=_STRING,
        message=_STRING,
        status={"type": "string", "enum": ["accepted", "running", "successful", "failed", "dismissed"]},
        created=_STRING,
        started=_STRING,
        finished=_STRING,
        updated=_STRING,
        progress={"type": "integer", "minimum": 0, "maximum": 100},
        links=_LINKS,
    )
    process = _thing(["id", "version"], id=_STRING, version=_STRING, title=_STRING, description=_STRING, links=_LINKS)
    return {
        "anything": _OBJECT,
        "link": link,
        "exception": _thing(["type"], type=_STRING, title=_STRING, status={"type": "integer"}, detail=_STRING),
        "landingPage": _thing(["links"], title=_STRING, description=_STRING, links=_LINKS),
        "confClasses": _thing(["conformsTo"], conformsTo=_several(_STRING)),
        "collection": collection,
        "collections": _thing(
            ["links", "collections"],
            links=_LINKS,
            crs=_several(_STRING),
            collections=_several(_ref("schemas", "collection")),
        ),
        "feature": feature,
        "featureCollection": _thing(
            ["type", "features"],
            type={"type": "string", "enum": ["FeatureCollection"]},
            features=_several(_ref("schemas", "feature")),
            links=_LINKS,
            timeStamp=_STRING,
            numberMatched={"type": "integer"},
            numberReturned={"type": "integer"},
        ),
        "process": process,
        "processList": _thing(["processes", "links"], processes=_several(_ref("schemas", "process")), links=_LINKS),
        "statusInfo": status,
        "jobList": _thing(["jobs", "links"], jobs=_several(_ref("schemas", "statusInfo")), links=_LINKS),
        "execute": _thing(
            [], inputs=_OBJECT, outputs=_OBJECT, response={"type": "string", "enum": ["raw", "document"]}
        ),
    }
