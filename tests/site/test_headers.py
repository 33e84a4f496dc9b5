"""Every address answers with every header, whoever answers: Django, a refusal, a file, or asyncio."""

import re
import urllib.error
import urllib.request
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.test.utils import override_settings

from commons.people.services import create_user
from commons.web.walls import BARE, PERMISSIONS
from tests.conftest import LiveCity
from tests.figures_said import figure
from tests.site.test_every_address import addresses, sample, visitor

__all__ = ["sample"]
pytestmark = pytest.mark.django_db

NAMES = (
    "Content-Security-Policy",
    "X-Content-Type-Options",
    "X-Frame-Options",
    "Referrer-Policy",
    "Cross-Origin-Opener-Policy",
    "Cross-Origin-Resource-Policy",
    "Permissions-Policy",
)
LIBRARY_PAGES = ["/account/login/", "/account/signup/", "/account/password/reset/", "/staff/login/"]
SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script>", re.DOTALL)


def directives(policy: str) -> dict[str, list[str]]:
    return {part.split()[0]: part.split()[1:] for part in policy.split(";") if part.strip()}


def faults_of(address: str, response: Any) -> list[str]:
    """What is wrong with the headers of an answer."""
    found = [f"{address}: no {name}" for name in NAMES if name not in response]
    if found:
        return found
    policy = directives(response["Content-Security-Policy"])
    scripts = policy.get("script-src", policy.get("default-src", []))
    if "'unsafe-inline'" in scripts or "'unsafe-eval'" in scripts or "*" in scripts:
        found.append(f"{address}: scripts may be anything: {scripts}")
    if "'unsafe-inline'" in policy.get("style-src", []):
        found.append(f"{address}: inline styles")
    if policy.get("frame-ancestors") != ["'none'"] and "sandbox" not in policy:
        found.append(f"{address}: may stand in a frame")
    if response["X-Content-Type-Options"] != "nosniff":
        found.append(f"{address}: sniffed")
    if response["Referrer-Policy"] not in {"same-origin", "no-referrer"}:
        found.append(f"{address}: tells where from: {response['Referrer-Policy']}")
    shared = "Access-Control-Allow-Origin" in response
    if response["Cross-Origin-Resource-Policy"] != ("cross-origin" if shared else "same-origin"):
        found.append(f"{address}: {response['Cross-Origin-Resource-Policy']}")
    if "html" in response.get("Content-Type", "") and not response.streaming:
        found += inline(address, response, scripts)
    return found


def inline(address: str, response: Any, scripts: list[str]) -> list[str]:
    """Scripts, styles and handlers of a page that its policy would not let run, or should not."""
    page, found = response.content.decode(), []
    nonces = [word[7:-1] for word in scripts if word.startswith("'nonce-")]
    for attributes, body in SCRIPT.findall(page):
        if "json" in attributes:
            continue
        if body.strip():
            found.append(f"{address}: a script in the page: {body[:60]!r}")
        elif "'strict-dynamic'" in scripts and not any(f'nonce="{nonce}"' in attributes for nonce in nonces):
            found.append(f"{address}: a script without the page's nonce: {attributes}")
    if re.search(r"<[^>]+\s(?:on\w+|style)=", re.sub(r'="[^"]*"', "=", page)):
        found.append(f"{address}: a handler or a style in an attribute")
    return found


@pytest.mark.parametrize("who", ["stranger", "chief"])
def test_every_address_has_every_header(sample: dict[str, Any], who: str) -> None:
    client, faults, pages, good = visitor(who), [], 0, 0
    asked = [*addresses(sample), *LIBRARY_PAGES, "/no/such/page/", "/static/web/icon.svg"]
    for address in asked:
        response = client.get(address)
        found = faults_of(address, response)
        faults += found
        good += not found
        if response.status_code >= 500 and address != "/readyz":
            faults.append(f"{address}: {response.status_code}")
        pages += "html" in response.get("Content-Type", "")
    print(f"{who}: {len(asked)} addresses, {pages} pages")  # noqa: T201 a figure of docs/security.md
    figure("headers_routes", 100 * good / len(asked), "%")
    assert not faults
    assert pages > 40


@pytest.mark.parametrize("method", ["post", pytest.param("put", marks=pytest.mark.drill)])
def test_refusals_have_them_too(sample: dict[str, Any], method: str) -> None:
    client = Client(raise_request_exception=False, enforce_csrf_checks=True)
    faults = []
    for address in addresses(sample):
        faults += faults_of(address, getattr(client, method)(address))
    assert not faults


def test_a_page_has_a_nonce_of_its_own_and_libraries_their_files() -> None:
    policies = [Client().get("/")["Content-Security-Policy"] for _ in range(2)]
    scripts = [directives(policy)["script-src"] for policy in policies]
    assert scripts[0] != scripts[1] and "'strict-dynamic'" in scripts[0] and "'self'" not in scripts[0]
    library = directives(Client().get("/account/login/")["Content-Security-Policy"])
    assert library["script-src"] == ["'self'"] and library["default-src"] == ["'none'"]
    assert directives(Client().get("/healthz")["Content-Security-Policy"])["default-src"] == ["'none'"]


def test_wrong_hosts_and_plain_http_are_refused_with_headers() -> None:
    wrong = Client(raise_request_exception=False).get("/", HTTP_HOST="evil.example")
    assert wrong.status_code == 400 and not faults_of("wrong host", wrong)
    with override_settings(SECURE_SSL_REDIRECT=True, SECURE_HSTS_SECONDS=100):
        there = Client().get("/")
        assert there.status_code == 301 and there["Location"].startswith("https://")
        assert not faults_of("redirect", there)
        assert "max-age=100" in Client().get("/", secure=True)["Strict-Transport-Security"]


def test_cookies_are_bound_to_the_host_where_there_is_https() -> None:
    """Settings are read again in a process of their own, as `PUBLIC_URL` makes them."""
    import json
    import os
    import subprocess
    import sys

    code = (
        "import json, livingcity.settings as s;"
        "names = ('SESSION_COOKIE_NAME', 'CSRF_COOKIE_NAME', 'SESSION_COOKIE_SECURE', 'CSRF_COOKIE_SECURE',"
        " 'LANGUAGE_COOKIE_SECURE', 'SESSION_COOKIE_HTTPONLY', 'SESSION_COOKIE_SAMESITE', 'CSRF_COOKIE_SAMESITE',"
        " 'SECURE_HSTS_SECONDS', 'SECURE_SSL_REDIRECT', 'PROXIES', 'SESSION_COOKIE_DOMAIN');"
        "print(json.dumps([getattr(s, n, None) for n in names]))"
    )
    path = f"{settings.ROOT / 'platform'}:{settings.ROOT}"
    env = {**os.environ, "PUBLIC_URL": "https://city.example", "PYTHONPATH": path}
    said = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True, timeout=60)
    assert json.loads(said.stdout) == [
        "__Host-session", "__Host-csrf", True, True, True, True, "Lax", "Lax", 31536000, True, 1, None,
    ]  # fmt: skip


def test_the_session_cookie_is_not_for_scripts(client: Client) -> None:
    create_user(username="anna", password="a long enough one")
    client.post("/account/login/", {"login": "anna", "password": "a long enough one"})
    cookie = client.cookies[settings.SESSION_COOKIE_NAME]
    assert cookie["httponly"] and cookie["samesite"] == "Lax" and cookie["path"] == "/" and not cookie["domain"]


@pytest.mark.django_db(transaction=True)
def test_what_asyncio_answers_has_them(live_city: LiveCity) -> None:
    stream = "/api/v1/runs/3b241101-e2bb-4255-8caf-4136c566a962/events"
    for path, headers in (
        (stream, {}),
        ("/api/v1/live/lab/nothing/events", {}),
        ("/api/v1/telemetry/", {"Authorization": "Bearer lcd_nothing"}),
        ("/", {}),
    ):
        asked = urllib.request.Request(f"{live_city.url}{path}", headers=headers)
        try:
            with urllib.request.urlopen(asked, timeout=20) as answer:
                said = answer.headers
        except urllib.error.HTTPError as refusal:
            said = refusal.headers
        for name in NAMES:
            assert name in said, (path, name)
    assert BARE and PERMISSIONS
