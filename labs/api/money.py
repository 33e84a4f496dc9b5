"""Points and money over the API: prices for everybody, wallets for whose they are, books for who runs the lab."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.db.models import QuerySet
from django.http import StreamingHttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema, extend_schema_field
from rest_framework import generics, serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons import csv_files
from commons.errors import BadInput
from commons.people.models import Scope, User
from commons.web.api import CursorPagination, requires
from labs import policies
from labs.api.common import caller, moment
from labs.api.rules import needed
from labs.engine.hours import Span
from labs.engine.prices import Rates
from labs.errors import UnknownLab
from labs.errors.money import BadAmount, UnknownWallet
from labs.models import Account, Entry, Invoice, Lab, Posting, Tariff, Till
from labs.queries import books, catalogue
from labs.services import invoices, ledger, tills
from labs.services.rules import Scope as Where

OWN = requires(read=Scope.BOOKINGS_READ)
DESK = requires(read=Scope.LABS_MANAGE, write=Scope.LABS_MANAGE)
AMOUNT: dict[str, Any] = {"max_digits": 12, "decimal_places": 2}


class PartSerializer(serializers.Serializer[Any]):
    """A line of a price."""

    what = serializers.CharField(help_text="booking, time or minimum")
    quantity = serializers.DecimalField(max_digits=12, decimal_places=4)
    rate = serializers.DecimalField(**AMOUNT)
    net = serializers.DecimalField(**AMOUNT)


class PriceSerializer(serializers.Serializer[Any]):
    """What a time costs the caller. `unit` is a currency, "points", or empty where use is free; `per_kwh` (without
    tax) is asked for afterwards, for what the meter measured."""

    unit = serializers.CharField(allow_blank=True)
    parts = PartSerializer(many=True)
    net = serializers.DecimalField(**AMOUNT)
    tax_pct = serializers.DecimalField(max_digits=5, decimal_places=2)
    tax = serializers.DecimalField(**AMOUNT)
    gross = serializers.DecimalField(**AMOUNT)
    per_kwh = serializers.DecimalField(**AMOUNT)
    words = serializers.CharField()


class WalletSerializer(serializers.ModelSerializer[Account]):
    """A person's wallet in a lab."""

    lab = serializers.CharField(source="lab.slug", read_only=True)
    person = serializers.CharField(source="user.username", read_only=True)

    class Meta:
        model = Account
        fields = ("id", "lab", "person", "unit", "balance")
        read_only_fields = fields


class WalletEntrySerializer(serializers.ModelSerializer[Entry]):
    """What came to a wallet (above nothing) or went from it."""

    at = serializers.DateTimeField(source="posting.at", read_only=True)
    what = serializers.ChoiceField(source="posting.what", choices=Posting.What.choices, read_only=True)
    memo = serializers.CharField(source="posting.memo", read_only=True)
    booking = serializers.UUIDField(source="posting.booking_id", read_only=True, allow_null=True)

    class Meta:
        model = Entry
        fields = ("id", "at", "what", "amount", "memo", "booking")
        read_only_fields = fields


class PostingSerializer(serializers.ModelSerializer[Posting]):
    """Something that was posted."""

    class Meta:
        model = Posting
        fields = ("id", "at", "what", "unit", "memo")
        read_only_fields = fields


class NewPosting(serializers.Serializer[Any]):
    """What a manager posts on a person's wallet: paid in (below nothing: paid out), or a correction with its reason."""

    person = serializers.CharField(max_length=150)
    what = serializers.ChoiceField(choices=["top-up", "correction"])
    amount = serializers.DecimalField(**AMOUNT)
    memo = serializers.CharField(required=False, allow_blank=True, max_length=200)


class TillSerializer(serializers.ModelSerializer[Till]):
    """What a lab asks for. What is left out of a change stays."""

    class Meta:
        model = Till
        fields = ("mode", "currency", "tax_pct", "credit", "no_show_fee", "seller", "invoice_prefix")
        extra_kwargs: Any = {name: {"required": False} for name in fields}  # noqa: RUF012 as the framework has it


class TariffSerializer(serializers.ModelSerializer[Tariff]):
    """What use costs without tax. `machine` and `class` are both empty for the whole lab."""

    machine = serializers.IntegerField(source="machine_id", required=False, allow_null=True)
    role = serializers.CharField(required=False, allow_blank=True, max_length=8)

    class Meta:
        model = Tariff
        fields = ("id", "machine", "role", "per_hour", "per_booking", "per_kwh", "minimum", "since")
        read_only_fields = ("id", "since")

    def get_fields(self) -> dict[str, serializers.Field[Any, Any, Any, Any]]:
        """`class` is a word of Python, so the field is named here."""
        kind = serializers.CharField(source="cls", required=False, allow_blank=True, max_length=24)
        return {**super().get_fields(), "class": kind}


class MoneySerializer(serializers.Serializer[Any]):
    """What a lab asks for, and its tariffs that hold."""

    till = TillSerializer(allow_null=True)
    tariffs = TariffSerializer(many=True)


class InvoiceLineSerializer(serializers.Serializer[Any]):
    """A line of an invoice."""

    text = serializers.CharField()
    tax_pct = serializers.DecimalField(max_digits=5, decimal_places=2)
    net = serializers.DecimalField(**AMOUNT)
    tax = serializers.DecimalField(**AMOUNT)
    gross = serializers.DecimalField(**AMOUNT)


class InvoiceSerializer(serializers.ModelSerializer[Invoice]):
    """An invoice."""

    lab = serializers.CharField(source="lab.slug", read_only=True)
    person = serializers.CharField(source="user.username", read_only=True)
    name = serializers.CharField(read_only=True)
    lines = serializers.SerializerMethodField()

    class Meta:
        model = Invoice
        fields = ("lab", "number", "name", "person", "issued_at", "currency", "net", "tax", "gross", "lines")
        read_only_fields = fields

    @extend_schema_field(InvoiceLineSerializer(many=True))
    def get_lines(self, invoice: Invoice) -> Any:
        """What it bills."""
        return InvoiceLineSerializer(invoice.lines.all(), many=True).data


class Billed(serializers.Serializer[Any]):
    """Whom to bill."""

    person = serializers.CharField(max_length=150)
    buyer = serializers.CharField(required=False, allow_blank=True, max_length=600, help_text="the address on it")


class MachinePrice(APIView):
    """What a time costs."""

    permission_classes = requires(anonymous_reads=True)

    @extend_schema(
        responses=PriceSerializer,
        parameters=[
            OpenApiParameter("start", OpenApiTypes.DATETIME, required=True),
            OpenApiParameter("end", OpenApiTypes.DATETIME, required=True),
        ],
    )
    def get(self, request: Request, machine: int) -> Response:
        """What that time on the machine costs the caller, by today's tariff."""
        found = catalogue.find_machine(pk=machine)
        span = Span(needed(request, "start"), needed(request, "end"))
        if span.end <= span.start:
            raise BadInput(_("“end” is later than “start”."))
        return Response(PriceSerializer(ledger.price_of(found, caller(request), span)).data)


class ByKey(CursorPagination):
    """Oldest first."""

    ordering = "pk"


class Wallets(generics.ListAPIView[Account]):
    """One's own wallets."""

    permission_classes = OWN
    serializer_class = WalletSerializer
    pagination_class = ByKey
    queryset = Account.objects.none()

    def get_queryset(self) -> QuerySet[Account]:
        person = caller(self.request)
        return books.wallets(person) if person is not None else Account.objects.none()


class WalletEntries(generics.ListAPIView[Entry]):
    """The entries of a wallet, newest first: one's own, or of a lab that one runs."""

    permission_classes = OWN
    serializer_class = WalletEntrySerializer
    queryset = Entry.objects.none()

    def get_queryset(self) -> QuerySet[Entry]:
        held = books.find_wallet(self.kwargs["wallet"])
        if not policies.may_see_wallet(caller(self.request), held):
            raise UnknownWallet(_("There is no such wallet, or it is not yours."))
        return books.entries(held)


def desk_of(request: Request, slug: str) -> Lab:
    """The lab, for who runs it; to others its desk does not exist."""
    lab = catalogue.find_lab(slug)
    if not policies.may_manage(caller(request), lab):
        raise UnknownLab(_("There is no such desk, or it is not yours."))
    return lab


def person_named(name: str) -> User:
    """The account of that name. Raises BadAmount."""
    found = User.objects.filter(username=name.strip().lower(), is_active=True).first()
    if found is None:
        raise BadAmount(_("There is no account called “%(name)s”.") % {"name": name[:40]}, field="person")
    return found


class LabWallets(generics.ListAPIView[Account]):
    """The wallets of a lab, for who runs it."""

    permission_classes = DESK
    serializer_class = WalletSerializer
    pagination_class = ByKey
    queryset = Account.objects.none()

    def get_queryset(self) -> QuerySet[Account]:
        return books.wallets_of(desk_of(self.request, self.kwargs["lab"]))

    @extend_schema(request=NewPosting, responses={201: PostingSerializer})
    def post(self, request: Request, lab: str) -> Response:
        """Note what a person paid, or put something right with its reason."""
        found, by = desk_of(request, lab), caller(request)
        assert by is not None  # noqa: S101 desk_of saw to it
        form = NewPosting(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        what: dict[str, Any] = {"user": person_named(asked["person"]), "sum_": asked["amount"], "by": by}
        post = ledger.pay_in if asked["what"] == "top-up" else ledger.correct
        posting = post(lab=found, memo=asked.get("memo", ""), **what)
        return Response(PostingSerializer(posting).data, status=201)


class LabMoney(APIView):
    """What a lab asks for."""

    permission_classes = requires(write=Scope.LABS_MANAGE, anonymous_reads=True)

    @extend_schema(responses=MoneySerializer)
    def get(self, request: Request, lab: str) -> Response:
        """Mode, currency and tariffs that hold; for everybody, since prices are no secret."""
        return Response(_money(catalogue.find_lab(lab)))

    @extend_schema(request=TillSerializer, responses=MoneySerializer)
    def patch(self, request: Request, lab: str) -> Response:
        """Change what the lab asks for; wallets stay as they are."""
        found = desk_of(request, lab)
        form = TillSerializer(data=request.data, partial=True)
        form.is_valid(raise_exception=True)
        tills.set_till(lab=found, **_kept(found, form.validated_data))
        return Response(_money(found))

    @extend_schema(request=TariffSerializer, responses={201: TariffSerializer})
    def post(self, request: Request, lab: str) -> Response:
        """Set a tariff, in place of the one of the same scope and role."""
        found = desk_of(request, lab)
        form = TariffSerializer(data=request.data)
        form.is_valid(raise_exception=True)
        asked = form.validated_data
        machine = None
        if asked.get("machine_id") is not None:
            machine = catalogue.machines(found).filter(pk=asked["machine_id"]).first()
            if machine is None:
                raise BadAmount(_("%(lab)s has no machine with that number.") % {"lab": found.name})
        rates = Rates(*(asked.get(n, Decimal(0)) for n in ("per_hour", "per_booking", "per_kwh", "minimum")))
        where = Where(machine, asked.get("cls", ""), asked.get("role", ""))
        made = tills.set_tariff(lab=found, rates=rates, by=caller(request), scope=where)
        return Response(TariffSerializer(made).data, status=201)


def _kept(lab: Lab, changes: dict[str, Any]) -> dict[str, Any]:
    """The till's facts with these changes."""
    held = Till.objects.filter(lab=lab).first() or Till(lab=lab)
    names = ("mode", "currency", "tax_pct", "credit", "no_show_fee", "seller", "invoice_prefix")
    old = {name: getattr(held, name) for name in names}
    numbers = {n: Decimal(old[n]) for n in ("tax_pct", "credit", "no_show_fee")}
    return {**old, **numbers, **changes}


def _money(lab: Lab) -> Any:
    tariffs = Tariff.objects.filter(lab=lab, active=True)
    return MoneySerializer({"till": Till.objects.filter(lab=lab).first(), "tariffs": tariffs}).data


class OneTariff(APIView):
    """A tariff."""

    permission_classes = DESK

    @extend_schema(responses={204: None})
    def delete(self, request: Request, lab: str, tariff: int) -> Response:
        """End it; what is wider holds again."""
        tills.end_tariff(lab=desk_of(request, lab), key=tariff, by=caller(request))
        return Response(status=204)


class LabInvoices(generics.ListAPIView[Invoice]):
    """Invoices of a lab, newest first, for who runs it."""

    permission_classes = DESK
    serializer_class = InvoiceSerializer
    queryset = Invoice.objects.none()

    def get_queryset(self) -> QuerySet[Invoice]:
        found = desk_of(self.request, self.kwargs["lab"])
        return Invoice.objects.filter(lab=found).select_related("lab", "user").prefetch_related("lines")

    @extend_schema(request=Billed, responses={201: InvoiceSerializer})
    def post(self, request: Request, lab: str) -> Response:
        """Bill a person for all that stands on no invoice yet."""
        found = desk_of(request, lab)
        form = Billed(data=request.data)
        form.is_valid(raise_exception=True)
        person = person_named(form.validated_data["person"])
        made = invoices.issue_invoice(
            lab=found, user=person, by=caller(request), buyer=form.validated_data.get("buyer", "")
        )
        return Response(InvoiceSerializer(made).data, status=201)


class LabEntries(APIView):
    """The books as CSV."""

    permission_classes = DESK

    @extend_schema(
        responses={(200, "text/csv"): OpenApiTypes.STR},
        parameters=[
            OpenApiParameter("from", OpenApiTypes.DATETIME, description="from this time; all by default"),
            OpenApiParameter("to", OpenApiTypes.DATETIME, description="until this time; now by default"),
        ],
    )
    def get(self, request: Request, lab: str) -> StreamingHttpResponse:
        """Every entry, oldest first; each posting is two lines or more that come to nothing."""
        found = desk_of(request, lab)
        start = moment(request, "from", dt.datetime(2000, 1, 1, tzinfo=dt.UTC))
        end = moment(request, "to", timezone.now())
        return csv_files.answer(f"{found.slug}-entries", books.COLUMNS, books.rows(found, start=start, end=end))
