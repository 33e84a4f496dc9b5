"""Reads of the log: a page of it, its heads, and whether the chain holds."""

import datetime as dt
from dataclasses import dataclass

from django.db.models import QuerySet
from django.utils import timezone

from commons import sealing
from commons.audit import chain
from commons.audit.models import Alias, Head, Record
from commons.audit.recording import opened_ip

PAGE = 50
#: A row that waits longer than this for its place in the chain means that the clock stands still.
WAITS_AT_MOST = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Asked:
    """What somebody looks for."""

    name: str = ""
    what: str = ""
    first: dt.date | None = None
    last: dt.date | None = None
    below: int | None = None


@dataclass(frozen=True, slots=True)
class Line:
    """A row as staff read it: by whom and from where is empty when the account is gone."""

    record: Record
    name: str
    ip: str


def lines(asked: Asked) -> list[Line]:
    """The newest rows that fit, one more than a page where there are more."""
    rows = list(_found(asked)[: PAGE + 1])
    known = {one.name: one for one in Alias.objects.filter(name__in={row.who for row in rows}).select_related("user")}
    return [_line(row, known.get(row.who)) for row in rows]


def _found(asked: Asked) -> QuerySet[Record]:
    found = Record.objects.exclude(number=None).order_by("-number")
    if asked.name:
        found = found.filter(who__in=Alias.objects.filter(user__username=asked.name.lower()).values("name"))
    if asked.what:
        found = found.filter(what__icontains=asked.what)
    if asked.first:
        found = found.filter(at__gte=dt.datetime.combine(asked.first, dt.time(), dt.UTC))
    if asked.last:
        found = found.filter(at__lt=dt.datetime.combine(asked.last + dt.timedelta(days=1), dt.time(), dt.UTC))
    return found.filter(number__lt=asked.below) if asked.below else found


def _line(row: Record, known: Alias | None) -> Line:
    if known is None:
        return Line(row, "", "")
    try:
        return Line(row, known.user.username, opened_ip(known, row.ip) if row.ip else "")
    except sealing.Sealed:
        return Line(row, known.user.username, "")


def heads(most: int = 400) -> list[Head]:
    """The published heads, newest first."""
    return list(Head.objects.order_by("-day")[:most])


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether the chain holds: rows looked at, the first number that is wrong with what is wrong there, how many rows
    wait for their place."""

    rows: int
    end: str
    broken_at: int | None
    why: str
    waiting: int
    heads: int


def verify() -> Verdict:
    """Work the whole chain out again, and hold it against every head that was published."""
    published = {head.number: head for head in Head.objects.all()}
    end, count = chain.BEGINNING, 0
    rows = Record.objects.exclude(number=None).order_by("number").values(*chain.FIELDS, "hash")
    for row in rows.iterator(chunk_size=2000):
        number, expected = row["number"], count + 1
        if number != expected:
            return _verdict(count, end, expected, "the row is missing", len(published))
        end = chain.linked(end, row)
        if end != row["hash"]:
            return _verdict(count, end, number, "the row is not the one that was sealed", len(published))
        head = published.get(number)
        if head is not None and head.hash != end:
            why = f"the head that was published on {head.day} is another: the chain was written anew"
            return _verdict(count, end, number, why, len(published))
        count = number
    beyond = min((number for number in published if number > count), default=None)
    if beyond is not None:
        why = f"the chain ends here, and a head of row {beyond} was published"
        return _verdict(count, end, count + 1, why, len(published))
    return _verdict(count, end, None, "", len(published))


def _verdict(count: int, end: str, broken_at: int | None, why: str, published: int) -> Verdict:
    late = Record.objects.filter(number=None, at__lt=timezone.now() - WAITS_AT_MOST).count()
    return Verdict(count, end, broken_at, why, late, published)
