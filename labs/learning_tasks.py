"""Long work of learning: signing badges and lists, checking others' badges; and what the clock rings for."""

import datetime as dt
from typing import Any

from celery import shared_task
from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import User
from commons.runs.models import Run
from commons.runs.registry import Inputs, Job, Outcome, kind
from commons.web import outside
from labs.credentials.documents import StatusList as ListFacts
from labs.errors.learning import BadCredential, UnknownBadge
from labs.models import Credential, OutsideBadge, StatusList
from labs.services import credentials, sessions, trust

BEAT: dict[str, Any] = {
    "labs.learning_hour": {"task": "labs.learning_hour", "schedule": 3600.0, "options": {"expires": 3000}},
    "labs.sessions_soon": {"task": "labs.sessions_soon", "schedule": 600.0, "options": {"expires": 500}},
}
#: How long a stranger's document that was checked is kept, and when badges from elsewhere are looked at again.
FORGET_AFTER, LOOK_AGAIN_AFTER = dt.timedelta(hours=24), dt.timedelta(days=1)


@shared_task(name="labs.learning_hour")
def every_hour() -> None:
    """Sign lists that run out, forget documents that strangers had checked, look again at badges from elsewhere."""
    now = timezone.now()
    if credentials.lists_due(now):
        credentials.start_lists()
    old = Run.objects.filter(kind__in=["labs.verify_badge", "labs.bring_badge"], created_at__lt=now - FORGET_AFTER)
    old.delete()
    for brought in OutsideBadge.objects.filter(checked_at__lt=now - LOOK_AGAIN_AFTER).order_by("checked_at")[:200]:
        trust.recheck(brought=brought, verdict=_verdict(trust.text_of(brought)).told())


@shared_task(name="labs.sessions_soon")
def soon() -> int:
    """Remind of tomorrow's sessions."""
    return sessions.remind()


@kind("labs.sign_badge", queue="default", engine_version="1")
def sign_badge(job: Job, inputs: Inputs) -> Outcome:
    """Sign the credential of a grant."""
    from labs.credentials import signing  # noqa: PLC0415 it brings a JSON-LD processor

    rows = Credential.objects.select_related("grant__badge", "grant__user", "list__key__lab")
    credential = rows.filter(pk=inputs["credential"]).first()
    if credential is None:
        raise UnknownBadge(_("The badge was taken away meanwhile."))
    key = credential.list.key
    document = signing.sign_badge(credentials.issued(credential), pem=credentials.pem_of(key), multikey=key.multikey)
    listed = credential.list
    first = _signed(listed) if listed.document is None else None

    def effect() -> None:
        Credential.objects.filter(pk=credential.pk).update(document=document, signed_at=timezone.now())
        if first is not None:
            _keep(listed, first)

    return Outcome({"credential": str(credential.pk)}, effect)


@kind("labs.sign_lists", queue="default", engine_version="1")
def sign_lists(job: Job, _inputs: Inputs) -> Outcome:
    """Sign every list that is due. What changes while one is signed makes it due again."""
    signed = [(one, _signed(one)) for one in credentials.lists_due(timezone.now())]

    def effect() -> None:
        for one, document in signed:
            _keep(one, document)

    return Outcome({"lists": len(signed)}, effect)


def _signed(listed: StatusList) -> tuple[ListFacts, dict[str, Any]]:
    from labs.credentials import signing  # noqa: PLC0415

    facts = credentials.list_facts(listed, timezone.now())
    key = listed.key
    return facts, signing.sign_list(facts, pem=credentials.pem_of(key), multikey=key.multikey)


def _keep(listed: StatusList, signed: tuple[ListFacts, dict[str, Any]]) -> None:
    """Keep a signed list; it stays due if something was taken back while it was signed."""
    facts, document = signed
    held = StatusList.objects.select_for_update(of=("self",)).select_related("key__lab").get(pk=listed.pk)
    held.stale = credentials.list_facts(held, timezone.now()).taken_back != facts.taken_back
    held.document, held.until, held.signed_at = document, facts.until, timezone.now()
    held.save(update_fields=["document", "until", "signed_at", "stale"])


@kind("labs.verify_badge", queue="default", engine_version="1", max_attempts=1)
def verify_badge(job: Job, inputs: Inputs) -> Outcome:
    """Check a badge of anybody."""
    return Outcome(_verdict(inputs["document"]).told())


@kind("labs.bring_badge", queue="default", engine_version="1", max_attempts=1)
def bring_badge(job: Job, inputs: Inputs) -> Outcome:
    """Check a badge that a person brought, and keep it when it is good and theirs."""
    from labs.credentials import verifying  # noqa: PLC0415

    user = User.objects.get(pk=inputs["user"])
    verdict = _verdict(inputs["document"])
    if not verdict.good:
        raise BadCredential(_("This badge is not good: %(why)s") % {"why": verdict.why})
    if verdict.issuer in credentials.own_dids():
        raise BadCredential(_("This badge was given here; it counts already, without being brought."))
    if not verifying.names_person(verdict, credentials.verified_emails(user)):
        raise BadCredential(
            _("This badge does not name you: it must hold an e-mail address that you have confirmed here.")
        )

    def effect() -> None:
        trust.keep_brought(user=user, document=inputs["document"], verdict=verdict.told())

    return Outcome(verdict.told(), effect)


def _verdict(document: str) -> Any:
    from labs.credentials import verifying  # noqa: PLC0415

    return verifying.verify(document, fetch=_known_or_fetched, now=timezone.now())


def _known_or_fetched(url: str) -> bytes:
    """A status list or DID document: ours from the database, others' from the net."""
    if url.startswith(f"{settings.PUBLIC_URL}/"):
        own = credentials.served(url.removeprefix(settings.PUBLIC_URL))
        if own is None:
            raise outside.Unreachable("this site has no such document")
        return own
    return outside.fetch(url, accept="application/json, application/ld+json;q=0.9, */*;q=0.1")
