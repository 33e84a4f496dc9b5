"""What a lab can belong to. Rooms bring the kinds: communities (`queries.sides`), buildings (the twin)."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from commons.sockets import Socket, Text

if TYPE_CHECKING:
    from commons.people.models import User
    from labs.models import Lab


@dataclass(frozen=True, slots=True)
class Other:
    """The other side of a tie: its address in its room, its name, its page, and a word that tells it from others."""

    target: str
    title: str
    url: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Side:
    """A kind of thing that labs belong to.

    `find` answers the thing of an address that a person may know of; `near` those that a lab may mean, the likeliest
    first, by words where some are given; `stewards` who is asked; `may_answer` who answers for it.
    """

    slug: str
    title: Text
    question: Text
    find: "Callable[[str, User | None], Other | None]"
    near: "Callable[[Lab, User | None, str], Sequence[Other]]"
    stewards: "Callable[[str], Iterable[User]]"
    may_answer: "Callable[[User | None, str], bool]"
    order: int = 100


sides: Socket[Side] = Socket("lab_sides")
