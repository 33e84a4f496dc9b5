"""The market view: what tariffs, feeding in, flexibility and sharing would be worth to this household."""

import datetime as dt
from decimal import Decimal
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from commons.people.models import User
from commons.web import numbers
from energy import bills, policies
from energy.errors import StatementNotFound
from energy.models import Community, MarketView, Participant
from energy.queries import statements as queries
from energy.services import market as services
from energy.views.frame import frame

CASES: dict[str, tuple[str | Promise, str | Promise]] = {
    "fixed": (lazy("Alone, one price"), lazy("the tariff of now, feeding in paid")),
    "fixed-unpaid": (lazy("Alone, feeding in unpaid"), lazy("what feeding in is worth is the difference")),
    "fixed-shared": (lazy("In the community"), lazy("sharing by the rules of now")),
    "fixed-battery": (lazy("Alone with a battery"), lazy("a battery of 5 kWh, run as well as can be")),
    "dynamic": (lazy("Alone, prices of the exchange"), lazy("nothing moved in time")),
    "dynamic-shared": (lazy("In the community, prices of the exchange"), lazy("sharing by the rules of now")),
    "dynamic-battery": (
        lazy("Prices of the exchange with a battery"),
        lazy("a battery of 5 kWh, run as well as can be"),
    ),
}


def _mine(request: HttpRequest, slug: str) -> tuple[Community, Participant, list[Participant], dict[str, Any]]:
    community, context = frame(request, slug, tab="bills")
    own = list(policies.own_participants(request.user, community))
    asked = request.POST.get("who") or request.GET.get("who", "")
    person = next((p for p in own if str(p.pk) == asked), own[0] if own and not asked else None)
    if person is None:
        raise StatementNotFound(_("There is no such household, or it is not yours."))
    return community, person, own, context


@require_safe
@never_cache
def worth(request: HttpRequest, slug: str) -> HttpResponse:
    """Which of these would be worth it to me?"""
    _community, person, own, context = _mine(request, slug)
    view = queries.market_view(person)
    context |= {"person": person, "own": own, "view": view, "cases": _cases(view) if view else []}
    if view:
        context["last_day"] = view.until - dt.timedelta(days=1)
        context["tariff"] = queries.tariff_of_view(view)
        known, steps = view.result["known"], view.result["steps"]
        context |= {"known": known / steps if steps else None, "dynamic": view.result["dynamic"]}
        context["best"] = min(context["cases"], key=lambda case: case["cost"]) if context["cases"] else None
    return render(request, "energy/worth.html", context)


def _cases(view: MarketView) -> list[dict[str, Any]]:
    rows = view.result["cases"]
    base = next((row["cost"] for row in rows if row["name"] == "fixed"), 0.0)
    most = max((abs(base - row["cost"]) for row in rows), default=0.0) or 1.0
    found = []
    for row in rows:
        title, means = CASES.get(row["name"], (row["name"], ""))
        gain = base - row["cost"]
        found.append(
            {
                "name": row["name"],
                "title": title,
                "means": means,
                "cost": row["cost"],
                "money": bills.amount(Decimal(str(row["cost"])), view.currency),
                "gain": bills.amount(Decimal(str(round(gain, 2))), view.currency),
                "better": gain > 0,
                "base": row["name"] == "fixed",
                "share": abs(gain) / most,
                "import": numbers.kwh(row["import_kwh"]),
                "export": numbers.kwh(row["export_kwh"]),
            }
        )
    return found


@require_POST
@login_required
def ask_worth(request: HttpRequest, slug: str) -> HttpResponse:
    """The member has it compared, and goes to its progress."""
    _community, person, _own, _context = _mine(request, slug)
    user = request.user if isinstance(request.user, User) else None
    return redirect("rooms:run", services.ask_market(participant=person, by=user).pk)
