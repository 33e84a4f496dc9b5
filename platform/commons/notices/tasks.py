"""What beat rings for: letters with notices."""

from celery import shared_task

from commons.notices import mail

BEAT = {"notices.mail": {"task": "notices.mail", "schedule": 60.0, "options": {"expires": 55}}}


@shared_task(name="notices.mail")
def send_mail() -> int:
    """Every minute: the letters that are due."""
    return mail.send_due()
