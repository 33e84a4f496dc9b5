"""What the room plugs into the sockets of the ground floor."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from commons import sockets
from commons.places.models import Place


def plug_in() -> None:
    """Register everything; called once when the app is ready."""
    from designs import queries  # noqa: PLC0415 models must be loaded first

    sockets.nav.register(sockets.NavEntry("designs", _("Designs"), "rooms:designs", "designs", order=20))
    sockets.home_cards.register(sockets.HomeCard("designs.new", "designs/home_card.html", new_designs, order=40))
    sockets.search_sources.register(sockets.SearchSource("designs", _("Designs"), queries.search, order=10))
    sockets.health_checks.register(sockets.HealthCheck("repositories", check_repositories, order=60))
    sockets.demo_parts.register(sockets.DemoPart("designs", seed_demo, remove_demo, order=20))


def check_repositories() -> sockets.Health:
    """What the last nightly round found in the repositories."""
    from designs.services import upkeep  # noqa: PLC0415 models must be loaded first

    return upkeep.check_repositories()


def new_designs(request: HttpRequest, place: Place) -> Mapping[str, Any] | None:
    """The newest public designs that have files."""
    from designs import queries  # noqa: PLC0415

    newest = list(queries.visible_to(None).exclude(head="")[:3])
    return {"designs": newest} if newest else None


def seed_demo(say: Callable[[str], None]) -> None:
    """The demo's designs."""
    from designs import demo  # noqa: PLC0415 numpy, which the web never loads

    demo.seed(say)


def remove_demo(say: Callable[[str], None]) -> None:
    """Take them away."""
    from designs import demo  # noqa: PLC0415

    demo.remove(say)
