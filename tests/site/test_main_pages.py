"""The ten main pages ask the database no more than is written down: tests/query_counts.json."""

import json
from pathlib import Path

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from commons.people.services import create_user
from tests.person.conftest import World, world
from tests.twin.conftest import Import, town

pytestmark = pytest.mark.django_db
COUNTS = Path(__file__).parents[1] / "query_counts.json"

__all__ = ("town", "world")


@pytest.mark.parametrize("who", ["stranger", "person"])
def test_the_main_pages_ask_no_more_than_is_written_down(
    client: Client, world: World, town: Import, who: str
) -> None:
    town(place=world.kamppi)
    if who == "person":
        client.force_login(create_user(username="otto", name="Otto"))
    allowed: dict[str, dict[str, int]] = json.loads(COUNTS.read_text())
    assert len(allowed) == 10
    asked = {}
    for address, count in allowed.items():
        client.get(address)
        with CaptureQueriesContext(connection) as held:
            assert client.get(address).status_code in {200, 302}, address
        asked[address] = (len(held), count[who])
    more = {address: found for address, found in asked.items() if found[0] > found[1]}
    assert not more, f"these ask more than tests/query_counts.json allows (found, allowed): {more}"
    less = {address: found for address, found in asked.items() if found[0] < found[1] - 3}
    assert not less, f"these ask less, so lower the number (found, allowed): {less}"
