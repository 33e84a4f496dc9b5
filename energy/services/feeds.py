"""Feeds of prices: asked by the clock through the one way out, each hour; what went wrong is shown with the list."""

from collections.abc import Callable

from commons.errors import CityError
from commons.web import outside
from energy import pricelists
from energy.models import PriceList
from energy.services import tariffs

ACCEPT = "text/csv, application/json;q=0.9, */*;q=0.1"
Fetch = Callable[[str], bytes]


def _fetch(url: str) -> bytes:
    return outside.fetch(url, accept=ACCEPT, most_bytes=pricelists.MOST_BYTES)


def ask(*, prices: PriceList, fetch: Fetch = _fetch) -> bool:
    """Ask a list's feed and keep what it says; whether it could be read. Never raises for what the feed does."""
    try:
        text = fetch(prices.feed).decode("utf-8-sig")
        tariffs.keep_prices(prices=prices, text=text, per_mwh=prices.per_mwh)
    except (outside.Unreachable, UnicodeDecodeError) as fault:
        tariffs.note_trouble(prices=prices, words=str(fault))
        return False
    except CityError as refusal:
        tariffs.note_trouble(prices=prices, words=str(refusal.sentence))
        return False
    return True


def ask_all() -> int:
    """Ask the feeds of all lists that have one; how many could be read."""
    return sum(ask(prices=prices) for prices in PriceList.objects.exclude(feed=""))
