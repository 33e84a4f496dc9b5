"""Jobs over the API, and the door at which devices report them."""

import uuid
from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.devices.authentication import DeviceAuthentication, IsDevice
from commons.people.models import Scope
from commons.web.api import CursorPagination, requires
from commons.web.schema import page_of
from labs.api.common import reader
from labs.engine.fold import EVENTS
from labs.models import EnergyFigure, Job, JobCandidate, Passport
from labs.queries import catalogue, jobs, passports
from labs.services import jobs as services


class JobFile(serializers.Serializer[Any]):
    """The file that was sent to the machine; shown only when its design, or the job, is yours to see."""

    name = serializers.CharField(allow_blank=True)
    sha256 = serializers.CharField(allow_blank=True)
    sha1 = serializers.CharField(allow_blank=True)
    source_sha256 = serializers.CharField(allow_blank=True)


class JobDesign(serializers.Serializer[Any]):
    """Which design, file and version was made."""

    owner = serializers.CharField()
    slug = serializers.CharField()
    name = serializers.CharField()
    path = serializers.CharField()
    commit = serializers.CharField()
    blob = serializers.CharField()
    release = serializers.CharField(allow_null=True)
    licence = serializers.CharField()


class JobCandidateSerializer(serializers.Serializer[Any]):
    """A file of a design that has the shape of what was laid down."""

    owner = serializers.CharField()
    slug = serializers.CharField()
    name = serializers.CharField()
    path = serializers.CharField()
    commit = serializers.CharField()
    blob = serializers.CharField()
    distance_mm = serializers.FloatField()
    pieces = serializers.IntegerField()


class JobEnergySerializer(serializers.Serializer[Any]):
    """A figure of a job's energy: its parts sum to `kwh`. Cost by the import price and grams of CO2 by the grid of each
    hour, where the neighbourhood's data tell them."""

    number = serializers.IntegerField()
    made_at = serializers.DateTimeField()
    kwh = serializers.FloatField(allow_null=True)
    pm_kwh = serializers.FloatField(allow_null=True)
    warm_kwh = serializers.FloatField(allow_null=True)
    making_kwh = serializers.FloatField(allow_null=True)
    idle_kwh = serializers.FloatField(allow_null=True)
    split_by = serializers.CharField()
    why = serializers.JSONField()
    cost = serializers.FloatField(allow_null=True)
    currency = serializers.CharField(allow_blank=True)
    co2_g = serializers.FloatField(allow_null=True)
    solar_share = serializers.FloatField(allow_null=True)
    sha256 = serializers.CharField()


class JobSerializer(serializers.Serializer[Any]):
    """What a machine made, from which design, with how many kWh."""

    id = serializers.UUIDField()
    machine = serializers.IntegerField()
    machine_name = serializers.CharField()
    lab = serializers.CharField()
    booking = serializers.UUIDField(allow_null=True)
    file = JobFile(allow_null=True)
    design = JobDesign(allow_null=True)
    provenance = serializers.ChoiceField(choices=Job.Provenance.choices)
    provenance_method = serializers.ChoiceField(choices=Job.Method.choices, help_text="what says so")
    candidates = JobCandidateSerializer(many=True, help_text="files whose shape was laid down, nearest first")
    open = serializers.BooleanField(help_text="made from a public design with an open licence")
    started_at = serializers.DateTimeField()
    finished_at = serializers.DateTimeField(allow_null=True)
    outcome = serializers.ChoiceField(choices=Job.Outcome.choices)
    progress = serializers.FloatField()
    material_g = serializers.FloatField(allow_null=True)
    energy_kwh = serializers.FloatField(allow_null=True)
    energy_quality = serializers.ChoiceField(choices=Job.Quality.choices)
    energy_coverage = serializers.FloatField()
    solar_share = serializers.FloatField(allow_null=True)
    energy = JobEnergySerializer(allow_null=True, help_text="its newest figure; null until it is made")
    passport = serializers.CharField(allow_null=True, help_text="the address of its passport")
    demo = serializers.BooleanField()


def document(shown: jobs.Shown, figures: Mapping[uuid.UUID, EnergyFigure] | None = None) -> dict[str, Any]:
    """A job as the API shows it to one visitor, with its newest figure of energy where those are given."""
    job, design = shown.job, shown.design
    passport: Passport | None = getattr(job, "passport", None)
    tells = design is not None or shown.close
    plain = (
        "id",
        "started_at",
        "finished_at",
        "outcome",
        "progress",
        "material_g",
        "energy_kwh",
        "energy_quality",
        "energy_coverage",
        "solar_share",
        "demo",
    )
    return {
        **{name: getattr(job, name) for name in plain},
        "machine": job.machine_id,
        "machine_name": job.machine.name,
        "lab": job.machine.lab.slug,
        "booking": job.booking_id if shown.close else None,
        "file": _file(job) if tells else None,
        "design": _design(shown) if design else None,
        "provenance": shown.provenance,
        "provenance_method": shown.method,
        "candidates": [_candidate(one) for one in shown.candidates],
        "open": shown.is_open,
        "energy": figures.get(job.pk) if figures else None,
        "passport": passports.url_of(passport) if passport is not None else None,
    }


def _file(job: Job) -> dict[str, str]:
    return {
        "name": job.file_name,
        "sha256": job.sha256,
        "sha1": job.sha1,
        "source_sha256": job.source_sha256,
    }


def _candidate(one: JobCandidate) -> dict[str, Any]:
    return {
        "owner": one.design.owner.name,
        "slug": one.design.slug,
        "name": one.design.name,
        "path": one.path,
        "commit": one.commit,
        "blob": one.blob,
        "distance_mm": one.distance_mm,
        "pieces": one.pieces,
    }


def _design(shown: jobs.Shown) -> dict[str, Any]:
    job, design = shown.job, shown.design
    assert design is not None  # noqa: S101 the caller asked
    return {
        "owner": design.owner.name,
        "slug": design.slug,
        "name": design.name,
        "path": job.design_path,
        "commit": job.design_commit,
        "blob": job.design_blob,
        "release": job.design_release or None,
        "licence": design.licence,
    }


class Newest(CursorPagination):
    """By start, newest first."""

    ordering = "-started_at"


READS = (Scope.DESIGNS_READ, Scope.BOOKINGS_READ)
"""A job tells what was made, and for whom: a token of other scopes sees what everybody sees."""


class Jobs(APIView):
    """What machines made."""

    permission_classes = requires(anonymous_reads=True)

    @extend_schema(
        operation_id="jobs_list",
        responses=page_of(JobSerializer),
        parameters=[
            OpenApiParameter("lab", OpenApiTypes.STR, description="a lab's name"),
            OpenApiParameter("machine", OpenApiTypes.INT, description="a machine's number"),
        ],
    )
    def get(self, request: Request) -> Response:
        """Jobs, newest first, as you may see them."""
        pages = Newest()
        page = pages.paginate_queryset(_asked(request), request, view=self) or []
        shown = jobs.shown(page, reader(request, *READS))
        return pages.get_paginated_response(JobSerializer([document(s) for s in shown], many=True).data)


def _asked(request: Request) -> QuerySet[Job]:
    rows = jobs.rows()
    if lab := request.query_params.get("lab"):
        rows = rows.filter(machine__lab=catalogue.find_lab(lab))
    number = request.query_params.get("machine", "")
    if number:
        rows = rows.filter(machine=int(number)) if number.isdecimal() and len(number) < 19 else rows.none()
    return rows


class OneJob(APIView):
    """What a machine made."""

    permission_classes = requires(anonymous_reads=True)

    @extend_schema(responses=JobSerializer)
    def get(self, request: Request, job: uuid.UUID) -> Response:
        """The job of that id, as you may see it."""
        shown = jobs.shown([jobs.find(job)], reader(request, *READS))[0]
        return Response(JobSerializer(document(shown, jobs.figures_of([shown.job]))).data)


class JobEventFile(serializers.Serializer[Any]):
    """The file a device works on. Hashes are hexadecimal; `source_sha256` is of the file that was sliced."""

    name = serializers.CharField(required=False)
    sha256 = serializers.CharField(required=False)
    sha1 = serializers.CharField(required=False)
    blob = serializers.CharField(required=False)
    source_sha256 = serializers.CharField(required=False)


class JobEventSerializer(serializers.Serializer[Any]):
    """One message about a job. `seq` is the counter that the device also numbers its readings with."""

    seq = serializers.IntegerField()
    ts = serializers.DateTimeField()
    event = serializers.ChoiceField(choices=[(e, e) for e in EVENTS])
    job = serializers.CharField(max_length=120, help_text="the device's own name of the job")
    file = JobEventFile(required=False)
    progress = serializers.FloatField(required=False, help_text="0 to 1")
    material_g = serializers.FloatField(required=False)


class Refusal(serializers.Serializer[Any]):
    """A message that was refused or flagged, and why."""

    seq = serializers.IntegerField(allow_null=True)
    code = serializers.CharField()
    sentence = serializers.CharField()


class AckSerializer(serializers.Serializer[services.Ack]):
    """The answer of telemetry: `acked` is the highest seq below which everything is committed or rejected."""

    acked = serializers.IntegerField()
    stored = serializers.IntegerField()
    duplicates = serializers.IntegerField()
    rejected = Refusal(many=True)
    flagged = Refusal(many=True)


class DeviceJobs(APIView):
    """The door at which a device reports what its machine does."""

    authentication_classes = (DeviceAuthentication,)
    permission_classes = (IsDevice,)

    @extend_schema(request=JobEventSerializer, responses={200: AckSerializer})
    def post(self, request: Request) -> Response:
        """Take in one message, or {"events": [...]} of up to 1,000. The answer means: committed."""
        device: Any = request.auth  # a Device, by IsDevice
        ack = services.take_events(device=device, events=services.messages_of(request.data))
        return Response(AckSerializer(ack).data)
