"""Telling people what concerns them, and what they do with it."""

from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.errors import BadInput
from commons.notices.models import MailChoice, Notice
from commons.people.models import User
from commons.said import keep


def tell(*, people: Iterable[User], kind: str, text: str, url: str, actor: User | None = None, about: str = "") -> int:
    """A notice for each person but the one who did it; how many were told. Call it inside the caller's transaction.

    `kind` is "room.event"; `text` one sentence, made by `commons.said.said` so that each reader has it in their
    language; `url` a path of ours. With `about` a second notice of the kind about the same thing waits until the first
    is read.
    """
    told = {person.pk: person for person in people if person.is_active and (actor is None or person.pk != actor.pk)}
    rows = [
        Notice(
            person=person, actor=actor, kind=kind, text=text[:300], kept=keep(text), url=url[:300], about=about[:120]
        )
        for person in told.values()
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def withdraw(*, under: Iterable[str]) -> int:
    """Take back every notice that leads to one of these pages or to one below; how many. For what goes for good."""
    led = Q(pk=None)
    for url in under:
        led |= Q(url__startswith=url)
    gone, _by_table = Notice.objects.filter(led).delete()
    return gone


def mark_read(*, person: User, numbers: Iterable[int] | None = None) -> int:
    """Mark these notices of the person read, or all; how many were unread."""
    unread = Notice.objects.filter(person=person, read_at=None)
    if numbers is not None:
        unread = unread.filter(pk__in=list(numbers))
    return unread.update(read_at=timezone.now())


@transaction.atomic
def choose_mail(*, person: User, when: str, language: str = "") -> MailChoice:
    """Say when notices come by mail, and in which language; the one of before without it. Raises BadInput."""
    if when not in MailChoice.When.values:
        raise BadInput(_("Mail comes now, daily or never, not “%(when)s”.") % {"when": when[:20]})
    if language and language not in dict(settings.LANGUAGES):
        raise BadInput(_("This city does not speak “%(language)s”.") % {"language": language[:20]})
    chosen = {"when": when} | ({"language": language} if language else {})
    found, _made = MailChoice.objects.update_or_create(person=person, defaults=chosen)
    return found
