"""POSTs that happen once: the first answer to a key is kept and replayed (IETF draft idempotency-key-header).

The same key with another body is refused (422); while the first is still running the second hears 409 with
Retry-After. Answers of 409, 429 and 5xx are not kept, so that a retry can succeed.
"""

import datetime as dt
import hashlib

from django.db import IntegrityError, transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.web.middleware_types import GetResponse
from commons.web.models import IdempotentAnswer
from commons.web.problems import problem, problem_response

KEEP = dt.timedelta(days=1)
RUNNING_AT_MOST = dt.timedelta(minutes=2)
NOT_KEPT = frozenset({409, 429})


def once(request: HttpRequest, key: str, get_response: GetResponse) -> HttpResponse:
    """Answer the request, or replay the answer that its key has had."""
    if not 1 <= len(key) <= 255:
        return problem_response(problem(400, _("Bad key"), _("An Idempotency-Key has 1 to 255 characters."), "idempotency:bad-key"))
    principal = hashlib.sha256(
        (request.headers.get("Authorization") or request.COOKIES.get("sessionid", "")).encode()
    ).hexdigest()
    body = hashlib.sha256(request.path.encode() + b"\0" + request.body).hexdigest()
    row, mine = _take(principal, key, body)
    if not mine:
        return _replay(row, body)
    response = get_response(request)
    _keep(row, response)
    return response


def _take(principal: str, key: str, body: str) -> tuple[IdempotentAnswer, bool]:
    now = timezone.now()
    IdempotentAnswer.objects.filter(principal=principal, key=key, status=None, created_at__lt=now - RUNNING_AT_MOST).delete()
    IdempotentAnswer.objects.filter(principal=principal, key=key, created_at__lt=now - KEEP).delete()
    try:
        with transaction.atomic():
            return IdempotentAnswer.objects.create(principal=principal, key=key, body_sha256=body), True
    except IntegrityError:
        return IdempotentAnswer.objects.get(principal=principal, key=key), False


def _replay(row: IdempotentAnswer, body: str) -> HttpResponse:
    if row.body_sha256 != body:
        sentence = _("This Idempotency-Key was used with another body; take a new key for a new request.")
        return problem_response(problem(422, _("Another body"), sentence, "idempotency:other-body"))
    if row.status is None:
        response: HttpResponse = problem_response(
            problem(409, _("Still running"), _("The first request with this key is still running."), "idempotency:running")
        )
        response["Retry-After"] = "1"
        return response
    response = HttpResponse(bytes(row.content or b""), status=row.status, content_type=row.content_type)
    response["Idempotent-Replayed"] = "true"
    return response


def _keep(row: IdempotentAnswer, response: HttpResponse) -> None:
    if response.status_code in NOT_KEPT or response.status_code >= 500 or response.streaming:
        row.delete()
        return
    row.status = response.status_code
    row.content = response.content
    row.content_type = response.get("Content-Type", "")
    row.save(update_fields=["status", "content", "content_type"])
