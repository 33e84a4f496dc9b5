"""How rows come into the log: by `note` from a service, or by themselves after a request (`middleware`).

A row is written in the transaction of what it is about, so neither is there without the other. Nobody waits for the
chain: rows are sealed into it after the commit (`services.seal`).
"""

import json
import re
import secrets
import uuid
from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from django.db import models, transaction
from django.http import HttpRequest
from django.utils.crypto import salted_hmac

from commons import sealing
from commons.audit.models import Alias, Head, Record
from commons.people.models import ApiToken, Handle, Membership, User
from commons.web.addresses import client_ip

PURPOSE = b"audit alias"
#: Saved rows of a request whose before and after are taken into its digests; more are only counted.
MOST_SAVED = 50
#: Parts of addresses that are secrets or words of people: the log keeps a digest of them.
PLAIN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:-]{0,39}")
HIDDEN = frozenset({"secret", "token", "key", "code", "signature"})
#: Tables that say nothing about what was done.
ASIDE = frozenset({"audit", "sessions", "axes", "usersessions", "contenttypes", "admin"})
STANDINGS: dict[str, Record.Standing] = {
    Membership.Role.OWNER: Record.Standing.MANAGER,
    Membership.Role.MANAGER: Record.Standing.MANAGER,
    Membership.Role.STEWARD: Record.Standing.STEWARD,
}


@dataclass
class Scope:
    """What is known of the request that is being answered."""

    request: HttpRequest
    noted: int = 0
    before: dict[str, Any] = field(default_factory=dict)
    after: dict[str, Any] = field(default_factory=dict)
    saved: int = 0
    standing: tuple[int, "Record.Standing | None"] | None = None

    @property
    def person(self) -> User | None:
        """Who is signed in or sent a token, as far as the view has found out by now."""
        user = getattr(self.request, "user", None)
        return user if isinstance(user, User) else None

    def standing_of(self, person: User) -> "Record.Standing | None":
        """By what more than a person's own rights they act; asked once a request."""
        if self.standing is None or self.standing[0] != person.pk:
            self.standing = (person.pk, standing_of(person))
        return self.standing[1]


scope: ContextVar[Scope | None] = ContextVar("audit_scope", default=None)


def standing_of(person: User) -> "Record.Standing | None":
    """Staff, or a manager or steward of any organisation; None for everybody else."""
    if person.is_staff:
        return Record.Standing.STAFF
    roles = set(
        Membership.objects.filter(user=person, role__in=list(STANDINGS)).values_list("role", flat=True).distinct()
    )
    return next((standing for role, standing in STANDINGS.items() if role in roles), None)


def note(
    what: str,
    thing: str = "",
    *,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    by: User | None = None,
) -> Record:
    """Write a row, in the caller's transaction. `what` and `thing` name nobody (`person` gives a name that can be cut);
    who did it is `by`, or whoever asks, or the city itself."""
    here = scope.get()
    person = by or (here.person if here else None)
    if here is not None:
        here.noted += 1
    standing = Record.Standing.CITY
    if person is not None:
        found = here.standing_of(person) if here else standing_of(person)
        standing = found or Record.Standing.PERSON
    return _write(here, person, standing, what=what, thing=thing, before=before, after=after)


def note_request(here: Scope, what: str, kwargs: Mapping[str, Any]) -> Record | None:
    """The row of a request that was answered well and noted nothing itself; none where nobody acts for others."""
    person = here.person
    if here.noted or person is None or person.pk is None:
        return None
    standing = here.standing_of(person)
    if standing is None:
        return None
    digests = {"before": here.before or None, "after": here.after or None}
    return _write(here, person, standing, what=what, thing=named(kwargs), **digests)


def _write(
    here: Scope | None,
    person: User | None,
    standing: Record.Standing,
    *,
    what: str,
    thing: str,
    before: Mapping[str, Any] | None,
    after: Mapping[str, Any] | None,
) -> Record:
    known = alias(person) if person is not None else None
    auth = getattr(here.request, "auth", None) if here else None
    row = Record.objects.create(
        who=known.name if known else "",
        standing=standing,
        what=what[:120],
        thing=thing[:300],
        before=digest(before),
        after=digest(after),
        ip=_sealed_ip(known, client_ip(here.request)) if known and here else "",
        token=auth.pk if isinstance(auth, ApiToken) else None,
    )
    from commons.audit.services import seal  # noqa: PLC0415 what seals reads what is written here

    transaction.on_commit(seal, robust=True)
    return row


def digest(said: Mapping[str, Any] | None) -> str:
    """A keyed digest: the site can show that it fits, nobody can guess what it is of."""
    if said is None:
        return ""
    text = json.dumps(said, sort_keys=True, separators=(",", ":"), default=str, ensure_ascii=False)
    return salted_hmac("audit digest", text, algorithm="sha256").hexdigest()


# --- names that can be cut ---------------------------------------------------------------------------------------


def alias(person: User) -> Alias | None:
    """The person's name in the log, made when it is first needed; none for an account that is closed or gone."""
    found = Alias.objects.filter(user=person.pk).first()
    if found is None and User.objects.filter(pk=person.pk, is_active=True).exists():
        key = sealing.seal(secrets.token_bytes(32), PURPOSE)
        found, _made = Alias.objects.get_or_create(
            user_id=person.pk, defaults={"name": uuid.uuid4().hex, "key": key}
        )
    return found


def person(user: User) -> str:
    """How a row names a person in `thing`."""
    known = alias(user)
    return f"~{known.name}" if known else "~"


def named(kwargs: Mapping[str, Any]) -> str:
    """The parts of an address: people by their aliases, secrets and free words by a digest."""
    texts = {name: str(value) for name, value in kwargs.items()}
    handles = Handle.objects.filter(name__in={text.lower() for text in texts.values()}, user__isnull=False)
    people = {handle.name: handle.user for handle in handles.select_related("user")} if texts else {}
    said = []
    for name, text in sorted(texts.items()):
        user = people.get(text.lower())
        said.append(f"{name}={person(user) if user else _plain(name, text)}")
    return " ".join(said)


def _plain(name: str, text: str) -> str:
    if name not in HIDDEN and PLAIN.fullmatch(text):
        return text
    return f"#{digest({'text': text})[:16]}"


def _sealed_ip(known: Alias, ip: str) -> str:
    if not ip:
        return ""
    nonce = secrets.token_bytes(12)
    return (nonce + AESGCM(sealing.unseal(known.key, PURPOSE)).encrypt(nonce, ip.encode(), None)).hex()


def opened_ip(known: Alias, sealed: str) -> str:
    """The address in a row, while its alias is there."""
    raw = bytes.fromhex(sealed)
    return AESGCM(sealing.unseal(known.key, PURPOSE)).decrypt(raw[:12], raw[12:], None).decode()


# --- what a request saves ----------------------------------------------------------------------------------------


def _watched(sender: type[models.Model]) -> Scope | None:
    """The request whose saved rows are looked at: one of somebody who acts for others."""
    here = scope.get()
    if here is None or sender._meta.app_label in ASIDE or sender in (Alias, Record, Head):
        return None
    person = here.person
    if person is None or here.standing_of(person) is None:
        return None
    return here


def before_save(sender: type[models.Model], instance: models.Model, **_more: Any) -> None:
    """Remember the row as it stands."""
    if instance.pk is None or instance._state.adding or (here := _watched(sender)) is None:
        return
    if len(here.before) < MOST_SAVED:
        row = sender._base_manager.filter(pk=instance.pk).values().first()
        here.before.setdefault(f"{sender._meta.label_lower}:{instance.pk}", row)


def after_save(sender: type[models.Model], instance: models.Model, **_more: Any) -> None:
    """Remember the row as it became."""
    if (here := _watched(sender)) is None:
        return
    here.saved += 1
    if len(here.after) < MOST_SAVED:
        row = {one.attname: getattr(instance, one.attname) for one in sender._meta.concrete_fields}
        here.after[f"{sender._meta.label_lower}:{instance.pk}"] = row
