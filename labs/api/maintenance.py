"""Maintenance over the API, for those who look after a lab's machines."""

from decimal import Decimal
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.people.models import Scope
from commons.web.api import requires
from labs import policies
from labs.api.bookings import signed_in
from labs.errors import UnknownLab
from labs.errors.interlocks import BadPlan, UnknownPlan
from labs.models import Lab, MaintenancePlan
from labs.queries import catalogue, maintenance
from labs.services import maintenance as services

DESK = requires(read=Scope.LABS_MANAGE, write=Scope.LABS_MANAGE)


class MaintenancePlanSerializer(serializers.Serializer[Any]):
    """A plan, and how far it is: `share` 1 is due."""

    id = serializers.IntegerField(source="plan.pk")
    machine = serializers.IntegerField(source="plan.machine_id")
    name = serializers.CharField(source="plan.name")
    steps = serializers.CharField(source="plan.steps", allow_blank=True)
    every_h = serializers.FloatField(source="plan.every_h", allow_null=True)
    every_days = serializers.IntegerField(source="plan.every_days", allow_null=True)
    since = serializers.DateTimeField(source="plan.since")
    worked_h = serializers.FloatField()
    share = serializers.FloatField(source="due.share")
    state = serializers.CharField(source="due.state", help_text="due, soon or fine")
    when_due = serializers.CharField(source="plan.when_due", help_text="warn, or close the machine until it is done")
    closes = serializers.SerializerMethodField()

    def get_closes(self, standing: maintenance.Standing) -> bool:
        """Whether it keeps the machine closed now."""
        return standing.plan.closure is not None


class MaintenancePlanListSerializer(serializers.Serializer[Any]):
    """All plans of a lab, the most urgent first."""

    results = MaintenancePlanSerializer(many=True)


class NewMaintenancePlan(serializers.Serializer[Any]):
    """A plan to make; hours of work, days, or both."""

    machine = serializers.IntegerField()
    name = serializers.CharField(max_length=120)
    steps = serializers.CharField(required=False, allow_blank=True, max_length=4000, default="")
    every_h = serializers.FloatField(required=False, allow_null=True, default=None, min_value=0.1)
    every_days = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=1)
    since = serializers.DateTimeField(required=False, allow_null=True, default=None)
    when_due = serializers.ChoiceField(choices=MaintenancePlan.WhenDue.choices, default="warn")


class ChangedMaintenancePlan(serializers.Serializer[Any]):
    """What happens when it is due."""

    when_due = serializers.ChoiceField(choices=MaintenancePlan.WhenDue.choices)


class PartUsed(serializers.Serializer[Any]):
    """Something of the lab's stock, and how much of it."""

    consumable = serializers.IntegerField()
    amount = serializers.DecimalField(max_digits=12, decimal_places=3, min_value=Decimal("0.001"))


class NewMaintenanceRecord(serializers.Serializer[Any]):
    """It was done."""

    at = serializers.DateTimeField(required=False, allow_null=True, default=None)
    note = serializers.CharField(required=False, allow_blank=True, max_length=1000, default="")
    used = serializers.CharField(required=False, allow_blank=True, max_length=300, default="")
    parts = PartUsed(many=True, required=False, default=list, help_text="these leave the stock")


class MaintenanceRecordSerializer(serializers.Serializer[Any]):
    """What was done, after how many hours of work."""

    at = serializers.DateTimeField()
    name = serializers.CharField()
    hours = serializers.FloatField()
    note = serializers.CharField(allow_blank=True)
    used = serializers.CharField(allow_blank=True)


def _lab(request: Request, slug: str, *, manage: bool) -> Lab:
    lab, person = catalogue.find_lab(slug), signed_in(request)
    if not (policies.may_manage(person, lab) if manage else policies.may_train(person, lab)):
        raise UnknownLab(_("There is no such page, or it is not yours."))
    return lab


def _plan(lab: Lab, number: int) -> MaintenancePlan:
    found = MaintenancePlan.objects.filter(pk=number, machine__lab=lab, active=True).first()
    if found is None:
        raise UnknownPlan(_("There is no such plan in %(lab)s.") % {"lab": lab.name})
    return found


class LabMaintenance(APIView):
    """The plans of a lab."""

    permission_classes = DESK

    @extend_schema(responses=MaintenancePlanListSerializer)
    def get(self, request: Request, lab: str) -> Response:
        """All of them, the most urgent first."""
        found = _lab(request, lab, manage=False)
        return Response(MaintenancePlanListSerializer({"results": maintenance.of_lab(found, timezone.now())}).data)

    @extend_schema(request=NewMaintenancePlan, responses={201: MaintenancePlanSerializer})
    def post(self, request: Request, lab: str) -> Response:
        """Make one. 422 `maintenance:bad-plan`."""
        found = _lab(request, lab, manage=True)
        form = NewMaintenancePlan(data=request.data)
        form.is_valid(raise_exception=True)
        facts = dict(form.validated_data)
        machine = catalogue.machines(found).filter(pk=facts.pop("machine")).first()
        if machine is None:
            raise BadPlan(_("There is no such machine in this lab."))
        plan = services.add_plan(machine=machine, by=signed_in(request), **facts)
        return Response(MaintenancePlanSerializer(maintenance.standings([plan], timezone.now())[0]).data, status=201)


class OnePlan(APIView):
    """One plan."""

    permission_classes = DESK

    @extend_schema(request=ChangedMaintenancePlan, responses=MaintenancePlanSerializer)
    def patch(self, request: Request, lab: str, plan: int) -> Response:
        """Let it warn, or close the machine when it is due."""
        form = ChangedMaintenancePlan(data=request.data)
        held = _plan(_lab(request, lab, manage=True), plan)
        form.is_valid(raise_exception=True)
        changed = services.choose_when_due(plan=held, when_due=form.validated_data["when_due"])
        return Response(MaintenancePlanSerializer(maintenance.standings([changed], timezone.now())[0]).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, lab: str, plan: int) -> Response:
        """End it; what was done stays written."""
        services.end_plan(plan=_plan(_lab(request, lab, manage=True), plan))
        return Response(status=204)


class Done(APIView):
    """It was done."""

    permission_classes = DESK

    @extend_schema(request=NewMaintenanceRecord, responses={201: MaintenanceRecordSerializer})
    def post(self, request: Request, lab: str, plan: int) -> Response:
        """Note it; the hours begin again at nought. 422 `maintenance:bad-plan`."""
        held = _plan(_lab(request, lab, manage=False), plan)
        form = NewMaintenanceRecord(data=request.data)
        form.is_valid(raise_exception=True)
        facts = dict(form.validated_data)
        parts = services.parts_named(held.machine.lab, {p["consumable"]: p["amount"] for p in facts.pop("parts")})
        record = services.log_done(plan=held, by=signed_in(request), parts=parts, **facts)
        return Response(MaintenanceRecordSerializer(record).data, status=201)
