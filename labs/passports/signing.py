"""Signs passports as verifiable credentials (eddsa-rdfc-2022) and checks anybody's. Loaded by workers and checkers.

A signature covers the RDF that the JSON stands for, not the JSON. So there is one way of writing a passport: our
context exactly, in which every name has a meaning, no JSON-LD keyword anywhere else, plain values. `check` refuses
every other way, and then the JSON is what was signed.
"""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from openbadgeslib.errors import LibOpenBadgesException
from openbadgeslib.ob3 import add_data_integrity_proof, resolve_verification_method, verify_data_integrity_proof

from labs.credentials.documents import did_key, method_of

#: Every name that the W3C's context does not define is one of ours; INTERFACER has published no context for theirs.
VOCABULARY = "urn:livingcity:passport:1#"
CONTEXT = ["https://www.w3.org/ns/credentials/v2", {"@vocab": VOCABULARY}]
TYPES = ["VerifiableCredential", "ProductPassportCredential"]
MEMBERS = {"@context", "id", "type", "issuer", "validFrom", "credentialSubject", "proof"}
DEEPEST = 12


class Refused(ValueError):
    """The document is not a passport whose signature is good."""


def credential(subject: Mapping[str, Any], *, multikey: str, lab: str, number: str, at: dt.datetime) -> dict[str, Any]:
    """The document to be signed. `number` is its own urn, `at` when it is signed."""
    return {
        "@context": CONTEXT,
        "id": number,
        "type": TYPES,
        "issuer": {"id": did_key(multikey), "name": lab},
        "validFrom": f"{at.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}",
        "credentialSubject": dict(subject),
    }


def sign(document: Mapping[str, Any], *, pem: bytes, multikey: str) -> dict[str, Any]:
    """The document with its proof."""
    signed: dict[str, Any] = add_data_integrity_proof(dict(document), pem, method_of(multikey))
    return signed


def check(document: Any) -> str:
    """Who signed it, as a did:key. Raises Refused with the reason."""
    if not isinstance(document, dict) or set(document) != MEMBERS:
        raise Refused("it is not written as a passport is")
    if document["@context"] != CONTEXT or document["type"] != TYPES:
        raise Refused("its names mean something else")
    for name in ("issuer", "credentialSubject", "proof"):
        if not isinstance(document[name], dict):
            raise Refused(f"“{name}” is no object")
        _plain(document[name], 0)
    issuer = document["issuer"].get("id")
    method = document["proof"].get("verificationMethod")
    if not isinstance(issuer, str) or not issuer.startswith("did:key:") or not isinstance(method, str):
        raise Refused("its issuer has no key")
    if method != method_of(issuer.removeprefix("did:key:")):
        raise Refused("it is signed by somebody else")
    try:
        verify_data_integrity_proof(document, resolve_verification_method(method, download=_nothing))
    except (LibOpenBadgesException, ValueError, TypeError, KeyError) as fault:
        raise Refused(f"the signature is not good: {fault}"[:200]) from None
    return issuer


def _nothing(url: str) -> bytes:
    raise OSError("nothing is fetched")


def _plain(value: Any, depth: int) -> None:
    if depth > DEEPEST:
        raise Refused("it is nested too deeply")
    if isinstance(value, dict):
        for name, one in value.items():
            if not name or name.startswith("@") or ":" in name:
                raise Refused(f"“{name[:40]}” means something else than it says")
            _plain(one, depth + 1)
    elif isinstance(value, list):
        if any(isinstance(one, list) for one in value):
            raise Refused("a list within a list is not signed as it stands")
        for one in value:
            _plain(one, depth + 1)
    elif value is None:
        raise Refused("an empty value is not signed")
