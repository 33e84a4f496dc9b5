"""Whatever stands in the address of the list: an answer or a refusal in words, never a fault."""

import json
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from commons.people.models import User
from commons.places.models import Place
from commons.sockets import Makeable, Reach, makeable
from designs.models import Design
from designs.queries import listing
from designs.queries.asked import Asked
from tests.designs.conftest import make
from tests.designs.test_search import thing

pytestmark = pytest.mark.django_db

COUNTS = Path(__file__).with_name("query_counts.json")
NAMES = ("q", "licence", "process", "format", "tag", "fits", "has_release", "near", "owner", "sort", "cursor", "limit")
NASTY = ("' OR 1=1 --", "\0", "a:*&!|", "nan", "1x2xnan", "infx1x1", "1e999x1x1", "-1x2x3", "%00", "{}",
         "x" * 10_000,
         "cD0xMjM=", "cD1hYmM=", "bz05OTk5OTk5OTk5OTk5OTk5OTk5OTk=", "cD05OTk5OTk5OTk5OTk5OTk5OTk5OTk5",
         "٣x٣x٣", "\ud7ff",
         "\\", "''", "<->", "🦀", "best", "new", "1", "-5")  # fmt: skip


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    asked=st.dictionaries(
        st.sampled_from(NAMES),
        st.one_of(st.sampled_from(NASTY), st.text(st.characters(codec="utf-8"), max_size=60)),
        max_size=4,
    )
)
def test_no_address_is_a_fault(client: Client, maker: User, asked: dict[str, str]) -> None:
    for address in ("/designs/", "/api/v1/designs/"):
        answer = client.get(address, asked)
        assert answer.status_code in {200, 400, 404}, (address, asked, answer.content[:500])


@pytest.mark.parametrize("q", [word for word in NASTY if "\0" not in word])
def test_no_words_are_a_fault(client: Client, design: Design, q: str) -> None:
    for address in ("/designs/", "/api/v1/designs/", "/search/"):
        assert client.get(address, {"q": q}).status_code == 200


@pytest.mark.parametrize(
    ("asked", "where"),
    [({"fits": "nan"}, "fits"), ({"fits": "1x2"}, "fits"), ({"fits": "0x1x1"}, "fits"), ({"sort": "price"}, "sort"),
     ({"has_release": "maybe"}, "has_release")],
)  # fmt: skip
def test_what_means_nothing_is_refused_in_words(client: Client, asked: dict[str, str], where: str) -> None:
    answer = client.get("/api/v1/designs/", asked)
    assert (answer.status_code, answer.json()["code"], answer.json()["where"]) == (400, "design:bad-query", where)
    assert client.get("/designs/", asked).status_code == 400


def queries_of(client: Client, address: str) -> int:
    client.get(address)
    with CaptureQueriesContext(connection) as held:
        assert client.get(address).status_code == 200
    return len(held)


def test_pages_ask_no_more_than_is_written_down(client: Client, maker: User) -> None:
    make(maker)
    for n in range(5):
        thing(maker, f"Bracket {n}", formats=["stl"], tags=["solar"])
    allowed: dict[str, Any] = json.loads(COUNTS.read_text())
    asked = {address: queries_of(client, address) for address in allowed}
    assert asked == {address: min(count, allowed[address]) for address, count in asked.items()}


def test_makeable_near_me_asks_machines_and_their_size(maker: User, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Place.objects.create(slug="testtown", name="Testtown")
    thing(maker, "Small print", processes=["fff"], formats=["stl"], box_mm=[100, 100, 100])
    thing(maker, "Long print", processes=["fff"], formats=["stl"], box_mm=[250, 20, 20])
    thing(maker, "Large print", processes=["fff"], formats=["stl"], box_mm=[400, 20, 20])
    thing(maker, "Flat sheet", processes=["laser-cutting"], formats=["dxf"], box_mm=[500, 300, 0])
    thing(maker, "Sewn bag", processes=["sewing"])
    machines = [Reach("fff", (120, 110, 250)), Reach("fff", (100, 100, 100)), Reach("sewing", None)]
    monkeypatch.setattr(makeable, "_plugs", {"test": Makeable("test", lambda _place: machines)})

    def found() -> set[str]:
        pks = listing.found(Asked(near=place.slug), None).pks
        return {design.name for design in listing.designs_of(pks)}

    assert found() == {"Small print", "Long print", "Sewn bag"}
    machines.append(Reach("laser-cutting", (300, 600, None)))
    assert found() == {"Small print", "Long print", "Sewn bag", "Flat sheet"}
    machines.clear()
    assert found() == set()
