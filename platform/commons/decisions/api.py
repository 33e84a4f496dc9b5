"""Decisions over the API: read, propose, vote, count again; and the values that hold."""

import base64
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.audit.marks import unaudited
from commons.decisions import ballot_box, queries, services
from commons.decisions.engine import counting
from commons.decisions.errors import BadVote, MotionNotFound, NotNow
from commons.decisions.models import Motion, PolicyValue
from commons.errors import BadInput
from commons.people.models import Scope, User
from commons.web.api import CursorPagination, requires
from commons.web.schema import page_of

RULES = requires(write=Scope.DECISIONS_VOTE, anonymous_reads=True)


class OptionShape(serializers.Serializer[Any]):
    """An option of the ballot; 0 is “as it is”."""

    position = serializers.IntegerField(read_only=True)
    title = serializers.CharField(max_length=160)
    text = serializers.CharField(max_length=4000, required=False, allow_blank=True)
    value = serializers.JSONField(required=False, allow_null=True, help_text="what the effect would set")
    cost = serializers.IntegerField(required=False, allow_null=True, min_value=1)
    figures = serializers.SerializerMethodField(
        help_text="what it would mean for the body, as reckoned before the vote"
    )

    def get_figures(self, option: Any) -> dict[str, Any] | None:
        """Nothing about single persons."""
        return (getattr(option, "reckoned", None) or {}).get("figures")


class DecisionShape(serializers.Serializer[Any]):
    """A decision. `outcome` and the ballots stand after the vote alone."""

    number = serializers.IntegerField(source="pk", read_only=True)
    body = serializers.CharField(source="body.scope", help_text="kind:key, such as energy.community:puuvilla")
    title = serializers.CharField(max_length=160)
    text = serializers.CharField(max_length=20_000)
    method = serializers.ChoiceField(choices=Motion.Method.choices)
    effect = serializers.CharField(max_length=60, required=False, allow_blank=True)
    secret = serializers.BooleanField(required=False, default=False)
    budget = serializers.IntegerField(required=False, allow_null=True, min_value=1)
    options = OptionShape(many=True)
    state = serializers.ChoiceField(choices=Motion.State.choices, read_only=True)
    opens_at = serializers.DateTimeField(read_only=True)
    closes_at = serializers.DateTimeField(read_only=True)
    objections_until = serializers.DateTimeField(read_only=True, allow_null=True)
    takes_effect_at = serializers.DateTimeField(read_only=True, allow_null=True)
    eligible = serializers.IntegerField(read_only=True, allow_null=True)
    roll_sha256 = serializers.CharField(read_only=True)
    outcome = serializers.JSONField(read_only=True, allow_null=True)
    measured = serializers.JSONField(source="enactment.measured", read_only=True, default=None, allow_null=True)


class VoteShape(serializers.Serializer[Any]):
    """A vote: the name of an option, or a list of names in order; "" stands aside, "object" objects."""

    choice = serializers.JSONField()
    reason = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")


class BlindedShape(serializers.Serializer[Any]):
    """A blinded token (RFC 9474, RSABSSA-SHA384-PSS-Randomized), base64."""

    blinded = serializers.CharField(max_length=1024)


class SignedShape(serializers.Serializer[Any]):
    """The blind signature, base64."""

    signature = serializers.CharField()


class KeyShape(serializers.Serializer[Any]):
    """A public key: DER (SubjectPublicKeyInfo), base64."""

    key = serializers.CharField()


class BallotShape(serializers.Serializer[Any]):
    """A secret ballot: the prepared token of 64 bytes and its signature, base64, and the choice."""

    token = serializers.CharField(max_length=128)
    signature = serializers.CharField(max_length=1024)
    choice = serializers.JSONField()


class ReceiptShape(serializers.Serializer[Any]):
    """The SHA-256 of the token."""

    receipt = serializers.CharField()


class RecountShape(serializers.Serializer[Any]):
    """The count, made again from the published ballots."""

    ballots_sha256 = serializers.CharField()
    outcome = serializers.JSONField()
    same = serializers.BooleanField()


class PolicyShape(serializers.ModelSerializer[PolicyValue]):
    """A value that holds, or held, from a moment on."""

    decision = serializers.IntegerField(source="decided_by_id", allow_null=True)

    class Meta:
        model = PolicyValue
        fields = ("kind", "scope", "value", "valid_from", "decision")


def _person(request: Request) -> User | None:
    return request.user if isinstance(request.user, User) else None


class Decisions(APIView):
    """What is being decided and what was."""

    permission_classes = RULES

    @extend_schema(operation_id="decisions_list", responses=page_of(DecisionShape))
    def get(self, request: Request) -> Response:
        """Decisions that the caller may see, newest first."""
        seen = [motion.pk for motion, _who in queries.motions(_person(request))]
        rows: QuerySet[Motion] = Motion.objects.filter(pk__in=seen).select_related("body").prefetch_related("options")
        pages = CursorPagination()
        page: list[Motion] = pages.paginate_queryset(rows, request, view=self) or []
        return pages.get_paginated_response(DecisionShape(page, many=True).data)

    @extend_schema(operation_id="decisions_create", request=DecisionShape, responses={201: DecisionShape})
    def post(self, request: Request) -> Response:
        """Propose something to a body that the caller belongs to."""
        assert isinstance(request.user, User)  # noqa: S101 the permission saw to it
        sent = DecisionShape(data=request.data)
        sent.is_valid(raise_exception=True)
        given = dict(sent.validated_data)
        kind, _colon, key = given.pop("body")["scope"].partition(":")
        queries.body(kind, key, request.user)
        body = services.body(kind=kind, key=key, person=request.user)
        made = services.propose(body=body, author=request.user, **given)
        return Response(DecisionShape(made).data, status=201)


class Decision(APIView):
    """One decision."""

    permission_classes = RULES

    @extend_schema(operation_id="decisions_retrieve", responses=DecisionShape)
    def get(self, request: Request, number: int) -> Response:
        """The decision with its options and, after the vote, its outcome."""
        found, _who = queries.motion(number, _person(request))
        return Response(DecisionShape(found).data)


@unaudited
class Vote(APIView):
    """The caller's vote."""

    permission_classes = RULES

    @extend_schema(operation_id="decisions_vote", request=VoteShape, responses=VoteShape)
    def post(self, request: Request, number: int) -> Response:
        """Cast the caller's vote, or change it until the vote closes."""
        assert isinstance(request.user, User)  # noqa: S101 the permission saw to it
        found, _who = queries.motion(number, request.user)
        sent = VoteShape(data=request.data)
        sent.is_valid(raise_exception=True)
        kept = services.vote(motion=found, person=request.user, **sent.validated_data)
        return Response({"choice": kept.choice, "reason": kept.reason})


@unaudited
class Token(APIView):
    """The one token of the caller in a secret vote."""

    permission_classes = RULES
    remembers_answers = False

    @extend_schema(operation_id="decisions_token_key", responses=KeyShape)
    def get(self, request: Request, number: int) -> Response:
        """The key that signs tokens of this vote."""
        found, _who = queries.motion(number, _person(request))
        if not found.signing_key:
            raise NotNow(_("Tokens are given out while a secret vote is open."))
        return Response({"key": base64.b64encode(ballot_box.public_key(found)).decode()})

    @extend_schema(operation_id="decisions_token", request=BlindedShape, responses=SignedShape)
    def post(self, request: Request, number: int) -> Response:
        """Sign the caller's blinded token, once."""
        assert isinstance(request.user, User)  # noqa: S101 the permission saw to it
        found, _who = queries.motion(number, request.user)
        sent = BlindedShape(data=request.data)
        sent.is_valid(raise_exception=True)
        signature = ballot_box.sign_token(motion=found, person=request.user, blinded=_bytes(sent, "blinded"))
        return Response({"signature": base64.b64encode(signature).decode()})


@unaudited
class SecretVote(APIView):
    """A ballot for the box. Who calls is not looked at; send it without a session and without a token of the API."""

    permission_classes = (AllowAny,)
    authentication_classes = ()
    throttle_classes = ()  # a throttle notes who asked and when; a wrong token costs us a millisecond
    remembers_answers = False

    @extend_schema(operation_id="decisions_ballot", request=BallotShape, responses=ReceiptShape, auth=[])
    def post(self, request: Request, number: int) -> Response:
        """Cast a secret ballot, or another in its place; the receipt finds it in the published file."""
        sent = BallotShape(data=request.data)
        sent.is_valid(raise_exception=True)
        receipt = ballot_box.cast(
            number=number,
            token=_bytes(sent, "token"),
            signature=_bytes(sent, "signature"),
            choice=sent.validated_data["choice"],
        )
        return Response({"receipt": receipt})


def _bytes(sent: serializers.Serializer[Any], name: str) -> bytes:
    try:
        return base64.b64decode(sent.validated_data[name], validate=True)
    except ValueError:
        raise BadVote(_("“%(name)s” is base64.") % {"name": name}, field=name) from None


class Recount(APIView):
    """Count again."""

    permission_classes = RULES

    @extend_schema(operation_id="decisions_recount", responses=RecountShape)
    def get(self, request: Request, number: int) -> Response:
        """Count the published ballots again and say whether the outcome is the one that was kept."""
        found, _who = queries.motion(number, _person(request))
        again = services.recount(found)
        if again is None or found.ballots is None:
            raise NotNow(_("There is nothing to count before the vote is over."))
        outcome = counting.plain(again)
        return Response(
            {
                "ballots_sha256": counting.sha256(bytes(found.ballots)),
                "outcome": outcome,
                "same": outcome == found.outcome,
            }
        )


class Policies(APIView):
    """The values that decisions set."""

    permission_classes = requires(anonymous_reads=True)

    @extend_schema(
        operation_id="policies_list",
        parameters=[
            OpenApiParameter("kind", str, required=True, description="The effect, such as energy.sharing_rule."),
            OpenApiParameter("scope", str, required=True, description="The body, as kind:key."),
        ],
        responses=PolicyShape(many=True),
    )
    def get(self, request: Request) -> Response:
        """Every value of a kind for a body, newest first; the first that is not in the future holds."""
        kind, scope = request.query_params.get("kind", ""), request.query_params.get("scope", "")
        body_kind, _colon, key = scope.partition(":")
        if not kind or not key:
            raise BadInput(_("Say which values: kind and scope."))
        if "\x00" in kind + scope:
            raise MotionNotFound(_("There is no such body, or it is not yours to see."))
        queries.body(body_kind, key, _person(request))
        return Response(PolicyShape(queries.history(kind, scope)[:200], many=True).data)
