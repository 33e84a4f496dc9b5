"""OGC API Features over the city model: landing page, conformance, collections, items, what can be asked of them.

Parts 1 (OGC 17-069r4), 2 (18-058r1) and 3 (19-079r2). The classes that `CONFORMS` states are those that
`tests/twin/test_ogc_features.py` checks.
"""

import datetime as dt
import math
from typing import Any

from django.http import HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework.request import Request

from commons.errors import BadInput
from commons.opendata import licences
from twin.ogc import collections, cql2, crs, filters
from twin.ogc.answers import GEOJSON, HTML, JSON, SCHEMA_JSON, Address, Link, answer, at, form_of, here, link, selves
from twin.ogc.collections import Collection, Queryable
from twin.words import LAYERS as LAYER_WORDS

_SPEC = "http://www.opengis.net/spec/"
CONFORMS = (
    *(f"{_SPEC}ogcapi-common-1/1.0/conf/{name}" for name in ("core", "landing-page", "json", "html", "oas30")),
    *(f"{_SPEC}ogcapi-common-2/1.0/conf/{name}" for name in ("collections",)),
    *(f"{_SPEC}ogcapi-features-1/1.0/conf/{name}" for name in ("core", "geojson", "html", "oas30")),
    f"{_SPEC}ogcapi-features-2/1.0/conf/crs",
    *(
        f"{_SPEC}ogcapi-features-3/1.0/conf/{name}"
        for name in ("queryables", "queryables-query-parameters", "filter", "features-filter")
    ),
    *(
        f"{_SPEC}cql2/1.0/conf/{name}"
        for name in ("cql2-text", "basic-cql2", "advanced-comparison-operators", "basic-spatial-functions")
    ),
)
LIMIT, MOST = 100, 1000
_ITEMS = frozenset(
    {"f", "limit", "after", "bbox", "bbox-crs", "crs", "datetime", "version", "filter", "filter-lang", "filter-crs"}
)
OPENAPI = "application/vnd.oai.openapi+json;version=3.0"


def where(name: str, *args: Any) -> str:
    """A path of these standards."""
    return reverse(f"ogc-{name}", args=args)


class Landing(Address):
    """What there is."""

    def get(self, request: Request) -> HttpResponse:
        """Links to everything."""
        form = form_of(request)
        title = _("The city model as open data")
        said = _("Districts layer by layer, as of each of their versions, and a process that tries out a scenario.")
        links = [
            *selves(request, form),
            link("service-desc", at(request, where("api")), OPENAPI, _("Description of these addresses (OpenAPI 3.0)")),
            link("service-doc", at(request, where("api"), f="html"), HTML, _("The same as a page")),
            link("conformance", at(request, where("conformance")), JSON, _("What of the standards is held")),
            link("data", at(request, where("collections")), JSON, _("Collections")),
            link(f"{REL}processes", at(request, where("processes")), JSON, _("Processes")),
            link(f"{REL}job-list", at(request, where("jobs")), JSON, _("Jobs")),
            link("related", at(request, reverse("sensorthings-root")), JSON, _("Series of devices (SensorThings 1.1)")),
            link("describedby", at(request, reverse("data")), HTML, _("All open data, with licences")),
        ]
        return answer(
            request, form, {"title": title, "description": said, "links": links}, title=title, page={"lead": said}
        )


REL = "http://www.opengis.net/def/rel/ogc/1.0/"


class Conformance(Address):
    """Which classes of the standards are held."""

    def get(self, request: Request) -> HttpResponse:
        """Their addresses."""
        from twin.ogc.processes import CONFORMS as ALSO  # noqa: PLC0415 each names its own

        form = form_of(request)
        classes = [*CONFORMS, *ALSO]
        document = {"conformsTo": classes, "links": selves(request, form)}
        rows = [[name] for name in classes]
        return answer(
            request,
            form,
            document,
            title=_("What of the standards is held"),
            page={"columns": [_("Class")], "rows": rows},
        )


class Collections(Address):
    """Every layer of every district."""

    def get(self, request: Request) -> HttpResponse:
        """All collections."""
        form = form_of(request)
        found = collections.all_collections()
        systems = list(dict.fromkeys(uri for of in found for uri in of.systems)) or list(crs.COMMON)
        document = {
            "links": selves(request, form),
            "crs": systems,
            "collections": [described(request, of) for of in found],
        }
        rows = [[{"href": where("collection", of.name), "text": _title(of)}, of.current.licence] for of in found]
        page = {"columns": [_("Collection"), _("Licence")], "rows": rows}
        return answer(request, form, document, title=_("Collections"), page=page)


def _title(of: Collection) -> str:
    return f"{of.district.name}: {LAYER_WORDS[of.layer]}"


def described(request: Request, of: Collection) -> dict[str, Any]:
    """A collection: its extent in space and time, its coordinate systems, and where its things are."""
    began = of.district.versions.order_by("number").values_list("created_at", flat=True).first()
    items = at(request, where("items", of.name))
    links: list[Link] = [
        link("items", f"{items}?f=json", GEOJSON, _("Its things as GeoJSON")),
        link("items", f"{items}?f=html", HTML, _("Its things as a page")),
        link(f"{REL}queryables", at(request, where("queryables", of.name)), SCHEMA_JSON, _("What they are chosen by")),
        link("describedby", at(request, reverse("rooms:district", args=[of.district.slug])), HTML, _("The district")),
    ]
    links += [link("license", address, HTML, name) for name, address in licences.named(of.current.licence)]
    return {
        "id": of.name,
        "title": _title(of),
        "description": of.current.attribution,
        "attribution": of.current.attribution,
        "license": of.current.licence,
        "itemType": "feature",
        "extent": {
            "spatial": {"bbox": [of.current.bounds or [-180, -90, 180, 90]], "crs": crs.CRS84},
            "temporal": {
                "interval": [[collections.stamp(began), None]],
                "trs": "http://www.opengis.net/def/uom/ISO-8601/0/Gregorian",
            },
        },
        "crs": list(of.systems),
        "storageCrs": crs.CRS84,
        "links": links,
    }


class OneCollection(Address):
    """One layer of a district."""

    def get(self, request: Request, name: str) -> HttpResponse:
        """What it is."""
        form = form_of(request)
        of = collections.collection(name)
        document = described(request, of)
        document["links"] = [*selves(request, form), *document["links"]]
        facts = [
            (_("Licence"), of.current.licence or _("not stated")),
            (_("Attribution"), of.current.attribution or _("not stated")),
            (_("Version"), of.current.number),
            (_("Coordinate systems"), ", ".join(of.systems)),
        ]
        return answer(request, form, document, title=_title(of), page={"facts": facts})


class Queryables(Address):
    """What a collection's things can be chosen by."""

    def get(self, request: Request, name: str) -> HttpResponse:
        """A JSON Schema of it."""
        form = form_of(request)
        of = collections.collection(name)
        properties: dict[str, Any] = {q.name: _schema(q) for q in of.queryables.values()}
        properties[filters.GEOMETRY] = {"title": _("Shape"), "format": "geometry-any", "x-ogc-role": "primary-geometry"}
        document = {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            "$id": at(request, where("queryables", of.name)),
            "type": "object",
            "title": _title(of),
            "properties": properties,
            "additionalProperties": False,
        }
        rows = [[q.name, q.title, q.format or q.type] for q in of.queryables.values()]
        page = {"columns": [_("Property"), _("What it is"), _("Type")], "rows": rows}
        return answer(request, form, document, title=_title(of), media=SCHEMA_JSON, page=page)


def _schema(q: Queryable) -> dict[str, str]:
    about = {"title": str(q.title), "type": q.type}
    return {**about, "format": q.format} if q.format else about


class Items(Address):
    """The things of a collection."""

    def parameters(self, request: Request, **kwargs: Any) -> frozenset[str]:
        """Its own, and one for each property."""
        return _ITEMS | collections.collection(kwargs["name"]).queryables.keys()

    def get(self, request: Request, name: str) -> HttpResponse:
        """A page of them."""
        form = form_of(request)
        of = collections.collection(name)
        wish, number = asked(request, of)
        system = _system(request, of, "crs")
        limit = limit_of(request)
        after = request.query_params.get("after", "")
        rows, matched, following = collections.page(of, wish, after, limit)
        began = collections.moments(of)
        links = [*selves(request, form, GEOJSON), link("collection", at(request, where("collection", of.name)))]
        if following:
            # the pages that follow are of the same version, whatever is imported meanwhile
            pinned = {} if "datetime" in request.query_params else {"version": number}
            media = GEOJSON if form == "json" else HTML
            links.append(link("next", here(request, form, after=following, **pinned), media, _("The next of them")))
        document = {
            "type": "FeatureCollection",
            "timeStamp": collections.stamp(dt.datetime.now(dt.UTC)),
            "numberMatched": matched,
            "numberReturned": len(rows),
            "attribution": of.current.attribution,
            "license": of.current.licence,
            "links": links,
            "features": [collections.feature(row, began, system) for row in rows],
        }
        shown = [[{"href": where("item", of.name, row.key), "text": row.name or row.key}, row.kind] for row in rows]
        page = {
            "lead": _("%(n)d of them; this page shows %(shown)d.") % {"n": matched, "shown": len(rows)},
            "columns": [_("Name"), _("Kind")],
            "rows": shown,
            "facts": [(_("Licence"), of.current.licence), (_("Attribution"), of.current.attribution)],
        }
        response = answer(request, form, document, title=_title(of), media=GEOJSON, page=page)
        response["Content-Crs"] = f"<{system}>"
        return response


class Item(Address):
    """One thing."""

    takes = frozenset({"f", "crs", "datetime", "version"})

    def get(self, request: Request, name: str, key: str) -> HttpResponse:
        """It as a feature."""
        form = form_of(request)
        of = collections.collection(name)
        system = _system(request, of, "crs")
        row = collections.one(of, key, _versions(request, of))
        document = collections.feature(row, collections.moments(of), system)
        document["links"] = [
            *selves(request, form, GEOJSON),
            link("collection", at(request, where("collection", of.name)), JSON, _title(of)),
        ]
        page = {"facts": [(name, value) for name, value in document["properties"].items()]}
        response = answer(request, form, document, title=row.name or row.key, media=GEOJSON, page=page)
        response["Content-Crs"] = f"<{system}>"
        return response


# --- what is asked -----------------------------------------------------------------------------------------------


def asked(request: Request, of: Collection) -> tuple[collections.Wish, int]:
    """What a request for things means, and of which version. Raises BadInput with a sentence."""
    given = request.query_params
    versions = _versions(request, of)
    box_system = _system(request, of, "bbox-crs")
    wish = collections.Wish(
        versions,
        box=_box(given["bbox"], box_system) if "bbox" in given else None,
        box_system=box_system,
        equals={name: _value(q, given[name]) for name, q in of.queryables.items() if name in given},
        tree=_tree(request),
        filter_system=_system(request, of, "filter-crs"),
    )
    return wish, versions.last


def _tree(request: Request) -> cql2.Tree | None:
    language = request.query_params.get("filter-lang", "cql2-text")
    if language != "cql2-text":
        raise BadInput(_("“filter-lang” is cql2-text; other languages are not read."), where="filter-lang")
    text = request.query_params.get("filter")
    return filters.read(text) if text is not None else None


def _system(request: Request, of: Collection, name: str) -> str:
    return crs.known(request.query_params.get(name, crs.CRS84), of.systems, name)


def limit_of(request: Request) -> int:
    """How many are asked for. Raises BadInput."""
    text = request.query_params.get("limit", str(LIMIT))
    if not (text.isascii() and text.isdigit() and int(text[:12]) >= 1):
        raise BadInput(
            _("“limit” is a whole number from 1; more than %(n)d is read as that.") % {"n": MOST}, where="limit"
        )
    return min(int(text[:12]), MOST)


def _box(text: str, system: str) -> tuple[float, float, float, float]:
    try:
        numbers = [float(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if len(numbers) not in {4, 6} or not all(math.isfinite(n) for n in numbers):
        raise BadInput(_("“bbox” is four numbers parted by commas (or six): lower corner, upper corner."), where="bbox")
    return collections.check_box(cql2.flat_box(numbers), system, "bbox")


def _value(q: Queryable, text: str) -> Any:
    """A parameter's value as its property has it."""
    if q.type == "number":
        try:
            number = float(text)
        except ValueError:
            number = math.nan
        if not math.isfinite(number):
            raise BadInput(
                _("“%(name)s” is a number, not “%(text)s”.") % {"name": q.name, "text": text[:40]}, where=q.name
            )
        return number
    if q.type == "boolean":
        if text not in {"true", "false"}:
            raise BadInput(_("“%(name)s” is true or false.") % {"name": q.name}, where=q.name)
        return text == "true"
    return _moment(text, q.name) if q.format else text


def _versions(request: Request, of: Collection) -> collections.Span:
    given = request.query_params
    if "version" in given:
        text = given["version"]
        if "datetime" in given:
            raise BadInput(_("Ask by “version” or by “datetime”, not by both."), where="version")
        if not (text.isascii() and text.isdigit() and len(text) <= 9):
            raise BadInput(_("“%(text)s” is not the number of a version.") % {"text": text[:40]}, where="version")
        return collections.span(of, int(text), None)
    return collections.span(of, None, interval(given["datetime"]) if "datetime" in given else None)


def interval(text: str) -> tuple[dt.datetime | None, dt.datetime | None]:
    """Start and end of a moment, a day or an interval; None where it is open."""
    start, slash, end = text.partition("/")
    if not slash:
        return _moment(start, "datetime"), _moment(start, "datetime", last=True)
    first = None if start in {"", ".."} else _moment(start, "datetime")
    last = None if end in {"", ".."} else _moment(end, "datetime", last=True)
    if first is not None and last is not None and first > last:
        raise BadInput(_("The interval ends before it begins."), where="datetime")
    return first, last


def _moment(text: str, name: str, *, last: bool = False) -> dt.datetime:
    """A moment of RFC 3339, or a day: its beginning, or its end."""
    try:
        if len(text) == 10:
            day = dt.date.fromisoformat(text)
            return dt.datetime.combine(day, dt.time.max if last else dt.time.min, dt.UTC)
        found = dt.datetime.fromisoformat(text.replace(" ", "+"))
        if found.tzinfo is not None and "T" in text.upper():
            return found.astimezone(dt.UTC)
    except (ValueError, OverflowError):
        pass
    raise BadInput(
        _("“%(name)s”: “%(text)s” is no moment such as 2026-11-23T08:00:00Z, and no interval of two.")
        % {"name": name, "text": text[:60]},
        where=name,
    )
