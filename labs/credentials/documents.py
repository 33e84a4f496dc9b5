"""The documents that need no processor: who an issuer is (DID document), and what is asked to be signed (facts)."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

DID_CONTEXT = ["https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"]
#: Entries of one status list: the least that Bitstring Status List allows, so that a reader learns nothing by asking.
LIST_BITS = 131_072


@dataclass(frozen=True, slots=True)
class Issued:
    """What a badge says. Times are aware; addresses are absolute. Of the e-mail only a salted hash goes into it;
    without `list_url` it cannot be taken back."""

    id: str
    issuer_did: str
    issuer_name: str
    issuer_url: str
    person_id: str
    person_name: str
    person_email: str
    achievement_id: str
    name: str
    about: str
    criteria: str
    kind: str
    given_at: dt.datetime
    expires_at: dt.datetime | None
    list_url: str
    list_index: int
    evidence: str = ""


@dataclass(frozen=True, slots=True)
class StatusList:
    """Which entries of a list are taken back."""

    url: str
    issuer_did: str
    taken_back: Sequence[int]
    since: dt.datetime
    until: dt.datetime


def did_key(multikey: str) -> str:
    """The name of a key that anybody can resolve without asking anybody."""
    return f"did:key:{multikey}"


def method_of(multikey: str) -> str:
    """The verification method of a did:key."""
    return f"did:key:{multikey}#{multikey}"


def did_document(*, did: str, multikeys: Sequence[str], url: str) -> dict[str, Any]:
    """The DID document that a lab serves: its keys, newest first, each also known as its did:key."""
    methods = [
        {"id": f"{did}#{key}", "type": "Multikey", "controller": did, "publicKeyMultibase": key} for key in multikeys
    ]
    return {
        "@context": DID_CONTEXT,
        "id": did,
        "alsoKnownAs": [*(did_key(key) for key in multikeys), url],
        "verificationMethod": methods,
        "assertionMethod": [method["id"] for method in methods],
    }
