"""Open data: every public dataset as a file, the weekly files, and their catalogue."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any

import orjson
from django.http import FileResponse, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from commons import csv_files, sockets
from commons.errors import NotFound
from commons.opendata import licences, writing

#: How many rows are read to learn a CSV's columns.
LOOK_AHEAD = 200
#: What the web server says of the catalogue's files.
_TYPES = {"catalog.jsonld": "application/ld+json", "catalog.ttl": "text/turtle; charset=utf-8"}


@require_safe
def datasets(request: HttpRequest) -> HttpResponse:
    """What there is, under which licence, as which files, and by which doors programs come in."""
    weekly = writing.current()
    doors = {door.path: door for shelf in sockets.open_shelves for data in shelf.datasets() for door in data.doors}
    context = {
        "datasets": list(sockets.open_datasets),
        "weekly": [_shown(data) for data in weekly["datasets"]] if weekly else [],
        "made_at": parse_datetime(weekly["made_at"]) if weekly else None,
        "doors": [{"title": door.title, "url": f"/{door.path}"} for door in doors.values()],
    }
    return render(request, "site/data.html", context)


def _shown(data: Mapping[str, Any]) -> dict[str, Any]:
    return {**data, "licences": licences.named(data["licence"])}


@require_safe
def weekly_file(request: HttpRequest, path: str) -> HttpResponseBase:
    """One of the weekly files, from the disk."""
    found = writing.kept(path)
    if found is None:
        raise NotFound(_("There is no file “%(path)s”, or it has not been written yet.") % {"path": path[:120]})
    known = {file["path"]: file for data in (writing.current() or {})["datasets"] for file in data["files"]}
    media = _TYPES.get(path) or known.get(path, {}).get("media_type") or "text/plain; charset=utf-8"
    response = FileResponse(found.open("rb"), content_type=media, as_attachment=path in known, filename=found.name)
    response["Access-Control-Allow-Origin"] = "*"
    if path in known:
        response["ETag"] = f'"{known[path]["sha256"][:32]}"'
    return response


@require_safe
def catalogue(request: HttpRequest, form: str = "jsonld") -> HttpResponseBase:
    """The DCAT-AP catalogue of the weekly files."""
    if form == "jsonld" and "text/turtle" in request.headers.get("Accept", ""):
        form = "ttl"
    return weekly_file(request, f"catalog.{form}")


@require_safe
def dataset(request: HttpRequest, slug: str, form: str) -> HttpResponseBase:
    """One dataset, streamed: CSV, or JSON lines."""
    plug = sockets.open_datasets.get(slug)
    if plug is None:
        raise NotFound(_("There is no dataset called “%(slug)s”.") % {"slug": slug})
    if form == "jsonl":
        response = StreamingHttpResponse(_lines(plug.rows()), content_type="application/jsonl; charset=utf-8")
        response["Content-Disposition"] = f'attachment; filename="{slug}.jsonl"'
        return response
    rows = iter(plug.rows())
    first = list(islice(rows, LOOK_AHEAD))
    columns = list(dict.fromkeys(name for row in first for name in row))
    cells = ([_flat(row.get(name)) for name in columns] for row in chain(first, rows))
    return csv_files.answer(slug, columns, cells)


def _lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    for row in rows:
        yield orjson.dumps(dict(row), default=str, option=orjson.OPT_APPEND_NEWLINE)


def _flat(value: Any) -> Any:
    return orjson.dumps(value, default=str).decode() if isinstance(value, dict | list | tuple) else value
