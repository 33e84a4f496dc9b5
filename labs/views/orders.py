"""Orders of makes: ask a lab, follow what it does, and for labs the queue of what people ask for."""

import datetime as dt
import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods, require_safe

from commons.errors import CityError
from commons.people.models import User
from labs import policies
from labs.api.common import design_named
from labs.errors import UnknownLab
from labs.errors.orders import NotOrderable
from labs.models import Lab, Machine, MakeOrder
from labs.queries import catalogue, jobs, matching
from labs.queries import orders as queries
from labs.queries.near import near_of
from labs.queries.parts import parts_of
from labs.services import orders as services
from labs.views.common import page, viewer
from labs.views.frame import frame

MOST_LABS = 8


class AskForm(forms.Form):
    """What a person wants made."""

    version = forms.ChoiceField(label=lazy("Which version"))
    lab = forms.ChoiceField(label=lazy("Which lab"))
    quantity = forms.IntegerField(label=lazy("How many"), min_value=1, max_value=services.MOST_PIECES, initial=1)
    material = forms.CharField(label=lazy("Material"), max_length=60, required=False)
    deadline = forms.DateField(label=lazy("Needed by"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    parts = forms.MultipleChoiceField(
        label=lazy("Which parts (none chosen: all)"), required=False, widget=forms.CheckboxSelectMultiple
    )
    note = forms.CharField(
        label=lazy("What the lab should know"),
        max_length=services.MOST_TEXT,
        required=False,
        widget=forms.Textarea(attrs={"rows": 3}),
    )


class QuoteForm(forms.Form):
    """What the lab wants for it."""

    hours = forms.DecimalField(label=lazy("Machine hours"), min_value=0, max_digits=7, decimal_places=2)
    price = forms.DecimalField(label=lazy("Price, 0 for none"), min_value=0, max_digits=10, decimal_places=2, initial=0)
    currency = forms.CharField(label=lazy("Currency"), max_length=3, initial="EUR")
    until = forms.DateField(label=lazy("Good until"), required=False, widget=forms.DateInput(attrs={"type": "date"}))
    text = forms.CharField(label=lazy("A word with it"), required=False, max_length=services.MOST_TEXT)


class BookForm(forms.Form):
    """A machine and a time, by the lab's clock."""

    machine = forms.ModelChoiceField(
        label=lazy("Machine"), queryset=Machine.objects.none(), empty_label=lazy("Choose a machine")
    )
    start = forms.DateTimeField(label=lazy("From"), widget=forms.DateTimeInput(attrs={"type": "datetime-local"}))
    hours = forms.DecimalField(label=lazy("Hours"), min_value=0, max_digits=5, decimal_places=2)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """Ask a lab to make it. A design without a release cannot be ordered: nobody could say what was meant."""
    person = viewer(request)
    assert person is not None  # noqa: S101 login_required
    design = design_named(f"{owner}/{slug}", person)
    releases = list(design.releases.order_by("-created_at")[:20])
    found = matching.find(design, asked=matching.Asked(near=near_of(request), person=person), most=60)
    labs = _labs(found, request.GET.get("lab", ""))
    form = AskForm(request.POST or None, initial={"lab": request.GET.get("lab", ""), "version": request.GET.get("ref")})
    _choices(form, "version", [(r.version, r.version) for r in releases])
    _choices(form, "lab", [(lab.slug, lab.name) for lab in labs])
    _choices(form, "parts", [(p.path, p.path) for p in (found.parts if len(found.parts) > 1 else [])])
    refusal: CityError | None = None
    if request.method == "POST" and releases and form.is_valid():
        release = next(r for r in releases if r.version == form.cleaned_data["version"])
        wishes = {key: form.cleaned_data[key] for key in ("quantity", "material", "deadline", "note")}
        try:
            parts = _parts(design, release.commit, form.cleaned_data.get("parts", []))
            lab = catalogue.find_lab(form.cleaned_data["lab"])
            order = services.ask(person=person, lab=lab, release=release, parts=parts, **wishes)
        except CityError as error:
            refusal = error
        else:
            messages.success(request, _("%(lab)s has your order and will quote.") % {"lab": order.lab.name})
            return redirect("rooms:order", order.pk)
    context = {
        "design": design,
        "design_url": reverse("rooms:design", args=[design.owner.name, design.slug]),
        "releases": releases,
        "labs": labs,
        "form": form,
        "refusal": refusal,
        "plan": matching.plan(found) if found.parts else None,
    }
    return render(request, "labs/order_new.html", context, status=refusal.status if refusal else 200)


def _labs(found: matching.Found, named: str) -> list[Lab]:
    """Labs that take orders: the one that was named, then those of the best machines."""
    ranked = {m.machine.lab_id: m.machine.lab for m in found.matches if m.makes and m.machine.lab.takes_orders}
    labs = list(ranked.values())
    if named:
        labs.sort(key=lambda lab: lab.slug != named)
    return labs[:MOST_LABS]


def _choices(form: forms.Form, name: str, choices: list[tuple[str, str]]) -> None:
    field = form.fields[name]
    if not choices and not field.required:
        del form.fields[name]
        return
    field.choices = choices  # type: ignore[attr-defined]


def _parts(design: Any, commit: str, chosen: list[str]) -> list[str]:
    """The chosen parts, which must stand in the version that is ordered. Raises NotOrderable."""
    if not chosen:
        return []
    there = {part.path for part in parts_of(design, commit)}
    if missing := [path for path in chosen if path not in there]:
        raise NotOrderable(_("That version has no file %(path)s; choose another version.") % {"path": missing[0]})
    return chosen


@require_safe
@login_required
def mine(request: HttpRequest) -> HttpResponse:
    """What I have ordered, what is open first."""
    person = viewer(request)
    assert person is not None  # noqa: S101 login_required
    rows = list(queries.of_person(person)[:200])
    context = {
        "open": [order for order in rows if order.is_open],
        "past": [order for order in rows if not order.is_open],
    }
    return render(request, "labs/orders.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, order: uuid.UUID) -> HttpResponse:
    """How does my order stand? For both sides; to others it does not exist."""
    person = viewer(request)
    found, sides = queries.find(order, person)
    assert person is not None  # noqa: S101 who is nobody finds nothing
    do = request.POST.get("do", "")
    quote_form = QuoteForm(request.POST if do == "quote" else None)
    book_form = BookForm(request.POST if do == "book" else None)
    book_form.fields["machine"].queryset = catalogue.machines(found.lab)  # type: ignore[attr-defined]
    refusal: CityError | None = None
    if request.method == "POST":
        try:
            if _do(request, found, person, do, quote_form, book_form):
                return redirect("rooms:order", found.pk)
        except CityError as error:
            refusal = error
        found, sides = queries.find(order, person)
    shown = jobs.shown(queries.jobs_of(found), person)
    context = {
        "order": found,
        "lab": found.lab,
        "sides": sides,
        "events": found.events.select_related("by"),
        "bookings": [link.booking for link in found.order_bookings.select_related("booking__machine__lab")],
        "jobs": shown,
        "steps": [step for step in queries.STEPS if step != "quote" and sides.may(found, step)],
        "may_quote": sides.may(found, "quote"),
        "may_book": sides.lab and found.status in {"accepted", "queued", "making"},
        "quote_form": quote_form,
        "book_form": book_form,
        "refusal": refusal,
        "path": _path(found),
    }
    return page(request, "labs/order.html", context, lab=found.lab, status=refusal.status if refusal else 200)


def _path(order: MakeOrder) -> list[dict[str, Any]]:
    """The states of an order that goes well, and how far this one is."""
    states = [*MakeOrder.OPEN, MakeOrder.Status.HANDED_OVER]
    here = states.index(MakeOrder.Status(order.status)) if order.status in states else -1
    return [{"title": state.label, "done": n < here, "here": n == here} for n, state in enumerate(states)]


def _do(  # noqa: PLR0917 one step of `one`
    request: HttpRequest, order: MakeOrder, person: User, do: str, quote_form: QuoteForm, book_form: BookForm
) -> bool:  # fmt: skip
    """Do what a form asks; False shows the page again with what is wrong."""
    text = request.POST.get("text", "")
    if do == "say":
        services.say(order=order, by=person, text=text)
    elif do == "quote":
        if not quote_form.is_valid():
            return False
        services.quote(order=order, by=person, **quote_form.cleaned_data)
    elif do == "book":
        if not book_form.is_valid():
            return False
        start = book_form.cleaned_data["start"].replace(tzinfo=order.lab.zone).astimezone(dt.UTC)
        end = start + dt.timedelta(hours=float(book_form.cleaned_data["hours"]))
        machine = book_form.cleaned_data["machine"]
        services.book(order=order, by=person, machine=machine, start=start, end=end)
    else:
        services.step(order=order, by=person, do=do, text=text)
    return True


@login_required
@require_safe
def queue(request: HttpRequest, lab: str) -> HttpResponse:
    """What do people ask of us? By deadline; to others than the lab's makers it does not exist."""
    found, context = frame(request, lab, tab="orders")
    if not policies.may_make(viewer(request), found):
        raise UnknownLab(_("There is no such page, or it is not yours."))
    today = timezone.now().astimezone(found.zone).date()
    context |= {
        "queue": [(order, queries.due_words(order, today)) for order in queries.queue(found)],
        "past": queries.past(found)[:30],
        "load_h": queries.load_h(found),
    }
    return page(request, "labs/queue.html", context, lab=found)
