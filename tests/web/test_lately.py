"""Strangers share a page for a moment; nobody sees what is old, or what is another's."""

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from django.core.cache import cache
from django.core.cache.backends.redis import RedisCache
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext

from commons.people.models import User
from commons.people.services import create_user
from commons.places.models import Place
from commons.web import lately, written

NONCE = re.compile(r'nonce="([^"]+)"')
TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([A-Za-z0-9]{64})"')


@pytest.fixture
def kamppi(transactional_db: None) -> Place:
    """A place to be at home in, and nothing kept of it."""
    cache.clear()
    return Place.objects.create(slug="kamppi", name="Kamppi", timezone="Europe/Helsinki")


def asked(client: Client, path: str = "/", **more: Any) -> tuple[str, int]:
    """The page, and how many questions it asked the database."""
    with CaptureQueriesContext(connection) as queries:
        page = client.get(path, **more)
    assert page.status_code == 200
    return page.content.decode(), len(queries)


def bare(page: str) -> str:
    """Without what is a visitor's own."""
    for pattern in (NONCE, TOKEN):
        for own in set(pattern.findall(page)):
            page = page.replace(own, "")
    return re.sub(r'"X-CSRFToken": "\w+"', "", page)


def test_strangers_share_a_page_but_not_what_is_their_own(kamppi: Place) -> None:
    pages = [Client().get("/") for _ in range(3)]
    first, second, third = (page.content.decode() for page in pages)
    assert asked(Client())[1] == 0, "nothing was asked of the database"
    assert bare(first) == bare(second) == bare(third)
    nonces = [NONCE.search(text)[1] for text in (first, second, third)]  # type: ignore[index]
    assert len(set(nonces)) == 3
    for page, nonce in zip(pages, nonces, strict=True):
        assert f"'nonce-{nonce}'" in page["Content-Security-Policy"]
        assert set(NONCE.findall(page.content.decode())) == {nonce}
        assert "csrftoken" in page.cookies and "Cookie" in page["Vary"]
    assert len({page.cookies["csrftoken"].value for page in pages}) == 3


def test_the_form_of_a_kept_page_is_taken(kamppi: Place) -> None:
    Client().get("/")
    visitor = Client(enforce_csrf_checks=True)
    page, queries = asked(visitor)
    assert queries == 0
    token = TOKEN.search(page)[1]  # type: ignore[index]
    taken = visitor.post("/theme/", {"theme": "dark", "next": "/", "csrfmiddlewaretoken": token})
    assert taken.status_code == 302
    other = Client(enforce_csrf_checks=True)
    other.get("/")
    assert other.post("/theme/", {"theme": "dark", "csrfmiddlewaretoken": token}).status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        lambda place: Place.objects.filter(pk=place.pk).update(name="Punavuori"),
        lambda place: Place.objects.bulk_update([Place(pk=place.pk, name="Punavuori")], ["name"]),
        lambda place: Place(pk=place.pk, name="Punavuori").save(update_fields=["name"]),
    ],
    ids=["update", "bulk", "save"],
)
def test_what_is_written_shows_at_once(kamppi: Place, change: Callable[[Place], object]) -> None:
    assert "Kamppi" in asked(Client())[0]
    with transaction.atomic():
        change(kamppi)
        before = cache.get(written.KEY)
    assert cache.get(written.KEY) != before
    page = asked(Client())[0]
    assert "Punavuori" in page and "Kamppi" not in page


def test_a_change_that_is_taken_back_changes_nothing(kamppi: Place) -> None:
    before = cache.get(written.KEY)
    with pytest.raises(ZeroDivisionError), transaction.atomic():
        Place.objects.update(name="Punavuori")
        raise ZeroDivisionError
    assert cache.get(written.KEY) == before
    with transaction.atomic():
        with pytest.raises(ZeroDivisionError), transaction.atomic():
            Place.objects.update(name="Punavuori")
            raise ZeroDivisionError
        Place.objects.update(name="Ullanlinna")
    assert cache.get(written.KEY) != before, "the savepoint that went back took no other change's word with it"


def test_a_page_made_of_old_data_is_never_kept_as_new(kamppi: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody writes after the page has read and before it is kept."""
    put = lately._put

    def late(key: str, kept: Any) -> None:
        Place.objects.update(name="Punavuori")
        put(key, kept)

    with monkeypatch.context() as patch:
        patch.setattr(lately, "_put", late)
        assert "Kamppi" in asked(Client())[0]
    assert "Punavuori" in asked(Client())[0]


def test_who_is_somebody_is_answered_anew(kamppi: Place) -> None:
    Client().get("/")
    person: User = create_user(username="aino", name="Aino")
    signed_in = Client()
    signed_in.force_login(person)
    Client().get("/")
    for _ in range(2):
        page, queries = asked(signed_in)
        assert queries and "Aino" in page
    page, queries = asked(Client(), headers={"Authorization": "Bearer nothing"})
    assert queries
    assert "Aino" not in asked(Client())[0]


@pytest.mark.parametrize(("path", "cookies"), [("/", {"theme": "dark"}), ("/fi/", {}), ("/?q=1", {})])
def test_what_a_page_depends_on_is_kept_apart(kamppi: Place, path: str, cookies: dict[str, str]) -> None:
    Client().get("/")
    visitor = Client()
    visitor.cookies.load(cookies)
    assert [asked(visitor, path)[1] > 0 for _ in range(2)] == [True, False]
    assert asked(Client())[1] == 0


def test_one_visitor_alone_waits_for_a_page_that_is_made_anew(kamppi: Place, settings: Any) -> None:
    Client().get("/")
    settings.PAGES_KEPT_S = 1
    time.sleep(1.1)
    found: list[int] = []
    made = lately._put

    def meanwhile(key: str, kept: lately.Kept) -> None:
        found.append(asked(Client())[1])
        made(key, kept)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(lately, "_put", meanwhile)
        assert asked(Client())[1] > 0
    assert found == [0], "who comes meanwhile gets the old page"
    assert asked(Client())[1] == 0


def test_without_the_cache_pages_are_made_anew(kamppi: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    def away(self: RedisCache, *_: Any, **_more: Any) -> None:
        raise ConnectionError("no Valkey")

    for name in ("get_many", "set"):
        monkeypatch.setattr(RedisCache, name, away)
    Place.objects.update(name="Punavuori")
    assert [asked(Client())[1] > 0 for _ in range(2)] == [True, True]


def test_nothing_is_kept_when_that_is_switched_off(kamppi: Place, settings: Any) -> None:
    settings.PAGES_KEPT_S = 0
    assert [asked(Client())[1] > 0 for _ in range(2)] == [True, True]


@pytest.mark.django_db
def test_who_is_in_a_transaction_sees_it(settings: Any) -> None:
    """What others do not see yet is not kept for them, and shows to who did it."""
    Place.objects.create(slug="kamppi", name="Kamppi", timezone="UTC")
    assert "Kamppi" in asked(Client())[0]
    Place.objects.update(name="Punavuori")
    assert "Punavuori" in asked(Client())[0]


@pytest.mark.parametrize(
    ("sql", "table"),
    [
        ("SELECT 1 FROM labs_lab FOR UPDATE", None),
        ('INSERT INTO "labs_lab" ("name") VALUES (%s)', "labs_lab"),
        ('  UPDATE "labs_lab" SET "name" = %s', "labs_lab"),
        ("delete from labs_lab", "labs_lab"),
        ('WITH gone AS (DELETE FROM "labs_lab" RETURNING id) SELECT id FROM gone', "labs_lab"),
        ('WITH one AS (SELECT 1) SELECT "update" FROM one', None),
        ("SAVEPOINT s1", None),
        ("TRUNCATE labs_lab", "labs_lab"),
        (b"COPY", "?"),
    ],
)
def test_a_statement_that_changes_is_told_from_one_that_reads(sql: object, table: str | None) -> None:
    assert written.changed_table(sql) == table
