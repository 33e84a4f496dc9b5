"""Search: designs, labs, machines, people, districts, decisions and more in one list, grouped, best first."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons import sockets
from commons.people.models import User
from commons.web.api import has_scope, requires
from commons.web.lately import kept_a_moment

log = logging.getLogger(__name__)

LONGEST = 200
HITS_A_GROUP, HITS_ALONE = 10, 50


@dataclass(frozen=True, slots=True)
class Group:
    """What one source found."""

    kind: str
    title: sockets.Text
    hits: Sequence[sockets.Hit]


@kept_a_moment
@require_safe
def search(request: HttpRequest) -> HttpResponse:
    """What was found, grouped by kind; the group with the best hit first. `?kind=` shows more of one."""
    words, kind = asked(request.GET.get("q", "")), request.GET.get("kind", "")
    known = sockets.search_sources.get(kind) is not None
    person = request.user if isinstance(request.user, User) else None
    groups = groups_of(words, person, kind=kind if known else "")
    context = {
        "q": words,
        "kind": kind if known else "",
        "groups": groups,
        "count": sum(len(group.hits) for group in groups),
        "sources": list(sockets.search_sources),
        "most": HITS_A_GROUP,
    }
    return render(request, "site/search.html", context)


def asked(words: str) -> str:
    """What was typed, in one line of a bearable length."""
    return " ".join(words.split())[:LONGEST]


def groups_of(words: str, person: User | None, *, kind: str = "", token: Any = None) -> list[Group]:
    """Each source's hits as the person may see them; a source that fails costs its own group.

    Who comes with a token sees what is private only where the token has the source's scope.
    """
    most = HITS_ALONE if kind else HITS_A_GROUP
    groups = []
    for source in sockets.search_sources if words else ():
        if kind and source.slug != kind:
            continue
        viewer = person if token is None or (source.scope and has_scope(token, source.scope)) else None
        try:
            hits = list(source.search(words, viewer, most))[:most]
        except Exception:
            log.exception("the search source %s failed", source.slug)
            continue
        if hits:
            groups.append(Group(source.slug, source.title, hits))
    return sorted(groups, key=lambda group: -max(hit.rank for hit in group.hits))


class HitOut(serializers.Serializer[Any]):
    """One result; `url` is a path of this site."""

    title = serializers.CharField()
    url = serializers.CharField()
    detail = serializers.CharField(allow_blank=True)


class GroupOut(serializers.Serializer[Any]):
    """The results of one kind, best first."""

    kind = serializers.CharField()
    title = serializers.CharField()
    hits = HitOut(many=True)


class SearchOut(serializers.Serializer[Any]):
    """Everything that was found, the kind with the best result first."""

    q = serializers.CharField()
    count = serializers.IntegerField()
    groups = GroupOut(many=True)


class SearchAll(APIView):
    """Search over all rooms."""

    permission_classes = requires(anonymous_reads=True)

    @extend_schema(
        operation_id="search",
        parameters=[
            OpenApiParameter("q", str, required=True, description="words; the beginning of a word is enough"),
            OpenApiParameter("kind", str, description="one kind alone, with more results"),
        ],
        responses={200: SearchOut},
    )
    def get(self, request: Request) -> Response:
        """What the caller may see; private things only with the scope of their room."""
        words, kind = asked(request.query_params.get("q", "")), request.query_params.get("kind", "")
        person = request.user if isinstance(request.user, User) else None
        groups = groups_of(words, person, kind=kind, token=request.auth)
        document = {"q": words, "count": sum(len(group.hits) for group in groups), "groups": groups}
        return Response(SearchOut(document).data)
