"""Closing one's own account: what is passed on first, what will happen in numbers, and proof that it is theirs."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from commons import kept, sockets
from commons.kept import BOOKS, DELETED, FOLLOWS, UNLINKED, Closing, Kept, Text
from commons.owndata.errors import NotProven
from commons.people import leaving
from commons.people.models import Membership, User
from commons.sockets import Hit


@dataclass(frozen=True, slots=True)
class Line:
    """How many rows of a kind a person has, and what becomes of them."""

    title: Text
    n: int
    why: Text = ""


@dataclass(frozen=True, slots=True)
class Plan:
    """What closing would do, in numbers."""

    first: list[Hit]
    deleted: list[Line]
    unlinked: list[Line]
    books: list[Line]
    stays: bool

    @property
    def possible(self) -> bool:
        """Whether nothing has to be done before."""
        return not self.first

    def sums(self) -> Mapping[str, int]:
        """Rows by what becomes of them."""
        return {
            "deleted": sum(line.n for line in self.deleted),
            "unlinked": sum(line.n for line in self.unlinked),
            "books": sum(line.n for line in self.books),
        }


def plan(person: User) -> Plan:
    """Count everything. Where books hold the account, what would go with it stays under its number."""
    stays = any(room.keeps(person) for room in sockets.leavers)
    found: dict[Closing, list[Line]] = {closing: [] for closing in Closing}
    for one in kept.everything():
        for closing, n in _counts(one, person).items():
            found[closing].append(Line(one.title, n, one.why if closing is BOOKS else ""))
    gone = found[DELETED] + ([] if stays else found[FOLLOWS])
    return Plan(first(person), gone, found[UNLINKED] + (found[FOLLOWS] if stays else []), found[BOOKS], stays)


def _counts(one: Kept, person: User) -> dict[Closing, int]:
    """The person's rows of a table, each under the strongest of its ties: it is deleted, or held by books, or …"""
    counts: dict[Closing, int] = {}
    seen: set[Any] = set()
    for wanted in (DELETED, BOOKS, FOLLOWS, UNLINKED):
        keys: set[Any] = set()
        for tie, closing in one.ties.items():
            if closing is wanted:
                keys |= set(one.tied(tie, person).values_list("pk", flat=True))
        for column, closing in one.names.items():
            if closing is wanted:
                keys |= set(one.table._base_manager.filter(**{column: person.username}).values_list("pk", flat=True))
        if keys - seen:
            counts[wanted] = len(keys - seen)
        seen |= keys
    return counts


def first(person: User) -> list[Hit]:
    """What has to be passed on or deleted before: organisations that would be left alone, and what rooms name."""
    found = []
    for membership in Membership.objects.filter(user=person, role=Membership.Role.OWNER).select_related("organisation"):
        others = Membership.objects.filter(organisation=membership.organisation, role=Membership.Role.OWNER)
        if not others.exclude(user=person).exists():
            handle = membership.organisation.handle
            detail = _("You are its only owner: make somebody else an owner.")
            found.append(Hit(membership.organisation.name, reverse("rooms:person", args=[handle.name]), detail))
    for room in sockets.leavers:
        if room.first is not None:
            found += room.first(person)
    return found


def prove(request: HttpRequest, person: User, *, name: str, password: str) -> None:
    """That it is really they, and that they mean it. Wrong passwords count as attempts to sign in. Raises NotProven."""
    if name.strip().lower() != person.username:
        raise NotProven(_("Write the name of your account, “%(name)s”.") % {"name": person.username}, where="name")
    if not person.has_usable_password():
        return
    if authenticate(request, username=person.username, password=password) != person:
        raise NotProven(_("This is not the password of your account. Nothing was closed."), where="password")


def backup_days() -> int:
    """After how many days the last backup that knows an account of today is gone."""
    return math.ceil(settings.BACKUP_KEEP * settings.BACKUP_EVERY_HOURS / 24)


def close(person: User) -> bool:
    """Close it; whether the account is gone whole. Raises PersonStays, LastOwner, and what rooms raise."""
    return leaving.leave(user=person)

