"""Notices by mail: as they happen, once a day or once a week, to proven addresses, with a way out in every letter.

A notice is claimed before its letter is sent and let go when that fails, so nobody gets one twice.
"""

import datetime as dt
import logging
from collections import defaultdict
from collections.abc import Iterable, Sequence
from smtplib import SMTPException

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone, translation
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commons.notices.kinds import kinds
from commons.notices.models import MailChoice, Notice
from commons.notices.queries import mail_language, visible
from commons.people.models import User

log = logging.getLogger(__name__)

SALT = "notices.unsubscribe"
#: How long to wait after a letter for the next one.
BETWEEN = {
    MailChoice.When.NOW: dt.timedelta(0),
    MailChoice.When.DAILY: dt.timedelta(days=1),
    MailChoice.When.WEEKLY: dt.timedelta(days=7),
}
#: So long a notice may still become part of one letter with others.
GATHER = dt.timedelta(minutes=1)
#: Longer than a week, so that a weekly letter leaves nothing out.
TOO_OLD = dt.timedelta(days=9)
LETTERS_AT_MOST = 200


def send_due(*, now: dt.datetime | None = None) -> int:
    """Send what is due; how many letters. Called by beat."""
    now = now or timezone.now()
    return sum(_send(person, address, now) for person, address in _due(now))


def unsubscribe_url(person: User) -> str:
    """The address that ends a person's mail without signing in."""
    with translation.override(settings.LANGUAGE_CODE):
        path = reverse("rooms:notices_unsubscribe", args=[signing.dumps(person.pk, salt=SALT)])
    return f"{settings.PUBLIC_URL}{path}"


def person_of(word: str) -> User | None:
    """Whose unsubscribe link this is, or None for one that is not ours."""
    try:
        return User.objects.filter(pk=signing.loads(word, salt=SALT)).first()
    except signing.BadSignature:
        return None


def _waiting(now: dt.datetime) -> Q:
    return Q(read_at=None, mailed_at=None, created_at__lte=now - GATHER, created_at__gt=now - TOO_OLD)


def _due(now: dt.datetime) -> list[tuple[User, str]]:
    """People with something to hear, whose time it is, and their proven addresses."""
    people = set(Notice.objects.filter(_waiting(now)).values_list("person", flat=True).distinct())
    choices = {choice.person_id: choice for choice in MailChoice.objects.filter(person__in=people)}
    urgent = [kind.slug for kind in kinds if kind.urgent]
    hurried = set(Notice.objects.filter(_waiting(now), kind__in=urgent).values_list("person", flat=True))

    def is_time(pk: int) -> bool:
        choice = choices.get(pk)
        wait = BETWEEN.get(MailChoice.When(choice.when) if choice else MailChoice.When.DAILY)
        last = choice.last_sent_at if choice else None
        return wait is not None and (last is None or last <= now - wait or pk in hurried)

    proven = EmailAddress.objects.filter(user__in=[pk for pk in people if is_time(pk)], verified=True, primary=True)
    found = proven.filter(user__is_active=True).select_related("user")[:LETTERS_AT_MOST]
    return [(address.user, address.email) for address in found]


def _send(person: User, address: str, now: dt.datetime) -> int:
    claimed = _claim(person, now)
    shown = visible(person, claimed)
    if not shown:
        return 0
    try:
        _letter(person, address, shown).send()
    except (OSError, SMTPException):
        log.warning("a letter with %d notices could not be sent; they wait", len(shown), exc_info=True)
        Notice.objects.filter(pk__in=[notice.pk for notice in claimed]).update(mailed_at=None)
        return 0
    MailChoice.objects.update_or_create(person=person, defaults={"last_sent_at": now})
    return 1


@transaction.atomic
def _claim(person: User, now: dt.datetime) -> list[Notice]:
    held = Notice.objects.select_for_update(skip_locked=True).filter(_waiting(now), person=person).order_by("pk")
    claimed = list(held[:200])
    Notice.objects.filter(pk__in=[notice.pk for notice in claimed]).update(mailed_at=now)
    unwanted = MailChoice.objects.filter(person=person).values_list("kinds", flat=True).first() or {}
    return [notice for notice in claimed if notice.kind not in unwanted]


def _letter(person: User, address: str, notices: Sequence[Notice]) -> EmailMultiAlternatives:
    leave, count = unsubscribe_url(person), len(notices)
    with translation.override(mail_language(person)):
        subject = notices[0].sentence if count == 1 else ngettext("%(n)d notice", "%(n)d notices", count) % {"n": count}
        context = {
            "person": person, "notices": notices, "site": settings.PUBLIC_URL, "leave": leave,
            "days": by_day(notices), "why": _("You get this because you have an account in this city."),
        }  # fmt: skip
        words = render_to_string("notices/letter.txt", context)
    headers = {"List-Unsubscribe": f"<{leave}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click",
               "Auto-Submitted": "auto-generated", "Precedence": "bulk"}  # fmt: skip
    return EmailMultiAlternatives(" ".join(subject.split()), words, to=[address], headers=headers)


def by_day(notices: Iterable[Notice]) -> list[tuple[dt.date, list[Notice]]]:
    """Notices under the days on which they came, in the order given."""
    days: dict[dt.date, list[Notice]] = defaultdict(list)
    for notice in notices:
        days[timezone.localtime(notice.created_at).date()].append(notice)
    return list(days.items())
