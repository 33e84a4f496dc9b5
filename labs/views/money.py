"""My wallets; a lab's desk of money: what it asks for, who holds what, invoices, the books."""

from decimal import Decimal
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from commons import csv_files
from commons.errors import CityError
from commons.people.models import User
from labs import policies
from labs.engine.prices import Rates
from labs.errors import UnknownLab
from labs.errors.money import UnknownInvoice, UnknownWallet
from labs.models import Account, Invoice, Lab, Posting, Tariff, Till
from labs.queries import books, catalogue
from labs.queries.prices import amount, tariff_words
from labs.services import invoices, ledger, tills
from labs.views.common import page, viewer
from labs.views.frame import frame
from labs.views.scopes import ScopeForm

PER_PAGE, MOST_INVOICES = 50, 50


class TillForm(forms.Form):
    """What the lab asks for."""

    mode = forms.ChoiceField(label=lazy("The lab asks for"), choices=Till.Mode.choices)
    currency = forms.CharField(label=lazy("Currency"), max_length=3, initial="EUR")
    tax_pct = forms.DecimalField(label=lazy("Tax on top of prices, %"), max_digits=5, decimal_places=2, min_value=0)
    credit = forms.DecimalField(
        label=lazy("How far a wallet may go below nothing"), max_digits=9, decimal_places=2, min_value=0
    )
    no_show_fee = forms.DecimalField(
        label=lazy("Fee for not coming, without tax"), max_digits=9, decimal_places=2, min_value=0
    )
    invoice_prefix = forms.CharField(label=lazy("Before each invoice number"), max_length=12, required=False)
    seller = forms.CharField(
        label=lazy("Who bills: name, address, tax number"),
        max_length=600,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class TariffForm(ScopeForm):
    """What use costs."""

    per_hour = forms.DecimalField(label=lazy("An hour"), max_digits=9, decimal_places=2, min_value=0, initial=0)
    per_booking = forms.DecimalField(label=lazy("A booking"), max_digits=9, decimal_places=2, min_value=0, initial=0)
    per_kwh = forms.DecimalField(label=lazy("A measured kWh"), max_digits=9, decimal_places=2, min_value=0, initial=0)
    minimum = forms.DecimalField(label=lazy("At least"), max_digits=9, decimal_places=2, min_value=0, initial=0)


class PersonForm(forms.Form):
    """Somebody by the name of the account."""

    person = forms.CharField(label=lazy("Who, by name of the account"), max_length=39)

    def clean_person(self) -> User:
        """The account of that name."""
        found = User.objects.filter(username=self.cleaned_data["person"].strip().lower(), is_active=True).first()
        if found is None:
            raise forms.ValidationError(_("There is no account of that name."))
        return found


class PostForm(PersonForm):
    """What a manager posts on a wallet."""

    what = forms.ChoiceField(
        label=lazy("What"),
        choices=[("top-up", lazy("Paid in")), ("pay-out", lazy("Paid out")), ("correction", lazy("Correction"))],
    )
    sum_ = forms.DecimalField(
        label=lazy("Amount"),
        max_digits=9,
        decimal_places=2,
        help_text=lazy("A correction may be below nothing: then it takes."),
    )
    memo = forms.CharField(label=lazy("Receipt, or reason"), max_length=200, required=False)


class BillForm(PersonForm):
    """Whom to bill."""

    buyer = forms.CharField(
        label=lazy("Address on the invoice"),
        max_length=600,
        required=False,
        widget=forms.Textarea(attrs={"rows": 2}),
        help_text=lazy("Empty: the name of the account."),
    )


@require_safe
@login_required
@never_cache
def my_wallet(request: HttpRequest) -> HttpResponse:
    """What do I hold, and what came and went?"""
    person = viewer(request)
    assert person is not None  # noqa: S101 login_required
    held = list(books.wallets(person))
    context = {
        "wallets": [{"wallet": w, "balance": amount(w.balance, w.unit), "lines": _lines(w)[:PER_PAGE]} for w in held],
        "invoices": [_bill(bill) for bill in books.invoices_of(person)[:MOST_INVOICES]],
    }
    return render(request, "labs/my_wallet.html", context)


def _lines(wallet: Account) -> list[dict[str, Any]]:
    return [
        {"entry": entry, "amount": amount(entry.amount, wallet.unit), "takes": entry.amount < 0}
        for entry in books.entries(wallet)[:PER_PAGE]
    ]


def _bill(bill: Invoice) -> dict[str, Any]:
    return {"invoice": bill, "gross": amount(bill.gross, bill.currency)}


@require_safe
@login_required
@never_cache
def my_entries(request: HttpRequest) -> StreamingHttpResponse:
    """My entries in all labs, as CSV."""
    person = viewer(request)
    assert person is not None  # noqa: S101 login_required
    labs = Lab.objects.filter(accounts__user=person).distinct().order_by("slug")
    rows = ((lab.slug, *row) for lab in labs for row in books.rows(lab, user=person))
    return csv_files.answer("wallet", ("lab", *books.COLUMNS), rows)


def _desk(request: HttpRequest, slug: str) -> tuple[Lab, dict[str, Any]]:
    lab, context = frame(request, slug, tab="money")
    if not context["manages"]:
        raise UnknownLab(_("There is no such desk, or it is not yours."))
    return lab, context


@login_required
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def desk(request: HttpRequest, lab: str) -> HttpResponse:
    """What does the lab ask for, who holds what, who owes? For who runs it."""
    found, context = _desk(request, lab)
    till = Till.objects.filter(lab=found).first() or Till(lab=found)
    do = request.POST.get("do", "")
    facts = {name: getattr(till, name) for name in TillForm.base_fields}
    context |= {
        "till": till,
        "till_form": TillForm(request.POST if do == "till" else None, initial=facts),
        "tariff_form": TariffForm(request.POST if do == "tariff" else None, lab=found),
        "post_form": PostForm(request.POST if do == "post" else None, auto_id="post_%s"),
        "bill_form": BillForm(request.POST if do == "bill" else None, auto_id="bill_%s"),
    }
    if request.method == "POST":
        try:
            done = _do(request, found, do, context)
        except CityError as refusal:
            context["refusal"], done = refusal, None
        if done is not None:
            return done
    context |= _books(found, till)
    status = context["refusal"].status if context.get("refusal") else 200
    return page(request, "labs/money.html", context, lab=found, status=status)


def _books(lab: Lab, till: Till) -> dict[str, Any]:
    """What stands on the desk of money."""
    held = list(books.wallets_of(lab))
    wallets = [{"wallet": w, "balance": amount(w.balance, w.unit), "owes": w.balance < 0} for w in held]
    tariffs = Tariff.objects.filter(lab=lab, active=True).select_related("machine").order_by("cls", "machine__name")
    bills = Invoice.objects.filter(lab=lab).select_related("user")[:MOST_INVOICES]
    return {
        "wallets": wallets,
        "tariffs": [{"tariff": t, "words": tariff_words(t, till.unit)} for t in tariffs],
        "invoices": [_bill(bill) for bill in bills],
        "held": amount(sum((w.balance for w in held if w.unit == till.unit), Decimal(0)), till.unit),
        "owing": sum(w.balance < 0 for w in held),
        "posted": Posting.objects.filter(lab=lab).exists(),
    }


def _do(request: HttpRequest, lab: Lab, do: str, context: dict[str, Any]) -> HttpResponse | None:
    """Do what a form asks; None shows the page again with its forms. Raises the services' refusals."""
    person = viewer(request)
    acts = {"till": _set_till, "tariff": _set_tariff, "post": _post, "bill": _issue}
    if do == "end":
        number = request.POST.get("tariff", "")
        key = int(number) if number.isdecimal() and len(number) < 19 else 0
        tills.end_tariff(lab=lab, key=key, by=person)
        messages.success(request, _("This tariff has ended; bookings made so far keep their price."))
        return redirect("rooms:lab_money", lab.slug)
    form = context.get(f"{do}_form")
    if do not in acts or form is None or not form.is_valid() or person is None:
        return None
    return acts[do](request, lab, person, form)


def _set_till(request: HttpRequest, lab: Lab, _person: User, form: forms.Form) -> HttpResponse:
    tills.set_till(lab=lab, **form.cleaned_data)
    messages.success(request, _("Saved. It holds for bookings from now on."))
    return redirect("rooms:lab_money", lab.slug)


def _set_tariff(request: HttpRequest, lab: Lab, person: User, form: forms.Form) -> HttpResponse:
    assert isinstance(form, TariffForm)  # noqa: S101
    rates = Rates(*(form.cleaned_data[name] for name in ("per_hour", "per_booking", "per_kwh", "minimum")))
    tills.set_tariff(lab=lab, rates=rates, by=person, scope=form.asked())
    messages.success(request, _("The tariff holds for bookings from now on."))
    return redirect("rooms:lab_money", lab.slug)


def _post(request: HttpRequest, lab: Lab, person: User, form: forms.Form) -> HttpResponse:
    asked = form.cleaned_data
    sum_ = -asked["sum_"] if asked["what"] == "pay-out" else asked["sum_"]
    post = ledger.correct if asked["what"] == "correction" else ledger.pay_in
    posting = post(lab=lab, user=asked["person"], sum_=sum_, by=person, memo=asked["memo"])
    words = {"what": posting.get_what_display(), "sum": amount(sum_, posting.unit), "person": asked["person"]}
    messages.success(request, _("%(what)s: %(sum)s, %(person)s.") % words)
    return redirect("rooms:lab_money", lab.slug)


def _issue(request: HttpRequest, lab: Lab, person: User, form: forms.Form) -> HttpResponse:
    made = invoices.issue_invoice(
        lab=lab, user=form.cleaned_data["person"], by=person, buyer=form.cleaned_data["buyer"]
    )
    return redirect("rooms:lab_invoice", lab.slug, made.number)


@require_safe
@login_required
@never_cache
def lab_entries(request: HttpRequest, lab: str) -> StreamingHttpResponse:
    """The books of the lab as CSV."""
    found, _context = _desk(request, lab)
    return csv_files.answer(f"{found.slug}-entries", books.COLUMNS, books.rows(found))


@require_safe
@login_required
@never_cache
def wallet(request: HttpRequest, lab: str, wallet: int) -> HttpResponse:
    """A person's entries in the lab, for who runs it."""
    found, context = _desk(request, lab)
    held = books.find_wallet(wallet)
    if held.lab_id != found.pk:
        raise UnknownWallet(_("There is no such wallet, or it is not yours."))
    shown = Paginator(books.entries(held), PER_PAGE).get_page(request.GET.get("page"))
    context |= {
        "wallet": held,
        "balance": amount(held.balance, held.unit),
        "page": shown,
        "lines": [{"entry": e, "amount": amount(e.amount, held.unit), "takes": e.amount < 0} for e in shown],
    }
    return page(request, "labs/wallet.html", context, lab=found)


@require_safe
@login_required
@never_cache
def invoice(request: HttpRequest, lab: str, number: int) -> HttpResponse:
    """An invoice, to be read and printed by who is billed and who runs the lab."""
    found = catalogue.find_lab(lab)
    bill = books.find_invoice(found, number)
    if not policies.may_see_invoice(viewer(request), bill):
        raise UnknownInvoice(_("There is no such invoice, or it is not yours."))
    lines = [
        {"line": line, **{name: amount(getattr(line, name), bill.currency) for name in ("net", "tax", "gross")}}
        for line in bill.lines.all()
    ]
    sums = {name: amount(getattr(bill, name), bill.currency) for name in ("net", "tax", "gross")}
    return page(request, "labs/invoice.html", {"lab": found, "invoice": bill, "lines": lines, "sums": sums}, lab=found)
