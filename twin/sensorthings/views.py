"""SensorThings 1.1 over HTTP, for reading: every address below `/sensorthings/v1.1/`."""

from collections.abc import Mapping
from typing import Any

import orjson
from django.http import HttpResponse
from django.urls import reverse
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from rest_framework.request import Request

from commons.errors import BadInput, NotFound
from twin.ogc.answers import JSON, Address, refusal
from twin.sensorthings import odata
from twin.sensorthings.model import SETS, Entity
from twin.sensorthings.reply import Many, Reply, json_of
from twin.sensorthings.source import Source

_REQ = "http://www.opengis.net/spec/iot_sensing/1.1/req/"
CONFORMS = (
    *(
        f"{_REQ}datamodel/{name}"
        for name in (
            "thing", "thing/properties", "thing/relations", "location", "location/properties", "location/relations",
            "historical-location", "historical-location/properties", "historical-location/relations", "datastream",
            "datastream/properties", "datastream/relations", "sensor", "sensor/properties", "sensor/relations",
            "observed-property", "observed-property/properties", "observed-property/relations", "observation",
            "observation/properties", "observation/relations", "feature-of-interest", "feature-of-interest/properties",
            "feature-of-interest/relations", "entity-control-information/common-control-information",
        )
    ),
    f"{_REQ}resource-path/resource-path-to-entities",
    *(
        f"{_REQ}request-data/{name}"
        for name in (
            "order", "expand", "select", "status-code", "query-status-code", "orderby", "top", "skip", "count",
            "filter",
            "built-in-filter-operations", "built-in-query-functions", "pagination",
        )
    ),
)  # fmt: skip
"""Sensing Core and Filtering, as `tests/twin/test_sensorthings.py` checks them. Nothing is written, nothing batched."""

_REASONS: Mapping[str, str | Promise] = {
    "long": gettext_lazy("This is longer than %(word)s letters."),
    "deep": gettext_lazy("There are too many brackets within brackets."),
    "token": gettext_lazy("At letter %(where)d: “%(word)s” cannot be read."),
    "end": gettext_lazy("This ends too early."),
    "unexpected": gettext_lazy("“%(word)s” cannot stand here."),
    "operand": gettext_lazy("At letter %(where)d: a name or a value is expected, not “%(word)s”."),
    "function": gettext_lazy("There is no function “%(word)s”."),
    "arguments": gettext_lazy("The function “%(word)s” is given too few or too many values."),
    "value": gettext_lazy("“%(word)s” is no value of that kind."),
    "truth": gettext_lazy("“%(word)s” joins what is true or false, nothing else."),
    "shape": gettext_lazy("“%(word)s” is no well-known text of a shape."),
    "option": gettext_lazy(
        "There is no option “%(word)s”; there are $filter, $orderby, $top, $skip, $count, $select, $expand."
    ),
    "count": gettext_lazy("$count is true or false, not “%(word)s”."),
    "number": gettext_lazy("%(word)s is a whole number from 0."),
    "expand-deep": gettext_lazy("$expand goes %(word)s levels deep at most."),
    "path": gettext_lazy("“%(word)s” is no part of an address."),
}


class Sensing(Address):
    """What everything below the service's address shares."""

    def check(self, request: Request, known: frozenset[str]) -> None:
        """Options are looked at where they are read; each stands once."""
        for name in request.query_params:
            if len(request.query_params.getlist(name)) > 1:
                raise BadInput(_("“%(name)s” stands twice.") % {"name": name[:60]}, where=name[:60])

    def handle_exception(self, exc: Exception) -> Any:
        """What cannot be read is refused with a sentence."""
        if isinstance(exc, odata.NotOData):
            words = {"word": exc.word[:80], "where": exc.where + 1}
            response = refusal(BadInput(str(_REASONS[exc.reason]) % words))
            assert response is not None  # noqa: S101 it is one of ours
            return response
        return super().handle_exception(exc)


class Root(Sensing):
    """The service: which sets it has, and what of the standard it holds."""

    def get(self, request: Request) -> HttpResponse:
        """All sets."""
        if request.query_params:
            raise odata.NotOData("option", next(iter(request.query_params)))
        root = request.build_absolute_uri(reverse("sensorthings-root"))
        return _answer(
            {
                "value": [{"name": name, "url": f"{root}{name}"} for name in SETS],
                "serverSettings": {"conformance": list(CONFORMS)},
            }
        )


class Resource(Sensing):
    """Any address below it."""

    def get(self, request: Request, path: str) -> HttpResponse:
        """A set, an entity, a property, a value, or links."""
        steps = odata.steps(path)
        form = steps.pop().name if steps[-1].name in {"$ref", "$value"} and len(steps) > 1 else ""
        given = {name: str(value) for name, value in request.query_params.items()}
        asked = odata.options(given)
        root = request.build_absolute_uri(reverse("sensorthings-root"))
        reply = Reply(Source(request.build_absolute_uri("/").rstrip("/")), root)
        found = reply.find(steps)
        if isinstance(found, Many):
            if form == "$value":
                raise NotFound(_("Only a property has a $value."))
            query = {name: value for name, value in given.items() if name not in {"$skip", "$top"}}
            document = reply.page(found, asked, request.build_absolute_uri(request.path), query)
            if form == "$ref":
                document["value"] = [{"@iot.selfLink": one["@iot.selfLink"]} for one in document["value"]]
            return _answer(document)
        if asked != odata.Options(select=asked.select, expand=asked.expand):
            raise BadInput(_("One thing is told with $select and $expand alone."))
        if isinstance(found, Entity):
            if form == "$value":
                raise NotFound(_("Only a property has a $value."))
            if form == "$ref":
                return _answer({"@iot.selfLink": reply.address(found)})
            return _answer(reply.told_of(found, asked))
        return _property(found, form)


def _property(found: tuple[Entity, str], form: str) -> HttpResponse:
    one, name = found
    value = one.id if name in {"id", "@iot.id"} else json_of(one.values.get(name))
    if form == "$ref":
        raise NotFound(_("Only things have links."))
    if value is None:
        return HttpResponse(status=204)
    if form == "$value":
        text = value if isinstance(value, str) else orjson.dumps(value).decode()
        return HttpResponse(text, content_type="text/plain; charset=utf-8")
    return _answer({name: value})


def _answer(document: Any) -> HttpResponse:
    return HttpResponse(orjson.dumps(document, default=str), content_type=JSON)
