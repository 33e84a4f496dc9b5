"""A person's own home, and how far their first hour is."""

import datetime as dt
import logging
from collections.abc import Sequence
from dataclasses import dataclass

from django.utils import timezone

from commons.mine import sockets
from commons.mine.models import FirstHour
from commons.mine.sockets import Item, Part, Step
from commons.people.models import User

log = logging.getLogger(__name__)

#: So long after signing up the front page offers a first hour by itself.
NEW = dt.timedelta(days=30)
MOST_WAITING = 5


@dataclass(frozen=True, slots=True)
class Filled:
    """A part of a person's home with its lines."""

    part: Part
    items: Sequence[Item]


def home(person: User) -> list[Filled]:
    """All parts. A room that fails costs its own part, never the page."""
    found = []
    for part in sockets.parts:
        try:
            found.append(Filled(part, list(part.items(person))))
        except Exception:
            log.exception("the part %s of a person's home failed", part.slug)
    return found


def waiting(parts: Sequence[Filled], *, most: int | None = None) -> list[Item]:
    """What waits for the person, the soonest end first."""
    never = dt.datetime.max.replace(tzinfo=dt.UTC)
    listed = [item for filled in parts for item in filled.items if item.waits]
    return sorted(listed, key=lambda item: item.by or never)[:most]


@dataclass(frozen=True, slots=True)
class Walked:
    """A step, and whether it was found to be done."""

    step: Step
    done: bool
    url: str


@dataclass(frozen=True, slots=True)
class Walk:
    """How far a first hour is."""

    hour: FirstHour
    steps: Sequence[Walked]

    @property
    def done(self) -> int:
        """How many steps were found to be done."""
        return sum(one.done for one in self.steps)

    @property
    def finished(self) -> bool:
        """Whether all are."""
        return bool(self.steps) and self.done == len(self.steps)

    @property
    def share(self) -> float:
        """The same as a share, 0 to 1."""
        return self.done / len(self.steps) if self.steps else 0.0

    @property
    def next(self) -> Walked | None:
        """The first that is not done."""
        return next((one for one in self.steps if not one.done), None)


def hour_of(person: User) -> FirstHour | None:
    """The first hour that the person chose or put away."""
    return FirstHour.objects.filter(person=person).first()


def walk(hour: FirstHour) -> Walk:
    """The steps of a path, each judged by what stands in the database now."""
    found = []
    for step in sockets.steps:
        if step.path == hour.path:
            try:
                done = step.done(hour.person)
            except Exception:
                log.exception("the step %s of a first hour failed", step.slug)
                done = False
            found.append(Walked(step, done, step.url(hour.person)))
    return Walk(hour, found)


def is_offered(person: User, hour: FirstHour | None) -> bool:
    """Whether the front page speaks of it: to newcomers, until they put it away; to those on the way."""
    if hour is not None:
        return hour.dismissed_at is None
    return timezone.now() - person.date_joined < NEW
