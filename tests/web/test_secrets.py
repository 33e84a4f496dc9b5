"""Planted tokens, passwords, codes and links are in no log, no answer, no queue and no table in plain."""

import base64
import io
import json
import logging
import os
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import redis
from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.utils.module_loading import import_string

from commons.devices import services as devices
from commons.people import services as people
from commons.web.masking import MASK, MaskedFormatter, masked
from tests.conftest import LiveCity

PASSWORD = "seven quiet otters 4711 at the pond"
WRONG = "eight loud herons 0815 on the roof"


@pytest.mark.parametrize(
    ("line", "rest"),
    [
        ("token lcu_Ab1Ab1Ab1Ab1Ab1Ab1Ab1 used", f"token lcu_Ab1A{MASK} used"),
        ("GET /sign-in/lcs_0123456789abcdef/", f"GET /sign-in/lcs_0123{MASK}/"),
        ("Authorization: Bearer abcdefghijklmnop", f"Authorization: Bearer {MASK}"),
        ("{'Authorization': 'Basic YW5uYTpzZWNyZXQ='}", f"{{'Authorization': 'Basic {MASK}'}}"),
        ("password=otter&next=/me/", f"password={MASK}&next=/me/"),
        ('{"password": "an otter, two", "name": "x"}', f'{{"password": {MASK}, "name": "x"}}'),
        ("{'oldpassword': 'it\\'s', 'x': 1}", f"{{'oldpassword': {MASK}, 'x': 1}}"),
        ("postgresql://city:otter@db/livingcity", f"postgresql://city:{MASK}@db/livingcity"),
        ("redis://:otter@cache:6379/0", f"redis://:{MASK}@cache:6379/0"),
        ("SECRET_KEY=abc api_key: 'k' private_key=zzz", f"SECRET_KEY={MASK} api_key: {MASK} private_key={MASK}"),
        ("<QueryDict: {'password': ['otter', 'b'], 'x': ['1']}>", f"<QueryDict: {{'password': {MASK}, 'x': ['1']}}>"),
        ('"{\\"password\\": \\"an otter\\", \\"n\\": 1}"', f'"{{\\"password\\": {MASK}, \\"n\\": 1}}"'),
        ("GET /feed?securityToken=abc-def&x=1", f"GET /feed?securityToken={MASK}&x=1"),
        ("{'token': 'abc def', 'Cookie': 'csrftoken=xyz; theme=dark'}",
         f"{{'token': {MASK}, 'Cookie': 'csrftoken={MASK}; theme=dark'}}"),
        ("unexpected token: a comma", "unexpected token: a comma"),
        ("the password was wrong: try again", "the password was wrong: try again"),
        ("POST /me/tokens/7/revoke/ 302", "POST /me/tokens/7/revoke/ 302"),
        ("lcu_short is no token", "lcu_short is no token"),
    ],
)
def test_what_opens_doors_is_masked_and_the_rest_stays(line: str, rest: str) -> None:
    assert masked(line) == rest


#: What a stranger could send so that a careless pattern looks for ever.
LONG = ("password", 'password="', "password=['", "password=" + "\\" * 9, "x-", "a://", "a://b:", "token", "token ",
        'token=\\"', "Bearer ", " " * 8 + "password", "lcu_", "a.b-")  # fmt: skip


def test_no_line_takes_long() -> None:
    """Each of these took minutes or hours where a pattern begins anew at each sign."""
    code = f"from commons.web.masking import masked; [masked(piece * 20_000) for piece in {LONG!r}]"
    env = {**os.environ, "PYTHONPATH": str(settings.ROOT / "platform")}
    subprocess.run([sys.executable, "-c", code], env=env, check=True, timeout=120)


def test_arguments_and_tracebacks_are_masked_too() -> None:
    written = io.StringIO()
    handler = logging.StreamHandler(written)
    handler.setFormatter(MaskedFormatter("%(levelname)s %(message)s"))
    log = logging.getLogger("tests.secrets")
    log.propagate = False
    log.addHandler(handler)
    try:
        log.error("asked with %s by %r", "lcu_" + "Zz9" * 16, {"password": PASSWORD})
        try:
            raise ValueError(f"lcd_{'Yy8' * 16} is not known, secret={WRONG.split(maxsplit=1)[0]}")
        except ValueError:
            log.exception("it broke")
    finally:
        log.removeHandler(handler)
    said = written.getvalue()
    assert "Zz9Zz9" not in said and PASSWORD not in said and "Yy8Yy8" not in said and "eight" not in said
    assert "Traceback" in said and "it broke" in said


def test_every_formatter_of_the_city_masks() -> None:
    secret = "lcu_" + "Zz9" * 16
    for how in settings.LOGGING["formatters"].values():
        formatter = import_string(how["()"])(*([how["format"]] if "format" in how else []))
        more = {"extra": secret, "sent": {"password": PASSWORD}, "api_key": WRONG, "ms": 1.5}
        record = logging.makeLogRecord({"msg": "asked with %s", "args": (secret,), "trace": "-", **more})
        line = formatter.format(record)
        assert "asked with" in line, how
        assert not [word for word in (secret, PASSWORD, WRONG) if word in line], how
    for handler in settings.LOGGING["handlers"].values():
        assert handler.get("formatter") in settings.LOGGING["formatters"] or handler["class"].endswith("shared.Faults")


def ask(url: str, data: bytes | None = None, **headers: str) -> tuple[int, str]:
    """Status and body, also of refusals; without the address that was asked for, which pages name as their own."""
    own = urlsplit(url)._replace(scheme="", netloc="").geturl()
    status, body = asked(url, data, **headers)
    return status, body.replace(own, "OWN ADDRESS")


def asked(url: str, data: bytes | None, **headers: str) -> tuple[int, str]:
    """The answer as it comes."""
    request = urllib.request.Request(url, data=data, headers={k.replace("_", "-"): v for k, v in headers.items()})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, answer.read().decode(errors="replace")
    except urllib.error.HTTPError as refusal:
        return refusal.code, refusal.read().decode(errors="replace")


def tables_in_plain() -> dict[str, str]:
    """Every row of every table as PostgreSQL writes it, as a dump would."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        names = [row[0] for row in cursor.fetchall()]
        found = {}
        for name in names:
            cursor.execute(f'SELECT coalesce(string_agg(t::text, chr(10)), %s) FROM "{name}" t', [""])  # noqa: S608
            found[name] = cursor.fetchone()[0]
    return found


def queues_in_plain() -> bytes:
    """All keys and values of Valkey: broker, cache."""
    found = b""
    for url in {settings.REDIS_URL, settings.CACHES["default"]["LOCATION"]}:
        client = redis.Redis.from_url(url)
        for key in client.scan_iter():
            found += key + b"\n" + (client.dump(key) or b"") + b"\n"
    return found


@pytest.mark.django_db(transaction=True)
def test_nothing_that_was_planted_is_found_again(live_city: LiveCity) -> None:
    """A day of one city: people sign in rightly and wrongly, scripts and devices ask rightly, wrongly and brokenly."""
    anna = people.create_user(username="anna", email="anna@example.org", password=PASSWORD)
    _token, script = people.create_token(user=anna, name="script", scopes=["designs:write", "labs:manage"])
    link = people.create_sign_in_link(user=anna)
    device = devices.create_device(name="meter", kind="meter")
    code = str(devices.create_enrolment_code(device=device))
    planted = {"password": PASSWORD, "wrong password": WRONG, "token": script, "link": link, "code": code}
    planted["code without dash"] = code.replace("-", "")
    url, answers = live_city.url, []

    for word in (WRONG, PASSWORD):
        assert Client().post("/account/login/", {"login": "anna", "password": word}).status_code in {200, 302}
    bearer = f"Bearer {script}"
    answers += [
        ask(f"{url}/api/v1/people/me/", Authorization=bearer),
        ask(f"{url}/api/v1/designs/?token={script}", Authorization=bearer),
        ask(f"{url}/api/v1/designs/", b"{not json", Authorization=bearer, Content_Type="application/json"),
        ask(f"{url}/api/v1/no/such/{script}/", Authorization=bearer),
        ask(f"{url}/api/v1/people/me/", Authorization=f"Bearer {script[:-1]}x"),
        ask(f"{url}/sign-in/{link}x/"),
        ask(f"{url}/no/such/page/?password={WRONG.replace(' ', '+')}"),
    ]
    sent = json.dumps({"code": code, "kind": "meter", "hardware_id": "m-1"}).encode()
    status, body = ask(
        f"{url}/api/v1/devices/enrol/", sent, Content_Type="application/json", Idempotency_Key="once"
    )
    assert status in {200, 201}, body
    planted["device token"] = json.loads(body)["token"]
    answers += [
        ask(f"{url}/api/v1/devices/enrol/", sent[:-3], Content_Type="application/json"),
        ask(f"{url}/api/v1/telemetry/", b"[broken", Authorization=f"Bearer {planted['device token']}"),
        ask(f"{url}/api/v1/telemetry/", b"[]", Authorization=f"Bearer {planted['device token']}q"),
    ]
    assert Client().post(f"/sign-in/{link}/").status_code == 302

    places = {f"answer {n}: {status}": body for n, (status, body) in enumerate(answers)}
    places |= {f"table {name}": text for name, text in tables_in_plain().items()}
    places["valkey"] = queues_in_plain().decode("latin-1")
    places["sessions"] = " ".join(str(session.get_decoded()) for session in Session.objects.all())
    data = Path(os.environ["LIVINGCITY_DATA"])
    for file in data.glob("**/*.log"):
        places[f"log {file.name}"] = file.read_text(errors="replace")
    schema = io.StringIO()
    call_command("spectacular", stdout=schema)
    places["openapi"] = schema.getvalue()
    assert len(places) > 100 and "log web.log" in places and anna.username in places["table people_user"]

    found = []
    for what, secret in planted.items():
        for form in (secret, base64.b64encode(secret.encode()).decode().rstrip("=")):
            found += [f"{what} in {place}" for place, text in places.items() if form in text]
    print(f"{len(planted)} secrets, {len(places)} places, {len(found)} found")  # noqa: T201 a figure of docs/security.md
    assert not found


def test_a_wrong_password_is_in_no_answer(client: Client, db: Any) -> None:
    answer = client.post("/account/login/", {"login": "anna", "password": WRONG})
    assert answer.status_code == 200 and WRONG not in answer.content.decode()
