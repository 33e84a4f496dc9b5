"""What the ground floor brings to a person's own pages: the card on the front page, the step of the neighbourhood."""

from collections.abc import Mapping
from typing import Any, Literal

from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext_lazy as lazy

from commons import sockets as house
from commons.mine import queries, sockets
from commons.mine.sockets import Step
from commons.people.models import User
from commons.places.models import Place

PATHS: tuple[Literal["maker", "host", "neighbour"], ...] = ("maker", "host", "neighbour")


def card(request: HttpRequest, _place: Place) -> Mapping[str, Any] | None:
    """What waits for the person, or their first hour; away for strangers and where there is nothing to say."""
    person = request.user
    if not isinstance(person, User):
        return None
    hour = queries.hour_of(person)
    offered = queries.is_offered(person, hour)
    parts = queries.home(person)
    waiting = queries.waiting(parts, most=queries.MOST_WAITING)
    walk = queries.walk(hour) if offered and hour is not None and hour.path else None
    if not waiting and not offered:
        return None
    return {"waiting": waiting, "offered": offered, "walk": walk}


def register() -> None:
    """Fill the sockets."""
    house.home_cards.register(house.HomeCard("mine", "mine/card.html", card, order=5, wide=True))
    for path in PATHS:
        sockets.steps.register(
            Step(
                f"{path}-home",
                path,
                lazy("Say where you live"),
                lazy("The city begins with your neighbourhood: its sun, its labs, its decisions."),
                lambda _person: reverse("rooms:profile"),
                lambda person: person.home_id is not None,
                order=10,
            )
        )
