"""The one letter that cannot wait for the daily one: an offer of the waitlist ends within hours."""

import logging
import uuid
from smtplib import SMTPException

from allauth.account.models import EmailAddress
from django.conf import settings
from django.core.mail import EmailMessage
from django.utils import timezone, translation
from django.utils.translation import gettext as _

from commons.notices.mail import unsubscribe_url
from commons.notices.models import MailChoice, Notice
from commons.notices.queries import mail_choice
from labs.models import Booking
from labs.services.bookings.telling import url_of, words_of

log = logging.getLogger(__name__)


def offer(booking_id: uuid.UUID | str) -> bool:
    """Write to the person for whom a time is held; whether a letter went out.

    To a proven address alone, and not to somebody who wants no mail. The notice counts as sent then.
    """
    booking = Booking.objects.select_related("user", "machine__lab__place").filter(pk=booking_id).first()
    if booking is None or booking.status != Booking.Status.OFFERED:
        return False
    address = EmailAddress.objects.filter(user=booking.user, verified=True, primary=True).first()
    if address is None or not booking.user.is_active or mail_choice(booking.user) == MailChoice.When.NEVER:
        return False
    path, leave = url_of(booking), unsubscribe_url(booking.user)
    with translation.override(settings.LANGUAGE_CODE):
        subject = _("%(machine)s has become free for you, %(time)s") % words_of([booking])
        body = _("It is held for you until %(until)s, then it goes on to the next. Take it or let it go here:")
        lines = [subject + ".", body % words_of([booking]), f"{settings.PUBLIC_URL}{path}"]
        lines.append(_("No more letters: %(address)s") % {"address": leave})
    headers = {"List-Unsubscribe": f"<{leave}>", "Auto-Submitted": "auto-generated"}
    try:
        EmailMessage(" ".join(subject.split()), "\n\n".join(lines), to=[address.email], headers=headers).send()
    except (OSError, SMTPException):
        log.warning("the letter about an offer could not be sent; its notice waits for the next", exc_info=True)
        return False
    waiting = Notice.objects.filter(person=booking.user, kind="labs.offered", url=path, mailed_at=None)
    waiting.update(mailed_at=timezone.now())
    return True
