"""Feeds of public things: what stands in them, who finds them, and that whoever has one is not sent it again."""

from xml.etree.ElementTree import Element, fromstring

import pytest
from django.test import Client

from commons.activity import sockets
from designs.models import Release
from tests.designs.conftest import make
from tests.person.conftest import World

pytestmark = pytest.mark.django_db
ATOM = "{http://www.w3.org/2005/Atom}"


def feed(client: Client, path: str) -> Element:
    answer = client.get(path)
    assert answer.status_code == 200, path
    assert answer["Content-Type"].startswith("application/atom+xml")
    return fromstring(answer.content)  # noqa: S314 our own text


def titles(client: Client, path: str) -> list[str]:
    return [str(entry.findtext(f"{ATOM}title")) for entry in feed(client, path).findall(f"{ATOM}entry")]


@pytest.fixture
def released(world: World) -> World:
    for made in (world.public, world.private):
        made.design.head = made.commit
        made.design.save()
        Release.objects.create(design=made.design, version="1.0", commit=made.commit, licence="CERN-OHL-S-2.0")
    return world


def test_every_kind_of_public_thing_has_a_feed(client: Client, released: World) -> None:
    everything = titles(client, "/activity.atom")
    assert "Bracket 1.0 is released" in everything
    assert any(title.startswith("Saimaa made Bracket with") for title in everything)
    assert any(title.startswith("Sixteen homes publishes its data") for title in everything)
    assert "Workshop opens its doors" in everything
    for path, told in (
        ("design/aino/bracket", "Bracket 1.0 is released"),
        ("design/aino/bracket", "Saimaa made Bracket with 0.20\u00a0kWh"),
        ("person/aino", "Bracket 1.0 is released"),
        ("lab/workshop", "Workshop opens its doors"),
        ("place/kamppi", "Workshop opens its doors"),
        ("place/helsinki", "Workshop opens its doors"),
        ("community/homes", "Sixteen homes publishes its data from Jan. 1, 2026 to Jan. 16, 2026"),
    ):
        found = titles(client, f"/activity/{path}.atom")
        assert any(title.startswith(told[:30]) for title in found), (path, found)
        assert client.get(f"/activity/{path}/").status_code == 200
    assert "Workshop opens its doors" not in titles(client, "/activity/place/kallio.atom")
    assert {kind.slug for kind in sockets.kinds} == {
        "place", "person", "design", "lab", "community", "district", "body", "decision"
    }  # fmt: skip


def test_private_things_have_no_feed_and_stand_in_none(client: Client, released: World) -> None:
    client.force_login(released.aino)
    for path in ("design/aino/secret-gift", "design/aino/nothing", "person/nobody", "lab/x", "body/energy.community/x",
                 "decision/99999999999999", "decision/1", "community/x", "district/x", "none/x"):  # fmt: skip
        assert client.get(f"/activity/{path}.atom").status_code == 404, path
        assert client.get(f"/activity/{path}/").status_code == 404, path
    for path in ("/activity.atom", "/activity/person/aino.atom", "/activity/lab/workshop.atom", "/activity/"):
        assert "ecret" not in client.get(path).content.decode(), "even for the owner: a feed is for everybody"


def test_a_page_names_its_feed(client: Client, released: World) -> None:
    make(released.aino, name="Open cube")
    make(released.aino, name="Hidden cube", visibility="private")
    for page, address in (
        ("/", "/activity.atom"),
        ("/designs/aino/open-cube/", "/activity/design/aino/open-cube.atom"),
        ("/labs/workshop/", "/activity/lab/workshop.atom"),
        ("/people/aino/", "/activity/person/aino.atom"),
        ("/places/kamppi/", "/activity/place/kamppi.atom"),
        ("/energy/homes/", "/activity/community/homes.atom"),
        ("/fi/labs/workshop/", "/fi/activity/lab/workshop.atom"),
    ):
        head = client.get(page).content.decode().partition("</head>")[0]
        assert 'type="application/atom+xml" title="' in head, page
        assert f'href="{address}"' in head, page
        assert client.get(address).status_code == 200
    client.force_login(released.aino)
    answer = client.get("/designs/aino/hidden-cube/")
    assert answer.status_code == 200
    private = answer.content.decode().partition("</head>")[0]
    assert "atom+xml" not in private


def test_whoever_has_it_already_is_told_so(client: Client, released: World) -> None:
    first = client.get("/activity/lab/workshop.atom")
    again = {"If-None-Match": first["ETag"]}
    assert client.get("/activity/lab/workshop.atom", headers=again).status_code == 304
    assert (
        client.get("/activity/lab/workshop.atom", headers={"If-Modified-Since": first["Last-Modified"]}).status_code
        == 304
    )
    Release.objects.create(design=released.public.design, version="1.1", commit="1" * 40, licence="MIT")
    assert client.get("/activity/lab/workshop.atom", headers=again).status_code == 304, "a release is not the lab's"
    design = client.get("/activity/design/aino/bracket.atom")
    Release.objects.create(design=released.public.design, version="1.2", commit="2" * 40, licence="MIT")
    newer = client.get("/activity/design/aino/bracket.atom", headers={"If-None-Match": design["ETag"]})
    assert newer.status_code == 200
    assert newer["ETag"] != design["ETag"]


def test_an_empty_feed_is_one(client: Client, released: World) -> None:
    empty = feed(client, "/activity/place/kallio.atom")
    assert empty.findall(f"{ATOM}entry") == []
    assert empty.findtext(f"{ATOM}updated") == "2026-01-01T00:00:00+00:00"
