"""What holds for every API address: problems, languages of errors, default deny, cursors, throttles."""

import json
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlencode

import pytest
from django.core.cache import cache
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver, reverse
from rest_framework.permissions import BasePermission

from commons.people.models import User
from commons.people.services import create_token, create_user, revoke_token
from commons.places.services import ensure_city, ensure_neighbourhood
from commons.runs.models import Run
from commons.web.api import CursorPagination, DenyAll, has_scope

pytestmark = pytest.mark.django_db

PROBLEM = "application/problem+json"


def api_routes(resolver: URLResolver | None = None, prefix: str = "") -> Iterator[tuple[str, URLPattern]]:
    """Every route below /api/."""
    for entry in (resolver or get_resolver()).url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from api_routes(entry, path)
        elif path.startswith("api/"):
            yield path, entry


@pytest.fixture
def anna() -> User:
    return create_user(username="anna")


def bearer(user: User, *scopes: str) -> dict[str, str]:
    _token, secret = create_token(user=user, name="test", scopes=scopes or ("designs:read",))
    return {"authorization": f"Bearer {secret}"}


def assert_problem(response: Any, status: int, code: str | None = None) -> dict[str, Any]:
    assert response.status_code == status, response.content
    assert response["Content-Type"] == PROBLEM
    document: dict[str, Any] = json.loads(response.content)
    assert {"type", "title", "status", "code", "detail"} <= set(document)
    assert document["status"] == status
    assert document["detail"].strip()
    if code:
        assert document["code"] == code
    return document


def test_every_route_says_who_may_call_it() -> None:
    unsaid = []
    for path, route in api_routes():
        view = getattr(route.callback, "cls", None)
        if view is None:
            continue
        permissions = view.permission_classes
        if not permissions or DenyAll in permissions or BasePermission in permissions:
            unsaid.append(path)
    assert not unsaid, f"no explicit permission_classes: {unsaid}"


def test_every_route_that_is_no_drf_view_is_known() -> None:
    plain = {path for path, route in api_routes() if not hasattr(route.callback, "cls")}
    known = {"api/", "api/v1/docs/"}
    files = (".ics", ".toml", ".geojson")
    assert all(path.endswith(files) for path in plain - known), plain - known


@pytest.mark.parametrize("path", ["/api/nothing/", "/api/v1/nothing/", "/api/v1/places/none/", "/api/v2/"])
def test_what_is_not_there_is_a_404_problem(client: Client, path: str) -> None:
    assert_problem(client.get(path), 404)


def test_a_missing_place_says_which(client: Client) -> None:
    assert "atlantis" in assert_problem(client.get("/api/v1/places/atlantis/"), 404, "place:unknown")["detail"]


@pytest.mark.parametrize(
    ("authorization", "status"),
    [("Bearer nonsense", 401), ("bearer lcu_" + "0" * 49, 401), ("Bearer ", 401), ("Basic eDp5", 401)],
)
def test_a_bad_token_is_a_401_that_says_how(client: Client, authorization: str, status: int) -> None:
    response = client.get("/api/v1/people/me/", headers={"authorization": authorization})
    assert_problem(response, status, "city:sign-in")
    assert response["WWW-Authenticate"] == "Bearer"


def test_a_good_token_is_known_and_a_revoked_one_is_not(client: Client, anna: User) -> None:
    token, secret = create_token(user=anna, name="t", scopes=["designs:read"])
    headers = {"authorization": f"Bearer {secret}"}
    assert client.get("/api/v1/people/me/", headers=headers).json()["scopes"] == ["designs:read"]
    revoke_token(token=token)
    assert_problem(client.get("/api/v1/people/me/", headers=headers), 401)


def test_a_person_who_is_not_active_has_no_token(client: Client, anna: User) -> None:
    headers = bearer(anna)
    User.objects.update(is_active=False)
    assert_problem(client.get("/api/v1/people/me/", headers=headers), 401)


def test_other_methods_types_and_forms_are_problems(client: Client, anna: User) -> None:
    headers = bearer(anna)
    refused = client.delete("/api/v1/places/", headers=headers)
    # an address that only reads lets nobody write, whoever they are
    assert refused.status_code in {403, 405}
    assert_problem(refused, refused.status_code)
    assert_problem(client.get("/api/v1/places/", headers={"accept": "text/html"}), 406)


def test_a_session_cannot_write_without_its_form_token(anna: User) -> None:
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(anna)
    run = Run.objects.create(kind="tests.none", owner=anna, inputs_sha256="")
    assert_problem(strict.post(f"/api/v1/runs/{run.pk}/cancel/"), 403)
    run.refresh_from_db()
    assert run.status == "queued"


@pytest.mark.parametrize(
    "query", ["?cursor=xyz", "?cursor=cD1nYXJiYWdl", "?cursor=cj0xJnA9MQ==", "?cursor=%FF", "?kind=%00"]
)
def test_a_broken_query_is_the_callers_fault(client: Client, query: str) -> None:
    response = client.get(f"/api/v1/runs/{query}")
    assert 400 <= response.status_code < 500
    assert_problem(response, response.status_code)


@pytest.mark.parametrize(
    ("body", "word"),
    [
        ('{"name": "a\\u0000b"}', "NUL"), ('{"name": {"deep": [{"\\ud83d": 1}]}}', "half a letter"),
        ('{"name": [1, {"x": -1e999}]}', "larger"), ("[" * 100_000, "nested"), ('{"name": "\x01"}', "JSON"),
    ],
)  # fmt: skip
def test_json_that_nobody_can_keep_is_refused_in_words(client: Client, anna: User, body: str, word: str) -> None:
    headers = bearer(anna, "designs:write")
    response = client.post("/api/v1/designs/", body, content_type="application/json", headers=headers)
    assert word in assert_problem(response, 400)["detail"]


def test_json_of_whole_letters_is_read(client: Client, anna: User) -> None:
    body = '{"name": "\\ud83d\\ude00 1e300", "licence": "MIT", "owner": "anna", "size": 1e300}'
    headers = bearer(anna, "designs:write")
    response = client.post("/api/v1/designs/", body, content_type="application/json", headers=headers)
    assert response.status_code == 201, response.content


@pytest.mark.parametrize("path", ["/", "/designs/new/", "/account/login/", "/i18n/setlang/", "/staff/login/"])
@pytest.mark.parametrize("method", ["DELETE", "PATCH", "TRACE", "PROPFIND"])
def test_a_page_refuses_methods_that_it_does_not_know(client: Client, anna: User, path: str, method: str) -> None:
    client.force_login(anna)
    refused = client.generic(method, path)
    assert refused.status_code == 405
    assert "GET" in refused.headers["Allow"]


@pytest.mark.parametrize("sent", [{"theme": "da\0rk"}, {"theme": ["dark", "\0"]}, {"a\0": "dark"}])
def test_a_form_with_a_nul_is_refused_in_words(client: Client, sent: dict[str, Any]) -> None:
    for kind in ("multipart", "plain"):
        body = {"data": sent} if kind == "multipart" else {
            "data": urlencode(sent, doseq=True), "content_type": "application/x-www-form-urlencoded"
        }  # fmt: skip
        refused = client.post(reverse("theme"), **body)
        assert refused.status_code == 400
        assert "NUL" in refused.content.decode()


def test_a_limit_out_of_bounds_is_brought_back(client: Client) -> None:
    for n in range(3):
        ensure_city(slug=f"c{n}", name=f"C{n}")
    for limit in ("0", "-1", "x", "99999999999999999999"):
        assert len(client.get(f"/api/v1/places/?limit={limit}").json()["results"]) == 3


def test_cursors_reach_everything_once(client: Client) -> None:
    for n in range(7):
        ensure_city(slug=f"city{n}", name=f"City {n}")
    seen: list[str] = []
    address: str | None = "/api/v1/places/?limit=3"
    while address:
        page = client.get(address).json()
        assert set(page) == {"next", "previous", "results"}
        seen += [place["slug"] for place in page["results"]]
        address = page["next"]
    assert seen == [f"city{n}" for n in range(7)]


def test_too_many_calls_hear_429_and_when_to_come_back(client: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    from commons.web.api import AnonymousThrottle

    cache.clear()
    monkeypatch.setattr(AnonymousThrottle, "THROTTLE_RATES", {"anon": "3/min"})
    answers = [client.get("/api/v1/places/") for _ in range(5)]
    assert [a.status_code for a in answers] == [200, 200, 200, 429, 429]
    assert_problem(answers[-1], 429, "city:too-many")
    assert 1 <= int(answers[-1]["Retry-After"]) <= 60
    elsewhere = client.get("/api/v1/places/", REMOTE_ADDR="192.0.2.7")
    assert elsewhere.status_code == 200
    spoofed = client.get("/api/v1/places/", headers={"x-forwarded-for": "192.0.2.9"})
    assert spoofed.status_code == 429, "an address that anybody can write is not believed"
    cache.clear()


def test_a_cache_that_is_away_stops_nobody(client: Client, settings: Any) -> None:
    settings.CACHES = {
        "default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": "unix:///nowhere/valkey.sock"}
    }
    assert client.get("/api/v1/places/").status_code == 200


@pytest.mark.parametrize(
    ("held", "asked", "may"),
    [
        (["designs:write"], "designs:read", True),
        (["designs:read"], "designs:write", False),
        (["labs:manage"], "energy:read", False),
        (["energy:manage"], "energy:read", True),
        (["admin"], "designs:read", False),
        ([], "designs:read", False),
    ],
)
def test_scopes(held: list[str], asked: str, may: bool) -> None:
    class Token:
        scopes = held

    assert has_scope(Token(), asked) is may


def test_cursor_pages_do_not_need_a_field_that_models_lack() -> None:
    assert CursorPagination.ordering == "-pk"


def test_the_root_lists_addresses_that_answer(client: Client) -> None:
    listed = client.get("/api/v1/").json()
    assert {"schema", "docs", "places/", "runs/"} <= set(listed)
    for address in listed.values():
        path = address.removeprefix("http://testserver")
        assert client.get(path).status_code < 500, path


def test_every_refusal_is_explained_at_its_address(client: Client) -> None:
    from livingcity.reference import refusals

    assert len(refusals()) > 20
    for kind in refusals():
        room, _, reason = kind.code.partition(":")
        answer = client.get(f"/api/v1/errors/{room}/{reason}")
        assert answer.status_code == 200, kind
        assert answer.json()["status"] == kind.status
    assert_problem(client.get("/api/v1/errors/run/never"), 404)


def test_the_docs_name_every_operation_and_load_nothing_from_elsewhere(client: Client) -> None:
    page = client.get("/api/v1/docs/").content.decode()
    for path in ("/api/v1/places/{slug}/metrics/", "/api/v1/runs/{id}/cancel/", "/api/v1/runs/"):
        assert path in page
    assert "<script>" not in page
    assert 'src="http' not in page


def test_the_document_is_computed_once_for_a_language_and_form(client: Client) -> None:
    """It takes seconds, and anybody may ask for it."""
    from livingcity import reference

    wanted = {"accept": "application/vnd.oai.openapi+json"}
    first = client.get("/api/v1/schema/?lang=en", headers=wanted)
    assert first["Content-Type"].startswith("application/vnd.oai.openapi+json")
    assert "/api/v1/places/{slug}/" in json.loads(first.content)["paths"]
    before = reference.openapi.cache_info().misses, reference.written.cache_info().misses
    for query in ("?lang=en", "", "?lang=tlh&version=7"):
        again = client.get(f"/api/v1/schema/{query}", headers=wanted)
        assert again.content == first.content
    assert (reference.openapi.cache_info().misses, reference.written.cache_info().misses) == before
    assert client.get("/api/v1/schema/", headers={"accept": "text/html"}).status_code == 406


def test_the_document_is_openapi_3_1_and_has_no_warning() -> None:
    from io import StringIO

    from django.core.management import call_command

    out = StringIO()
    call_command("spectacular", "--validate", "--fail-on-warn", "--format", "openapi-json", stdout=out)
    document = json.loads(out.getvalue())
    assert document["openapi"].startswith("3.1")
    place = document["paths"]["/api/v1/places/{slug}/"]["get"]["responses"]
    assert place["404"]["content"][PROBLEM]["schema"]["$ref"].endswith("/Problem")


def test_runs_over_the_api(client: Client, anna: User) -> None:
    boris = create_user(username="boris")
    run = Run.objects.create(
        kind="energy.simulate", title="Homes", owner=anna, inputs_sha256="ab", engine_version="3", seed=9
    )
    mine, theirs = bearer(anna, "energy:manage"), bearer(boris, "energy:manage")
    document = client.get(f"/api/v1/runs/{run.pk}/", headers=mine).json()
    wanted = {
        "id": str(run.pk),
        "kind": "energy.simulate",
        "status": "queued",
        "progress": 0.0,
        "stage": "",
        "result": None,
    }
    wanted |= {"inputs_sha256": "ab", "engine_version": "3", "seed": 9, "error": None}
    assert wanted.items() <= document.items()
    assert document["events"].endswith(f"/api/v1/runs/{run.pk}/events")
    hidden = assert_problem(client.get(f"/api/v1/runs/{run.pk}/", headers=theirs), 404)
    missing = assert_problem(client.get("/api/v1/runs/3b241101-e2bb-4255-8caf-4136c566a962/", headers=theirs), 404)
    assert hidden == missing, "what one may not see answers like what does not exist"
    assert_problem(client.post(f"/api/v1/runs/{run.pk}/cancel/", headers=theirs), 404)
    assert_problem(client.post(f"/api/v1/runs/{run.pk}/cancel/"), 401)
    assert_problem(client.post(f"/api/v1/runs/{run.pk}/cancel/", headers=bearer(anna, "designs:write")), 404)
    assert client.post(f"/api/v1/runs/{run.pk}/cancel/", headers=mine).json()["status"] == "cancelled"
    assert (
        client.get("/api/v1/runs/?status=cancelled", headers=mine).json()["results"][0]["error"]["code"]
        == "run:cancelled"
    )
    assert client.get("/api/v1/runs/", headers=theirs).json()["results"] == []


def test_a_place_over_the_api(client: Client) -> None:
    city = ensure_city(slug="turku", name="Turku", timezone="Europe/Helsinki", country="FI")
    ensure_neighbourhood(slug="port", name="Port", city=city)
    document = client.get("/api/v1/places/port/").json()
    assert document == {
        "slug": "port", "name": "Port", "kind": "neighbourhood", "city": "turku", "timezone": "Europe/Helsinki",
        "country": "FI", "demo": False, "outline": None,
    }  # fmt: skip
