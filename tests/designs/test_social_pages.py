"""Pages and API of people around designs: they work without script, and what is private is missing everywhere."""

import re
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from commons.people.models import User
from commons.people.services import create_token, create_user
from designs.models import Collaborator, Collection, Comment, Design, Make, Watch
from designs.services.collections import add_design, create_collection
from designs.services.makes import add_make
from designs.services.talk import say

pytestmark = pytest.mark.django_db

HERE = "/designs/aila/test-cube/"


def bearer(person: User, *scopes: str) -> dict[str, str]:
    return {"authorization": f"Bearer {create_token(user=person, name='t', scopes=scopes or ('designs:write',))[1]}"}


def test_what_is_private_is_missing_everywhere(client: Client, private: Design, maker: User, neighbour: User) -> None:
    comment = say(design=private, author=maker, body="secret words")
    made = add_make(design=private, author=maker, text="secret make")
    here, gone = f"designs/aila/{private.slug}/", "designs/aila/nothing-here/"
    parts = ("talk/", "makes/", "settings/", "collect/")
    api = ("", "star/", "makes/", "comments/", "collaborators/")
    posts = ("talk/say/", f"talk/{comment.pk}/", "makes/add/", f"makes/{made.pk}/delete/", "star/", "watch/", "leave/",
             "settings/")  # fmt: skip
    for login in (False, True):
        if login:
            client.force_login(neighbour)
        for part in parts:
            found, missing = client.get(f"/{here}{part}"), client.get(f"/{gone}{part}")
            assert found.status_code == missing.status_code != 200, part
            if login:
                assert found.status_code == 404
        for part in api:
            assert client.get(f"/api/v1/{here}{part}").status_code == client.get(f"/api/v1/{gone}{part}").status_code
        for part in posts:
            sent: dict[str, Any] = {"body": "x", "text": "x", "do": "about", "name": "Mine now"}
            found, missing = client.post(f"/{here}{part}", sent), client.post(f"/{gone}{part}", sent)
            assert found.status_code == missing.status_code, part
            assert found.status_code == (404 if login else 302)
    for kind, key in (
        ("design", private.pk),
        ("design", f"aila/{private.slug}"),
        ("comment", comment.pk),
        ("make", made.pk),
    ):
        assert client.get(f"/reports/new/?kind=designs.{kind}&key={key}").status_code == 404
    private.refresh_from_db()
    assert private.name == "Secret cube" and Comment.objects.count() == 1 and Make.objects.count() == 1


def test_the_talk_of_a_design(client: Client, design: Design, maker: User, neighbour: User) -> None:
    assert "Nobody has said anything yet" in client.get(HERE + "talk/").content.decode()
    client.force_login(neighbour)
    sent = client.post(HERE + "talk/say/", {"body": "Hello **there** @aila <script>x</script>"})
    comment = Comment.objects.get()
    assert sent["Location"] == f"{HERE}talk/#comment-{comment.pk}"
    page = client.get(HERE + "talk/").content.decode()
    assert "<strong>there</strong>" in page and 'href="/people/aila/"' in page and "<script>x" not in page
    empty = client.post(HERE + "talk/say/", {"body": "  ", "answers": comment.pk})
    assert empty.status_code == 422 and "Write something first" in empty.content.decode()
    assert f'id="answer-{comment.pk}"' in client.get(f"{HERE}talk/?answer={comment.pk}").content.decode()
    client.force_login(maker)
    client.post(HERE + "talk/say/", {"body": "An answer", "answers": comment.pk})
    assert Comment.objects.get(body="An answer").answers == comment
    client.post(f"{HERE}talk/{comment.pk}/", {"do": "edit", "body": "Not mine"})
    comment.refresh_from_db()
    assert comment.body.startswith("Hello")
    client.post(f"{HERE}talk/{comment.pk}/", {"do": "resolve"})
    assert "Settled." in client.get(HERE + "talk/").content.decode()


def test_talk_asks_the_database_as_often_for_many_as_for_few(
    client: Client, design: Design, maker: User, django_assert_max_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            client.get(HERE + "talk/")
        return len(asked)

    say(design=design, author=maker, body="@aila one")
    few = count()
    root = Comment.objects.get()
    for number in range(12):
        say(design=design, author=maker, body=f"@aila {number}", answers=root if number % 2 else None)
    assert count() == few


def test_stars_without_script(client: Client, design: Design, neighbour: User) -> None:
    assert client.post(HERE + "star/")["Location"].startswith("/account/login/")
    client.force_login(neighbour)
    client.post(HERE + "star/")
    assert "1 star" in client.get(HERE).content.decode()
    assert "Test cube" in client.get("/me/stars/").content.decode()
    assert "Test cube" in client.get("/me/").content.decode()
    client.post(HERE + "star/", {"star": "0"})
    design.refresh_from_db()
    assert design.star_count == 0
    client.post(HERE + "watch/", {"level": "releases"})
    assert Watch.objects.get().level == "releases"


def test_the_api_of_stars_is_idempotent(client: Client, design: Design, neighbour: User) -> None:
    url = "/api/v1/designs/aila/test-cube/star/"
    assert client.get(url).json() == {"starred": False, "stars": 0}
    assert client.put(url).status_code in {401, 403}
    headers = bearer(neighbour)
    for _ in range(2):
        assert client.put(url, headers=headers).json() == {"starred": True, "stars": 1}
    for _ in range(2):
        assert client.delete(url, headers=headers).json() == {"starred": False, "stars": 0}
    assert client.put(url, headers=bearer(neighbour, "designs:read")).status_code == 403


def test_the_api_of_makes_and_comments(client: Client, design: Design, neighbour: User) -> None:
    base, headers = "/api/v1/designs/aila/test-cube/", bearer(neighbour)
    photo = SimpleUploadedFile("a.png", b"\x89PNG\r\n\x1a\n" + b"\0" * 40)
    made = client.post(base + "makes/", {"text": "Done", "photos": [photo]}, headers=headers)
    assert made.status_code == 201, made.content
    assert made.json()["photos"][0]["status"] == "pending"
    listed = client.get(base + "makes/").json()
    assert [row["text"] for row in listed["results"]] == ["Done"] and listed["measured"] == []
    said = client.post(base + "comments/", {"body": "Hi"}, headers=headers, content_type="application/json").json()
    one = f"{base}comments/{said['id']}/"
    changed = client.patch(one, {"body": "Hello"}, headers=headers, content_type="application/json")
    assert changed.json()["body"] == "Hello"
    assert client.delete(one, headers=headers).status_code == 204
    assert client.get(base + "comments/").json()["results"] == []


def test_the_api_changes_all_or_nothing(client: Client, design: Design, maker: User, neighbour: User) -> None:
    url, headers = "/api/v1/designs/aila/test-cube/", bearer(maker)

    def patch(body: dict[str, Any], person: dict[str, str] = headers) -> Any:
        return client.patch(url, body, headers=person, content_type="application/json")

    assert patch({"name": "X"}, bearer(neighbour)).json()["code"] == "design:not-yours"
    refused = patch({"name": "Another", "tags": ["a"], "slug": "new"})
    assert refused.json()["code"] == "design:bad-name"
    design.refresh_from_db()
    assert (design.name, design.tags) == ("Test cube", [])
    done = patch({"name": "Another", "tags": ["B", "a"], "slug": "other", "archived": True}).json()
    assert (done["name"], done["tags"], done["slug"], done["archived"]) == ("Another", ["b", "a"], "other", True)
    assert client.patch(url, {}, headers=headers, content_type="application/json").status_code == 308
    assert client.delete("/api/v1/designs/aila/other/", headers=bearer(neighbour)).status_code == 403
    assert client.delete("/api/v1/designs/aila/other/", headers=headers).status_code == 204
    assert client.get("/api/v1/designs/aila/other/").status_code == 404


def test_settings_are_the_owners(client: Client, design: Design, maker: User, neighbour: User) -> None:
    Collaborator.objects.create(design=design, user=neighbour, role="maintainer")
    client.force_login(neighbour)
    assert client.get(HERE + "settings/").status_code == 403
    assert ">Settings</a>" not in client.get(HERE).content.decode()
    client.force_login(maker)
    assert ">Settings</a>" in client.get(HERE).content.decode()
    words = {"do": "about", "name": "Cube", "summary": "s", "tags": "Box, small things", "licence": "CC0-1.0",
             "visibility": "public"}  # fmt: skip
    assert client.post(HERE + "settings/", words).status_code == 302
    design.refresh_from_db()
    assert (design.name, design.tags, design.licence) == ("Cube", ["box", "small-things"], "CC0-1.0")
    bad = client.post(HERE + "settings/", words | {"tags": "!!", "name": "Typed name"})
    assert bad.status_code == 422 and 'value="Typed name"' in bad.content.decode(), "what was typed is kept"
    assert client.post(HERE + "settings/", {"do": "invite", "person": "ghost", "role": "reader"}).status_code == 404
    client.post(HERE + "settings/", {"do": "archive"})
    page = client.get(HERE + "settings/").content.decode()
    assert "Let it change again" in page and 'value="about"' not in page
    client.post(HERE + "settings/", {"do": "unarchive"})
    gone = client.post(HERE + "settings/", {"do": "delete", "typed": "test-cube"})
    assert gone["Location"] == "/me/"
    assert "Bring it back" in client.get("/me/").content.decode()
    assert client.post(f"/me/designs/{design.pk}/restore/")["Location"] == HERE


def test_collections(client: Client, design: Design, private: Design, maker: User, neighbour: User) -> None:
    client.force_login(maker)
    sent = {"name": "Kitchen things", "about": "For cooks", "visibility": "public", "design": "aila/test-cube"}
    assert client.post("/collections/new/", sent)["Location"] == "/collections/aila/kitchen-things/"
    found = Collection.objects.get()
    add_design(collection=found, design=private, by=maker, note="Not for you")
    assert "Secret cube" in client.get("/collections/aila/kitchen-things/").content.decode()
    edit = "/collections/aila/kitchen-things/edit/"
    client.post(edit, {"do": "up", "item": private.pk})
    assert list(found.items.order_by("position").values_list("design", "position")) == [(private.pk, 1), (design.pk, 2)]
    client.post(edit, {"do": "note", "item": design.pk, "note": "It holds"})
    client.force_login(neighbour)
    page = client.get("/collections/aila/kitchen-things/").content.decode()
    assert "It holds" in page and "Secret cube" not in page and "Not for you" not in page
    assert client.get(edit).status_code == 403 and client.post(edit, {"do": "delete"}).status_code == 403
    assert client.get("/api/v1/collections/").json()["results"][0]["designs"] == 1
    own = create_collection(owner=neighbour.handle, name="Mine", by=neighbour, visibility="private")
    client.post(HERE + "collect/", {"collection": found.pk})
    client.post(HERE + "collect/", {"collection": own.pk, "note": "why"})
    assert list(own.items.values_list("design", "note")) == [(design.pk, "why")]
    client.logout()
    assert client.get("/collections/niko/mine/").status_code == 404
    assert re.findall(r"/collections/\w+/[\w-]+/", client.get("/collections/").content.decode()) == [
        "/collections/aila/kitchen-things/"
    ]


def test_pages_of_people_hold_their_designs(client: Client, design: Design, private: Design) -> None:
    page = client.get("/people/aila/").content.decode()
    assert "Test cube" in page and "Secret cube" not in page
    assert create_user(username="empty") and client.get("/people/empty/").status_code == 200
