"""The base layout: languages, theme, keys to the account, errors; with and without a database."""

import datetime as dt
import re
from types import SimpleNamespace

import pytest
from django.contrib.auth import get_user_model
from django.template import Context, Template
from django.test import Client, RequestFactory
from django.utils import timezone, translation

from commons import sockets
from commons.web.templatetags import layout


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("address", "lang", "words"),
    [
        ("/states/", "en", "How the city looks when there is nothing yet"),
        ("/fi/states/", "fi", "Miltä kaupunki näyttää"),
    ],
)
def test_the_page_speaks_its_language(client: Client, address: str, lang: str, words: str) -> None:
    page = client.get(address).content.decode()
    assert f'<html lang="{lang}"' in page
    assert words in page
    assert 'href="/states/" lang="en"' in page
    assert 'href="/fi/states/" lang="fi"' in page


@pytest.mark.django_db
def test_the_language_switch_keeps_the_question(client: Client) -> None:
    page = client.get("/states/?page=3").content.decode()
    assert 'href="/fi/states/?page=3"' in page


@pytest.mark.django_db
def test_the_theme_is_written_by_the_server(client: Client) -> None:
    assert "data-theme" not in client.get("/states/").content.decode().split(">", 2)[1]
    answer = client.post("/theme/", {"theme": "dark", "next": "/states/"})
    assert (answer.status_code, answer["Location"]) == (302, "/states/")
    assert '<html lang="en" data-theme="dark">' in client.get("/states/").content.decode()
    client.post("/theme/", {"theme": "system", "next": "/states/"})
    assert "data-theme=" not in client.get("/states/").content.decode().split("<head>")[0]


@pytest.mark.django_db
@pytest.mark.parametrize("target", ["https://elsewhere.example/", "//elsewhere.example", "javascript:alert(1)"])
def test_the_theme_form_leads_nowhere_else(client: Client, target: str) -> None:
    assert client.post("/theme/", {"theme": "dark", "next": target})["Location"] == "/"


@pytest.mark.django_db
def test_a_bad_theme_in_the_cookie_is_ignored(client: Client) -> None:
    client.cookies["theme"] = '"><script>'
    assert "<script>" not in client.get("/states/").content.decode().split("<head>")[0]


@pytest.mark.django_db
def test_the_account_menu_is_there_for_who_is_signed_in(client: Client) -> None:
    assert "/account/login/?next=/states/" in client.get("/states/").content.decode()
    client.force_login(get_user_model().objects.create_user("ada", password="a-long-password"))
    page = client.get("/states/").content.decode()
    assert 'action="/account/logout/"' in page
    assert re.search(r'<summary class="avatar"[^>]*>A</summary>', page)


@pytest.mark.django_db
def test_errors_are_pages_with_a_sentence(client: Client) -> None:
    answer = client.get("/there-is-nothing/")
    assert answer.status_code == 404
    assert "Nothing at this address" in answer.content.decode()
    answer = client.get("/fi/there-is-nothing/")
    assert "Tässä osoitteessa ei ole mitään" in answer.content.decode()


def test_the_page_for_our_own_faults_needs_no_database() -> None:
    from django.views.defaults import server_error

    answer = server_error(RequestFactory().get("/"))  # no database fixture: a query would fail this test
    assert answer.status_code == 500
    assert "Something broke on our side" in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize(
    "address", ["/account/login/", "/account/signup/", "/account/password/reset/", "/fi/account/login/"]
)
def test_account_pages_wear_our_clothes(client: Client, address: str) -> None:
    page = client.get(address).content.decode()
    assert 'class="masthead"' in page
    assert 'class="card words"' in page
    assert "<strong>Menu:" not in page  # that would be the layout of allauth


def ribbon(hours: list[sockets.SunHour]) -> str:
    place = SimpleNamespace(name="Kamppi", timezone="Europe/Helsinki")
    context = Context({"sun_place": place, "sun_hours": hours, "sun_url": "/labs/"})
    with translation.override("en"):
        return Template("{% load layout %}{% ribbon %}").render(context)


def test_the_ribbon_says_how_much_sun_is_to_spare_and_until_when() -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    spare = [-5.0, 12.0, 184.2, 90.0, -3.0]
    hours = [sockets.SunHour(hour + dt.timedelta(hours=at - 2), kw, at > 2) for at, kw in enumerate(spare)]
    drawn = ribbon(hours)
    end = (hour + dt.timedelta(hours=2)).astimezone(layout.ZoneInfo("Europe/Helsinki"))
    assert "184\u00a0kW solar to spare" in drawn
    assert f"until about {end:%H:%M}" in drawn
    assert drawn.count('class="f-solar') == 3
    assert drawn.count('class="f-grid') == 2
    assert drawn.count(" soon") == 2


def test_the_ribbon_promises_no_sunny_hour_when_none_is_left_today() -> None:
    hour = timezone.now().replace(minute=0, second=0, microsecond=0)
    spare = [40.0, -5.0, -6.0]
    past = ribbon([sockets.SunHour(hour + dt.timedelta(hours=at - 1), kw, at > 1) for at, kw in enumerate(spare)])
    assert "Plan ahead" in past and "sunny" not in past
    coming = ribbon([sockets.SunHour(hour + dt.timedelta(hours=at), -kw, at > 0) for at, kw in enumerate(spare)])
    assert "book a sunny hour" in coming


def test_no_ribbon_without_hours() -> None:
    assert ribbon([]).strip() == ""


@pytest.mark.django_db
def test_a_room_pays_for_its_own_style_sheet(client: Client) -> None:
    pages = {path: client.get(path).content.decode() for path in ("/labs/", "/designs/", "/")}
    sheets = {path: page.count('rel="stylesheet"') for path, page in pages.items()}
    assert sheets == {"/labs/": 2, "/designs/": 1, "/": 1}
