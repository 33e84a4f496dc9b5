"""POSTs that happen once, over real threads and a real database."""

import json
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse, StreamingHttpResponse
from django.test import Client
from django.urls import path
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from commons.people.services import create_token, create_user, revoke_token
from commons.runs.models import Run
from commons.web import idempotent
from commons.web.api import requires
from commons.web.models import IdempotentAnswer
from tests.faults.killing import killed_at

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.urls(__name__)]

lock = threading.Lock()
served: dict[str, int] = {}


def make(request: HttpRequest) -> HttpResponse:
    """Makes one row a call, slowly, and answers a secret."""
    asked = json.loads(request.body)
    with lock:
        served["calls"] = served.get("calls", 0) + 1
        n = served["calls"]
    time.sleep(asked.get("seconds", 0))
    if asked.get("first"):
        Run.objects.create(kind="tests.idempotency", inputs_sha256="")
    if status := asked.get("status"):
        return JsonResponse({"n": n}, status=status)
    Run.objects.create(kind="tests.idempotency", inputs_sha256="")
    response = JsonResponse({"n": n, "token": "lcd_secret"}, status=201)
    response["Location"] = f"/things/{n}"
    return response


def stream(request: HttpRequest) -> StreamingHttpResponse:
    """Counts calls; its answer is a stream."""
    served["calls"] = served.get("calls", 0) + 1
    return StreamingHttpResponse(iter([b"a", b"b"]))


class Ballot:
    """A view that leaves no trace."""

    remembers_answers = False

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return make(request)


class Known(APIView):
    """A view for people alone."""

    permission_classes = requires(write="admin")

    def post(self, request: Request) -> Response:
        return Response({"token": "lcd_secret"}, status=201)


urlpatterns = [
    path("api/known/", Known.as_view()),
    path("api/make/", make),
    path("api/ballot/", Ballot()),
    path("api/stream/", stream),
    path("page/", make),
]


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    served.clear()
    yield


def post(key: str | None = "k1", where: str = "/api/make/", body: Any = None, **headers: str) -> Any:
    given = {**headers, **({"idempotency-key": key} if key is not None else {})}
    return Client().post(where, json.dumps(body or {}), content_type="application/json", headers=given)


def together(count: int, **how: Any) -> list[Any]:
    answers: list[Any] = []
    gate = threading.Barrier(count)

    def call() -> None:
        gate.wait()
        answers.append(post(**how))
        connection.close()

    threads = [threading.Thread(target=call) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def test_twenty_at_once_have_one_effect() -> None:
    for round_ in range(3):
        served.clear()
        answers = together(20, key=f"round{round_}", body={"seconds": 0.2})
        statuses = sorted(a.status_code for a in answers)
        assert statuses.count(201) >= 1 and set(statuses) <= {201, 409}
        assert served["calls"] == 1
        running = [a for a in answers if a.status_code == 409]
        assert all(a["Retry-After"] and a.json()["code"] == "idempotency:running" for a in running)
        bodies = {a.content for a in answers if a.status_code == 201}
        again = post(f"round{round_}", body={"seconds": 0.2})
        assert {again.content} == bodies
    assert Run.objects.count() == 3


def test_the_answer_is_replayed_with_its_status_and_place() -> None:
    first, second = post(), post()
    assert (second.status_code, second.content, second["Location"]) == (201, first.content, first["Location"])
    assert "Idempotent-Replayed" not in first and second["Idempotent-Replayed"] == "true"
    assert second["Content-Type"] == first["Content-Type"]


def test_another_body_is_refused_and_has_no_effect() -> None:
    post(body={"a": 1})
    refused = post(body={"a": 2})
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency:other-body")
    assert served["calls"] == 1


def test_another_address_with_the_same_key_is_another_request() -> None:
    post(body={"a": 1})
    assert post(where="/api/stream/", body={"a": 1}).status_code == 422


def test_keys_belong_to_their_caller() -> None:
    secrets = [create_token(user=create_user(username=n), name="t", scopes=["admin"])[1] for n in ("anna", "boris")]
    answers = [post(authorization=f"Bearer {secret}") for secret in secrets] + [post()]
    assert [a.json()["n"] for a in answers] == [1, 2, 3]


def test_strangers_at_two_addresses_do_not_meet() -> None:
    other = Client(REMOTE_ADDR="192.0.2.9").post(
        "/api/make/", "{}", content_type="application/json", headers={"idempotency-key": "k1"}
    )
    assert (post().status_code, other.status_code, served["calls"]) == (201, 201, 2)


@pytest.mark.parametrize("status", [409, 429, 500, 503])
def test_what_may_pass_is_not_kept(status: int) -> None:
    assert [post(body={"status": status}).status_code for _ in range(2)] == [status, status]
    assert served["calls"] == 2


@pytest.mark.parametrize("status", [400, 403, 404, 422])
def test_a_refusal_is_kept(status: int) -> None:
    assert [post(body={"status": status}).status_code for _ in range(2)] == [status, status]
    assert served["calls"] == 1


def test_neither_secret_nor_key_nor_caller_stands_in_the_table() -> None:
    post(key="my-own-key", authorization="Bearer lcu_mine")
    row = IdempotentAnswer.objects.get()
    kept = f"{row.principal} {row.key} {row.headers} ".encode() + bytes(row.content or b"")
    for secret in (b"lcd_secret", b"my-own-key", b"lcu_mine"):
        assert secret not in kept


def test_a_key_that_was_kept_without_an_answer_is_free() -> None:
    """An older version wrote the key down first."""
    post()
    IdempotentAnswer.objects.update(status=None)
    assert post().status_code == 201
    assert served["calls"] == 2


@pytest.mark.parametrize("status", [500, 503])
def test_what_ends_in_a_fault_of_ours_has_changed_nothing(status: int) -> None:
    assert post(body={"first": True, "status": status}).status_code == status
    assert not Run.objects.exists()
    assert post("k2", body={"first": True, "status": 404}).status_code == 404
    assert Run.objects.count() == 1, "a refusal keeps what was written before it, as it does without a key"


def test_killed_at_any_moment_it_happens_once() -> None:
    """The process dies before each statement in turn, and before and after the commit: the effect and its answer are
    both there or neither, a retry succeeds at once, and the effect is there once."""
    killed, kept_after_kill = 0, 0
    for moment in range(1, 40):
        key = f"killed{moment}"
        died = killed_at(moment, lambda key=key: post(key), commits=True)
        killed += died
        assert Run.objects.count() == IdempotentAnswer.objects.count() <= 1
        kept_after_kill += died and Run.objects.count()
        assert post(key).status_code == 201, f"killed at moment {moment}"
        assert Run.objects.count() == IdempotentAnswer.objects.count() == 1
        Run.objects.all().delete()
        IdempotentAnswer.objects.all().delete()
        if not died:
            break
    assert killed >= 6 and kept_after_kill == 1, "once it died between the commit and the answer"


def test_after_a_day_the_key_is_free() -> None:
    post()
    IdempotentAnswer.objects.update(created_at=timezone.now() - idempotent.KEEP * 2)
    assert idempotent.forget_old() == 1
    post()
    assert served["calls"] == 2


@pytest.mark.parametrize("key", ["", "x" * 256])
def test_a_bad_key_is_refused(key: str) -> None:
    assert post(key=key).json()["code"] == "idempotency:bad-key"


def test_without_a_key_on_pages_and_on_a_ballot_nothing_is_kept() -> None:
    post(key=None)
    post(where="/page/")
    post(where="/api/ballot/")
    assert served["calls"] == 3
    assert not IdempotentAnswer.objects.exists()


def test_a_stream_and_a_large_body_pass_untouched() -> None:
    assert [b"".join(post(where="/api/stream/").streaming_content) for _ in range(2)] == [b"ab", b"ab"]
    large = {"fill": "x" * idempotent.BODY_AT_MOST}
    post(body=large)
    post(body=large)
    assert served["calls"] == 4
    assert not IdempotentAnswer.objects.exists()


def test_who_is_known_no_more_hears_no_answer_again() -> None:
    """The answer that is kept is for who may ask today: not for a token that was taken back, nor after signing out."""
    anna = create_user(username="anna")
    row, secret = create_token(user=anna, name="t", scopes=["admin"])
    asked = {"key": "k", "where": "/api/known/", "authorization": f"Bearer {secret}"}
    assert [post(**asked).status_code for _n in range(2)] == [201, 201]
    revoke_token(token=row)
    refused = post(**asked)
    assert (refused.status_code, "Idempotent-Replayed" in refused) == (401, False)
    client = Client()
    client.force_login(anna)
    cookie = client.cookies["sessionid"].value
    sent: dict[str, Any] = {"content_type": "application/json", "headers": {"idempotency-key": "s"}}
    assert client.post("/api/known/", "{}", **sent).status_code == 201
    client.logout()
    client.cookies["sessionid"] = cookie
    assert client.post("/api/known/", "{}", **sent).status_code in {401, 403}
