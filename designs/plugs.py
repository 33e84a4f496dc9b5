"""What the room plugs into the sockets of the ground floor."""

from collections.abc import Callable, Mapping
from typing import Any

from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from commons import sockets
from commons.people.models import Handle, User
from commons.places.models import Place
from designs.visitors import of_session


def plug_in() -> None:
    """Register everything; called once when the app is ready."""
    from designs import activity, deciding, keeping, open_data, personal, queries  # noqa: PLC0415 models must be loaded first
    from designs.queries import addresses, notices  # noqa: PLC0415
    from designs.services import hiding, leaving  # noqa: PLC0415

    activity.register()
    personal.register()
    keeping.register()
    sockets.nav.register(sockets.NavEntry("designs", _("Designs"), "rooms:designs", "designs", order=20))
    sockets.leavers.register(sockets.Leaver("designs", leaving.leave, leaving.keeps, order=50, first=leaving.first))
    sockets.home_cards.register(sockets.HomeCard("designs.new", "designs/home_card.html", new_designs, order=40))
    sockets.search_sources.register(
        sockets.SearchSource("designs", _("Designs"), queries.search, order=10, scope="designs:read")
    )
    sockets.health_checks.register(sockets.HealthCheck("repositories", check_repositories, order=60))
    sockets.page_slots.register(
        sockets.PageSlot("designs.mine", "people.me.above", "designs/parts/mine.html", my_designs, order=20)
    )
    sockets.page_slots.register(
        sockets.PageSlot("designs.theirs", "people.handle.below", "designs/parts/theirs.html", their_designs, order=20)
    )
    sockets.notice_filters.register(sockets.NoticeFilter("designs", notices.visible_urls))
    for kind, title, find, hide, show in (
        ("design", _("Design"), hiding.find_design, hiding.hide_design, hiding.show_design),
        ("comment", _("Comment"), hiding.find_comment, hiding.hide_comment, hiding.show_comment),
        ("make", _("Make"), hiding.find_make, hiding.hide_make, hiding.show_make),
        ("collection", _("Collection"), hiding.find_collection, hiding.hide_collection, hiding.show_collection),
    ):
        sockets.report_targets.register(sockets.ReportTarget(f"designs.{kind}", title, find, hide, show))
    for slug, count, listed in (
        ("designs", addresses.count_designs, addresses.of_designs),
        ("releases", addresses.count_releases, addresses.of_releases),
    ):
        sockets.sitemaps.register(sockets.Sitemap(slug, count, listed, order=20))
    deciding.register()
    sockets.open_datasets.register(
        sockets.OpenDataset(
            "designs",
            _("Public designs"),
            "CC0-1.0",
            open_data.rows,
            order=15,
            description=_(
                "What is known of each public design; its files stand under its own licence, which is a column."
            ),
            keywords=("open hardware", "design"),
            theme="TECH",
        )
    )
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


def my_designs(request: HttpRequest, person: User) -> Mapping[str, Any] | None:
    """Offers, own designs, stars, collections, and what was deleted."""
    from designs.queries import people  # noqa: PLC0415

    return people.mine(person)


def their_designs(request: HttpRequest, handle: Handle) -> Mapping[str, Any] | None:
    """The designs and collections of a person or organisation."""
    from designs import queries  # noqa: PLC0415
    from designs.queries.collections import of_owner  # noqa: PLC0415

    visitor = of_session(request)
    designs = queries.visible_to(visitor).filter(owner=handle)
    shown, collections = list(designs[:24]), list(of_owner(handle, visitor)[:24])
    return {"designs": shown, "collections": collections} if shown or collections else None


def seed_demo(say: Callable[[str], None]) -> None:
    """The demo's designs."""
    from designs import demo  # noqa: PLC0415 numpy, which the web never loads

    demo.seed(say)


def remove_demo(say: Callable[[str], None]) -> None:
    """Take them away."""
    from designs import demo  # noqa: PLC0415

    demo.remove(say)
