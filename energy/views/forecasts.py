"""What the day will bring, beside what came, and how good such forecasts are."""

from typing import Any
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from commons.people.models import User
from energy import charts, policies, queries
from energy.errors import CommunityNotFound
from energy.forms_people import FeedForm
from energy.models import Community, CommunityVersion, ForecastCard
from energy.queries import public, sources
from energy.queries.measured import zone as zone_of
from energy.views import outlooks
from energy.views.days import date_of, neighbours_of
from energy.views.frame import frame

GUESSES = {
    "model": gettext_lazy("the learned model"),
    "yesterday": gettext_lazy("the same hour yesterday"),
    "last week": gettext_lazy("the same hour a week ago"),
    "mean of seven days": gettext_lazy("the mean of seven days"),
    "four same weekdays": gettext_lazy("the mean of four same weekdays"),
    "weather": gettext_lazy("the weather alone"),
}
WEATHERS = {
    "feed": gettext_lazy("It knows the weather forecast of the place."),
    "clear sky": gettext_lazy("It knows no weather forecast; it goes by the clear sky and what was made of it lately."),
    "": gettext_lazy("It knows no weather."),
}


@require_safe
def forecast(request: HttpRequest, slug: str) -> HttpResponse:
    """A day ahead: use and solar with their bands, what came true, and the cards."""
    found, context = frame(request, slug, tab="forecast")
    version = public.version(found, request.user)
    context["version"] = version
    context["curves"] = version is not None and public.standing(version, request.user).curves
    context |= _shown(request, found, version if context["curves"] else None)
    context["curves"] = context["curves"] or bool(context["rows"])
    context["outlook"] = outlooks.shown(found)
    if policies.is_steward(request.user, found):
        feed = sources.feed_of(found)
        context |= {"feed": feed, "feed_form": FeedForm(initial={"url": feed.url if feed else ""})}
    return render(request, "energy/forecast.html", context)


@require_POST
@login_required
def weather_feed(request: HttpRequest, slug: str) -> HttpResponse:
    """Say where the weather of the community's place is had. For stewards; for others it is not there."""
    from energy.services import weather  # noqa: PLC0415 the service reads files with numpy only in workers

    found, _context = frame(request, slug, tab="forecast")
    if not policies.is_steward(request.user, found) or not isinstance(request.user, User):
        raise CommunityNotFound(_("There is no such page, or it is not yours to see."))
    form = FeedForm(request.POST)
    if form.is_valid():
        weather.set_feed(community=found, by=request.user, url=form.cleaned_data["url"])
        messages.success(request, _("Kept."))
    else:
        messages.error(request, _("This is no address."))
    return redirect("rooms:community_forecast", slug)


def _shown(request: HttpRequest, community: Community, version: CommunityVersion | None) -> dict[str, Any]:
    zone = ZoneInfo(version.timezone) if version else zone_of(community)
    today = timezone.now().astimezone(zone).date()
    date = date_of(request.GET.get("day", ""), today)
    told = queries.told(version, date) if version else {}
    told = told or queries.told_of_meters(community, date, request.user)
    day = queries.story(version, date, None, request.user) if version else None
    return {
        "zone": str(zone),
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
        "weather": WEATHERS.get(card.weather, "") if told.forecast.series == ForecastCard.Series.SOLAR else "",
        "best_naive": GUESSES.get(card.best_naive, card.best_naive),
        "errors": [
            {"name": _("what is served") if key == "model" else GUESSES[key], "mae": mae} for key, mae in errors.items()
        ],
    }
