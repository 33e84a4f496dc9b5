"""Reads of notices. One about a thing that the person may no longer see is left out, everywhere."""

from collections.abc import Iterable, Sequence

from django.conf import settings

from commons import sockets
from commons.notices.kinds import NoticeKind, kinds
from commons.notices.models import MailChoice, Notice
from commons.people.models import User

MOST_COUNTED = 99


def visible(person: User, notices: Iterable[Notice]) -> list[Notice]:
    """Those that lead to what the person may still see; each room is asked once."""
    listed = list(notices)
    seen: dict[str, set[str]] = {}
    for room in {notice.room for notice in listed}:
        urls = {notice.url for notice in listed if notice.room == room}
        plug = sockets.notice_filters.get(room)
        seen[room] = plug.visible(person, urls) if plug is not None else urls
    return [notice for notice in listed if notice.url in seen[notice.room]]


def newest(person: User, *, limit: int = 50, before: int | None = None) -> Sequence[Notice]:
    """A person's notices, newest first, those with a lower number than `before`."""
    found = Notice.objects.filter(person=person).select_related("actor").order_by("-pk")
    if before is not None:
        found = found.filter(pk__lt=before)
    return visible(person, found[:limit])


def unread_count(person: User) -> int:
    """How many are unread, up to 99. One query when there is none."""
    unread = Notice.objects.filter(person=person, read_at=None).order_by("-pk")[: MOST_COUNTED + 1]
    found = list(unread)
    return len(visible(person, found)) if found else 0


def mail_language(person: User) -> str:
    """The language of the person's letters: the one that they chose, or the site's own."""
    return chosen_language(person) or settings.LANGUAGE_CODE


def chosen_language(person: User) -> str:
    """The language that the person chose for letters, or nothing."""
    return MailChoice.objects.filter(person=person).values_list("language", flat=True).first() or ""


def kinds_of(person: User) -> list[tuple[str, list[tuple[NoticeKind, str]]]]:
    """Every kind of notice with what the person chose of it, by room."""
    found = MailChoice.objects.filter(person=person).first()
    chosen = found.kinds if found else {}
    rooms: dict[str, list[tuple[NoticeKind, str]]] = {}
    for kind in kinds:
        rooms.setdefault(kind.room, []).append((kind, chosen.get(kind.slug, MailChoice.Where.ALL)))
    return sorted(rooms.items())


def mail_choice(person: User) -> str:
    """When the person wants mail."""
    found = MailChoice.objects.filter(person=person).first()
    return found.when if found else MailChoice.When.DAILY
