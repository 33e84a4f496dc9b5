"""Telling people what concerns them, and what they do with it."""

from collections.abc import Iterable, Mapping

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.errors import BadInput
from commons.notices.kinds import kinds
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
    for pk in _not_wanted(kind, told):
        del told[pk]
    rows = [
        Notice(
            person=person, actor=actor, kind=kind, text=text[:300], kept=keep(text), url=url[:300], about=about[:120]
        )
        for person in told.values()
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)


def _not_wanted(kind: str, people: Iterable[int]) -> list[int]:
    """Those of these people who have switched the kind off; nobody where it is needed."""
    known = kinds.get(kind)
    if known is not None and known.needed:
        return []
    rows = MailChoice.objects.filter(person__in=list(people), **{"kinds__contains": {kind: MailChoice.Where.OFF}})
    return list(rows.values_list("person", flat=True))


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
        raise BadInput(_("Mail comes now, daily, weekly or never, not “%(when)s”.") % {"when": when[:20]})
    if language and language not in dict(settings.LANGUAGES):
        raise BadInput(_("This city does not speak “%(language)s”.") % {"language": language[:20]})
    chosen = {"when": when} | ({"language": language} if language else {})
    found, _made = MailChoice.objects.update_or_create(person=person, defaults=chosen)
    return found


@transaction.atomic
def choose_kinds(*, person: User, chosen: Mapping[str, str]) -> MailChoice:
    """Say of each kind whether it comes here and by mail, here alone, or not at all; kinds that are not named stay.

    Raises BadInput for a kind or a choice that there is not, and where a kind that is needed would be switched off.
    """
    for kind, where in chosen.items():
        known = kinds.get(kind)
        if known is None or where not in MailChoice.Where.values:
            raise BadInput(
                _("There is no notice “%(kind)s” that could be “%(where)s”.") % {"kind": kind[:40], "where": where[:10]}
            )
        if known.needed and where == MailChoice.Where.OFF:
            raise BadInput(_("“%(kind)s” cannot be switched off, only kept out of letters.") % {"kind": known.title})
    found, _made = MailChoice.objects.select_for_update().get_or_create(person=person)
    held = {**found.kinds, **chosen}
    found.kinds = {kind: where for kind, where in sorted(held.items()) if where != MailChoice.Where.ALL}
    found.save(update_fields=["kinds"])
    return found
