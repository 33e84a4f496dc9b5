"""What happens in public: things that one may follow, and the rooms that tell what happened to them.

Everything that passes here is read by strangers. A kind answers only what everybody may see; a source tells nothing of
anything else.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from commons.sockets import Socket, Text


@dataclass(frozen=True, slots=True)
class Subject:
    """Something public that may be followed. `kind` and `key` are those of its feed's address; `thing` is the row."""

    kind: str
    key: str
    title: str
    url: str
    thing: Any = None


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that happened, told to everybody: one sentence, when, where it leads. `key` names it for good."""

    key: str
    at: dt.datetime
    sentence: Text
    url: str
    by: str = ""
    text: str = ""


def always(_context: Mapping[str, Any]) -> bool:
    """Whatever stands on such a page is public."""
    return True


@dataclass(frozen=True, slots=True)
class SubjectKind:
    """A kind of thing that may be followed. `find` is given the key and answers None for what a stranger may not see.

    `pages` names the pages of such a thing, each with what makes the key of the address's parts, so that the page links
    to its feed; `shown` is given the page's context and says whether it is public at all.
    """

    slug: str
    title: Text
    find: Callable[[str], Subject | None]
    pages: Mapping[str, Callable[[Mapping[str, Any]], str]] = field(default_factory=dict)
    shown: Callable[[Mapping[str, Any]], bool] = always
    order: int = 100


@dataclass(frozen=True, slots=True)
class Source:
    """What a room tells: the newest happenings of a subject, at most so many; nothing for kinds that it does not
    know. The subject "city" is everything."""

    slug: str
    tell: Callable[[Subject, int], Iterable[Happening]]
    order: int = 100


kinds: Socket[SubjectKind] = Socket("activity_kinds")
sources: Socket[Source] = Socket("activity_sources")
