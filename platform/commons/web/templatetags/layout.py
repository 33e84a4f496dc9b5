"""Tags of the base layout alone: sections, languages, theme, sun ribbon, the built assets."""

import datetime as dt
import logging
from collections.abc import Sequence
from functools import cache
from typing import Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from django import template
from django.conf import settings
from django.http import HttpRequest
from django.urls import NoReverseMatch, reverse, translate_url
from django.utils import timezone
from django.utils.html import format_html_join, json_script
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, get_language_info, override
from django.utils.translation import gettext as _
from django_vite.core.asset_loader import DjangoViteAssetLoader
from django_vite.core.exceptions import DjangoViteAssetNotFoundError

from commons import sockets
from commons.web import numbers
from commons.web.island_words import island_words

log = logging.getLogger(__name__)
register = template.Library()

ENTRY = "src/main.ts"
FACE = "atkinson-hyperlegible-next"
FONT = f"node_modules/@fontsource-variable/{FACE}/files/{FACE}-latin-wght-normal.woff2"
THEMES = ("light", "dark")
MOST_IN_TAB_BAR = 5


@register.simple_tag(takes_context=True)
def assets(context: template.Context) -> SafeString:
    """Style sheets, the script with this page's nonce and the first font, by the names of the last build; nothing when
    it was never built."""
    loader = DjangoViteAssetLoader.instance()
    request: HttpRequest | None = context.get("request")
    nonce = str(getattr(request, "csp_nonce", ""))
    try:
        font = loader.generate_vite_asset_url(FONT)
        tags = loader.generate_vite_asset(ENTRY, nonce=nonce)
        more = [loader.generate_vite_asset_url(sheet.entry) for sheet in _sheets(request)]
    except DjangoViteAssetNotFoundError:
        log.warning("the front end is not built, so pages have no style: run `npm run build` in platform/frontend")
        return mark_safe("")
    preload = f'<link rel="preload" href="{font}" as="font" type="font/woff2" crossorigin>\n'
    # By this mark Vite gives the nonce to what it loads ahead.
    mark = f'\n<meta property="csp-nonce" nonce="{nonce}">'
    links = "".join(f'\n<link rel="stylesheet" href="{url}">' for url in more)
    made = preload + str(tags) + mark + links
    return mark_safe(made)  # noqa: S308 of the manifest and random letters alone


def _sheets(request: HttpRequest | None) -> list[sockets.Sheet]:
    """The sheets that rooms have for the pages of this view."""
    match = getattr(request, "resolver_match", None)
    module = f"{match.func.__module__}." if match else ""
    return [sheet for sheet in sockets.sheets if any(module.startswith(f"{name}.") for name in sheet.packages)]


def _package(request: HttpRequest | None) -> str:
    """The package of the view that answers; "" where none does."""
    match = getattr(request, "resolver_match", None)
    return match.func.__module__.partition(".")[0] if match else ""


@register.simple_tag
def words_for_islands() -> SafeString:
    """The translated words of the islands as a JSON block; nothing when all are as in English."""
    return _words_in(get_language())


@cache
def _words_in(_language: str | None) -> SafeString:
    words = island_words()
    return json_script(words, "island-words") if words else mark_safe("")


@register.simple_tag(takes_context=True)
def map_ground(context: template.Context) -> SafeString:
    """Attributes of an lc-map that is about the page's place: what a room draws under its pins."""
    here = context.get("here")
    found = next((drawn for plug in sockets.map_grounds if here and (drawn := plug.layers(here))), None) or {}
    names = {name: name if name == "attribution" else f"src-{name}" for name in found}
    return format_html_join("", ' {}="{}"', ((names[name], value) for name, value in found.items()))


def address(name: str) -> str | None:
    """The address of a page that may be left out with its room."""
    try:
        return reverse(name)
    except NoReverseMatch:
        return None


@register.simple_tag(takes_context=True)
def sections(context: template.Context) -> list[dict[str, Any]]:
    """The city's home and the sections that rooms plug in, each with whether we stand in it."""
    request: HttpRequest | None = context.get("request")
    path = request.path if request else ""
    home, mine, package = address("home") or "/", "/me/" in path, _package(request)
    found = [{"title": _("City"), "url": home, "icon": "city", "here": path == home or "/places/" in path}]
    for entry in sockets.nav:
        url = address(entry.url_name)
        if url:
            within = package in entry.packages and not mine
            found.append({"title": entry.title, "url": url, "icon": entry.icon, "here": within or path.startswith(url)})
    return found


@register.filter
def first_sections(entries: Sequence[Any]) -> Sequence[Any]:
    """What fits the tab bar of a phone; the rest is behind the menu."""
    return entries[:MOST_IN_TAB_BAR]


@register.filter
def other_sections(entries: Sequence[Any]) -> Sequence[Any]:
    """What does not fit the tab bar."""
    return entries[MOST_IN_TAB_BAR:]


@register.simple_tag(takes_context=True)
def page_languages(context: template.Context) -> list[dict[str, Any]]:
    """This page in each language, named in the language itself."""
    request: HttpRequest | None = context.get("request")
    path = request.get_full_path() if request else "/"
    now = get_language() or settings.LANGUAGE_CODE
    return [
        {
            "code": code,
            "name": get_language_info(code)["name_local"].capitalize(),
            "url": path if code == now else _translated(request, path, code),
            "here": code == now,
        }
        for code, _name in settings.LANGUAGES
    ]


def _translated(request: HttpRequest | None, path: str, code: str) -> str:
    """The address in another language; the view is known already where one answers."""
    match = request.resolver_match if request else None
    if match is None or not match.url_name:
        return translate_url(path, code)
    try:
        with override(code):
            there = reverse(match.view_name, args=match.args, kwargs=match.kwargs)
    except NoReverseMatch:
        return path
    return urlsplit(path)._replace(path=there).geturl()


@register.simple_tag(takes_context=True)
def theme(context: template.Context) -> str:
    """ "light", "dark" or "system", as the visitor's cookie says."""
    request: HttpRequest | None = context.get("request")
    chosen = request.COOKIES.get("theme", "") if request else ""
    return chosen if chosen in THEMES else "system"


@register.inclusion_tag("web/ribbon.html", takes_context=True)
def ribbon(context: template.Context) -> dict[str, Any]:
    """Today's spare sun, from `sun_place` and `sun_hours` (sockets.SunHour of one day) of the context, if any."""
    place, hours = context.get("sun_place"), list(context.get("sun_hours") or [])
    if place is None or not hours:
        return {}
    zone = ZoneInfo(place.timezone)
    now = timezone.now()
    return {
        "place": place,
        "bars": _bars(hours, now),
        **_now(hours, now, zone),
        "url": context.get("sun_url") or address("rooms:labs"),
    }


def _now(hours: Sequence[sockets.SunHour], now: dt.datetime, zone: ZoneInfo) -> dict[str, Any]:
    """The hour that runs, and until when the sun stays to spare (or comes back)."""
    current = next((h for h in reversed(hours) if h.start <= now), hours[0])
    sunny = current.spare_kw > 0
    later = [h for h in hours if h.start > current.start]
    turn = next((h for h in later if (h.spare_kw > 0) != sunny), None)
    spare = [h for h in hours if h.spare_kw > 0]
    clock = f"{turn.start.astimezone(zone):%H:%M}" if turn else ""
    return {
        "spare": numbers.kw(abs(current.spare_kw)),
        "sunny": sunny,
        "ahead": sunny or any(h.spare_kw > 0 for h in later),
        "turn": clock,
        "from_clock": f"{spare[0].start.astimezone(zone):%H:%M}" if spare else "",
        "to_clock": f"{(spare[-1].start + _step(hours)).astimezone(zone):%H:%M}" if spare else "",
        "mark": _x(hours, now),
    }


def _step(hours: Sequence[sockets.SunHour]) -> dt.timedelta:
    return hours[1].start - hours[0].start if len(hours) > 1 else dt.timedelta(hours=1)


def _x(hours: Sequence[sockets.SunHour], now: dt.datetime) -> str:
    whole = (hours[-1].start + _step(hours) - hours[0].start).total_seconds()
    share = (now - hours[0].start).total_seconds() / whole
    return f"{960 * min(max(share, 0), 1):.1f}"


def _bars(hours: Sequence[sockets.SunHour], now: dt.datetime) -> list[dict[str, Any]]:
    """Rectangles on a canvas of 960 × 26: solar as high as its kW, the grid a low line."""
    top = max((h.spare_kw for h in hours), default=0) or 1
    width = 960 / len(hours)
    bars = []
    for at, hour in enumerate(hours):
        sunny = hour.spare_kw > 0
        height = 2.5 + 14.8 * hour.spare_kw / top if sunny else 2.5
        bars.append(
            {
                "x": f"{at * width + 1.5:.1f}",
                "width": f"{width - 3:.1f}",
                "y": f"{23 - height:.1f}",
                "height": f"{height:.1f}",
                "colour": "solar" if sunny else "grid",
                "forecast": hour.forecast and hour.start > now,
            }
        )
    return bars
