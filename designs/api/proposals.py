"""Changes over the API: offering, reading, merging, talking, judging."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.web.api import CursorPagination, requires
from designs import queries
from designs.api import shapes_proposals as shapes
from designs.api.caller import caller
from designs.api.designs import visitor
from designs.errors import DesignNotFound
from designs.models import Comment, Design, Proposal, Review
from designs.policies import Visitor
from designs.queries import changes as telling
from designs.queries import proposals as reads
from designs.services import proposals as services

PERMISSION = requires(read="designs:read", write="designs:write", anonymous_reads=True)
CURSOR = [OpenApiParameter("cursor", str), OpenApiParameter("limit", int)]
STATE = OpenApiParameter("state", str, enum=Proposal.State.values, description="only those; all without it")


class NewestNumber(CursorPagination):
    """Highest number first."""

    ordering = "-number"


class Proposals(APIView):
    """The changes of a design; a new one."""

    permission_classes = PERMISSION

    @extend_schema(operation_id="proposals_list", parameters=[STATE, *CURSOR], responses=shapes.ProposalPage)
    def get(self, request: Request, owner: str, slug: str) -> Response:
        """Changes, newest first."""
        design = queries.find(owner=owner, slug=slug, visitor=visitor(request))
        state = request.query_params.get("state", "")
        found = reads.proposals_of(design, state=state if state in Proposal.State.values else "")
        pages = NewestNumber()
        page: list[Proposal] = pages.paginate_queryset(found, request, view=self) or []
        return pages.get_paginated_response(
            shapes.ProposalOut([_shape(proposal, visitor(request)) for proposal in page], many=True).data
        )

    @extend_schema(
        operation_id="proposals_create", request=shapes.ProposalIn, responses={201: shapes.ProposalDetailOut}
    )
    def post(self, request: Request, owner: str, slug: str) -> Response:
        """Offer a branch of a fork, or of the design itself."""
        design = queries.find(owner=owner, slug=slug, visitor=visitor(request))
        sent = _sent(shapes.ProposalIn, request)
        source_owner, _slash, source_slug = sent.pop("source").partition("/")
        source = (
            queries.find(owner=source_owner, slug=source_slug, visitor=visitor(request)) if source_owner else design
        )
        made = services.open_proposal(design=design, source=source, by=caller(request), **sent)
        return _answer(made, request, status=201)


class OneProposal(APIView):
    """A change."""

    permission_classes = PERMISSION

    @extend_schema(operation_id="proposals_read", responses=shapes.ProposalDetailOut)
    def get(self, request: Request, owner: str, slug: str, number: int) -> Response:
        """A change with its files, checks and conflicts."""
        return _answer(_find(request, owner, slug, number), request)

    @extend_schema(operation_id="proposals_update", request=shapes.ProposalPatch, responses=shapes.ProposalDetailOut)
    def patch(self, request: Request, owner: str, slug: str, number: int) -> Response:
        """Give it other words, close it, or open it again."""
        proposal, person = _find(request, owner, slug, number), caller(request)
        sent = _sent(shapes.ProposalPatch, request)
        state = sent.pop("state", proposal.state)
        if sent:
            proposal = services.edit(proposal=proposal, by=person, **sent)
        if state != proposal.state:
            do = services.close if state == Proposal.State.CLOSED else services.reopen
            proposal = do(proposal=proposal, by=person)
        return _answer(proposal, request)


class Merge(APIView):
    """Merging a change."""

    permission_classes = PERMISSION

    @extend_schema(
        operation_id="proposals_merge", request=shapes.MergeIn, responses=shapes.ProposalDetailOut,
        description="409 design:merge-conflict with `paths` when both sides changed the same places.",
    )  # fmt: skip
    def post(self, request: Request, owner: str, slug: str, number: int) -> Response:
        """Bring it into the design."""
        proposal = _find(request, owner, slug, number)
        sent = _sent(shapes.MergeIn, request)
        return _answer(services.merge(proposal=proposal, by=caller(request), **sent), request)


class Branch(APIView):
    """The branch of a merged change."""

    permission_classes = PERMISSION

    @extend_schema(
        operation_id="proposals_branch_delete", request=None, responses={200: shapes.ProposalDetailOut},
        description="Where the caller may push. 409 design:branch-needed while it holds newer work, is a main branch, "
        "or another open change rests on it.",
    )  # fmt: skip
    def delete(self, request: Request, owner: str, slug: str, number: int) -> Response:
        """Take it away; what was offered is kept with the change."""
        return _answer(services.drop_branch(proposal=_find(request, owner, slug, number), by=caller(request)), request)

    @extend_schema(operation_id="proposals_branch_restore", request=None, responses={200: shapes.ProposalDetailOut})
    def put(self, request: Request, owner: str, slug: str, number: int) -> Response:
        """Bring it back as it was when it was merged."""
        return _answer(
            services.bring_branch_back(proposal=_find(request, owner, slug, number), by=caller(request)), request
        )


class Remarks(APIView):
    """What is said of a change."""

    permission_classes = PERMISSION

    @extend_schema(operation_id="proposals_comments_list", parameters=CURSOR, responses=shapes.ProposalCommentPage)
    def get(self, request: Request, owner: str, slug: str, number: int) -> Response:
        """Remarks, newest first."""
        proposal = _find(request, owner, slug, number)
        pages = CursorPagination()
        found = proposal.comments.select_related("author")
        page: list[Comment] = pages.paginate_queryset(found, request, view=self) or []
        return pages.get_paginated_response(
            shapes.ProposalCommentOut([shapes.of_remark(comment, proposal) for comment in page], many=True).data
        )

    @extend_schema(
        operation_id="proposals_comments_create",
        request=shapes.ProposalCommentIn,
        responses={201: shapes.ProposalCommentOut},
    )
    def post(self, request: Request, owner: str, slug: str, number: int) -> Response:
        """Say something: of the whole, a file, a line or a spot."""
        proposal = _find(request, owner, slug, number)
        sent = _sent(shapes.ProposalCommentIn, request)
        answered = sent.pop("answers")
        answers = None
        if answered is not None:
            answers = proposal.comments.filter(pk=answered).first()
            if answers is None:
                raise DesignNotFound(_("There is no such remark here."))
        made = services.say(proposal=proposal, by=caller(request), answers=answers, **sent)
        return Response(shapes.ProposalCommentOut(shapes.of_remark(made, proposal)).data, status=201)


class Reviews(APIView):
    """Judgements of a change."""

    permission_classes = PERMISSION

    @extend_schema(operation_id="proposals_reviews_list", responses=shapes.ReviewOut(many=True))
    def get(self, request: Request, owner: str, slug: str, number: int) -> Response:
        """The newest judgement of each person."""
        found: list[Review] = reads.latest_reviews(_find(request, owner, slug, number))
        return Response(shapes.ReviewOut([shapes.of_review(review) for review in found], many=True).data)

    @extend_schema(operation_id="proposals_reviews_create", request=shapes.ReviewIn, responses={201: shapes.ReviewOut})
    def post(self, request: Request, owner: str, slug: str, number: int) -> Response:
        """Agree, ask for more, or remark."""
        proposal = _find(request, owner, slug, number)
        made = services.review(proposal=proposal, by=caller(request), **_sent(shapes.ReviewIn, request))
        return Response(shapes.ReviewOut(shapes.of_review(made)).data, status=201)


def _find(request: Request, owner: str, slug: str, number: int) -> Proposal:
    return reads.find_proposal(queries.find(owner=owner, slug=slug, visitor=visitor(request)), number)


def _sent(shape: Any, request: Request) -> dict[str, Any]:
    sent = shape(data=request.data)
    sent.is_valid(raise_exception=True)
    return dict(sent.validated_data)


def _source(proposal: Proposal, person: Visitor) -> Design | None:
    """Where it comes from, if the caller may see that."""
    source = proposal.source
    if source is None or source.pk == proposal.design_id:
        return source
    return source if queries.visible_to(person).filter(pk=source.pk).exists() else None


def _shape(proposal: Proposal, person: Visitor) -> dict[str, Any]:
    return shapes.of_proposal(proposal, source=_source(proposal, person))


def _answer(proposal: Proposal, request: Request, status: int = 200) -> Response:
    answer = _shape(proposal, visitor(request)) | {
        "files": [shapes.of_change(change) for change in reads.changes_in(proposal)],
        "checks": [shapes.of_check(check) for check in telling.told_checks(proposal)],
        "conflicts": list(reads.conflicts_in(proposal)),
        "approved": reads.is_approved(proposal),
    }
    return Response(shapes.ProposalDetailOut(answer).data, status=status)
