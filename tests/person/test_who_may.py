"""Every new address and who may: a stranger, a person, staff. A person's own pages show each their own alone."""

import pytest
from django.test import Client

from commons.people.models import User
from commons.people.services import create_user
from tests.person.conftest import World

pytestmark = pytest.mark.django_db
OPEN = (200, 200, 200)
OWN = (302, 200, 200)

TABLE: dict[tuple[str, str], tuple[int, int, int]] = {
    ("get", "/places/kamppi/dashboard/"): OPEN,
    ("get", "/places/kamppi/dashboard/energy/"): OPEN,
    ("get", "/places/kamppi/dashboard/making/"): OPEN,
    ("get", "/places/kamppi/dashboard/deciding/"): OPEN,
    ("get", "/places/kamppi/dashboard/sectors/"): OPEN,
    ("get", "/places/kamppi/dashboard/compare/"): OPEN,
    ("get", "/places/kamppi/dashboard/figure-prosumer.csv"): OPEN,
    ("get", "/places/kamppi/dashboard/sectors.json"): OPEN,
    ("get", "/places/nowhere/dashboard/"): (404, 404, 404),
    ("get", "/api/v1/places/kamppi/dashboard/"): OPEN,
    ("get", "/api/v1/places/kamppi/dashboard/compare/"): OPEN,
    ("get", "/api/v1/places/kamppi/dashboard/none/"): (404, 404, 404),
    ("get", "/activity/"): OPEN,
    ("get", "/activity.atom"): OPEN,
    ("get", "/activity/lab/workshop/"): OPEN,
    ("get", "/activity/lab/workshop.atom"): OPEN,
    ("get", "/activity/design/aino/secret-gift.atom"): (404, 404, 404),
    ("get", "/api/v1/search/?q=bracket"): OPEN,
    ("get", "/search/?q=bracket&kind=designs"): OPEN,
    ("get", "/me/day/"): OWN,
    ("get", "/me/first-hour/"): OWN,
    ("post", "/me/first-hour/"): (302, 400, 400),
    ("get", "/me/notices/settings/"): OWN,
    ("post", "/me/notices/settings/"): (302, 400, 400),
    ("post", "/places/kamppi/dashboard/"): (405, 405, 405),
    ("post", "/activity.atom"): (405, 405, 405),
    ("post", "/me/day/"): (405, 405, 405),
}


def test_who_may(world: World) -> None:
    create_user(username="otto")
    create_user(username="chief", is_staff=True)
    visitors = [Client(), Client(), Client()]
    visitors[1].force_login(User.objects.get(username="otto"))
    visitors[2].force_login(User.objects.get(username="chief"))
    found = {(m, path): tuple(getattr(v, m)(path).status_code for v in visitors) for m, path in TABLE}
    assert found == TABLE
