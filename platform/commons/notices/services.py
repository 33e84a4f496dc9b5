"""Telling people what concerns them."""

from collections.abc import Iterable

from commons.notices.models import Notice
from commons.people.models import User


def tell(*, people: Iterable[User], kind: str, text: str, url: str, actor: User | None = None, about: str = "") -> int:
    """A notice for each person but the one who did it; how many were told. Call it inside the caller's transaction.

    `kind` is "room.event"; `text` one sentence in the site's language; `url` a path of ours. With `about` a second
    notice of the kind about the same thing waits until the first is read.
    """
    told = {person.pk: person for person in people if person.is_active and (actor is None or person.pk != actor.pk)}
    rows = [
        Notice(person=person, actor=actor, kind=kind, text=text[:300], url=url[:300], about=about[:120])
        for person in told.values()
    ]
    Notice.objects.bulk_create(rows, ignore_conflicts=True)
    return len(rows)
