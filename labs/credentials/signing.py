"""Signs badges and status lists: Data Integrity, cryptosuite eddsa-rdfc-2022. Loaded by a worker alone."""

import secrets
from typing import Any

from openbadgeslib.ob3 import (
    Achievement,
    Evidence,
    IdentityObject,
    Issuer,
    OB3LdpSigner,
    OpenBadgeCredential,
    add_data_integrity_proof,
    build_status_list_credential,
    status_entry,
)

from labs.credentials.documents import LIST_BITS, Issued, StatusList, did_key, method_of

#: Our kinds as types of Open Badges 3.0.
TYPES = {"safety": "License", "competency": "Competency", "optional": "Badge"}
TTL_MS = 300_000


def sign_badge(issued: Issued, *, pem: bytes, multikey: str) -> dict[str, Any]:
    """The badge as a signed document. Nothing goes in that no context defines, or the signer refuses it."""
    signer = OB3LdpSigner(pem, verification_method=method_of(multikey))
    evidence = [Evidence(name=issued.evidence)] if issued.evidence else []
    who = [IdentityObject(identity_hash=issued.person_name, identity_type="name", hashed=False)]
    if issued.person_email:
        who.append(IdentityObject.create(issued.person_email, salt=secrets.token_hex(8)))
    status = [status_entry(issued.list_url, "revocation", issued.list_index)] if issued.list_url else []
    document: dict[str, Any] = signer.sign(
        OpenBadgeCredential(
            id=issued.id,
            name=issued.name,
            issuer=Issuer(id=did_key(multikey), name=issued.issuer_name, url=issued.issuer_url),
            recipient_id=issued.person_id,
            identifiers=who,
            achievement=Achievement(
                id=issued.achievement_id,
                name=issued.name,
                description=issued.about,
                criteria_narrative=issued.criteria,
                achievement_type=TYPES[issued.kind],
            ),
            issuance_date=issued.given_at,
            expiration_date=issued.expires_at,
            evidence=evidence,
            credential_status=status,
        )
    )
    return document


def sign_list(listed: StatusList, *, pem: bytes, multikey: str) -> dict[str, Any]:
    """A Bitstring Status List (W3C, v1.0) as a signed document of the same issuer."""
    bare = build_status_list_credential(
        listed.issuer_did,
        listed.url,
        "revocation",
        listed.taken_back,
        size_bits=LIST_BITS,
        issued=listed.since,
        valid_until=listed.until,
        ttl=TTL_MS,
    )
    signed: dict[str, Any] = add_data_integrity_proof(bare, pem, method_of(multikey))
    return signed
