"""Search: designs, labs, machines, streets, scenarios and people in one list, grouped, best first."""

import logging
from collections.abc import Sequence
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from commons import sockets

log = logging.getLogger(__name__)

LONGEST = 200
HITS_A_GROUP = 10


@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """What was found, grouped by kind; the group with the best hit first."""
    words = " ".join(request.GET.get("q", "").split())[:LONGEST]
    groups = groups_of(words, request.user) if words else []
    return render(request, "site/search.html", {"q": words, "groups": groups, "count": sum(len(h) for _t, h in groups)})


def groups_of(words: str, user: Any) -> list[tuple[sockets.Text, Sequence[sockets.Hit]]]:
    """Each source's hits; a source that fails costs its own group."""
    groups: list[tuple[sockets.Text, Sequence[sockets.Hit]]] = []
    for source in sockets.search_sources:
        try:
            hits = list(source.search(words, user if user.is_authenticated else None, HITS_A_GROUP))[:HITS_A_GROUP]
        except Exception:
            log.exception("the search source %s failed", source.slug)
            continue
        if hits:
            groups.append((source.title, hits))
    return sorted(groups, key=lambda group: -max(hit.rank for hit in group[1]))
