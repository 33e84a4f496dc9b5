"""Every address of the site answers without a fault, to a stranger, to a person and to staff."""

import re
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from django.urls.resolvers import LocalePrefixPattern, RegexPattern, RoutePattern

from commons.people.models import User
from commons.people.services import create_organisation, create_sign_in_link, create_token, create_user
from commons.places.services import ensure_city, ensure_neighbourhood
from commons.runs.models import Run

pytestmark = pytest.mark.django_db

NOT_OURS = ("staff/", "account/")
"""Django's and allauth's own pages: they are tested where they come from; ours of them below."""

UNKNOWN = UUID("3b241101-e2bb-4255-8caf-4136c566a962")
BY_TYPE: dict[str, Any] = {
    "uuid": UNKNOWN,
    "int": 424242,
    "slug": "nothing-here",
    "str": "nothing-here",
    "path": "a/b.stl",
}


def routes(resolver: URLResolver | None = None, before: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every address as a pattern, and its route."""
    for entry in (resolver or get_resolver()).url_patterns:
        pattern = entry.pattern
        own = "" if isinstance(pattern, LocalePrefixPattern) else str(pattern)
        if isinstance(entry, URLResolver):
            yield from routes(entry, before + own)
        else:
            yield before + own, entry


def filled(pattern: str, known: dict[str, Any]) -> str:
    """An address of the pattern, with known objects where a name is known and unknown ones elsewhere."""

    def typed(match: re.Match[str]) -> str:
        kind, _, name = match.group(1).rpartition(":")
        return str(known.get(name, BY_TYPE.get(kind or "str", "nothing-here")))

    def grouped(match: re.Match[str]) -> str:
        name, inside = match.group(1), match.group(2)
        if "|" in inside and "[" not in inside:
            return inside.split("|")[0]
        return str(known.get(name, "nothing-here"))

    path = re.sub(r"<([^<>]+)>", typed, pattern) if "(?P<" not in pattern else pattern
    path = re.sub(r"\(\?P<(\w+)>((?:[^()]|\([^()]*\))*)\)", grouped, path)
    return "/" + re.sub(r"\\Z|[\^$]|\\", "", path)


@pytest.fixture
def sample() -> dict[str, Any]:
    """One of each of the ground floor's things."""
    city = ensure_city(slug="helsinki", name="Helsinki", timezone="Europe/Helsinki")
    ensure_neighbourhood(slug="kamppi", name="Kamppi", city=city)
    anna = create_user(username="anna")
    create_user(username="chief", is_staff=True)
    create_organisation(handle="guild", name="Guild", kind="lab", founder=anna)
    token, _secret = create_token(user=anna, name="t", scopes=["admin"])
    run = Run.objects.create(kind="tests.none", owner=anna, public=True, inputs_sha256="")
    return {"run": run.pk, "token": token.pk, "secret": create_sign_in_link(user=anna)}


def addresses(sample: dict[str, Any]) -> list[str]:
    found = []
    for pattern, _route in routes():
        if pattern.startswith(NOT_OURS):
            continue
        known: dict[str, Any] = {"secret": sample["secret"], "form": "json", "handle": "guild", "owner": "anna"}
        found.append(filled(pattern, known))
        if "runs/" in pattern:
            found.append(filled(pattern, known | {"pk": sample["run"]}))
        if "tokens/" in pattern:
            found.append(filled(pattern, known | {"pk": sample["token"]}))
        for name, values in {
            "slug": ("kamppi", "helsinki"),
            "name": ("guild", "anna", "GUILD"),
            "person": ("anna",),
        }.items():
            found += [filled(pattern, known | {name: value}) for value in values if name in pattern]
    return sorted(set(found))


def test_the_walk_sees_the_whole_site(sample: dict[str, Any]) -> None:
    found = addresses(sample)
    assert len(found) > 60
    for address in (
        "/",
        "/places/kamppi/",
        "/me/",
        "/api/v1/places/kamppi/metrics/",
        f"/runs/{sample['run']}/",
        "/people/guild/",
    ):
        assert address in found
    assert all(isinstance(r.pattern, RoutePattern | RegexPattern) for _p, r in routes())


def visitor(who: str) -> Client:
    client = Client(raise_request_exception=False)
    if who != "stranger":
        client.force_login(User.objects.get(username=who))
    return client


@pytest.mark.parametrize(
    ("who", "method"),
    [
        ("anna", "get"),  # a stranger's and staff's walk stands in test_headers
        ("stranger", "post"),
        ("anna", "post"),
        ("anna", "delete"),
    ],
)
def test_no_address_breaks(sample: dict[str, Any], who: str, method: str) -> None:
    broken = []
    client = visitor(who)
    for address in addresses(sample):
        response = getattr(client, method)(address)
        if response.status_code >= 500 and address != "/readyz":
            broken.append((address, response.status_code))
    assert not broken


@pytest.mark.parametrize("who", ["stranger", pytest.param("anna", marks=pytest.mark.drill)])
def test_no_address_breaks_when_the_city_is_empty(who: str) -> None:
    client = Client(raise_request_exception=False)
    if who == "anna":
        client.force_login(create_user(username="anna"))
    broken = []
    for pattern, _route in routes():
        if not pattern.startswith(NOT_OURS) and pattern != "readyz":
            address = filled(pattern, {"form": "json"})
            if client.get(address).status_code >= 500:
                broken.append(address)
    assert not broken


def test_no_question_breaks_an_address(sample: dict[str, Any]) -> None:
    client = visitor("stranger")
    query = "?page=x&place=nowhere&cursor=%ff&from=x&to=y&limit=-1&step=-5&at=32&as_of=x&kind=&status=x&q=" + "x" * 3000
    asked = [a for a in addresses(sample) if a not in {"/readyz", "/api/v1/schema/", "/api/v1/docs/"}]
    broken = [address for address in asked if client.get(address + query).status_code >= 500]
    assert not broken
    for address in ("/search/?q=%00", "/api/v1/runs/?kind=%00", "/api/v1/designs/?q=%00", "/%00/"):
        assert client.get(address).status_code == 400, address


def test_pages_answer_in_finnish_too(sample: dict[str, Any]) -> None:
    for address in ("/", "/places/kamppi/", "/measure/", "/data/", "/search/", "/people/anna/"):
        response = Client().get("/fi" + address)
        assert response.status_code == 200, address
        assert '<html lang="fi"' in response.content.decode()


def test_own_pages_ask_a_stranger_to_sign_in(sample: dict[str, Any]) -> None:
    for address in ("/me/", "/me/profile/", "/me/tokens/new/", "/organisations/new/"):
        response = Client().get(address)
        assert (response.status_code, response["Location"]) == (302, f"/account/login/?next={address}")


def test_our_own_pages_of_sign_in_open(sample: dict[str, Any]) -> None:
    client = Client()
    for address in ("/account/login/", "/account/signup/", "/account/password/reset/"):
        assert client.get(address).status_code == 200
    client.force_login(User.objects.get(username="anna"))
    for address in (
        "/account/email/",
        "/account/2fa/",
        "/account/sessions/",
        "/account/password/change/",
        "/account/password/set/",
    ):
        assert client.get(address).status_code in {200, 302}, address
