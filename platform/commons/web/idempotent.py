"""POSTs that happen once: the first answer to a key is kept and replayed (IETF draft idempotency-key-header).

The same key with another body is refused (422); while the first is still running the second hears 409 with
Retry-After. Answers of 409, 429 and 5xx are not kept, so that a retry can succeed. A large body or one of unknown
length passes untouched, key or no key.

What the request does, its answer and the key are one transaction: a process killed at any moment has done both or
neither, and a retry neither repeats an effect nor waits for the dead. So a request with a key that ends in 5xx has
changed nothing in the database, and a view must not wait in it for what begins when it commits (a run).

An answer may hold a secret that is shown once (a token). So the row keeps only hashes of the key and the caller, and
the answer is sealed with a key made from the caller's credentials, their key and the body: who repeats the request can
open it, who reads the table cannot.
"""

import base64
import datetime as dt
import hashlib

from cryptography.fernet import Fernet
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import resolve
from django.utils import timezone
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException
from rest_framework.request import Request

from commons.web.addresses import client_ip
from commons.web.middleware_types import GetResponse
from commons.web.models import IdempotentAnswer
from commons.web.problems import problem, problem_response

KEEP = dt.timedelta(days=1)
BODY_AT_MOST = 1024 * 1024
NOT_KEPT = frozenset({409, 429})


def concerns(request: HttpRequest) -> bool:
    """Whether the body is of a known and moderate size."""
    try:
        return (
            0 <= int(request.META.get("CONTENT_LENGTH") or 0) <= BODY_AT_MOST
            and "HTTP_TRANSFER_ENCODING" not in request.META
        )
    except ValueError:
        return False


def once(request: HttpRequest, key: str, get_response: GetResponse) -> HttpResponse:
    """Answer the request, or replay the answer that its key has had."""
    if not 1 <= len(key) <= 255:
        return problem_response(
            problem(400, _("Bad key"), _("An Idempotency-Key has 1 to 255 characters."), "idempotency:bad-key")
        )
    caller = _caller(request)
    body = request.path.encode() + b"\0" + request.body
    seal = Fernet(base64.urlsafe_b64encode(_sha256(b"seal", caller, key.encode(), body)))
    principal, hashed_key = _sha256(b"caller", caller).hex(), _sha256(b"key", key.encode()).hex()
    with transaction.atomic():
        if not _alone(principal, hashed_key):
            return _running()
        row = _row(principal, hashed_key)
        if row is not None:
            if not _still_known(request):
                return get_response(request)  # which says what is wrong with their credentials
            return _replay(row, _sha256(b"body", body).hex(), seal)
        response = get_response(request)
        if response.status_code >= 500:
            transaction.set_rollback(True)
        elif response.status_code not in NOT_KEPT and not response.streaming:
            row = IdempotentAnswer(principal=principal, key=hashed_key, body_sha256=_sha256(b"body", body).hex())
            _keep(row, response, seal)
    return response


def _sha256(*parts: bytes) -> bytes:
    """SHA-256 of the parts, each preceded by its length, so that no two lists of parts run together."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(len(part).to_bytes(8, "big") + part)
    return digest.digest()


def _caller(request: HttpRequest) -> bytes:
    """Credentials if there are any; else the address, so that strangers never meet in one key."""
    if authorization := request.headers.get("Authorization"):
        return b"token " + authorization.encode()
    if session := request.COOKIES.get(settings.SESSION_COOKIE_NAME):
        person = getattr(getattr(request, "user", None), "pk", None)
        return f"session {session} of {person}".encode()  # whoever has signed out is somebody else
    return b"address " + client_ip(request).encode()


def _still_known(request: HttpRequest) -> bool:
    """Whether the view would take the credentials today: a token that was taken back hears no answer again."""
    cls = getattr(resolve(request.path_info).func, "cls", None)
    if cls is None:
        return True
    try:
        for authenticator in cls().get_authenticators():
            if authenticator.authenticate(Request(request)) is not None:
                break
    except APIException:
        return False
    return True


def _alone(principal: str, key: str) -> bool:
    """Whether no other request with this key is running; if so, none begins until our transaction ends."""
    number = int.from_bytes(_sha256(principal.encode(), key.encode())[:8], signed=True)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s)", [number])
        return bool(cursor.fetchone()[0])


def _row(principal: str, key: str) -> IdempotentAnswer | None:
    """What is kept of the key; an answer that is kept long enough, or none, frees it."""
    kept = IdempotentAnswer.objects.filter(principal=principal, key=key)
    kept.filter(Q(status=None) | Q(created_at__lt=timezone.now() - KEEP)).delete()
    return kept.first()


def _running() -> HttpResponse:
    sentence = _("The first request with this key is still running.")
    response: HttpResponse = problem_response(problem(409, _("Still running"), sentence, "idempotency:running"))
    response["Retry-After"] = "1"
    return response


def _replay(row: IdempotentAnswer, body: str, seal: Fernet) -> HttpResponse:
    if row.body_sha256 != body:
        sentence = _("This Idempotency-Key was used with another body; take a new key for a new request.")
        return problem_response(problem(422, _("Another body"), sentence, "idempotency:other-body"))
    content = seal.decrypt(bytes(row.content or b""))
    response = HttpResponse(content, status=row.status, content_type=row.content_type or None)
    if not row.content_type:
        del response["Content-Type"]
    for name, value in row.headers.items():
        response[name] = value
    response["Idempotent-Replayed"] = "true"
    return response


def _keep(row: IdempotentAnswer, response: HttpResponse, seal: Fernet) -> None:
    row.status = response.status_code
    row.content = seal.encrypt(response.content)
    row.content_type = response.get("Content-Type", "")
    row.headers = {name: response[name] for name in ("Location", "ETag") if name in response}
    row.save()


def forget_old() -> int:
    """Remove answers that are kept long enough; how many."""
    return IdempotentAnswer.objects.filter(created_at__lt=timezone.now() - KEEP).delete()[0]
