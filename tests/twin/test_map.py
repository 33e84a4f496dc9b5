"""The map of a district: its page and table, tiles of a large one, roofs, the sun, what reports, and a day again."""

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.twin.conftest import Import


@pytest.fixture
def page(town: Import, client: Client) -> Any:
    """The town's map by an address."""
    town()

    def get(**asked: str) -> str:
        answer = client.get(reverse("rooms:district-map", args=["town"]), asked)
        assert answer.status_code == 200
        return answer.content.decode()

    return get


def test_the_map_says_what_it_shows_and_hands_it_on_by_its_address(page: Any, client: Client) -> None:
    html = page()
    assert 'show="use"' in html and "The same as a table: Use" in html
    html = page(show="access", kind="school")
    assert 'show="access-school"' in html and '<option value="school" selected>' in html
    assert "Half of the buildings are within" in html
    assert 'show="use"' in page(show="nonsense", kind="<x>", month="13", hour="noon", page="zero")
    table = client.get(reverse("rooms:district-map-table", args=["town"]), {"show": "heights", "q": "home"})
    words = table.content.decode()
    assert ">Home</a>" in words and "12.0" in words and "tower" not in words and "<html" not in words
    facts = client.get(reverse("rooms:twin-thing", args=["town", "streets", "long"]), headers={"HX-Request": "true"})
    assert "Long street" in facts.content.decode() and "<html" not in facts.content.decode()
