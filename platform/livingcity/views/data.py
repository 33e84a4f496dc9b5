"""Open data: every public dataset as a file."""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, islice
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from commons import sockets
from commons.errors import NotFound
from commons.web.tables import csv_response

#: How many rows are read to learn a CSV's columns.
LOOK_AHEAD = 200


@require_safe
def datasets(request: HttpRequest) -> HttpResponse:
    """What there is, under which licence."""
    return render(request, "site/data.html", {"datasets": list(sockets.open_datasets)})


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
    return csv_response(f"{slug}.csv", columns, cells)


def _lines(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    for row in rows:
        yield orjson.dumps(dict(row), default=str, option=orjson.OPT_APPEND_NEWLINE)


def _flat(value: Any) -> Any:
    return orjson.dumps(value, default=str).decode() if isinstance(value, dict | list | tuple) else value
