"""Checks a badge of anybody: form, signature, dates, whether it was taken back. Loaded by a worker alone.

A badge is believed only when everything that could be found out speaks for it. What could not be found out, such as
a status list that does not answer, is said as such and never counts as good.
"""

import datetime as dt
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from openbadgeslib.errors import LibOpenBadgesException
from openbadgeslib.ob3 import (
    OB3LdpVerifier,
    OpenBadgeCredential,
    decode_encoded_list,
    resolve_verification_method,
    set_indices,
    verify_data_integrity_proof,
)

MAX_BYTES = 128 * 1024
VC_CONTEXT = "https://www.w3.org/ns/credentials/v2"
SKEW = dt.timedelta(minutes=5)
Fetch = Callable[[str], bytes]


@dataclass(slots=True)
class Verdict:
    """What was found. `signature`, `dates` and `status` are "good", "bad" or "unknown"; `why` says the first that is
    not good, as the checker puts it."""

    signature: str = "unknown"
    dates: str = "unknown"
    status: str = "unknown"
    why: str = ""
    issuer: str = ""
    issuer_name: str = ""
    subject: str = ""
    person: str = ""
    achievement: str = ""
    name: str = ""
    about: str = ""
    valid_from: str = ""
    valid_until: str = ""
    id: str = ""
    identifiers: list[dict[str, Any]] = field(default_factory=list)

    @property
    def good(self) -> bool:
        """Whether all of it is good."""
        return (self.signature, self.dates, self.status) == ("good", "good", "good")

    def told(self) -> dict[str, Any]:
        """As JSON."""
        return asdict(self) | {"good": self.good}


def verify(document: str | bytes, *, fetch: Fetch, now: dt.datetime) -> Verdict:
    """Judge a badge. `fetch` answers the bytes of an https address or raises; it is asked for did:web and status."""
    verdict = Verdict()
    try:
        read = json.loads(document) if len(document) <= MAX_BYTES else None
    except (ValueError, RecursionError):
        read = None
    if not isinstance(read, dict):
        verdict.signature, verdict.why = "bad", "This is no JSON document of at most 128 kB."
        return verdict
    try:
        # the library's own look at the dates comes after the signature; ours is by the caller's clock
        badge = OB3LdpVerifier().verify(json.dumps(read), download=fetch)
    except LibOpenBadgesException as refusal:
        if not str(refusal).startswith(("Credential has expired", "Credential is not yet valid")):
            verdict.signature, verdict.why = "bad", str(refusal)[:300]
            return verdict
        badge = OpenBadgeCredential.from_vc_document(read)
    verdict.signature = "good"
    _tell(verdict, badge)
    _dates(verdict, badge, now)
    _status(verdict, badge, fetch, now)
    return verdict


def _tell(verdict: Verdict, badge: OpenBadgeCredential) -> None:
    achievement = badge.achievement
    verdict.id, verdict.issuer, verdict.issuer_name = badge.id or "", badge.issuer.id, badge.issuer.name
    verdict.subject = badge.recipient_id or ""
    names = [one.identity_hash for one in badge.identifiers if one.identity_type == "name" and not one.hashed]
    verdict.identifiers = [one.to_dict() for one in badge.identifiers]
    verdict.person = names[0] if names else ""
    verdict.achievement, verdict.name, verdict.about = achievement.id, achievement.name, achievement.description
    verdict.valid_from = badge.issuance_date.isoformat() if badge.issuance_date else ""
    verdict.valid_until = badge.expiration_date.isoformat() if badge.expiration_date else ""


def _dates(verdict: Verdict, badge: OpenBadgeCredential, now: dt.datetime) -> None:
    if badge.expiration_date is not None and badge.expiration_date < now:
        verdict.dates, verdict.why = "bad", f"It expired on {badge.expiration_date:%Y-%m-%d}."
    elif badge.issuance_date is not None and badge.issuance_date > now + SKEW:
        verdict.dates, verdict.why = "bad", f"It only begins on {badge.issuance_date:%Y-%m-%d}."
    else:
        verdict.dates = "good"


def _status(verdict: Verdict, badge: OpenBadgeCredential, fetch: Fetch, now: dt.datetime) -> None:
    verdict.status = "good"
    for entry in badge.credential_status:
        try:
            taken_back = _is_set(entry, badge.issuer.id, fetch, now)
        except (LibOpenBadgesException, ValueError, KeyError, TypeError, OSError) as fault:
            verdict.status = "unknown"
            verdict.why = verdict.why or f"Whether it was taken back cannot be found out: {fault}"[:300]
            return
        if taken_back:
            verdict.status = "bad"
            verdict.why = verdict.why or "Its issuer has taken it back."
            return


def _is_set(entry: Mapping[str, Any], issuer: str, fetch: Fetch, now: dt.datetime) -> bool:
    """Whether the bit of this entry is set. The list must be signed by the badge's own issuer and be fresh."""
    if entry.get("type") != "BitstringStatusListEntry" or entry.get("statusSize", 1) != 1:
        raise ValueError("its kind of status is not known here")
    url, index, purpose = entry["statusListCredential"], int(entry["statusListIndex"]), entry["statusPurpose"]
    listed = json.loads(fetch(url))
    _plain(listed)
    if listed["issuer"] != issuer:
        raise ValueError("the status list is not of the same issuer")
    proof = listed["proof"]
    method = proof["verificationMethod"]
    if method.partition("#")[0] != issuer:
        raise ValueError("the status list is signed by somebody else")
    verify_data_integrity_proof(listed, resolve_verification_method(method, download=fetch))
    until = listed.get("validUntil")
    if until is not None and dt.datetime.fromisoformat(until) < now:
        raise ValueError("the status list is out of date")
    subject = listed["credentialSubject"]
    if listed.get("id") != url or subject["statusPurpose"] != purpose:
        raise ValueError("the status list is another one")
    return purpose in {"revocation", "suspension"} and index in set_indices(decode_encoded_list(subject["encodedList"]))


def names_person(verdict: Verdict, emails: Iterable[str]) -> bool:
    """Whether the badge names somebody who has one of these e-mail addresses: plainly, or by a salted hash."""
    for email in emails:
        if verdict.subject.casefold() == f"mailto:{email}".casefold():
            return True
        for one in verdict.identifiers:
            salted = hashlib.sha256((email + (one.get("salt") or "")).encode()).hexdigest()
            said = str(one.get("identityHash", ""))
            plain = not one.get("hashed") and one.get("identityType") == "emailAddress"
            if (one.get("hashed") and said == f"sha256${salted}") or (plain and said.casefold() == email.casefold()):
                return True
    return False


#: What a list may hold. The signature covers the RDF that the JSON stands for, so nothing may stand there that could
#: mean something else than it says: only these members, by these names, under the one context that defines them.
LIST_MEMBERS = {
    "@context", "id", "type", "issuer", "validFrom", "validUntil", "credentialSubject", "proof", "name", "description",
}  # fmt: skip
SUBJECT_MEMBERS = {"id", "type", "statusPurpose", "encodedList", "ttl"}


def _plain(listed: Any) -> None:
    """Raise ValueError unless the list is written in the plainest way."""
    if not isinstance(listed, dict) or not set(listed) <= LIST_MEMBERS:
        raise ValueError("the status list holds what it should not")
    subject = listed.get("credentialSubject")
    if not isinstance(subject, dict) or not set(subject) <= SUBJECT_MEMBERS or not isinstance(listed["proof"], dict):
        raise ValueError("the status list holds what it should not")
    if listed.get("@context") not in (VC_CONTEXT, [VC_CONTEXT]) or subject.get("type") != "BitstringStatusList":
        raise ValueError("the status list is written in a way that is not known here")
