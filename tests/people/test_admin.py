"""Staff pages: an account made there has its handle; secrets are nowhere."""

import pytest
from django.test import Client

from commons.people.models import Handle, User
from commons.people.services import create_token, create_user

pytestmark = pytest.mark.django_db


@pytest.fixture
def staff() -> Client:
    client = Client()
    client.force_login(create_user(username="chief", is_staff=True))
    return client


def test_an_account_made_by_staff_has_its_handle(staff: Client) -> None:
    form = {"username": "petra", "usable_password": "false", "password1": "", "password2": ""}
    answer = staff.post("/staff/people/user/add/", form)
    assert answer.status_code == 302, answer.content
    assert Handle.objects.get(name="petra").user == User.objects.get(username="petra")


def test_staff_pages_open_and_show_no_hash(staff: Client) -> None:
    token, secret = create_token(user=User.objects.get(), name="t", scopes=["admin"])
    for page in ("people/user/", "people/organisation/", "people/apitoken/", "places/place/", "places/place/add/"):
        answer = staff.get(f"/staff/{page}")
        assert answer.status_code == 200, page
    page = staff.get(f"/staff/people/apitoken/{token.pk}/change/").content.decode()
    assert secret not in page and bytes(token.sha256).hex() not in page


def test_strangers_do_not_see_staff_pages(client: Client) -> None:
    assert client.get("/staff/people/user/").status_code == 302
