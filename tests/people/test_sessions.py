"""Where a person is signed in: the list, ending one, ending the others, and a new password."""

import datetime as dt

import pytest
from allauth.usersessions.models import UserSession
from django.test import Client
from django.utils import timezone

from commons.people import sessions
from commons.people.models import User
from commons.people.services import create_sign_in_link, create_user

pytestmark = pytest.mark.django_db
PASSWORD = "a long enough one"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
PHONE = "Mozilla/5.0 (Linux; Android 15) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0 Mobile Safari/537.36"


@pytest.fixture
def anna() -> User:
    return create_user(username="anna", password=PASSWORD)


def browser(agent: str = FIREFOX, ip: str = "192.0.2.1") -> Client:
    client = Client(HTTP_USER_AGENT=agent, REMOTE_ADDR=ip)
    assert client.post("/account/login/", {"login": "anna", "password": PASSWORD}).status_code == 302
    return client


def is_in(client: Client) -> bool:
    return client.get("/me/").status_code == 200


def test_each_browser_stands_there_with_device_and_network(anna: User) -> None:
    here, _phone = browser(), browser(PHONE, "2001:db8::7")
    link = Client(HTTP_USER_AGENT="curl/8", REMOTE_ADDR="192.0.2.1")
    assert link.post(f"/sign-in/{create_sign_in_link(user=anna)}/").status_code == 302
    page = here.get("/me/sessions/").content.decode()
    for words in ("Firefox on Linux", "this browser", "Chrome on Android", "2001:db8::7", "curl/8", "End all others"):
        assert words in page, words
    assert page.count("the network that you are in now") == 1


def test_one_is_ended_and_another_persons_is_not(anna: User) -> None:
    here, phone = browser(), browser(PHONE)
    boris = create_user(username="boris", password=PASSWORD)
    theirs = Client()
    theirs.post("/account/login/", {"login": "boris", "password": PASSWORD})
    row = UserSession.objects.get(user=boris)
    assert here.post(f"/me/sessions/{row.pk}/end/").status_code == 404 and is_in(theirs)
    mine = UserSession.objects.exclude(session_key=here.session.session_key).get(user=anna)
    assert here.get(f"/me/sessions/{mine.pk}/end/").status_code == 405 and is_in(phone)
    assert here.post(f"/me/sessions/{mine.pk}/end/").status_code == 302
    assert is_in(here) and not is_in(phone)


def test_all_others_are_ended(anna: User) -> None:
    here, *others = (browser(ip=f"192.0.2.{n}") for n in range(1, 5))
    assert here.post("/me/sessions/end-others/").status_code == 302
    assert is_in(here) and not any(map(is_in, others))
    assert UserSession.objects.filter(user=anna).count() == 1
    assert "End all others" not in here.get("/me/sessions/").content.decode()


def test_a_new_password_ends_the_others(anna: User) -> None:
    here, other = browser(), browser(PHONE)
    words = {"oldpassword": PASSWORD, "password1": "quite another one", "password2": "quite another one"}
    assert here.post("/account/password/change/", words).status_code == 302
    assert is_in(here) and not is_in(other)
    page = here.get("/me/sessions/").content.decode()
    assert "Firefox on Linux" in page and "Chrome" not in page


def test_when_it_was_last_seen_is_written_now_and_then(anna: User) -> None:
    here = browser()
    key = here.session.session_key
    long_ago = timezone.now() - dt.timedelta(hours=3)
    UserSession.objects.filter(session_key=key).update(last_seen_at=long_ago)
    is_in(here)
    assert UserSession.objects.get(session_key=key).last_seen_at == long_ago, "seen a moment ago"
    session = here.session
    session[sessions.SEEN] = long_ago.isoformat()
    session.save()
    here.get("/me/", REMOTE_ADDR="192.0.2.44")
    row = UserSession.objects.get(session_key=key)
    assert timezone.now() - row.last_seen_at < dt.timedelta(minutes=1) and row.ip == "192.0.2.44"


@pytest.mark.parametrize(
    ("agent", "words"),
    [
        (FIREFOX, "Firefox on Linux"),
        (PHONE, "Chrome on Android"),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 14_0) AppleWebKit/605 Version/17 Safari/605.1", "Safari on Mac"),
        ("Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537 Chrome/140 Safari/537 Edg/140", "Edge on Windows"),
        ("", "An unknown device"),
        ("<script>x</script>", "scriptx/script"),
    ],
)
def test_what_a_browser_says_of_itself(agent: str, words: str) -> None:
    assert sessions.device_words(agent) == words
