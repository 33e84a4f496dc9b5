"""What the day will bring, beside what came, and how good such forecasts are."""

from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from energy import charts, queries
from energy.models import CommunityVersion, ForecastCard
from energy.queries import public
from energy.views.days import date_of, neighbours_of
from energy.views.frame import frame

GUESSES = {
    "model": gettext_lazy("the learned model"),
    "yesterday": gettext_lazy("the same hour yesterday"),
    "last week": gettext_lazy("the same hour a week ago"),
    "mean of seven days": gettext_lazy("the mean of seven days"),
    "four same weekdays": gettext_lazy("the mean of four same weekdays"),
}


@require_safe
def forecast(request: HttpRequest, slug: str) -> HttpResponse:
    """A day ahead: use and solar with their bands, what came true, and the cards."""
    found, context = frame(request, slug, tab="forecast")
    version = public.version(found, request.user)
    context["version"] = version
    if version is not None:
        context["curves"] = public.standing(version, request.user).curves
        if context["curves"]:
            context |= _shown(request, version)
    return render(request, "energy/forecast.html", context)


def _shown(request: HttpRequest, version: CommunityVersion) -> dict[str, Any]:
    zone = ZoneInfo(version.timezone)
    today = timezone.now().astimezone(zone).date()
    date = date_of(request.GET.get("day", ""), today)
    told = queries.told(version, date)
    day = queries.story(version, date, None, request.user)
    return {
        "date": date,
        "is_today": date == today,
        **neighbours_of(date),
        "rows": [_row(name, one) for name, one in sorted(told.items())],
        "chart": charts.forecast_chart(told, date, zone, day) if told else None,
        "steps": charts.forecast_table(told) if told else [],
    }


def _row(name: str, told: queries.Told) -> dict[str, Any]:
    card = told.card
    errors = {"model": card.served_mae, **card.naive}
    return {
        "title": ForecastCard.Series(name).label,
        "kwh": told.kwh,
        "low": sum(told.low_kwh),
        "high": sum(told.high_kwh),
        "served": GUESSES.get(told.forecast.served, told.forecast.served),
        "card": card,
        "better": card.skill > 0,
        "best_naive": GUESSES.get(card.best_naive, card.best_naive),
        "errors": [
            {"name": _("what is served") if key == "model" else GUESSES[key], "mae": mae} for key, mae in errors.items()
        ],
    }
