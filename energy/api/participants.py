"""The API of members: found, invite, join, meters and their proof, assets, readings, files, leaving."""

import math
from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import parsers, serializers, status
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.people.models import User
from commons.places.models import Place
from commons.web.api import requires
from energy import policies, queries
from energy.api.communities import CommunitySerializer
from energy.errors import BadParticipant, CommunityNotFound, NotSteward, UnknownParticipant
from energy.models import Asset, Community, Member, MeterFile, MeterPoint, Participant
from energy.queries import measured
from energy.queries import participants as reads
from energy.services import assets, founding, meter_files, meters, participants

DAYS_AT_MOST = 92


class FoundSerializer(serializers.Serializer[Any]):
    """A community to found."""

    name = serializers.CharField(max_length=120)
    place = serializers.SlugRelatedField(slug_field="slug", queryset=Place.objects.all())
    kind = serializers.ChoiceField(choices=Community.Kind.choices, default=Community.Kind.NEIGHBOURHOOD)
    slug = serializers.SlugField(max_length=39, required=False, default="")
    public = serializers.BooleanField(default=True)


class MeterSerializer(serializers.ModelSerializer[MeterPoint]):
    """A register of a meter; `valid_until` is the first day on which it is no longer theirs."""

    class Meta:
        model = MeterPoint
        fields = ("id", "number", "direction", "proof", "valid_from", "valid_until", "device")
        read_only_fields = ("id", "proof", "valid_until", "device")
        extra_kwargs: ClassVar[dict[str, Any]] = {"valid_from": {"required": False}}


class AssetSerializer(serializers.ModelSerializer[Asset]):
    """Something that a participant owns; what is left out has a default."""

    class Meta:
        model = Asset
        fields = (
            "id",
            "kind",
            "name",
            "kwp",
            "tilt_deg",
            "azimuth_deg",
            "kwh",
            "kw",
            "efficiency",
            "kwh_per_day",
            "v2g",
        )
        read_only_fields = ("id",)


class ParticipantSerializer(serializers.ModelSerializer[Participant]):
    """A participant with its meters and what it owns; `left_on` is the first day on which it no longer belongs."""

    meters = MeterSerializer(many=True, read_only=True)
    assets = AssetSerializer(many=True, read_only=True)

    class Meta:
        model = Participant
        fields = ("id", "name", "kind", "joined_on", "left_on", "stewards_see", "meters", "assets")
        read_only_fields = fields


class InviteSerializer(serializers.Serializer[Any]):
    """Who is asked in; with an address a letter goes out."""

    name = serializers.CharField(max_length=120, required=False, default="", allow_blank=True)
    email = serializers.EmailField(required=False, default="", allow_blank=True)
    kind = serializers.ChoiceField(choices=Member.Kind.choices, default=Member.Kind.HOME)


class InvitedSerializer(serializers.Serializer[Any]):
    """The code of an invitation, told once."""

    code = serializers.CharField()
    url = serializers.URLField()
    expires_at = serializers.DateTimeField()


class JoinSerializer(serializers.Serializer[Any]):
    """An invitation to use."""

    code = serializers.CharField(max_length=60)
    name = serializers.CharField(max_length=120)
    joined_on = serializers.DateField(required=False, default=None, allow_null=True)
    address = serializers.CharField(max_length=400, required=False, default="", allow_blank=True)


class ProofSerializer(serializers.Serializer[Any]):
    """The code of the letter; a steward who vouches sends none."""

    code = serializers.CharField(max_length=40, required=False, default="", allow_blank=True)


class LeaveSerializer(serializers.Serializer[Any]):
    """The first day without."""

    on = serializers.DateField()


class SpanSerializer(serializers.Serializer[Any]):
    """Local days from `start` until the day before `end`."""

    start = serializers.DateField()
    end = serializers.DateField()


class ReadingsSerializer(serializers.Serializer[Any]):
    """Curves in kWh a step from `start`; null: not measured, and never guessed."""

    start = serializers.DateTimeField()
    step_minutes = serializers.IntegerField()
    steps = serializers.IntegerField()
    missing = serializers.IntegerField(help_text="steps of the membership that some meter did not measure")
    use_kwh = serializers.ListField(child=serializers.FloatField(allow_null=True))
    feed_in_kwh = serializers.ListField(child=serializers.FloatField(allow_null=True))
    solar_kwh = serializers.ListField(child=serializers.FloatField(allow_null=True))


class MonthSerializer(serializers.Serializer[Any]):
    """A month of a participant: sums of what was measured."""

    first = serializers.DateField()
    kwh = serializers.DictField(child=serializers.FloatField())
    missing_days = serializers.IntegerField()
    days = serializers.IntegerField()


class BringSerializer(serializers.Serializer[Any]):
    """A file of readings; for CSV what its columns mean (docs/energy-members.md), unless files like it are known."""

    file = serializers.FileField()
    mapping = serializers.JSONField(required=False, default=None, allow_null=True)
    utility = serializers.CharField(max_length=80, required=False, default="", allow_blank=True)


class MeterFileSerializer(serializers.ModelSerializer[MeterFile]):
    """A file that was read in, and what became of its days."""

    report = serializers.SerializerMethodField()

    class Meta:
        model = MeterFile
        fields = ("id", "name", "format", "sha256", "state", "report", "kept_at")
        read_only_fields = fields

    @extend_schema_field(serializers.DictField())
    def get_report(self, row: MeterFile) -> Any:
        """Days that are new, revised and unchanged; steps that are missing."""
        return row.report


def _person(request: Request) -> User:
    if not isinstance(request.user, User):
        raise NotSteward("A person has to be signed in.")
    return request.user


def _steward(request: Request, slug: str) -> Community:
    """The community for its stewards; what is not theirs is not there."""
    found = queries.community(slug, request.user)
    if not policies.is_steward(request.user, found):
        raise CommunityNotFound("There is no such page, or it is not yours to see.")
    return found


class Base(APIView):
    """What all calls here share: a person, never a stranger."""

    permission_classes = requires(read="energy:read", write="energy:manage")


class CommunityFounding(Base):
    """Founding."""

    serializer_class: ClassVar[type[FoundSerializer]] = FoundSerializer

    @extend_schema(request=FoundSerializer, responses={201: CommunitySerializer})
    def post(self, request: Request) -> Response:
        """Found a community; the caller looks after it."""
        asked = FoundSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        made = founding.found_community(by=_person(request), **asked.validated_data)
        return Response(CommunitySerializer(made).data, status=status.HTTP_201_CREATED)


class ParticipantList(Base):
    """Participants of a community."""

    @extend_schema(operation_id="participants_list", responses={200: ParticipantSerializer(many=True)})
    def get(self, request: Request, slug: str) -> Response:
        """All of them for stewards; for others those that are theirs or that they may look at."""
        community = queries.community(slug, request.user)
        if policies.is_steward(request.user, community):
            rows = list(reads.participants(community))
        else:
            rows = [row for row in reads.of_person(request.user) if row.community_id == community.pk]
        return Response(ParticipantSerializer(rows, many=True).data)


class ParticipantDetail(Base):
    """One participant."""

    @extend_schema(operation_id="participant", responses={200: ParticipantSerializer})
    def get(self, request: Request, slug: str, pk: int) -> Response:
        """Its meters and what it owns."""
        return Response(ParticipantSerializer(reads.participant(slug, pk, request.user)).data)


class Invitations(Base):
    """Invitations."""

    serializer_class: ClassVar[type[InviteSerializer]] = InviteSerializer

    @extend_schema(request=InviteSerializer, responses={201: InvitedSerializer})
    def post(self, request: Request, slug: str) -> Response:
        """Invite somebody; the code is told once. For stewards."""
        community = _steward(request, slug)
        asked = InviteSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        made, code = participants.invite(community=community, by=_person(request), **asked.validated_data)
        document = {"code": code, "url": participants.join_address(code), "expires_at": made.expires_at}
        return Response(InvitedSerializer(document).data, status=status.HTTP_201_CREATED)


class Join(Base):
    """Joining."""

    serializer_class: ClassVar[type[JoinSerializer]] = JoinSerializer

    @extend_schema(request=JoinSerializer, responses={201: ParticipantSerializer})
    def post(self, request: Request) -> Response:
        """Join by the code of an invitation."""
        asked = JoinSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        made = participants.join(by=_person(request), **asked.validated_data)
        return Response(ParticipantSerializer(made).data, status=status.HTTP_201_CREATED)


class Leave(Base):
    """Leaving."""

    serializer_class: ClassVar[type[LeaveSerializer]] = LeaveSerializer

    @extend_schema(request=LeaveSerializer, responses={200: ParticipantSerializer})
    def post(self, request: Request, slug: str, pk: int) -> Response:
        """End the membership; its meters end with it, and a final statement is made."""
        found = reads.participant(slug, pk, request.user)
        asked = LeaveSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        left = participants.leave(participant=found, by=_person(request), on=asked.validated_data["on"])
        return Response(ParticipantSerializer(left).data)


class Meters(Base):
    """Meters of a participant."""

    serializer_class: ClassVar[type[MeterSerializer]] = MeterSerializer

    @extend_schema(request=MeterSerializer, responses={201: MeterSerializer})
    def post(self, request: Request, slug: str, pk: int) -> Response:
        """Name a meter; it counts once it is proved."""
        found = reads.participant(slug, pk, request.user)
        asked = MeterSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        made = meters.add_meter(participant=found, by=_person(request), **asked.validated_data)
        return Response(MeterSerializer(made).data, status=status.HTTP_201_CREATED)


class Proof(Base):
    """Proof of a meter."""

    serializer_class: ClassVar[type[ProofSerializer]] = ProofSerializer

    @extend_schema(request=ProofSerializer, responses={200: MeterSerializer})
    def post(self, request: Request, slug: str, pk: int, number: int) -> Response:
        """Enter the code of the letter; without one, a steward vouches."""
        meter = reads.meter(reads.participant(slug, pk, request.user), number)
        asked = ProofSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        code = asked.validated_data["code"]
        by = _person(request)
        done = meters.prove_by_letter(meter=meter, by=by, code=code) if code else meters.vouch(meter=meter, by=by)
        return Response(MeterSerializer(done).data)


class Assets(Base):
    """What a participant owns."""

    serializer_class: ClassVar[type[AssetSerializer]] = AssetSerializer

    @extend_schema(request=AssetSerializer, responses={201: AssetSerializer})
    def post(self, request: Request, slug: str, pk: int) -> Response:
        """Add a solar roof, battery, car or heat pump."""
        found = reads.participant(slug, pk, request.user)
        asked = AssetSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        made = assets.add_asset(participant=found, by=_person(request), **asked.validated_data)
        return Response(AssetSerializer(made).data, status=status.HTTP_201_CREATED)


class Readings(Base):
    """The 15-minute data of a participant: for itself and whom it allows."""

    @extend_schema(
        parameters=[OpenApiParameter("start", str, required=True), OpenApiParameter("end", str, required=True)],
        responses={200: ReadingsSerializer},
    )
    def get(self, request: Request, slug: str, pk: int) -> Response:
        """Curves of at most 92 local days; 404 for who may not see them, stewards too unless they were allowed."""
        found = reads.participant(slug, pk, request.user)
        if not policies.may_see_readings(request.user, found):
            raise UnknownParticipant("There is no such participant, or it is not yours to see.")
        asked = SpanSerializer(data=request.query_params)
        asked.is_valid(raise_exception=True)
        start, end = asked.validated_data["start"], asked.validated_data["end"]
        if not 0 < (end - start).days <= DAYS_AT_MOST or not 1990 <= start.year <= 2200:
            raise BadParticipant(f"Ask for 1 to {DAYS_AT_MOST} days.")
        curves = measured.curves(found.community, start=start, end=end, participants=[found])
        document = {
            "start": curves.start,
            "step_minutes": curves.step_minutes,
            "steps": curves.steps,
            "missing": curves.missing[found.pk],
        }
        for name in ("use_kwh", "feed_in_kwh", "solar_kwh"):
            document[name] = [None if math.isnan(v) else v for v in getattr(curves, name)[found.pk]]
        return Response(document)


class Months(Base):
    """Monthly sums of a participant: for itself, whom it allows, and stewards."""

    @extend_schema(responses={200: MonthSerializer(many=True)})
    def get(self, request: Request, slug: str, pk: int) -> Response:
        """Sums of what was measured, and days that are not whole."""
        return Response(MonthSerializer(reads.months(reads.participant(slug, pk, request.user)), many=True).data)


class Files(Base):
    """Files of readings."""

    parser_classes = (parsers.MultiPartParser,)
    serializer_class: ClassVar[type[BringSerializer]] = BringSerializer

    @extend_schema(request={"multipart/form-data": BringSerializer}, responses={201: MeterFileSerializer})
    def post(self, request: Request, slug: str, pk: int | None = None) -> Response:
        """Read a file in, whole or not at all: for a participant, or (stewards) for all whose numbers it has. Bad lines
        are named in `lines`."""
        owner = reads.participant(slug, pk, request.user) if pk is not None else None
        community = owner.community if owner is not None else _steward(request, slug)
        asked = BringSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        by, sent = _person(request), asked.validated_data["file"]
        data = sent.read(meter_files.BYTES_AT_MOST + 1)
        kept = meter_files.bring(
            community=community,
            by=by,
            name=sent.name or "",
            data=data,
            participant=owner,
            mapping=asked.validated_data["mapping"],
            utility=asked.validated_data["utility"],
        )
        return Response(MeterFileSerializer(kept).data, status=status.HTTP_201_CREATED)
