"""People around a design over the API: stars, makes, comments, who works on it, collections."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons import sockets
from commons.people import queries as people
from commons.web.api import CursorPagination, requires
from commons.web.parsers import Json
from commons.web.schema import page_of
from designs import queries
from designs.api import shapes_social as shapes
from designs.api.caller import caller
from designs.api.designs import visitor
from designs.models import Collaborator, Comment, Design, Make
from designs.policies import check_may_manage
from designs.queries.collections import collections_seen_by, has_star
from designs.queries.makes import makes_of
from designs.queries.talk import find_comment
from designs.services import talk
from designs.services.collaborators import remove_collaborator, set_collaborator
from designs.services.makes import add_make
from designs.services.stars import star, unstar

OPEN = requires(read="designs:read", write="designs:write", anonymous_reads=True)


def _design(request: Request, owner: str, slug: str) -> Design:
    return queries.find(owner=owner, slug=slug, visitor=visitor(request))


class Starred(APIView):
    """Stars of a design; PUT gives one, DELETE takes it back, both as often as you like."""

    permission_classes = OPEN

    @extend_schema(operation_id="designs_star_read", responses=shapes.StarOut)
    def get(self, request: Request, owner: str, slug: str) -> Response:
        """How many, and whether one is the caller's."""
        design = _design(request, owner, slug)
        return Response(
            shapes.StarOut({"starred": has_star(design, visitor(request)), "stars": design.star_count}).data
        )

    @extend_schema(operation_id="designs_star_give", request=None, responses=shapes.StarOut)
    def put(self, request: Request, owner: str, slug: str) -> Response:
        """Give a star."""
        count = star(design=_design(request, owner, slug), by=caller(request))
        return Response(shapes.StarOut({"starred": True, "stars": count}).data)

    @extend_schema(operation_id="designs_star_take_back", responses=shapes.StarOut)
    def delete(self, request: Request, owner: str, slug: str) -> Response:
        """Take it back."""
        count = unstar(design=_design(request, owner, slug), by=caller(request))
        return Response(shapes.StarOut({"starred": False, "stars": count}).data)


class Makes(APIView):
    """Makes of a design."""

    permission_classes = OPEN
    parser_classes = (MultiPartParser, FormParser, Json)

    @extend_schema(operation_id="designs_makes_list", responses=shapes.MakesOut)
    def get(self, request: Request, owner: str, slug: str) -> Response:
        """What people told of, newest first, and what machines measured."""
        design, person = _design(request, owner, slug), visitor(request)
        pages = CursorPagination()
        page: list[Make] = pages.paginate_queryset(makes_of(design, person), request, view=self) or []
        for make in page:
            make.design = design
        measured = [
            row for plug in sockets.api_rows if plug.place == "designs.makes" for row in plug.rows(design, person)
        ]
        answer = {
            "next": pages.get_next_link(),
            "previous": pages.get_previous_link(),
            "results": [shapes.of_make(make) for make in page],
            "measured": measured,
        }
        return Response(shapes.MakesOut(answer).data)

    @extend_schema(
        operation_id="designs_makes_add",
        request={"multipart/form-data": shapes.MakeIn},
        responses={201: shapes.MakeOut},
    )
    def post(self, request: Request, owner: str, slug: str) -> Response:
        """Tell that one made it; photos as JPEG, PNG or WebP."""
        design = _design(request, owner, slug)
        sent = shapes.MakeIn(data=request.data)
        sent.is_valid(raise_exception=True)
        made = add_make(design=design, author=caller(request), **sent.validated_data)
        return Response(shapes.MakeOut(shapes.of_make(made)).data, status=201)


class Comments(APIView):
    """What is said about a design."""

    permission_classes = OPEN

    @extend_schema(operation_id="designs_comments_list", responses=page_of(shapes.CommentOut))
    def get(self, request: Request, owner: str, slug: str) -> Response:
        """Comments on the design itself, newest first, in cursor pages."""
        design = _design(request, owner, slug)
        pages = CursorPagination()
        said = design.comments.filter(proposal=None).select_related("author")
        page: list[Comment] = pages.paginate_queryset(said, request, view=self) or []
        shown = shapes.CommentOut([shapes.of_comment(comment) for comment in page], many=True)
        return pages.get_paginated_response(shown.data)

    @extend_schema(operation_id="designs_comments_say", request=shapes.CommentIn, responses={201: shapes.CommentOut})
    def post(self, request: Request, owner: str, slug: str) -> Response:
        """Say something, or answer."""
        design = _design(request, owner, slug)
        sent = shapes.CommentIn(data=request.data)
        sent.is_valid(raise_exception=True)
        root = sent.validated_data["answers"]
        answers = find_comment(design, root) if root is not None else None
        said = talk.say(design=design, author=caller(request), body=sent.validated_data["body"], answers=answers)
        return Response(shapes.CommentOut(shapes.of_comment(said)).data, status=201)


class OneComment(APIView):
    """A comment on a design or on a change to it."""

    permission_classes = OPEN

    @extend_schema(operation_id="designs_comments_change", request=shapes.CommentChange, responses=shapes.CommentOut)
    def patch(self, request: Request, owner: str, slug: str, pk: int) -> Response:
        """Other words, by who said it; settled or not, by those in the thread."""
        comment = find_comment(_design(request, owner, slug), pk)
        sent = shapes.CommentChange(data=request.data)
        sent.is_valid(raise_exception=True)
        changes: dict[str, Any] = sent.validated_data
        if "body" in changes:
            comment = talk.edit(comment=comment, by=caller(request), body=changes["body"])
        if "resolved" in changes:
            talk.resolve(comment=comment, by=caller(request), resolved=changes["resolved"])
            comment.refresh_from_db()
        return Response(shapes.CommentOut(shapes.of_comment(comment)).data)

    @extend_schema(operation_id="designs_comments_take_away", responses={204: None})
    def delete(self, request: Request, owner: str, slug: str, pk: int) -> Response:
        """Take it away."""
        talk.remove(comment=find_comment(_design(request, owner, slug), pk), by=caller(request))
        return Response(status=204)


class Collaborators(APIView):
    """Who works on a design beside its owner; only its owner sees and changes this."""

    permission_classes = requires(read="designs:read", write="designs:write")

    @extend_schema(operation_id="designs_collaborators_list", responses=shapes.CollaboratorsOut)
    def get(self, request: Request, owner: str, slug: str) -> Response:
        """Everybody with a role."""
        design = _design(request, owner, slug)
        check_may_manage(caller(request), design)
        found = design.collaborators.select_related("user").order_by("user__username")
        return Response({"results": [_collaborator(one) for one in found]})

    @extend_schema(
        operation_id="designs_collaborators_set", request=shapes.CollaboratorIn, responses=shapes.CollaboratorOut
    )
    def post(self, request: Request, owner: str, slug: str) -> Response:
        """Give a person a role, or another one."""
        design = _design(request, owner, slug)
        sent = shapes.CollaboratorIn(data=request.data)
        sent.is_valid(raise_exception=True)
        check_may_manage(caller(request), design)
        person = people.person(sent.validated_data["person"])
        role = sent.validated_data["role"]
        return Response(_collaborator(set_collaborator(design=design, person=person, role=role, by=caller(request))))


class OneCollaborator(APIView):
    """A person who works on a design."""

    permission_classes = requires(write="designs:write")

    @extend_schema(operation_id="designs_collaborators_end", responses={204: None})
    def delete(self, request: Request, owner: str, slug: str, name: str) -> Response:
        """End a role: the owner anybody's, everybody their own."""
        design = _design(request, owner, slug)
        remove_collaborator(design=design, person=people.person(name), by=caller(request))
        return Response(status=204)


def _collaborator(one: Collaborator) -> dict[str, Any]:
    shown = shapes.CollaboratorOut({"person": one.user.username, "role": one.role, "since": one.since})
    return dict(shown.data)


class NewestChange(CursorPagination):
    """Newest change first."""

    ordering = ("-updated_at", "-pk")  # type: ignore[assignment]


class Collections(APIView):
    """Collections that the caller may see."""

    permission_classes = OPEN

    @extend_schema(operation_id="collections_list", responses=page_of(shapes.CollectionOut))
    def get(self, request: Request) -> Response:
        """Collections, newest change first, in cursor pages."""
        pages = NewestChange()
        page: list[Any] = pages.paginate_queryset(collections_seen_by(visitor(request)), request, view=self) or []
        shown = [shapes.of_collection(collection, collection.count) for collection in page]
        return pages.get_paginated_response(shapes.CollectionOut(shown, many=True).data)
