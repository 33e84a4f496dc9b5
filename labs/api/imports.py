"""Taking over from elsewhere over the API: files go up and are checked in a run; one more call carries them out."""

from typing import Any

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.people.models import Scope
from commons.web.api import requires
from labs import policies
from labs.api.bookings import signed_in
from labs.errors import UnknownLab
from labs.errors.imports import BadImport
from labs.imports.dates import DAYS
from labs.imports.words import sentence
from labs.models import Lab, LabImport
from labs.queries import catalogue
from labs.queries import imports as reads
from labs.services import imports as services

DESK = requires(read=Scope.LABS_MANAGE, write=Scope.LABS_MANAGE)
MOST = 50


class ImportMessage(serializers.Serializer[Any]):
    """Something about a line: where, what was found, what to do. `weight` stop leaves the line out, note does not."""

    file = serializers.CharField()
    line = serializers.IntegerField()
    column = serializers.CharField(allow_blank=True)
    code = serializers.CharField()
    weight = serializers.CharField()
    what = serializers.CharField()
    todo = serializers.CharField(allow_blank=True)


class ImportLeft(serializers.Serializer[Any]):
    """Things of one sort that have no counterpart here."""

    model = serializers.CharField()
    count = serializers.IntegerField()
    why = serializers.CharField()


class ImportReport(serializers.Serializer[Any]):
    """What would be done, or was. `counts` by kind: read, new, joins, stands, kept, covered, left_out."""

    counts = serializers.DictField(child=serializers.DictField(child=serializers.IntegerField()))
    stops = serializers.IntegerField()
    messages = ImportMessage(many=True)
    not_taken = ImportLeft(many=True)


class LabImportSerializer(serializers.ModelSerializer[LabImport]):
    """An import: its dry run while it waits, what was done once it is done. `run` is where it works."""

    run = serializers.SerializerMethodField()
    report = serializers.SerializerMethodField()
    zone = serializers.SerializerMethodField()
    by = serializers.CharField(source="by.username", read_only=True, default=None, allow_null=True)

    class Meta:
        model = LabImport
        fields = ("id", "adapter", "source", "zone", "status", "run", "by", "created_at", "done_at", "report")
        read_only_fields = fields

    @extend_schema_field(serializers.UUIDField(allow_null=True))
    def get_run(self, made: LabImport) -> str | None:
        """The run that checks or carries out."""
        return str(made.run_id) if made.run_id else None

    def get_zone(self, made: LabImport) -> str:
        """By whose clock times without an offset are read."""
        return made.options.get("zone") or str(made.lab.zone)

    @extend_schema_field(ImportReport(allow_null=True))
    def get_report(self, made: LabImport) -> dict[str, Any] | None:
        """With the sentences of its messages; null while it is being checked."""
        if made.report is None:
            return None
        told = []
        for message in made.report["messages"]:
            what, todo = sentence(message)
            told.append({**message, "what": what, "todo": todo})
        return dict(ImportReport({**made.report, "messages": told}).data)


class LabImportListSerializer(serializers.Serializer[Any]):
    """The newest imports of a lab."""

    results = LabImportSerializer(many=True)


class NewLabImport(serializers.Serializer[Any]):
    """Tables (CSV) of members, machines and bookings, or a fixture of NEMO; times are by the lab's clock unless `zone`
    names another."""

    members = serializers.FileField(required=False)
    machines = serializers.FileField(required=False)
    bookings = serializers.FileField(required=False)
    nemo = serializers.FileField(required=False)
    source = serializers.SlugField(  # type: ignore[assignment]  # named as on the page
        required=False, allow_blank=True, max_length=40, default=""
    )
    zone = serializers.CharField(required=False, allow_blank=True, max_length=60, default="")
    days = serializers.ChoiceField(required=False, allow_blank=True, choices=[(d, d) for d in DAYS], default="")
    letters = serializers.BooleanField(required=False, default=True)


class ConfirmedImport(serializers.Serializer[Any]):
    """Whether lines that cannot be taken over may be left out."""

    leave_out = serializers.BooleanField(required=False, default=False)


def _lab(request: Request, slug: str) -> Lab:
    lab = catalogue.find_lab(slug)
    if not policies.may_manage(signed_in(request), lab):
        raise UnknownLab(_("There is no such page, or it is not yours."))
    return lab


class Imports(APIView):
    """The imports of a lab."""

    permission_classes = DESK
    parser_classes = (MultiPartParser,)

    @extend_schema(operation_id="lab_imports_list", responses=LabImportListSerializer)
    def get(self, request: Request, lab: str) -> Response:
        """The newest, each with its report."""
        rows = LabImport.objects.filter(lab=_lab(request, lab)).select_related("by", "lab__place")
        return Response(LabImportListSerializer({"results": rows.order_by("-created_at")[:MOST]}).data)

    @extend_schema(request={"multipart/form-data": NewLabImport}, responses={202: LabImportSerializer})
    def post(self, request: Request, lab: str) -> Response:
        """Send files up; a run checks them and changes nothing. 422 `import:bad`."""
        found, by = _lab(request, lab), signed_in(request)
        form = NewLabImport(data=request.data)
        form.is_valid(raise_exception=True)
        asked = dict(form.validated_data)
        sent: dict[str, UploadedFile[bytes]] = {
            kind: asked.pop(kind) for kind in (*services.CSV_KINDS, "nemo") if kind in asked
        }
        if "nemo" in sent and len(sent) > 1:
            raise BadImport(_("Import from NEMO or from tables, one after the other."))
        files = {kind: (file.name or kind, file.read()) for kind, file in sent.items()}
        return Response(LabImportSerializer(services.stage(lab=found, by=by, files=files, **asked)).data, status=202)


class OneImport(APIView):
    """An import."""

    permission_classes = DESK

    @extend_schema(responses=LabImportSerializer)
    def get(self, request: Request, lab: str, pk: int) -> Response:
        """How it stands, with every line that has something to say."""
        return Response(LabImportSerializer(reads.find(_lab(request, lab), pk)).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, lab: str, pk: int) -> Response:
        """Forget it with its files, unless it was carried out. 422 `import:bad` while it is being carried out."""
        made = reads.find(_lab(request, lab), pk)
        if made.status in {LabImport.Status.IMPORTING, LabImport.Status.DONE}:
            raise BadImport(_("This import is under way or done; it cannot be forgotten."))
        services.forget(made)
        return Response(status=204)


class ConfirmImport(APIView):
    """Carrying an import out."""

    permission_classes = DESK

    @extend_schema(request=ConfirmedImport, responses={202: LabImportSerializer})
    def post(self, request: Request, lab: str, pk: int) -> Response:
        """Carry out what the dry run told, in a run and in one transaction; refused there if anything changed since.

        422 `import:lines-left-out` unless `leave_out` says that they may be.
        """
        made = reads.find(_lab(request, lab), pk)
        form = ConfirmedImport(data=request.data)
        form.is_valid(raise_exception=True)
        done = services.confirm(made, by=signed_in(request), leave_out=form.validated_data["leave_out"])
        return Response(LabImportSerializer(done).data, status=202)
