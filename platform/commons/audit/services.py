"""The chain is made longer, and its head published."""

import datetime as dt

from django.db import connection, transaction
from django.utils import timezone

from commons.audit import chain
from commons.audit.models import Head, Record

_CHAIN = 0x6C63_6175  # "lcau": the advisory lock of who makes the chain longer
BATCH = 500
COLUMNS = ("id", *chain.FIELDS)


def seal() -> int:
    """Seal what waits into the chain, oldest first; how many rows.

    One at a time: who finds another at it leaves the own row to them, or to the clock, and waits for nothing.
    """
    sealed = 0
    with transaction.atomic():
        if not _alone():
            return 0
        former = Record.objects.exclude(number=None).order_by("-number").first()
        number, end = (former.number or 0, former.hash or "") if former else (0, chain.BEGINNING)
        while rows := list(Record.objects.filter(number=None).order_by("id")[:BATCH].values(*COLUMNS)):
            links = []
            for row in rows:
                number += 1
                end = chain.linked(end, row | {"number": number})
                links.append((row["id"], number, end))
            _link(links)
            sealed += len(links)
    return sealed


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [_CHAIN])
        return bool(cursor.fetchone()[0])


def _link(links: list[tuple[int, int, str]]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE audit_record r SET number = l.number, hash = l.hash"
            " FROM unnest(%s::bigint[], %s::bigint[], %s::text[]) AS l(id, number, hash) WHERE r.id = l.id",
            [list(column) for column in zip(*links, strict=True)],
        )


def publish(today: dt.date | None = None) -> Head | None:
    """The head of the chain as it stands, once a day; None when the day has one or there is nothing yet."""
    seal()
    day = today or timezone.now().date()
    last = Record.objects.exclude(number=None).order_by("-number").first()
    if last is None or last.number is None or Head.objects.filter(day=day).exists():
        return None
    head, made = Head.objects.get_or_create(day=day, defaults={"number": last.number, "hash": last.hash or ""})
    return head if made else None
