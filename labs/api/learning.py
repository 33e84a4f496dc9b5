"""Courses, sessions and badges over the API; and the check of anybody's badge."""

import json
import uuid
from typing import Any

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.people.models import Scope, User
from commons.runs.models import Run
from commons.web.api import CursorPagination, requires
from labs.api.common import caller
from labs.errors.learning import UnknownBadge
from labs.models import BadgeGrant, Course, CourseSession, Seat
from labs.queries import badges, catalogue, learning
from labs.services import sessions, trust

PUBLIC = requires(anonymous_reads=True)
OWN = requires(read=Scope.BOOKINGS_READ, write=Scope.BOOKINGS_WRITE)


class CourseSerializer(serializers.ModelSerializer[Course]):
    """A course that is taught. `passed` and `of` count the checks that the caller has passed."""

    design = serializers.SerializerMethodField()
    labs = serializers.SerializerMethodField()
    passed = serializers.SerializerMethodField()
    of = serializers.SerializerMethodField()

    class Meta:
        model = Course
        fields = (
            "design", "title", "summary", "kind", "version", "commit", "language", "minutes", "machines", "labs",
            "passed", "of", "demo",
        )  # fmt: skip
        read_only_fields = fields

    def get_design(self, course: Course) -> str:
        """owner/name."""
        return f"{course.design.owner.name}/{course.design.slug}"

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_labs(self, course: Course) -> list[str]:
        """The labs that teach it."""
        return [teaching.lab.slug for teaching in course.teachings.all() if teaching.ended_at is None]

    def get_passed(self, course: Course) -> int:
        """Checks that the caller has passed."""
        return learning.progress(course, self.context.get("person")).passed

    def get_of(self, course: Course) -> int:
        """Checks there are."""
        return len(course.keys)


class SessionSerializer(serializers.ModelSerializer[CourseSession]):
    """A session of a course: places, how many of them are taken, and how many people wait."""

    lab = serializers.CharField(source="teaching.lab.slug")
    course = serializers.CharField(source="teaching.course.title")
    badge = serializers.CharField(source="teaching.badge.slug")
    taken = serializers.IntegerField()
    waiting = serializers.IntegerField()

    class Meta:
        model = CourseSession
        fields = ("id", "lab", "course", "badge", "starts_at", "ends_at", "where", "places", "taken", "waiting")
        read_only_fields = fields


class SeatSerializer(serializers.ModelSerializer[Seat]):
    """One's seat: taken or waiting."""

    class Meta:
        model = Seat
        fields = ("session", "state", "asked_at")
        read_only_fields = fields


class GrantSerializer(serializers.ModelSerializer[BadgeGrant]):
    """A badge that one holds. `credential` is the signed Open Badge 3.0, or null until it is signed."""

    badge = serializers.CharField(source="badge.slug")
    name = serializers.CharField(source="badge.name")
    kind = serializers.CharField(source="badge.kind")
    lab = serializers.CharField(source="given_in.slug", allow_null=True, default=None)
    good_until = serializers.SerializerMethodField()
    credential = serializers.SerializerMethodField()

    class Meta:
        model = BadgeGrant
        fields = ("badge", "name", "kind", "lab", "granted_at", "good_until", "evidence", "credential")
        read_only_fields = fields

    @extend_schema_field(OpenApiTypes.DATETIME)
    def get_good_until(self, grant: BadgeGrant) -> Any:
        """By its own date and by what its lab asked since; null is for ever."""
        return self.context["until"].get(grant.pk)

    @extend_schema_field({"type": ["object", "null"]})
    def get_credential(self, grant: BadgeGrant) -> dict[str, Any] | None:
        """The signed document."""
        credential = getattr(grant, "credential", None)
        document: dict[str, Any] | None = credential.document if credential else None
        return document


class GrantsSerializer(serializers.Serializer[Any]):
    """One's badges."""

    results = GrantSerializer(many=True)


class ToVerify(serializers.Serializer[Any]):
    """A badge: its JSON document."""

    credential = serializers.JSONField()


class VerifyRun(serializers.Serializer[Any]):
    """Where the answer is: ask there until `status` is done."""

    id = serializers.UUIDField()
    status = serializers.CharField()
    verdict = serializers.JSONField(allow_null=True, source="result")


class ByTitle(CursorPagination):
    """By title."""

    ordering = "title"


class ByStart(CursorPagination):
    """Soonest first."""

    ordering = "starts_at"


class Courses(generics.ListAPIView[Course]):
    """The courses that labs teach."""

    permission_classes = PUBLIC
    serializer_class = CourseSerializer
    pagination_class = ByTitle
    queryset = Course.objects.none()

    def get_queryset(self) -> QuerySet[Course]:
        return learning.courses(caller(self.request)).prefetch_related("teachings__lab")

    def get_serializer_context(self) -> dict[str, Any]:
        return {**super().get_serializer_context(), "person": caller(self.request)}


class OneCourse(APIView):
    """A course."""

    permission_classes = PUBLIC

    @extend_schema(responses=CourseSerializer)
    def get(self, request: Request, owner: str, slug: str) -> Response:
        """The course of that design."""
        found = learning.find_course(owner=owner, slug=slug, visitor=caller(request))
        return Response(CourseSerializer(found, context={"person": caller(request)}).data)


class Sessions(generics.ListAPIView[CourseSession]):
    """The coming sessions of a lab."""

    permission_classes = PUBLIC
    serializer_class = SessionSerializer
    pagination_class = ByStart
    queryset = CourseSession.objects.none()

    def get_queryset(self) -> QuerySet[CourseSession]:
        return learning.coming(lab=catalogue.find_lab(self.kwargs["lab"]), visitor=caller(self.request))


class MySeat(APIView):
    """One's seat in a session."""

    permission_classes = OWN

    @extend_schema(request=None, responses={201: SeatSerializer})
    def post(self, request: Request, session: uuid.UUID) -> Response:
        """Take a place, or the next one on the waiting list."""
        seat = sessions.join(session=learning.find_session(session, visitor=caller(request)), user=_person(request))
        return Response(SeatSerializer(seat).data, status=201)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, session: uuid.UUID) -> Response:
        """Give it back; the first who waits gets it."""
        sessions.leave(session=learning.find_session(session, visitor=caller(request)), user=_person(request))
        return Response(status=204)


class MyBadges(APIView):
    """One's badges that are good now."""

    permission_classes = OWN

    @extend_schema(responses=GrantsSerializer)
    def get(self, request: Request) -> Response:
        """Each with its signed document."""
        person = _person(request)
        good = {one.grant.pk: one.until for one in badges.of_person(person, at=timezone.now())}
        rows = [grant for grant in badges.all_of(person) if grant.pk in good]
        return Response({"results": GrantSerializer(rows, many=True, context={"until": good}).data})


class Verify(APIView):
    """Whether a badge of anybody is good; signed in, so that nobody floods the checker."""

    permission_classes = OWN

    @extend_schema(request=ToVerify, responses={202: VerifyRun})
    def post(self, request: Request) -> Response:
        """Have it checked; 202 says where the answer will be."""
        form = ToVerify(data=request.data)
        form.is_valid(raise_exception=True)
        run = trust.start_verifying(document=json.dumps(form.validated_data["credential"]))
        return Response(VerifyRun(run).data, status=202)


class Verified(APIView):
    """What was found about a badge."""

    permission_classes = PUBLIC

    @extend_schema(responses=VerifyRun)
    def get(self, request: Request, run: uuid.UUID) -> Response:
        """The verdict, once `status` is done: signature, dates and status are good, bad or unknown."""
        found = Run.objects.filter(pk=run, kind="labs.verify_badge").first()
        if found is None:
            raise UnknownBadge(_("There is no such check, or it was forgotten: checks are kept for a day."))
        return Response(VerifyRun(found).data)


def _person(request: Request) -> User:
    person = caller(request)
    if person is None:
        raise UnknownBadge(_("Sign in first."))
    return person
