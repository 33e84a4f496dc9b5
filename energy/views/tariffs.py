"""The page of a community's tariff and rules, and what stewards change on it."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from commons.errors import CityError
from commons.people.models import User
from commons.web import numbers
from energy import bills
from energy.bill_forms import PricesForm, SchemeForm, TariffForm
from energy.errors import CommunityNotFound
from energy.models import Community, SchemeVersion, TariffVersion
from energy.queries import measured, prices, statements
from energy.schemes import FRAMES
from energy.services import tariffs as services
from energy.views.frame import frame


@require_safe
def tariffs(request: HttpRequest, slug: str) -> HttpResponse:
    """What does a kWh cost here, and by which rule is the surplus shared?"""
    community, context = frame(request, slug, tab="tariffs")
    return render(request, "energy/tariffs.html", context | _context(community, steward=context["steward"]))


def _context(community: Community, *, steward: bool, **forms: Any) -> dict[str, Any]:
    today = timezone.now().astimezone(measured.zone(community)).date()
    found = statements.terms(community, today)
    context: dict[str, Any] = {
        "tariff": shown(found.tariff) if found.tariff else None,
        "rule": _rule(found.rule) if found.rule else None,
        "tariffs": [shown(v) for v in found.tariffs],
        "rules": [_rule(v) for v in found.rules],
        "lists": prices.coverage(community),
        "today": today,
    }
    if steward:
        context |= {
            "tariff_form": TariffForm(community=community, initial=_as_before(found.tariff)),
            "scheme_form": SchemeForm(community=community),
            "prices_form": PricesForm(),
        }
    return context | forms


def _as_before(version: TariffVersion | None) -> dict[str, Any]:
    """The prices of now, so that a new version needs only what changes."""
    if version is None:
        return {}
    names = ("energy_price", "price_list", "markup", "grid_fee", "levies", "base_fee", "tax_pct", "feed_in_price",
             "feed_in_listed", "feed_in_less")  # fmt: skip
    return {name: getattr(version, name) for name in names} | {
        "name": version.tariff.name,
        "currency": version.tariff.currency,
    }


def shown(version: TariffVersion) -> dict[str, Any]:
    currency = version.tariff.currency
    tax = 1 + version.tax_pct / 100
    whole = (version.energy_price + version.grid_fee + version.levies) * tax
    return {
        "version": version,
        "energy": bills.price(version.energy_price),
        "markup": bills.price(version.markup),
        "grid_fee": bills.price(version.grid_fee),
        "levies": bills.price(version.levies),
        "feed_in": bills.price(version.feed_in_price),
        "feed_in_less": bills.price(version.feed_in_less),
        "base": bills.amount(version.base_fee, currency),
        "whole": numbers.number(whole, 4),
        "on_top": numbers.number((version.markup + version.grid_fee + version.levies) * tax, 4),
        "listed": version.price_list_id is not None,
        "tax": bills.per_cent(version.tax_pct),
        "unit": numbers.CURRENCIES.get(currency, currency),
    }


def _rule(version: SchemeVersion) -> dict[str, Any]:
    frame_of = FRAMES[version.law]
    return {
        "version": version,
        "price": bills.price(version.price),
        "relief": bills.per_cent(version.grid_fee_relief_pct),
        "levies_relief": bills.per_cent(version.levies_relief_pct),
        "within": frame_of.within,
        "means": frame_of.means,
    }


def _steward(request: HttpRequest, slug: str) -> tuple[Community, User, dict[str, Any]]:
    community, context = frame(request, slug, tab="tariffs")
    if not context["steward"] or not isinstance(request.user, User):
        raise CommunityNotFound(_("There is no such page, or it is not yours."))
    return community, request.user, context


@require_POST
@login_required
def add_tariff(request: HttpRequest, slug: str) -> HttpResponse:
    """A steward adds a version of a tariff."""
    community, user, context = _steward(request, slug)
    form = TariffForm(request.POST, community=community)
    if form.is_valid():
        try:
            services.add_tariff_version(community=community, by=user, **form.components())
        except CityError as refusal:
            form.add_error(None, str(refusal.sentence))
        else:
            messages.success(request, _("The new version of the tariff is there."))
            return redirect("rooms:community_tariffs", community.slug)
    context |= _context(community, steward=True, tariff_form=form)
    return render(request, "energy/tariffs.html", context, status=400)


@require_POST
@login_required
def add_rules(request: HttpRequest, slug: str) -> HttpResponse:
    """A steward adds a version of the rules of sharing."""
    community, user, context = _steward(request, slug)
    form = SchemeForm(request.POST, community=community)
    if form.is_valid():
        try:
            services.add_scheme_version(community=community, by=user, shares=form.shares(), **form.rules())
        except CityError as refusal:
            form.add_error(None, str(refusal.sentence))
        else:
            messages.success(request, _("The new rules are there."))
            return redirect("rooms:community_tariffs", community.slug)
    context |= _context(community, steward=True, scheme_form=form)
    return render(request, "energy/tariffs.html", context, status=400)


@require_POST
@login_required
def add_prices(request: HttpRequest, slug: str) -> HttpResponse:
    """A steward brings a file of prices, or names a feed."""
    community, _user, context = _steward(request, slug)
    form = PricesForm(request.POST, request.FILES)
    if form.is_valid():
        given = form.cleaned_data
        try:
            prices_of = services.price_list(
                community=community, name=given["name"], currency=given["currency"], feed=given["feed"],
                per_mwh=given["per_mwh"],
            )  # fmt: skip
            if given["file"] is not None:
                text = given["file"].read().decode("utf-8-sig")
                services.keep_prices(prices=prices_of, text=text, per_mwh=given["per_mwh"])
        except UnicodeDecodeError:
            form.add_error("file", _("This is not text in UTF-8."))
        except CityError as refusal:
            form.add_error("file", str(refusal.sentence))
        else:
            messages.success(request, _("The prices are there."))
            return redirect("rooms:community_tariffs", community.slug)
    context |= _context(community, steward=True, prices_form=form)
    return render(request, "energy/tariffs.html", context, status=400)


@require_POST
@login_required
def take_back(request: HttpRequest, slug: str, kind: str, pk: int) -> HttpResponse:
    """A steward takes back a version by which nobody was billed."""
    community, _user, _context = _steward(request, slug)
    version: TariffVersion | SchemeVersion
    if kind == "tariff":
        version = get_object_or_404(TariffVersion, pk=pk, tariff__community=community)
    elif kind == "rules":
        version = get_object_or_404(SchemeVersion, pk=pk, scheme__community=community)
    else:
        raise CommunityNotFound(_("There is no such page, or it is not yours."))
    services.take_back(version=version)
    messages.success(request, _("It is taken back."))
    return redirect("rooms:community_tariffs", community.slug)
