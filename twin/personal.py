"""What the twin brings to a first hour: that a neighbour has looked closely at their own street."""

from django.urls import reverse
from django.utils.translation import gettext_lazy as lazy

from commons.mine import sockets
from commons.mine.sockets import Step
from commons.notices import kinds as notices
from commons.people.models import User
from twin import queries
from twin.models import Offer


def where(person: User) -> str:
    """The district of the person's home, or all."""
    found = queries.of_place(person.home).first() if person.home else None
    return reverse("rooms:district", args=[found.slug]) if found else reverse("rooms:twin")


def kinds() -> None:
    """The kinds of notices of this room, as a person may switch them."""
    notices.register(
        ("twin.offer", lazy("Somebody offers a correction in your district")),
        ("twin.decision", lazy("Your correction is decided on")),
        ("twin.conflict", lazy("An import says otherwise than a correction")),
    )


def register() -> None:
    """Fill the sockets."""
    kinds()
    sockets.steps.register(
        Step(
            "neighbour-map",
            "neighbour",
            lazy("Set one thing right in the twin"),
            lazy("You know your street best: a number of floors, a name, a tree that is gone. A steward looks at it."),
            where,
            lambda person: Offer.objects.filter(author=person).exists(),
            order=40,
        )
    )
