"""Names of commits as they are shown: who closed their account is “former-17”, by whatever address they signed."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace

from designs.git.repository import Commit
from designs.models import FormerAuthor

Signature = tuple[str, str]


def digest(address: str) -> bytes:
    """What is kept of an address."""
    return hashlib.sha256(address.strip().lower().encode()).digest()


def shown(commits: Sequence[Commit]) -> list[Commit]:
    """The commits without the names and addresses of people who left; one query."""
    named = _named(entry.email for entry in commits)
    if not named:
        return list(commits)
    return [_without(entry, named) for entry in commits]


def shown_signatures(signed: Sequence[Signature]) -> list[Signature]:
    """The same for names and addresses alone."""
    named = _named(address for _name, address in signed)
    return [(named[digest(address)], "") if digest(address) in named else (name, address) for name, address in signed]


def _named(addresses: Iterable[str]) -> dict[bytes, str]:
    asked = {digest(address) for address in addresses}
    rows = FormerAuthor.objects.filter(digest__in=asked).values_list("digest", "name") if asked else ()
    return {bytes(found): name for found, name in rows}


def _without(entry: Commit, named: dict[bytes, str]) -> Commit:
    name = named.get(digest(entry.email))
    return entry if name is None else replace(entry, author=name, email="")
