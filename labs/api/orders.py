"""Orders of makes over the API: one's own and, for a lab's makers, those of the lab."""

import uuid

from django.db.models import QuerySet
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.people.models import Scope, User
from commons.web.api import CursorPagination, requires
from labs.api.common import caller, design_named
from labs.errors.orders import NotOrderable, UnknownOrder
from labs.models import MakeOrder, OrderEvent
from labs.queries import catalogue
from labs.queries import orders as queries
from labs.services import orders as services

OWN = requires(read=Scope.BOOKINGS_READ, write=Scope.BOOKINGS_WRITE)


class OrderEventSerializer(serializers.ModelSerializer[OrderEvent]):
    """What happened or was said."""

    by: "serializers.SlugRelatedField[User]" = serializers.SlugRelatedField(slug_field="username", read_only=True)
    status = serializers.ChoiceField(choices=MakeOrder.Status.choices, allow_blank=True, read_only=True)

    class Meta:
        model = OrderEvent
        fields = ("at", "by", "status", "text")
        read_only_fields = fields


class OrderSerializer(serializers.ModelSerializer[MakeOrder]):
    """An order. `hours`, `price` and `quote_until` are the lab's quote."""

    lab = serializers.CharField(source="lab.slug", read_only=True)
    person = serializers.CharField(source="person.username", read_only=True)
    design = serializers.CharField(source="design_address", read_only=True)
    bookings = serializers.SerializerMethodField()
    events = OrderEventSerializer(many=True, read_only=True)

    class Meta:
        model = MakeOrder
        fields = (
            "id", "lab", "person", "design", "version", "commit", "licence", "quantity", "material", "deadline",
            "parts", "note", "status", "hours", "price", "currency", "quote_until", "bookings", "events", "created_at",
            "demo",
        )  # fmt: skip
        read_only_fields = fields

    def get_bookings(self, order: MakeOrder) -> list[str]:
        """The ids of the bookings that were made for it."""
        return [str(link.booking_id) for link in order.order_bookings.all()]


class NewOrder(serializers.Serializer[MakeOrder]):
    """What to make: a released design (owner/name), its version, by which lab."""

    design = serializers.CharField(max_length=160)
    version = serializers.CharField(max_length=60)
    lab = serializers.CharField(max_length=60)
    quantity = serializers.IntegerField(min_value=1, max_value=services.MOST_PIECES, default=1)
    material = serializers.CharField(max_length=60, required=False, allow_blank=True)
    deadline = serializers.DateField(required=False, allow_null=True)
    parts = serializers.ListField(child=serializers.CharField(max_length=700), required=False, max_length=200)
    note = serializers.CharField(max_length=services.MOST_TEXT, required=False, allow_blank=True)


class StepSerializer(serializers.Serializer[MakeOrder]):
    """A word with the step; for a quote its hours, price and last day; for a booking the machine and the time."""

    text = serializers.CharField(max_length=services.MOST_TEXT, required=False, allow_blank=True, default="")
    hours = serializers.DecimalField(max_digits=7, decimal_places=2, required=False)
    price = serializers.DecimalField(max_digits=10, decimal_places=2, required=False)
    currency = serializers.CharField(max_length=3, required=False, default="EUR")
    until = serializers.DateField(required=False, allow_null=True, default=None)
    machine = serializers.IntegerField(required=False)
    start = serializers.DateTimeField(required=False)
    end = serializers.DateTimeField(required=False)


class Newest(CursorPagination):
    """By when they were asked, newest first."""

    ordering = "-created_at"


class Orders(generics.ListAPIView[MakeOrder]):
    """Orders."""

    permission_classes = OWN
    serializer_class = OrderSerializer
    pagination_class = Newest
    queryset = MakeOrder.objects.none()

    def get_queryset(self) -> QuerySet[MakeOrder]:
        person = caller(self.request)
        if person is None:
            return MakeOrder.objects.none()
        return queries.seen_by(person).prefetch_related("order_bookings", "events__by")

    @extend_schema(request=NewOrder, responses={201: OrderSerializer})
    def post(self, request: Request) -> Response:
        """Ask a lab to make a released design."""
        form = NewOrder(data=request.data)
        form.is_valid(raise_exception=True)
        person, asked = _person(request), dict(form.validated_data)
        design = design_named(asked.pop("design"), person)
        lab, version = catalogue.find_lab(asked.pop("lab")), asked.pop("version")
        release = design.releases.filter(version__iexact=version).first()
        if release is None:
            raise NotOrderable(_("The design has no release “%(version)s”.") % {"version": version})
        order = services.ask(person=person, lab=lab, release=release, **asked)
        return Response(OrderSerializer(order).data, status=201)


class OneOrder(APIView):
    """An order."""

    permission_classes = OWN

    @extend_schema(responses=OrderSerializer)
    def get(self, request: Request, order: uuid.UUID) -> Response:
        """The order, if you are on one of its sides."""
        found, _sides = queries.find(order, caller(request))
        return Response(OrderSerializer(found).data)


class OrderStep(APIView):
    """A step of an order."""

    permission_classes = OWN

    @extend_schema(
        operation_id="order_step",
        request=StepSerializer,
        responses=OrderSerializer,
        parameters=[
            OpenApiParameter(
                "do", OpenApiTypes.STR, OpenApiParameter.PATH, enum=[*queries.STEPS, "book", "say"], required=True
            )
        ],
    )
    def post(self, request: Request, order: uuid.UUID, do: str) -> Response:
        """Quote, accept, queue, book, start, ready, hand-over, decline, withdraw or say."""
        form = StepSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        person, told = _person(request), form.validated_data
        found, _sides = queries.find(order, person)
        if do == "say":
            services.say(order=found, by=person, text=told["text"])
        elif do == "quote":
            _need(told, "hours", "price")
            words = {key: told[key] for key in ("hours", "price", "currency", "until", "text")}
            services.quote(order=found, by=person, **words)
        elif do == "book":
            _need(told, "machine", "start", "end")
            machine = catalogue.find_machine(pk=told["machine"])
            services.book(order=found, by=person, machine=machine, start=told["start"], end=told["end"])
        else:
            services.step(order=found, by=person, do=do, text=told["text"])
        return Response(OrderSerializer(queries.find(order, person)[0]).data)


def _need(told: dict[str, object], *names: str) -> None:
    for name in names:
        if told.get(name) is None:
            raise NotOrderable(_("“%(name)s” is missing.") % {"name": name})


def _person(request: Request) -> User:
    person = caller(request)
    if person is None:
        raise UnknownOrder(_("Sign in to order."))
    return person
