"""Receipts of slicing, signed by the lab: Data Integrity, cryptosuite eddsa-jcs-2022 (no JSON-LD processor needed).

A receipt says: from this source, with these settings, this program was made here. Whoever holds the program and the
receipt can check it without us: its SHA-256, the signature, and the lab's key by its did:key.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Mapping
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from labs.credentials.documents import did_key, method_of
from labs.credentials.keys import ALPHABET, ED25519_PUBLIC, base58

CONTEXT = ["https://www.w3.org/ns/credentials/v2", {"@vocab": "urn:livingcity:slice:"}]
TYPE = "SliceReceipt"


class BadReceipt(ValueError):
    """A receipt that does not hold, with what is wrong."""


def facts(*, issuer: str, receipt_id: str, at: dt.datetime, source: Mapping[str, str], settings_sha256: str,
          slicer: str, gcode_sha256: str, machine: str) -> dict[str, Any]:  # fmt: skip
    """What a receipt says, before it is signed. `source`: sha256, blob, design, path, commit. Text alone."""
    return {
        "@context": CONTEXT, "type": ["VerifiableCredential", TYPE], "id": receipt_id, "issuer": did_key(issuer),
        "validFrom": at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "credentialSubject": {
            "id": f"urn:sha256:{gcode_sha256}", "gcodeSha256": gcode_sha256, "settingsSha256": settings_sha256,
            "slicer": slicer, "machine": machine, "source": dict(source),
        },
    }  # fmt: skip


def canonical(value: Any) -> bytes:
    """RFC 8785 of documents without numbers: sorted by UTF-16, no spaces. Raises BadReceipt for any number."""
    if isinstance(value, Mapping):
        pairs = sorted(value.items(), key=lambda pair: pair[0].encode("utf-16-be"))
        return b"{" + b",".join(_text(key) + b":" + canonical(one) for key, one in pairs) + b"}"
    if isinstance(value, list):
        return b"[" + b",".join(map(canonical, value)) + b"]"
    if isinstance(value, str):
        return _text(value)
    raise BadReceipt("a receipt holds text alone")


def _text(value: str) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


def sign(document: Mapping[str, Any], *, pem: bytes, multikey: str, at: dt.datetime) -> dict[str, Any]:
    """The document with its proof."""
    key = load_pem_private_key(pem, None)
    assert isinstance(key, Ed25519PrivateKey)  # noqa: S101 the only kind of key a lab has
    proof = {
        "type": "DataIntegrityProof", "cryptosuite": "eddsa-jcs-2022", "proofPurpose": "assertionMethod",
        "created": at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ"), "verificationMethod": method_of(multikey),
        "@context": document["@context"],
    }  # fmt: skip
    return {**document, "proof": {**proof, "proofValue": "z" + base58(key.sign(_hashed(proof, document)))}}


def _hashed(proof: Mapping[str, Any], document: Mapping[str, Any]) -> bytes:
    return hashlib.sha256(canonical(proof)).digest() + hashlib.sha256(canonical(document)).digest()


def check(receipt: Mapping[str, Any]) -> str:
    """The Multikey of who signed it. Raises BadReceipt."""
    try:
        proof = dict(receipt["proof"])
        value, document = proof.pop("proofValue"), {k: v for k, v in receipt.items() if k != "proof"}
        multikey = str(receipt["issuer"]).removeprefix("did:key:")
        expected = ("DataIntegrityProof", "eddsa-jcs-2022", "assertionMethod", method_of(multikey))
        if (proof["type"], proof["cryptosuite"], proof["proofPurpose"], proof["verificationMethod"]) != expected:
            raise BadReceipt("its proof is of another kind, or of another's key")
        raw = _unbase58(multikey[1:])
        if multikey[:1] != "z" or raw[:2] != ED25519_PUBLIC or value[:1] != "z":
            raise BadReceipt("its key is of another kind")
        key = Ed25519PublicKey.from_public_bytes(raw[2:])
        key.verify(_unbase58(value[1:]), _hashed(proof, document))
    except (KeyError, TypeError, ValueError, AttributeError) as fault:
        raise fault if isinstance(fault, BadReceipt) else BadReceipt("it is no receipt") from None
    except InvalidSignature:
        raise BadReceipt("the signature is not of what it says") from None
    return multikey


def _unbase58(text: str) -> bytes:
    number = 0
    for letter in text[:200]:
        number = number * 58 + ALPHABET.index(letter)
    zeros = len(text) - len(text.lstrip("1"))
    return b"\0" * zeros + number.to_bytes((number.bit_length() + 7) // 8)
