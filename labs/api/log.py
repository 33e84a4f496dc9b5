"""The incident and safety log over the API: lines are read and added, never changed."""

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response

from commons.errors import BadInput
from commons.people.models import Scope
from commons.web.api import CursorPagination, requires
from labs import policies
from labs.api.bookings import signed_in
from labs.api.common import caller
from labs.errors import UnknownLab
from labs.models import Lab, LogEntry
from labs.queries import catalogue, faults
from labs.services.log import write_entry


class LogEntrySerializer(serializers.ModelSerializer[LogEntry]):
    """A line of the log. `private` is there for those who run the lab alone."""

    machine = serializers.IntegerField(source="machine_id", read_only=True, allow_null=True)
    fault = serializers.UUIDField(source="fault_id", read_only=True, allow_null=True)
    amends = serializers.UUIDField(source="amends_id", read_only=True, allow_null=True)
    by = serializers.CharField(source="by.username", read_only=True, default=None, allow_null=True)
    private = serializers.SerializerMethodField()

    class Meta:
        model = LogEntry
        fields = (
            "id",
            "kind",
            "happened_at",
            "written_at",
            "machine",
            "by",
            "text",
            "done",
            "fault",
            "amends",
            "private",
        )
        read_only_fields = fields

    def get_private(self, entry: LogEntry) -> str | None:
        """What only those who run the lab read; null for the others."""
        return entry.private if self.context.get("manages") else None


class NewLine(serializers.Serializer[Any]):
    """What happened, when, at which machine, what was done."""

    kind = serializers.ChoiceField(choices=[(k.value, k.label) for k in LogEntry.WRITTEN])
    text = serializers.CharField(max_length=4000)
    happened_at = serializers.DateTimeField(required=False, allow_null=True)
    machine = serializers.IntegerField(required=False, allow_null=True)
    done = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    private = serializers.CharField(max_length=2000, required=False, allow_blank=True, default="")
    amends = serializers.UUIDField(required=False, allow_null=True)


class Latest(CursorPagination):
    """The latest happening first."""

    ordering = "-happened_at"


class LabLog(generics.ListAPIView[LogEntry]):
    """The incident and safety log of a lab."""

    permission_classes = requires(read=Scope.LABS_MANAGE, write=Scope.LABS_MANAGE)
    serializer_class = LogEntrySerializer
    pagination_class = Latest
    queryset = LogEntry.objects.none()

    def _lab(self) -> Lab:
        lab = catalogue.find_lab(self.kwargs["lab"])
        if not policies.is_fellow(caller(self.request), lab):
            raise UnknownLab(_("There is no such log, or it is not yours."))
        return lab

    def get_queryset(self) -> QuerySet[LogEntry]:
        return faults.log(self._lab())

    def get_serializer_context(self) -> dict[str, Any]:
        context = dict(super().get_serializer_context())
        if "lab" in self.kwargs:
            lab = catalogue.find_lab(self.kwargs["lab"])
            context["manages"] = policies.may_manage(caller(self.request), lab)
        return context

    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """All lines, the latest first; for the lab's own people."""
        return super().get(request, *args, **kwargs)

    @extend_schema(request=NewLine, responses={201: LogEntrySerializer})
    def post(self, request: Request, lab: str) -> Response:
        """Write a line; one with `amends` corrects another."""
        found = self._lab()
        form = NewLine(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        machine = amends = None
        if asked.get("machine") is not None:
            machine = catalogue.machines(found).filter(pk=asked["machine"]).first()
            if machine is None:
                raise BadInput(_("%(lab)s has no machine with that number.") % {"lab": found.name})
        if asked.get("amends") is not None:
            amends = LogEntry.objects.filter(lab=found, pk=asked["amends"]).first()
            if amends is None:
                raise BadInput(_("There is no such line in this log."))
        entry = write_entry(
            lab=found,
            kind=asked["kind"],
            text=asked["text"],
            by=signed_in(request),
            machine=machine,
            happened_at=asked.get("happened_at"),
            done=asked["done"],
            private=asked["private"],
            amends=amends,
        )
        return Response(LogEntrySerializer(entry, context=self.get_serializer_context()).data, status=201)
