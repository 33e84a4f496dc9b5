"""Search over all rooms: what is found, and what nobody else's words ever find."""

import datetime as dt
from pathlib import Path

import pytest
from django.test import Client

from commons import sockets
from commons.decisions import services as decisions
from commons.decisions.models import Body, Motion
from commons.people.models import Membership, User
from commons.people.services import create_token, create_user
from commons.web import fulltext
from energy import services as energy
from energy.models import Community
from labs.models import Machine
from tests.energy.conftest import write
from tests.person.conftest import World

pytestmark = pytest.mark.django_db
SECRET = "quokka"


def found(client: Client, words: str, **more: str) -> dict[str, list[str]]:
    answer = client.get("/api/v1/search/", {"q": words, **more})
    assert answer.status_code == 200
    return {group["kind"]: [hit["title"] for hit in group["hits"]] for group in answer.json()["groups"]}


@pytest.fixture
def hidden(world: World, tmp_path: Path) -> User:
    """A person with a private design, a community that nobody knows of, and a motion in it, all called the same."""
    world.private.design.name = f"Box for a {SECRET}"
    world.private.design.save()
    version = energy.import_folder(
        folder=write(tmp_path / "secret", name=f"Street of the {SECRET}"), slug="secret-street"
    )
    Community.objects.filter(pk=version.community_id).update(public=False)
    body = decisions.body(kind="labs.lab", key="workshop")
    Membership.objects.create(organisation=world.printer.lab.organisation, user=world.aino, role="owner")
    motion = decisions.propose(
        body=body,
        author=world.aino,
        title="Shall the workshop keep a hedgehog?",
        text="It eats the snails that eat the herb garden.",
        method="majority",
        options=[{"title": "Yes"}],
    )
    secret_body = Body.objects.create(kind="energy.community", key="secret-street")
    Motion.objects.create(
        body=secret_body,
        charter=motion.charter,
        author=world.aino,
        title=f"A {SECRET} for all",
        text="…",
        method="majority",
        opens_at=motion.opens_at,
        closes_at=motion.closes_at + dt.timedelta(days=1),
    )
    return world.aino


def test_each_room_is_found_and_a_beginning_is_enough(client: Client, world: World, hidden: User) -> None:
    assert found(client, "brack")["designs"] == ["Bracket"]
    assert found(client, "works")["labs"] == ["Workshop"]
    assert found(client, "saim")["machines"] == ["Saimaa"]
    assert found(client, "printer workshop")["machines"] == ["Saimaa"], "words may stand in different fields"
    assert found(client, "aino")["people"] == ["Aino"]
    assert found(client, "hedge")["decisions"] == ["Shall the workshop keep a hedgehog?"]
    assert found(client, "snails")["decisions"], "in the text too"
    assert found(client, "sixteen")["communities"] == ["Sixteen homes"]
    assert list(found(client, "workshop", kind="labs")) == ["labs"]
    page = client.get("/search/", {"q": "workshop"}).content.decode()
    assert page.index('id="group-labs"')
    assert found(client, "no-such-thing") == {}


def test_what_is_private_is_found_by_nobody_else(client: Client, world: World, hidden: User) -> None:
    """Every source, as a stranger, as another person, by the page and by the API, with a token that may not."""
    other = create_user(username="otto")
    strangers = [client, Client()]
    strangers[1].force_login(other)
    for one in strangers:
        assert found(one, SECRET) == {}
        page = one.get("/search/", {"q": SECRET}).content.decode()
        assert "Nothing found" in page
        assert not [
            title for title in (f"Box for a {SECRET}", f"Street of the {SECRET}", f"A {SECRET} for") if title in page
        ]
        for source in sockets.search_sources:
            assert found(one, SECRET, kind=source.slug) == {}, source.slug
    own = Client()
    own.force_login(hidden)
    assert found(own, SECRET)["designs"] == [f"Box for a {SECRET}"]
    for scopes, seen in ((["twin:write"], {}), (["designs:read"], {"designs": [f"Box for a {SECRET}"]})):
        _token, secret = create_token(user=hidden, name="t", scopes=scopes)
        answer = Client().get("/api/v1/search/", {"q": SECRET}, headers={"Authorization": f"Bearer {secret}"}).json()
        assert {g["kind"]: [h["title"] for h in g["hits"]] for g in answer["groups"]} == seen, scopes


@pytest.mark.parametrize(
    "words", ["", "   ", "'", "a:*|!b", "\\", "''''", "& | !", "_", "x" * 5000, "näköalapaikka", "1 2 3"]
)
def test_no_words_are_a_fault(client: Client, world: World, words: str) -> None:
    for address in ("/search/", "/api/v1/search/"):
        assert client.get(address, {"q": words}).status_code == 200
    list(fulltext.matching(Machine.objects.all(), words, name="A")[:3])


def test_names_count_more_than_texts(world: World) -> None:
    world.printer.about = "cuts"
    world.printer.save()
    named = Machine.objects.create(
        lab=world.printer.lab, slug="cuts", name="Cuts", cls="laser-cutter", process="laser-cutting"
    )
    rows = fulltext.matching(Machine.objects.all(), "cut", name="A", about="D")
    assert [row.pk for row in rows] == [named.pk, world.printer.pk]
