"""The signed documents of badges: a key for each lab, a credential for each grant, lists of what was taken back.

Signing brings a JSON-LD processor, so it is the work of a run (labs/tasks.py); the web only writes down what is due.
"""

import datetime as dt
import json
import secrets
from typing import Any

from django.conf import settings
from django.db import IntegrityError, transaction
from django.urls import Resolver404, resolve, reverse
from django.utils import timezone
from django.utils.translation import override

from commons.people.models import User
from commons.runs import services as runs
from commons.runs.models import Run
from commons.sealing import site_secrets
from labs.credentials import keys
from labs.credentials.documents import LIST_BITS, Issued
from labs.credentials.documents import StatusList as ListFacts
from labs.models import BadgeGrant, Credential, IssuerKey, Lab, StatusList

LIST_GOOD_FOR = dt.timedelta(days=7)
SIGN_AGAIN_WITHIN = dt.timedelta(days=3)
#: A list is left for a new one when it is this full, so that drawing a free place stays quick.
MOST_IN_LIST = LIST_BITS // 2


def absolute(name: str, *args: Any) -> str:
    """The address of a page of ours as others write it, in the site's first language."""
    with override(settings.LANGUAGE_CODE):
        return f"{settings.PUBLIC_URL}{reverse(name, args=args)}"


@transaction.atomic
def issuer_key(*, lab: Lab) -> IssuerKey:
    """The key that the lab signs with, made on first use."""
    Lab.objects.select_for_update(no_key=True).only("pk").get(pk=lab.pk)
    found = IssuerKey.objects.filter(lab=lab, retired_at=None).first()
    return found or _new_key(lab)


@transaction.atomic
def renew_key(*, lab: Lab) -> IssuerKey:
    """Sign with a new key from now on. What the old one signed stays good and can still be taken back."""
    Lab.objects.select_for_update(no_key=True).only("pk").get(pk=lab.pk)
    IssuerKey.objects.filter(lab=lab, retired_at=None).update(retired_at=timezone.now())
    return _new_key(lab)


def _new_key(lab: Lab) -> IssuerKey:
    made = keys.new_key()
    return IssuerKey.objects.create(lab=lab, multikey=keys.multikey_of(made), sealed=keys.seal(made, site_secrets()))


@transaction.atomic
def prepare(*, grant: BadgeGrant) -> Credential:
    """Write down that a lab's grant gets a credential, and have it signed."""
    assert grant.given_in is not None  # noqa: S101 only a lab signs
    found = Credential.objects.filter(grant=grant).first()
    if found is not None:
        return found
    key = issuer_key(lab=grant.given_in)
    made = _placed(grant, _open_list(key))
    runs.start(
        kind="labs.sign_badge",
        inputs={"credential": str(made.pk)},
        title="Signing a badge",
        owner=grant.user,
        demo=grant.badge.demo,
    )
    return made


def _open_list(key: IssuerKey) -> StatusList:
    """The key's newest list that has room; the lab's row is locked."""
    newest = StatusList.objects.filter(key=key).order_by("-number").first()
    if newest is not None and newest.credentials.count() < MOST_IN_LIST:
        return newest
    return StatusList.objects.create(key=key, number=newest.number + 1 if newest else 1)


def _placed(grant: BadgeGrant, listed: StatusList) -> Credential:
    for _try in range(64):
        index = secrets.randbelow(LIST_BITS)
        if index in listed.taken_back:
            continue
        try:
            with transaction.atomic():
                return Credential.objects.create(grant=grant, list=listed, index=index)
        except IntegrityError:
            continue  # that place is another's
    raise AssertionError("a list that is half empty has a free place")


def issued(credential: Credential) -> Issued:
    """What the badge says."""
    grant, key = credential.grant, credential.list.key
    badge, lab, person = grant.badge, key.lab, grant.user
    return Issued(
        id=f"urn:uuid:{credential.pk}",
        issuer_did=key.did,
        issuer_name=lab.name,
        issuer_url=absolute("rooms:lab", lab.slug),
        person_id=absolute("rooms:person", person.username),
        person_name=str(person),
        person_email=verified_emails(person)[0] if verified_emails(person) else "",
        achievement_id=absolute("rooms:lab_badge", lab.slug, badge.slug),
        name=badge.name,
        about=badge.about or badge.name,
        criteria=f"All lessons of the course, and what a trainer of {lab.name} has seen done.",
        kind=badge.kind,
        given_at=grant.granted_at,
        expires_at=grant.expires_at,
        list_url=list_url(credential.list),
        list_index=credential.index,
        evidence=grant.evidence,
    )


def verified_emails(person: User) -> list[str]:
    """The addresses that are certainly the person's, the first one first."""
    from allauth.account.models import EmailAddress  # noqa: PLC0415 its app must be ready

    rows = EmailAddress.objects.filter(user=person, verified=True).order_by("-primary", "pk")
    return list(rows.values_list("email", flat=True))


def list_url(listed: StatusList) -> str:
    """The address of a status list."""
    return absolute("status-list", listed.key.lab.slug, listed.key_id, listed.number)


def list_facts(listed: StatusList, now: dt.datetime) -> ListFacts:
    """What a status list says."""
    return ListFacts(list_url(listed), listed.key.did, tuple(sorted(listed.taken_back)), now, now + LIST_GOOD_FOR)


def pem_of(key: IssuerKey) -> bytes:
    """The private key; for the worker that signs."""
    return keys.unseal(key.sealed, site_secrets())


def mark_taken_back(*, grant: BadgeGrant) -> None:
    """Set the bit of a grant's credential and have its list signed anew, inside the caller's transaction."""
    credential = Credential.objects.filter(grant=grant).first()
    if credential is None:
        return
    listed = StatusList.objects.select_for_update(no_key=True).get(pk=credential.list_id)
    listed.taken_back, listed.stale = sorted({*listed.taken_back, credential.index}), True
    listed.save(update_fields=["taken_back", "stale"])
    start_lists()


def start_lists() -> Run:
    """Have the lists that are due signed."""
    return runs.start(kind="labs.sign_lists", inputs={}, title="Signing what was taken back")


def lists_due(now: dt.datetime) -> list[StatusList]:
    """Lists whose content has changed or that soon run out."""
    rows = StatusList.objects.select_related("key__lab").order_by("pk")
    return [one for one in rows if one.stale or one.until is None or one.until < now + SIGN_AGAIN_WITHIN]


@transaction.atomic
def share(*, credential: Credential) -> Credential:
    """Give a badge a public address that only who has it knows."""
    held = Credential.objects.select_for_update(no_key=True).get(pk=credential.pk)
    if not held.share:
        held.share, held.shared_at = secrets.token_urlsafe(18), timezone.now()
        held.save(update_fields=["share", "shared_at"])
    return held


@transaction.atomic
def unshare(*, credential: Credential) -> None:
    """Take the public address away; the next one is another."""
    Credential.objects.filter(pk=credential.pk).update(share=None, shared_at=None)


def own_dids() -> set[str]:
    """The names of all keys of labs here."""
    return {f"did:key:{multikey}" for multikey in IssuerKey.objects.values_list("multikey", flat=True)}


def served(path: str) -> bytes | None:
    """The document that this site serves at a path of its own: a status list; None when there is none."""
    try:
        found = resolve(path)
    except Resolver404:
        return None
    if found.view_name != "status-list":
        return None
    row = find_list(found.kwargs["lab"], found.kwargs["key"], found.kwargs["number"])
    return json.dumps(row.document).encode() if row is not None and row.document else None


def find_list(lab: str, key: int, number: int) -> StatusList | None:
    """A status list by its address."""
    return StatusList.objects.select_related("key__lab").filter(key__lab__slug=lab, key=key, number=number).first()
