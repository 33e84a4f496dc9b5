"""What the room plugs into the ground floor: section, figure, sun, card, search, evidence, demonstration."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any
from zoneinfo import ZoneInfo

from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from commons import sockets
from commons.people.models import User
from commons.places.models import Place
from energy import activity, dashboards, deciding, demo, flow, open_data, personal, queries
from energy.queries import evidence, live
from energy.services import leaving, statements
from energy.services import participants as leaving_members

HOUR = dt.timedelta(hours=1)


def sun(place: Place) -> Sequence[sockets.SunHour]:
    """Today's hours in the place: solar less use, kW, before storage."""
    now = timezone.now()
    midnight = now.astimezone(ZoneInfo(place.timezone)).replace(hour=0, minute=0, second=0, microsecond=0)
    end = midnight + dt.timedelta(days=1)
    slots = queries.surplus(place, midnight.astimezone(dt.UTC), end.astimezone(dt.UTC), HOUR)
    return [sockets.SunHour(start, kw, start > now) for start, kw, _share in slots]


def card(_request: HttpRequest, place: Place) -> Mapping[str, Any] | None:
    """The neighbourhood now; stays away without data."""
    found = queries.day_of_place(place)
    if found is None:
        return None
    version, day = found
    if day.current is None:
        return None
    good = day.good_hours(timezone.now())
    return {
        "community": version.community,
        "version": version,
        "day": day,
        "now": day.current,
        "flow": flow.draw(day.current),
        "good": [day.clock(moment) for moment in good] if good else None,
        "clock": day.clock(day.current.start),
    }


def search(words: str, viewer: User | None, limit: int) -> Sequence[sockets.Hit]:
    """Communities by name or place."""
    found = queries.search(words, viewer, limit)
    return [
        sockets.Hit(c.name, reverse("rooms:community", args=[c.slug]), c.place.name if c.place else "") for c in found
    ]


def register() -> None:
    """Register everything; called once when Django is ready."""
    leaving_members.on_leaving.append(statements.on_leaving)
    leaving_members.days_to_keep.append(statements.days_to_keep)
    sockets.nav.register(sockets.NavEntry("energy", _("Energy"), "rooms:energy", "energy", order=30))
    sockets.figures.register(
        sockets.HeadlineFigure(
            slug="prosumer",
            title=_("Prosumer ratio"),
            style="ratio",
            goal=1.0,
            compute=queries.prosumer,
            definition=_(
                "Energy made here for each kWh used here: the sum of solar over the sum of use, over the "
                "newest data of the energy communities "
                "of the place. Above 1 the neighbourhood makes more than it uses over the period, which does "
                "not mean in every hour. "
                "Another meaning, the share of members with a roof of their own, is not this figure."
            ),
            version="1",
            order=10,
        )
    )
    sockets.sun.register(sockets.SunRibbon("energy", sun, order=10))
    sockets.home_cards.register(sockets.HomeCard("energy-now", "energy/card.html", card, order=20))
    sockets.live_boards.register(sockets.LiveBoard("energy", live.board))
    sockets.live_boards.register(sockets.LiveBoard("energymine", live.own_board))
    sockets.search_sources.register(
        sockets.SearchSource("communities", _("Energy communities"), search, order=50, scope="energy:read")
    )
    sockets.evidence.register(sockets.SystemEvidence("energy", evidence.collect, order=10))
    sockets.leavers.register(sockets.Leaver("energy", leaving.leave, leaving.keeps, order=40))
    deciding.register()
    dashboards.register()
    activity.register()
    personal.register()
    sockets.open_datasets.register(
        sockets.OpenDataset(
            "energy",
            _("Use and solar of energy communities"),
            "CC-BY-4.0",
            open_data.rows,
            order=20,
            description=_("Sums of communities as everybody may see them, in kWh a step; nobody stands out in them."),
            keywords=("energy community", "electricity", "solar"),
            theme="ENER",
        )
    )
    sockets.demo_parts.register(sockets.DemoPart("energy", demo.seed, demo.remove, order=40))
