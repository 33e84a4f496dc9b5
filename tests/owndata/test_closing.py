"""Closing one's own account: said in numbers before, and afterwards not a row and not a file that names the person."""

import gzip
import zlib
from pathlib import Path

import pytest
import redis
from django.apps import apps
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connection
from django.test import Client

from commons import kept
from commons.kept import Closing
from commons.owndata import archive, closing, exports
from commons.people.leaving import leave
from commons.people.models import ApiToken, Membership, User
from commons.people.services import create_organisation, create_token
from commons.runs.models import Run
from commons.runs.work import do
from designs import git
from designs.models import Comment, Design
from designs.queries.files import history
from energy.errors import BadCommunity
from energy.models import MeterDay
from energy.queries import public
from energy.services.communities import start_simulation
from tests.figures_said import figure

from .conftest import NAMES, PASSWORD, World, pay

pytestmark = pytest.mark.django_db

#: Columns where a law keeps a name: what was billed was billed to somebody.
BY_LAW = {("labs_invoice", "buyer"), ("energy_statement", "payer")}


def columns() -> list[tuple[str, str]]:
    """Every column of every table that can hold words."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.table_name, c.column_name FROM information_schema.columns c JOIN information_schema.tables t"
            " USING (table_schema, table_name) WHERE table_schema = 'public' AND t.table_type = 'BASE TABLE'"
            " AND data_type IN ('text', 'character varying', 'jsonb', 'json', 'bytea', 'ARRAY', 'inet')"
        )
        return list(cursor.fetchall())


def said(words: tuple[str, ...] = NAMES) -> list[str]:
    """Where the database still says one of these words, by text, over all tables."""
    found = []
    with connection.cursor() as cursor:
        for table, column in columns():
            if (table, column) in BY_LAW:
                continue
            for word in words:
                cursor.execute(
                    f'SELECT count(*) FROM "{table}" WHERE "{column}"::text ILIKE %s'  # noqa: S608 of the catalogue
                    f' OR "{column}"::text ILIKE %s',
                    [f"%{word}%", f"%{word.encode().hex()}%"],
                )
                (n,) = cursor.fetchone()
                if n:
                    found.append(f"{table}.{column}: {word} ({n})")
    return found


def numbered(key: int) -> list[str]:
    """Columns that still lead to an account, and are not declared to stay in books."""
    books = {
        (one.model, tie) for one in kept.everything() for tie, closing in one.ties.items() if closing is Closing.BOOKS
    }
    return [
        f"{model._meta.label}.{column.name}"
        for model in apps.get_models(include_auto_created=True)
        for column in model._meta.concrete_fields
        if column.related_model is User and (model._meta.label, column.name) not in books
        if model._base_manager.filter(**{column.attname: key}).exists()
    ]


def on_disk(folder: Path, words: tuple[str, ...] = NAMES) -> list[str]:
    """Files that say one of these words, in their name, their bytes or their packed bytes. Commits are left out: they
    are named by what they say."""
    found = []
    for path in folder.rglob("*"):
        if not path.is_file() or "objects" in path.parts or "folders" in path.parts:
            continue
        body = path.read_bytes()
        if body[:2] == b"\x1f\x8b":
            body += gzip.decompress(body)
        if body[:1] == b"\x78":
            body += zlib.decompressobj().decompress(body)
        found += [f"{path}: {word}" for word in words if word.encode() in body or word in path.name]
    return found


def in_valkey(words: tuple[str, ...] = NAMES) -> list[str]:
    """Keys of the broker and the cache that say one of these words, in their name or their value."""
    found = []
    for address in {settings.REDIS_URL, settings.CACHES["default"]["LOCATION"]}:
        with redis.Redis.from_url(address) as client:
            for key in client.scan_iter(count=1000):
                plain = client.get(key) if client.type(key) == b"string" else client.dump(key)  # a dump may be packed
                body = key + (plain or b"")
                found += [f"{key!r}: {word}" for word in words if word.encode() in body]
    return found


def close(client: Client, *, name: str = "zquart", password: str = PASSWORD) -> "int":
    return client.post("/me/close/", {"name": name, "password": password, "sure": "on"}).status_code


def test_not_a_row_and_not_a_file_names_who_has_left(
    world: World, signed_in: Client, tmp_path: Path, django_capture_on_commit_callbacks: object
) -> None:
    run = exports.start(person=world.person, bell=False)
    assert do(run.pk)
    assert said(), "the search finds her before"
    assert list(archive.folder().glob("*.zip"))
    signed_in.get("/me/")
    signed_in.get(f"/designs/friend/{world.shared.slug}/history/")  # whatever pages put into the cache
    cache.set("seen-by-the-search", "zquart", 60)
    assert in_valkey(("zquart",)), "the search finds what is in Valkey"
    cache.delete("seen-by-the-search")
    assert numbered(world.person.pk)
    key = world.person.pk
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert close(signed_in) == 200
    rows, files, cached = said() + numbered(key), on_disk(tmp_path), in_valkey()
    figure("privacy_left", len(rows) + len(files) + len(cached), "rows, files and keys")
    assert (rows, files, cached) == ([], [], [])
    assert not list(archive.folder().glob("*")), "the file of their data, with their photos and designs, is gone"
    assert not User.objects.filter(pk=key).exists()
    assert not MeterDay.objects.exists()
    assert not Run.objects.filter(pk=run.pk).exists()


def test_who_stands_in_books_stays_as_a_number(
    world: World, signed_in: Client, tmp_path: Path, django_capture_on_commit_callbacks: object
) -> None:
    pay(world)
    plan = closing.plan(world.person)
    assert plan.stays
    assert {str(line.title) for line in plan.books} >= {"Your wallets"}
    assert all(line.why for line in plan.books)
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        assert close(signed_in) == 200
    assert said() == []
    assert on_disk(tmp_path) == []
    left = User.objects.get(pk=world.person.pk)
    assert (left.username, left.email, left.is_active) == (f"former-{left.pk}", "", False)


def test_doors_shut_at_once(world: World, signed_in: Client) -> None:
    elsewhere = Client()
    elsewhere.force_login(world.person)
    _token, secret = create_token(user=world.person, name="t", scopes=["designs:read"])
    bearer = {"Authorization": f"Bearer {secret}"}
    assert Client().get("/api/v1/people/me/", headers=bearer).status_code == 200
    assert close(signed_in) == 200
    assert elsewhere.get("/me/").status_code == 302
    assert signed_in.get("/me/").status_code == 302
    assert Client().get("/api/v1/people/me/", headers=bearer).status_code == 401
    assert not ApiToken.objects.exists()
    assert not [s for s in Session.objects.all() if s.get_decoded().get("_auth_user_id") == str(world.person.pk)]


def test_waiting_work_is_stopped(world: World) -> None:
    run = exports.start(person=world.person, bell=False)
    leave(user=world.person)
    assert not do(run.pk)
    assert not Run.objects.filter(pk=run.pk).exists()


def test_it_must_be_they_and_they_must_mean_it(world: World, signed_in: Client) -> None:
    assert close(signed_in, password="wrong") == 403
    assert close(signed_in, name="friend") == 403
    assert signed_in.post("/me/close/", {"name": "zquart", "password": PASSWORD}).status_code == 422
    assert User.objects.filter(username="zquart", is_active=True).exists()
    assert signed_in.get("/me/").status_code == 200
    assert Client().post("/me/close/", {"name": "zquart"}).status_code == 302


def test_what_others_need_is_passed_on_first(world: World, signed_in: Client) -> None:
    create_organisation(handle="lonely", name="Lonely lab", kind="lab", founder=world.person)
    Design.objects.filter(pk=world.hers.pk).update(visibility="public")
    page = signed_in.get("/me/close/").content.decode()
    assert "Lonely lab" in page
    assert "Secret lamp" in page
    assert "I have what I want to keep" not in page
    assert close(signed_in) == 409
    assert User.objects.filter(username="zquart").exists()
    Membership.objects.create(organisation_id=Membership.objects.get(organisation__name="Lonely lab").organisation_id,
                              user=world.friend, role="owner")  # fmt: skip
    Design.objects.filter(pk=world.hers.pk).update(owner=world.friend.handle)
    assert closing.plan(world.person).possible
    assert close(signed_in) == 200


def test_the_numbers_are_what_happens(world: World) -> None:
    plan = closing.plan(world.person)
    before = {one.model: one.of(world.person).count() for one in kept.everything()}
    told = plan.sums()
    assert told["deleted"] + told["unlinked"] + told["books"] == sum(before.values())
    assert told["deleted"] > 10
    leave(user=world.person)
    stays = {str(line.title) for line in plan.unlinked}
    assert str(next(one.title for one in kept.everything() if one.model == "designs.Comment")) in stays
    assert Comment.objects.filter(author=None).count() == 1


def test_commits_are_shown_without_the_name(world: World, signed_in: Client) -> None:
    head = git.of(world.shared.repository).head("main")
    assert {entry.author for entry in history(world.shared, head, limit=9)} == {"Zbigniewa Quartermain", "Fred"}
    close(signed_in)
    shown = history(world.shared, head, limit=9)
    assert {entry.author for entry in shown} == {f"former-{world.person.pk}", "Fred"}
    assert not any("zquart" in entry.email for entry in shown)
    page = Client().get(f"/designs/friend/{world.shared.slug}/history/")
    assert page.status_code == 200
    assert "Quartermain" not in page.content.decode()
    assert Comment.objects.get(author=world.friend).body == f"Thank you, @former-{world.person.pk}, that helps."
    world.shared.refresh_from_db()
    assert world.shared.star_count == 0


def test_public_sums_stay_as_they_were(world: World, signed_in: Client) -> None:
    """A sum without the household beside the one with it would be the household."""
    before = public.curves(world.version, None, "load", "pv")
    assert before
    close(signed_in)
    assert public.curves(world.version, None, "load", "pv") == before
    assert not world.version.members.filter(person=world.person.pk).exists()
    assert sum(kept_.load_kwh == 0 for kept_ in world.version.members.all()) == 1
    with pytest.raises(BadCommunity, match="new version"):
        start_simulation(version=world.version, control="rule")


def test_staff_goes_the_same_way(world: World) -> None:
    staff = User.objects.create_superuser("chief-of-staff", "", "x")
    client = Client()
    client.force_login(staff)
    client.post(f"/staff/people/user/{world.person.pk}/delete/", {"post": "yes"})
    assert said() == []


def test_the_api_says_what_would_happen_and_does_it(world: World, client: Client) -> None:
    scopes = ["designs:write", "bookings:write", "energy:read"]
    _token, secret = create_token(user=world.person, name="t", scopes=scopes)
    bearer = {"Authorization": f"Bearer {secret}"}
    told = client.get("/api/v1/people/me/close/", headers=bearer).json()
    assert told["possible"] is True
    assert told["deleted"]
    sent = {"name": "zquart", "password": "wrong"}
    refused = client.post("/api/v1/people/me/close/", sent, "application/json", headers=bearer)
    assert (refused.status_code, refused.json()["code"]) == (403, "owndata:not-proven")
    sent["password"] = PASSWORD
    assert client.post("/api/v1/people/me/close/", sent, "application/json", headers=bearer).json() == {
        "closed": True, "whole": True,
    }  # fmt: skip
    assert not User.objects.filter(username="zquart").exists()
