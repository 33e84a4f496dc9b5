"""The front door: how is my neighbourhood doing now?"""

import logging
from dataclasses import dataclass

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.utils.safestring import SafeString
from django.views.decorators.http import require_safe

from commons import sockets
from commons.places import queries, sun
from commons.places.models import Place
from commons.web.context import PLACE_COOKIE, place_of, set_place
from commons.web.lately import kept_a_moment

log = logging.getLogger(__name__)

A_YEAR_S = 365 * 24 * 3600


@dataclass(frozen=True, slots=True)
class Card:
    """A rendered card of a room."""

    slug: str
    html: SafeString
    wide: bool


@kept_a_moment
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """The home of the place that the visitor looked at last."""
    here = place_of(request)
    if here is None:
        return render(request, "site/empty.html")
    return _page(request, here)


@kept_a_moment
@require_safe
def place(request: HttpRequest, slug: str) -> HttpResponse:
    """The home of one place, which is remembered."""
    here = queries.place(slug)
    set_place(request, here)
    response = _page(request, here)
    response.set_cookie(PLACE_COOKIE, here.slug, max_age=A_YEAR_S, samesite="Lax", httponly=True, secure=settings.HTTPS)
    return response


def _page(request: HttpRequest, here: Place) -> HttpResponse:
    cards = cards_of(request, here)
    context = {
        "place": here,
        "now": queries.local_now(here),
        "switch": queries.switch(here),
        "figures": queries.figures_of(here),
        "wide_cards": [card for card in cards if card.wide],
        "cards": [card for card in cards if not card.wide],
        "today": sun.today(here),
    }
    return render(request, "site/home.html", context)


def cards_of(request: HttpRequest, here: Place) -> list[Card]:
    """The rooms' cards in their order. A room that fails costs its own card, never the page."""
    cards = []
    for plug in sockets.home_cards:
        try:
            filled = plug.context(request, here)
            if filled is not None:
                html = render_to_string(plug.template, {"place": here, **filled}, request=request)
                cards.append(Card(plug.slug, html, plug.wide))
        except Exception:
            log.exception("the home card %s of %s failed", plug.slug, here.slug)
    return cards
