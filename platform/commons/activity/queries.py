"""What happened lately, from every room."""

import datetime as dt
import logging
from collections.abc import Sequence

from django.urls import reverse
from django.utils.translation import gettext as _

from commons.activity import sockets
from commons.activity.sockets import Happening, Subject
from commons.errors import NotFound

log = logging.getLogger(__name__)

MOST = 50


def city() -> Subject:
    """Everything that is public here."""
    return Subject("city", "", _("The city"), reverse("rooms:activity"))


def subject(kind: str, key: str) -> Subject:
    """Something that may be followed. Raises NotFound, for what a stranger may not see as for what is not there."""
    plug = sockets.kinds.get(kind)
    found = plug.find(key) if plug else None
    if found is None:
        raise NotFound(_("There is nothing public of that name to follow."))
    return found


def lately(of: Subject, *, most: int = MOST, before: dt.datetime | None = None) -> Sequence[Happening]:
    """The newest happenings of a subject, newest first. A room that fails costs its own lines."""
    found: dict[str, Happening] = {}
    for source in sockets.sources:
        try:
            told = list(source.tell(of, most))
        except Exception:
            log.exception("the activity of %s %s from %s failed", of.kind, of.key, source.slug)
            continue
        found.update({one.key: one for one in told if before is None or one.at < before})
    return sorted(found.values(), key=lambda one: (one.at, one.key), reverse=True)[:most]


def feed_url(of: Subject) -> str:
    """The address of its Atom feed."""
    if of.kind == "city":
        return reverse("rooms:activity_feed")
    return reverse("rooms:activity_feed_of", args=[of.kind, of.key])
