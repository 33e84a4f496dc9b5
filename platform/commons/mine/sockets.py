"""What rooms bring to a person's own pages: what waits for them today, the steps of a first hour, their dates.

All of it is for one person's eyes: a part answers what that person may see, and is shown to nobody else.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from commons.sockets import Socket, Text

if TYPE_CHECKING:
    from commons.people.models import User


@dataclass(frozen=True, slots=True)
class Item:
    """One line of a part. `waits`: somebody or something waits for this person; `by` is until when."""

    title: str
    url: str
    detail: str = ""
    chip: Text = ""
    kind: str = ""
    waits: bool = False
    by: "dt.datetime | None" = None


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a person's own home: few lines, newest or most urgent first. `all_url` leads to all of them; `empty`
    says what would be here, with the address that fills it. `items` asks few questions, whatever there is."""

    slug: str
    title: Text
    icon: str
    items: "Callable[[User], Sequence[Item]]"
    all_url: str = ""
    empty: Text = ""
    fill_url: str = ""
    fill: Text = ""
    order: int = 100


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a first hour. `done` finds in the database whether it was taken: nobody ticks it. `url` leads to where
    it is taken."""

    slug: str
    path: Literal["maker", "host", "neighbour"]
    title: Text
    what: Text
    url: "Callable[[User], str]"
    done: "Callable[[User], bool]"
    order: int = 100


@dataclass(frozen=True, slots=True)
class Dated:
    """Something with a time in a person's own calendar. `uid` stays whatever changes; `busy`: it takes their time."""

    uid: str
    start: "dt.datetime"
    end: "dt.datetime"
    title: str
    url: str
    changed: "dt.datetime"
    text: str = ""
    gone: bool = False
    busy: bool = True


@dataclass(frozen=True, slots=True)
class Dates:
    """A room's dates of a person from a moment on."""

    slug: str
    of: "Callable[[User, dt.datetime], Iterable[Dated]]"
    order: int = 100


parts: Socket[Part] = Socket("my_parts")
steps: Socket[Step] = Socket("first_steps")
dates: Socket[Dates] = Socket("my_dates")
