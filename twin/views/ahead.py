"""Pages of the next 48 hours, of power, of coverage, and of sandboxes: parse, call, render."""

import datetime as dt
import uuid

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.dateparse import parse_date
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commons.errors import CityError
from commons.people.models import User
from twin import pages, policies, queries
from twin.errors import SandboxNotFound, SignInFirst
from twin.forms_sandbox import SandboxForm
from twin.models import District
from twin.policies import may_reckon
from twin.services import sandboxes as services
from twin.views.frame import frame
from twin.views.roofs import reckon


def asked_day(text: str) -> dt.date | None:
    """A day as the address has it; None for what is none."""
    try:
        return parse_date(text)
    except ValueError:
        return None


@require_safe
def ahead(request: HttpRequest, slug: str) -> HttpResponse:
    """What the next 48 hours will bring, and how good such forecasts were."""
    found, _of, shared = frame(request, slug, tab="ahead")
    context = pages.ahead_page(found, asked_day(request.GET.get("day", "")))
    return render(request, "twin/ahead.html", context | shared)


@require_http_methods(["GET", "HEAD", "POST"])
def energy(request: HttpRequest, slug: str) -> HttpResponse:
    """A year of the district's power as it is today."""
    _found, of, shared = frame(request, slug, tab="energy")
    if request.method == "POST":
        return reckon(request, of, "energy")
    context = pages.energy_page(of) | {"may_reckon": may_reckon(request.user)}
    return render(request, "twin/energy.html", context | shared)


@require_safe
def coverage(request: HttpRequest, slug: str) -> HttpResponse:
    """How much of the city is modelled here, what is missing, and how to supply it."""
    found, _of, shared = frame(request, slug, tab="coverage")
    return render(request, "twin/coverage.html", pages.coverage_page(found) | shared)


@require_safe
def coverage_compare(request: HttpRequest) -> HttpResponse:
    """Every district's levels side by side."""
    return render(request, "twin/coverage_compare.html", pages.compare_page())


@require_http_methods(["GET", "HEAD", "POST"])
def sandboxes(request: HttpRequest, slug: str) -> HttpResponse:
    """The sandboxes of a district, and the form that branches one."""
    found, _of, shared = frame(request, slug, tab="ahead")
    form = SandboxForm(request.POST if request.method == "POST" else None)
    if request.method == "POST":
        if not isinstance(request.user, User):
            raise SignInFirst(_("Sign in to branch a sandbox; reading is open to everybody."))
        if form.is_valid() and (answer := _branched(form, found, request.user)):
            return answer
    context = {"form": form, "boxes": queries.sandboxes(found)}
    return render(request, "twin/sandboxes.html", context | shared, status=400 if form.errors else 200)


def _branched(form: SandboxForm, found: District, by: User) -> HttpResponse | None:
    """Where the new sandbox is, or None with the refusal on the form."""
    given = form.cleaned_data
    try:
        box = services.branch(
            district=found,
            by=by,
            title=given["title"],
            hours=given["hours"],
            battery_kwh=given["battery_kwh"] or 0.0,
            solar_share=(given["solar_percent"] or 0.0) / 100,
        )
    except CityError as refusal:
        if refusal.status >= 429:
            raise
        form.add_error(None, str(refusal.sentence))
        return None
    return redirect("rooms:district-sandbox", found.slug, box.pk)


@require_safe
def sandbox(request: HttpRequest, slug: str, pk: uuid.UUID) -> HttpResponse:
    """A sandbox: what it was made of, what it says, how far it was off."""
    found, _of, shared = frame(request, slug, tab="ahead")
    box = queries.sandbox(found, pk)
    mine = policies.may_remove_sandbox(request.user, box)
    return render(request, "twin/sandbox.html", pages.sandbox_page(box) | shared | {"may_remove": mine})


@require_POST
def sandbox_remove(request: HttpRequest, slug: str, pk: uuid.UUID) -> HttpResponse:
    """Take a sandbox away; for who branched it and for stewards, for others it is not there."""
    found = queries.district(slug)
    box = queries.sandbox(found, pk)
    if not policies.may_remove_sandbox(request.user, box):
        raise SandboxNotFound(_("There is no such sandbox in this district."))
    services.remove(sandbox=box)
    return redirect("rooms:district-sandboxes", found.slug)
