"""A garden that decides how long its tap runs, and the fixtures of the rooms whose values votes change."""

import datetime as dt
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from django.utils import timezone

from commons import sockets
from commons.errors import BadInput
from commons.people.models import User
from tests.energy.conftest import kamppi, neighbour
from tests.energy.test_statements import street, three
from tests.labs.conftest import city_lab, printer

__all__ = ["city_lab", "kamppi", "neighbour", "printer", "street", "three"]

DAY = dt.timedelta(days=1)


class Garden:
    """A room of the test's own: a garden that decides how long its tap runs; values hold from midnight UTC."""

    def __init__(self) -> None:
        self.minutes = 10
        self.people: dict[int, dt.datetime] = {}
        self.applied: list[tuple[str, Mapping[str, Any], str]] = []
        self.closed = False

    def check(self, key: str, value: Mapping[str, Any]) -> dict[str, Any]:
        if not isinstance(value.get("minutes"), int):
            raise BadInput("minutes are a whole number")
        if self.closed:
            raise BadInput("the tap is gone")
        return {"minutes": value["minutes"]}

    def apply(self, key: str, value: Mapping[str, Any], at: dt.datetime, url: str) -> None:
        self.minutes = value["minutes"]
        self.applied.append((key, value, url))


def midnight(_key: str, at: dt.datetime) -> dt.datetime:
    day = at.astimezone(dt.UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return day if day == at else day + DAY


@pytest.fixture
def garden() -> Iterator[Garden]:
    room = Garden()
    here = sockets.Decider("Rose garden", "/garden/")
    kind = sockets.DecidingBody(
        slug="test.garden",
        title="Garden",
        find=lambda key, person: here if key == "rose" else None,
        members=lambda key: room.people,
        stewards=lambda key: list(room.people)[:1],
        keys_of=lambda person: ["rose"] if person.pk in room.people else [],
        charter={
            "quorum": "1/4",
            "notice_h": 24,
            "window_h": 48,
            "objection_h": 12,
            "limits": {"test.tap": {"minutes": [1, 60]}},
        },
    )
    tap = sockets.Effect(
        slug="test.tap",
        body="test.garden",
        title="How long the tap runs",
        fields=lambda key: [sockets.EffectField("minutes", "Minutes", least=1, most=240)],
        now=lambda key: {"minutes": room.minutes},
        check=room.check,
        say=lambda key, value: f"{value['minutes']} minutes",
        border=midnight,
        apply=room.apply,
    )
    sockets.deciding_bodies.register(kind)
    sockets.effects.register(tap)
    yield room
    del sockets.deciding_bodies._plugs["test.garden"], sockets.effects._plugs["test.tap"]


@pytest.fixture
def people(garden: Garden) -> list[User]:
    found = [User.objects.create(username=f"gardener-{i}") for i in range(8)]
    garden.people = {person.pk: timezone.now() - 3_000 * DAY for person in found}
    return found
