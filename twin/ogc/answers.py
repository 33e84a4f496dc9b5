"""What every address of these standards shares: who may read, which form is wanted, links, and refusals.

They stand outside `/api/v1/`: their form is the standards' own, described by their own OpenAPI document at `/ogc/api`.
"""

import datetime as dt
import math
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal, cast
from urllib.parse import urlencode

import orjson
from django.http import Http404, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from commons.errors import BadInput, CityError, NotFound
from commons.web.api import requires
from commons.web.problems import PROBLEM_JSON, problem

JSON, GEOJSON, HTML = "application/json", "application/geo+json", "text/html"
SCHEMA_JSON = "application/schema+json"
Form = Literal["json", "html"]
Link = dict[str, str]


class _Any(BaseContentNegotiation):
    """The views answer in their own forms; DRF's renderers are not asked."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        return parsers[0]

    def select_renderer(self, request: Request, renderers: Any, format_suffix: str | None = None) -> Any:
        return (renderers[0], JSON)


class _Plain(BaseRenderer):
    """Never called; DRF wants one."""

    media_type = JSON
    format = "json"


class Address(APIView):
    """An address that anybody may read. `takes` are its parameters: any other is refused, as the standards want."""

    schema = None
    permission_classes = requires(anonymous_reads=True)
    content_negotiation_class = _Any
    renderer_classes = (_Plain,)
    takes: ClassVar[frozenset[str]] = frozenset({"f"})

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Throttle, then look at the parameters."""
        super().initial(request, *args, **kwargs)
        self.check(request, self.parameters(request, **kwargs))

    def parameters(self, request: Request, **kwargs: Any) -> frozenset[str]:
        """What this address understands."""
        return self.takes

    def check(self, request: Request, known: frozenset[str]) -> None:
        """Raises BadInput for a parameter that is not known, or stands twice."""
        for name in request.query_params:
            if name not in known:
                raise BadInput(
                    _("There is no parameter “%(name)s” here; there are %(all)s.")
                    % {"name": name[:60], "all": ", ".join(sorted(known))},
                    where=name[:60],
                )
            if len(request.query_params.getlist(name)) > 1:
                raise BadInput(_("“%(name)s” stands twice.") % {"name": name[:60]}, where=name[:60])

    def handle_exception(self, exc: Exception) -> Any:
        """A refusal in the standards' shape: RFC 7807, with `code` and `description`."""
        response = refusal(exc)
        if response is None:
            raise exc
        return response

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Anybody's page may read it: it is the same for all."""
        response = super().finalize_response(request, response, *args, **kwargs)
        response["Access-Control-Allow-Origin"] = "*"
        response["Access-Control-Expose-Headers"] = "Content-Crs, Location, Preference-Applied"
        return response

    def options(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """What a browser asks before it lets another site's page call."""
        answer = HttpResponse(status=204)
        answer["Allow"] = answer["Access-Control-Allow-Methods"] = ", ".join(self.allowed_methods)
        answer["Access-Control-Allow-Headers"] = "Content-Type, Prefer"
        return answer


def refusal(exc: Exception) -> HttpResponse | None:
    """What is answered to an error that is no fault of ours; None for one that is."""
    headers: dict[str, str] = {}
    if isinstance(exc, Http404):
        exc = NotFound(_("There is nothing here, or it is not yours to see."))
    if isinstance(exc, CityError):
        document, status = exc.problem(), exc.status
        if exc.retry_after_s:
            headers["Retry-After"] = str(exc.retry_after_s)
    elif isinstance(exc, exceptions.APIException):
        status = exc.status_code
        document = problem(status, str(exc.default_detail).rstrip("."), str(exc.detail))
        if wait := getattr(exc, "wait", None):
            headers["Retry-After"] = str(max(1, math.ceil(wait)))
    else:
        return None
    document["description"] = document["detail"]
    return HttpResponse(orjson.dumps(document, default=str), status=status, content_type=PROBLEM_JSON, headers=headers)


def form_of(request: Request) -> Form:
    """What the caller wants: `f`, else what `Accept` likes best. Raises BadInput, or NotAcceptable."""
    asked = request.query_params.get("f")
    if asked is not None:
        if asked not in {"json", "html"}:
            raise BadInput(_("“f” is json or html, not “%(f)s”.") % {"f": asked[:20]}, where="f")
        return cast("Form", asked)
    accepted = request.headers.get("Accept", "").strip()
    if not accepted:
        return "json"
    best: tuple[float, int, Form] | None = None
    for place, item in enumerate(accepted.split(",")):
        media, *about = (part.strip().lower() for part in item.split(";"))
        weight = next((_weight(a[2:]) for a in about if a.startswith("q=")), 1.0)
        form: Form | None = "html" if media in {"text/html", "application/xhtml+xml"} else None
        if media in {"*/*", "application/*"} or (media.startswith("application/") and "json" in media):
            form = "json"
        if form and weight and (best is None or (weight, -place) > best[:2]):
            best = (weight, -place, form)
    if best is None:
        raise exceptions.NotAcceptable()
    return best[2]


def _weight(text: str) -> float:
    try:
        return min(max(float(text), 0.0), 1.0)
    except ValueError:
        return 1.0


def at(request: Request, path: str, **query: Any) -> str:
    """A whole address."""
    asked = urlencode({name: value for name, value in query.items() if value not in (None, "")})
    return request.build_absolute_uri(f"{path}?{asked}" if asked else path)


def here(request: Request, form: str, **changes: Any) -> str:
    """This address with some parameters changed; those that are None go."""
    asked = dict(request.query_params.items()) | {"f": form} | changes
    return at(request, request.path, **asked)


def selves(request: Request, form: Form, media: str = JSON) -> list[Link]:
    """`self` and `alternate`."""
    titles = {"json": _("This document as JSON"), "html": _("This document as a page")}
    kinds: dict[Form, str] = {"json": media, "html": HTML}
    other: Form = "html" if form == "json" else "json"
    return [
        {"rel": "self", "type": kinds[form], "title": titles[form], "href": here(request, form)},
        {"rel": "alternate", "type": kinds[other], "title": titles[other], "href": here(request, other)},
    ]


def link(rel: str, href: str, media: str = JSON, title: str = "") -> Link:
    """A link of a document."""
    return (
        {"rel": rel, "type": media, "title": str(title), "href": href}
        if title
        else {
            "rel": rel,
            "type": media,
            "href": href,
        }
    )


def answer(
    request: Request,
    form: Form,
    document: Mapping[str, Any],
    *,
    title: str,
    media: str = JSON,
    status: int = 200,
    page: Mapping[str, Any] | None = None,
) -> HttpResponse:
    """The document in the form that was asked for. `page`: what the page shows beside the links, {"lead", "facts",
    "rows", "columns"}."""
    if form == "json":
        return HttpResponse(orjson.dumps(document, default=_told), content_type=media, status=status)
    context = {"title": title, "links": _shown(document.get("links", [])), **(page or {})}
    return render(request._request, "twin/ogc.html", context, status=status)


def _shown(links: Iterable[Link]) -> list[Link]:
    hidden = {"self"}
    return [{**entry, "title": entry.get("title") or entry["rel"]} for entry in links if entry["rel"] not in hidden]


def _told(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value.astimezone(dt.UTC).isoformat().replace("+00:00", "Z")
    return str(value)
