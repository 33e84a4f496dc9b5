"""What the city keeps of a person, table by table, as each app declares it in its `kept.py`.

    KEPT = (Kept("labs.Booking", _("Bookings of machines"), {"user": FOLLOWS, "decided_by": UNLINKED}),)
    NOT_PERSONAL = {"labs.Machine": "of the lab"}

`KEPT` says how rows lead to a person, how they are exported and what becomes of them when the person's account is
closed; `NOT_PERSONAL` says why a table has nothing of anybody. Every table stands in one of the two (a test walks all
models), so nothing that is new can be forgotten by the export or by closing.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from django.apps import apps
from django.db import models
from django.db.models import Q, QuerySet
from django.utils.functional import Promise
from django.utils.module_loading import module_has_submodule
from django.utils.translation import gettext_lazy as _

Text = str | Promise


class Closing(StrEnum):
    """What becomes of a row when the account to which it leads is closed."""

    DELETED = "deleted"
    FOLLOWS = "follows"
    UNLINKED = "unlinked"
    BOOKS = "books"


#: It goes at once.
DELETED = Closing.DELETED
#: It goes with the account, or with what it belongs to; where books hold the account, it stays under “former-17”.
FOLLOWS = Closing.FOLLOWS
#: It is somebody else's or the city's and stays; the person's name is taken off it.
UNLINKED = Closing.UNLINKED
#: It stays, since a law or an append-only book wants it; it leads to a closed account without a name.
BOOKS = Closing.BOOKS

SAID: Mapping[Closing, Text] = {
    DELETED: _("deleted"),
    FOLLOWS: _("deleted with the account; where books must keep the account, it stays under a number"),
    UNLINKED: _("stays, without your name"),
    BOOKS: _("stays, under a number"),
}


@dataclass(frozen=True, slots=True)
class Kept:
    """How one table speaks of people.

    `ties` lead from a row to an account by the ORM's own words (“user”, “meter__participant__person”). `names` are
    columns that hold an account's name as text. `hidden` columns are exported to nobody (secrets, others' data);
    `read` turns packed columns into plain values. `why` is the reason of what stays in books.
    """

    model: str
    title: Text
    ties: Mapping[str, Closing]
    why: Text = ""
    names: Mapping[str, Closing] = field(default_factory=dict)
    hidden: frozenset[str] = frozenset()
    read: Mapping[str, Callable[[Any], Any]] = field(default_factory=dict)

    @property
    def table(self) -> type[models.Model]:
        """The model."""
        return apps.get_model(self.model)

    @property
    def slug(self) -> str:
        """Its name among files."""
        return self.model.lower()

    def of(self, person: Any) -> QuerySet[Any]:
        """Every row that leads to the person, by whatever tie."""
        led = Q(pk__in=[])
        for tie in self.ties:
            led |= Q(pk__in=self.tied(tie, person).values("pk"))
        for column in self.names:
            led |= Q(**{column: person.username})
        return self.table._base_manager.filter(led).order_by("pk")

    def tied(self, tie: str, person: Any) -> QuerySet[Any]:
        """Rows that lead to the person by one tie."""
        return self.table._base_manager.filter(**{tie: person.pk})

    def own(self) -> Iterator[tuple[str, Closing]]:
        """Ties that are columns of the table itself; the others go as what they lead through goes."""
        for tie, closing in self.ties.items():
            if "__" not in tie and tie != "pk" and not self.table._meta.get_field(tie).many_to_many:
                yield tie, closing


@dataclass(frozen=True, slots=True)
class Extra:
    """What is kept of a person in a table that the ORM does not see, such as raw readings: `EXTRA` of a `kept.py`."""

    slug: str
    title: Text
    columns: Sequence[str]
    rows: Callable[[Any], Iterable[Sequence[Any]]]
    closing: Text = ""


@dataclass(frozen=True, slots=True)
class Attached:
    """A file that goes along: what it is called there, and its bytes, where they lie, or what writes them to a path."""

    name: str
    source: bytes | Path | Callable[[Path], None]


@dataclass(frozen=True, slots=True)
class Files:
    """Files that are a person's own, beside the rows of `models` that speak of them: `FILES` of a `kept.py`."""

    slug: str
    title: Text
    models: frozenset[str]
    found: Callable[[Any], Iterable[Attached]]
    closing: Text = ""


@dataclass(frozen=True, slots=True)
class About:
    """For people: what an app is to them, who sees what it keeps, and for how long: `ABOUT` of a `kept.py`."""

    title: Text
    seen: Text
    until: Text = ""


@cache
def _modules() -> tuple[Any, ...]:
    """The `kept.py` of every app that has one."""
    found = []
    for app in apps.get_app_configs():
        if app.module is not None and module_has_submodule(app.module, "kept"):
            found.append(import_module(f"{app.name}.kept"))
    return tuple(found)


def everything() -> tuple[Kept, ...]:
    """All that is kept of people, in the order of apps."""
    return tuple(one for module in _modules() for one in module.KEPT)


def by_app() -> tuple[tuple[About, tuple[Kept, ...]], ...]:
    """What each app keeps of people, with what it says about that; apps that keep nothing are left out."""
    return tuple((module.ABOUT, module.KEPT) for module in _modules() if module.KEPT)


def extras() -> tuple[Extra, ...]:
    """What is kept beside the models' own tables."""
    return tuple(extra for module in _modules() for extra in getattr(module, "EXTRA", ()))


def files() -> tuple[Files, ...]:
    """Kinds of files that people bring or have made for them."""
    return tuple(one for module in _modules() for one in getattr(module, "FILES", ()))


def not_personal() -> dict[str, str]:
    """Tables, and columns as “app.Model.column”, that say nothing of anybody, each with the reason."""
    return {name: why for module in _modules() for name, why in module.NOT_PERSONAL.items()}
