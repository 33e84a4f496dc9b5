"""Notices: counted, read, sent by mail as each person wants, and never about what they may no longer see."""

import datetime as dt
import re
from typing import Any

import pytest
from allauth.account.models import EmailAddress
from django.core import mail as outbox
from django.test import Client
from django.utils import timezone
from django.utils.translation import gettext_lazy

from commons.notices import mail, queries, services
from commons.notices.models import MailChoice, Notice
from commons.people.models import User
from commons.people.services import create_token, create_user
from commons.said import said

pytestmark = pytest.mark.django_db


@pytest.fixture
def anna() -> User:
    person = create_user(username="anna", email="anna@example.org")
    EmailAddress.objects.create(user=person, email=person.email, verified=True, primary=True)
    return person


def told(person: User, text: str, url: str = "/", kind: str = "city.news", **more: Any) -> None:
    services.tell(people=[person], kind=kind, text=text, url=url, **more)


def later(**more: float) -> dt.datetime:
    return timezone.now() + dt.timedelta(**more)


def test_the_bell_counts_and_reading_stops_it(client: Client, anna: User) -> None:
    client.force_login(anna)
    assert "0 new notices" in client.get("/me/notices/").content.decode()
    told(anna, "One")
    told(anna, "Two", url="/people/anna/")
    assert "2 new notices" in client.get("/").content.decode()
    first, second = Notice.objects.order_by("pk")
    assert client.get(f"/me/notices/{second.pk}/")["Location"] == "/people/anna/"
    assert "1 new notice" in client.get("/").content.decode()
    client.post("/me/notices/read/", {"number": first.pk})
    assert queries.unread_count(anna) == 0
    told(anna, "Three")
    client.post("/me/notices/read/")
    assert queries.unread_count(anna) == 0


def test_notices_of_others_are_not_mine(client: Client, anna: User) -> None:
    ben = create_user(username="ben")
    told(anna, "Private words")
    theirs = Notice.objects.get()
    client.force_login(ben)
    assert client.get(f"/me/notices/{theirs.pk}/").status_code == 404
    client.post("/me/notices/read/", {"number": theirs.pk})
    theirs.refresh_from_db()
    assert theirs.read_at is None
    assert "Private words" not in client.get("/me/notices/").content.decode()


def test_what_may_no_longer_be_seen_is_not_told(client: Client, anna: User) -> None:
    from designs.models import Collaborator, Design
    from designs.services import create_design
    from designs.services.renaming import rename

    ben = create_user(username="ben")
    design = create_design(owner=ben.handle, name="Lamp", licence="MIT", by=ben)
    told(anna, "A lamp", url="/designs/ben/lamp/talk/#comment-1", kind="designs.comment")
    assert queries.unread_count(anna) == 1
    Design.objects.filter(pk=design.pk).update(visibility="private")
    assert queries.unread_count(anna) == 0
    client.force_login(anna)
    assert client.get(f"/me/notices/{Notice.objects.get().pk}/").status_code == 404
    assert mail.send_due(now=later(minutes=2)) == 0 and outbox.outbox == []
    Collaborator.objects.create(design=design, user=anna, role="reader")
    assert queries.unread_count(anna) == 1
    rename(design=design, by=ben, slug="light")
    assert queries.unread_count(anna) == 1, "an old address still leads there"


def test_daily_letters(anna: User) -> None:
    told(anna, "One")
    assert mail.send_due() == 0, "it may still become part of a letter with others"
    told(anna, "Two")
    assert mail.send_due(now=later(minutes=2)) == 1
    assert mail.send_due(now=later(minutes=3)) == 0
    letter = outbox.outbox[0]
    assert letter.to == ["anna@example.org"] and letter.subject == "2 notices"
    assert "One" in letter.body and "Two" in letter.body
    told(anna, "Three")
    assert mail.send_due(now=later(hours=2)) == 0, "once a day"
    assert mail.send_due(now=later(hours=25)) == 1
    assert outbox.outbox[1].subject == "Three" and "One" not in outbox.outbox[1].body


def test_letters_as_each_wants(anna: User) -> None:
    services.choose_mail(person=anna, when="now")
    told(anna, "One")
    assert mail.send_due(now=later(minutes=2)) == 1
    told(anna, "Two")
    assert mail.send_due(now=later(minutes=4)) == 1
    services.choose_mail(person=anna, when="never")
    told(anna, "Three")
    assert mail.send_due(now=later(hours=30)) == 0
    services.choose_mail(person=anna, when="now")
    EmailAddress.objects.update(verified=False)
    assert mail.send_due(now=later(hours=31)) == 0, "only to addresses that were proven"


def test_a_letter_that_could_not_go_goes_later(anna: User, monkeypatch: pytest.MonkeyPatch, settings: Any) -> None:
    told(anna, "One")
    settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
    settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", 9
    assert mail.send_due(now=later(minutes=2)) == 0
    assert Notice.objects.get().mailed_at is None
    settings.EMAIL_BACKEND = "django.core.mail.backends.locmem.EmailBackend"
    assert mail.send_due(now=later(minutes=4)) == 1


def test_each_reader_has_a_notice_in_their_own_language(client: Client, anna: User) -> None:
    sentence = said(gettext_lazy("%(name)s wrote about %(design)s"), name="Ben & co", design="50 % lamp")
    told(anna, sentence)
    Notice.objects.bulk_create([Notice(person=anna, kind="city.news", text="From before. 100 %", url="/")])
    client.force_login(anna)
    english, finnish = (client.get(f"{prefix}/me/notices/").content.decode() for prefix in ("", "/fi"))
    assert "Ben &amp; co wrote about 50 % lamp" in english and "Ben &amp; co kirjoitti suunnitelmasta" in finnish
    assert "From before. 100 %" in english and "From before. 100 %" in finnish


def test_letters_come_in_the_language_that_was_chosen(client: Client, anna: User) -> None:
    sentence = said(gettext_lazy("%(name)s wrote about %(design)s"), name="Ben", design="Lamp")
    client.force_login(anna)
    assert client.post("/fi/me/notices/mail/", {"when": "now", "language": "xx"}).status_code == 400
    client.post("/fi/me/notices/mail/", {"when": "now", "language": "fi"})
    told(anna, sentence)
    mail.send_due(now=later(minutes=2))
    services.choose_mail(person=anna, when="now", language="en")
    services.choose_mail(person=anna, when="now")
    told(anna, sentence)
    mail.send_due(now=later(minutes=4))
    subjects = [letter.subject for letter in outbox.outbox]
    assert subjects == ["Ben kirjoitti suunnitelmasta Lamp", "Ben wrote about Lamp"]
    assert "/fi/me/notices/" in outbox.outbox[0].body


def test_each_letter_has_a_way_out(client: Client, anna: User) -> None:
    told(anna, "One")
    mail.send_due(now=later(minutes=2))
    letter = outbox.outbox[0]
    link = re.fullmatch(r"<https?://[^/]+(/letters/.+)>", letter.extra_headers["List-Unsubscribe"])
    assert link is not None and letter.extra_headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert link[1] in letter.body
    assert client.get(link[1]).status_code == 200
    assert MailChoice.objects.get().when == "daily", "following a link changes nothing"
    strict = Client(enforce_csrf_checks=True)
    assert strict.post(link[1], {"List-Unsubscribe": "One-Click"}).status_code == 200
    assert MailChoice.objects.get().when == "never"
    assert client.post("/letters/forged:word/").status_code == 404


def test_the_api(client: Client, anna: User) -> None:
    told(anna, "One")
    told(anna, "Two")
    headers = {"authorization": f"Bearer {create_token(user=anna, name='t', scopes=['designs:write'])[1]}"}
    assert client.get("/api/v1/people/me/notices/").status_code in {401, 403}
    rows = client.get("/api/v1/people/me/notices/", headers=headers).json()["results"]
    assert [row["text"] for row in rows] == ["Two", "One"]
    body = {"ids": [rows[0]["id"]]}
    done = client.post("/api/v1/people/me/notices/", body, headers=headers, content_type="application/json")
    assert done.json() == {"read": 1, "unread": 1}
