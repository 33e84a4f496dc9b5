"""Badges as credentials: an independent verifier agrees with ours, and what was tampered with is refused by both."""

import copy
import datetime as dt
import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from labs.credentials import keys, signing, verifying
from labs.credentials.documents import Issued, StatusList, did_document, did_key

ROOT = Path(__file__).parents[2]
FRONTEND = ROOT / "platform" / "frontend"
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)  # the independent verifier reads the clock
LIST = "https://city.example/labs/kamppi/status/1.json"

KEY = keys.new_key()
PEM, MULTIKEY = keys.pem_of(KEY), keys.multikey_of(KEY)


def issued(**more: Any) -> Issued:
    facts = {
        "id": "urn:uuid:0d3f2c1e-5b52-4c3e-8a52-0d1f9b0a2c11",
        "issuer_did": did_key(MULTIKEY),
        "issuer_name": "Kamppi Open Lab",
        "issuer_url": "https://city.example/labs/kamppi/",
        "person_id": "https://city.example/people/aino/",
        "person_name": "Aino",
        "person_email": "aino@city.example",
        "achievement_id": "https://city.example/badges/laser/",
        "name": "Laser cutter",
        "about": "May use a laser cutter alone.",
        "criteria": "All checks of the course, and a practical sign-off by a trainer.",
        "kind": "safety",
        "given_at": NOW - dt.timedelta(days=1),
        "expires_at": NOW + dt.timedelta(days=700),
        "list_url": LIST,
        "list_index": 4711,
        "evidence": "Laser safety 1.0, signed off by Otto",
    }
    return Issued(**{**facts, **more})


def badge(**more: Any) -> dict[str, Any]:
    return signing.sign_badge(issued(**more), pem=PEM, multikey=MULTIKEY)


def status(*taken_back: int, until: dt.datetime = NOW + dt.timedelta(days=1)) -> dict[str, Any]:
    bare = StatusList(LIST, did_key(MULTIKEY), taken_back, NOW - dt.timedelta(hours=1), until)
    return signing.sign_list(bare, pem=PEM, multikey=MULTIKEY)


def answers(**documents: Any) -> Callable[[str], bytes]:
    known = {LIST: documents.get("listed") or status()}

    def fetch(url: str) -> bytes:
        if url not in known:
            raise OSError("no such address")
        return json.dumps(known[url]).encode()

    return fetch


def judged(document: Any, **documents: Any) -> verifying.Verdict:
    return verifying.verify(json.dumps(document), fetch=answers(**documents), now=NOW)


def named_anew(document: dict[str, Any]) -> None:
    document["name"] = "CNC mill"


def achieved_more(document: dict[str, Any]) -> None:
    document["credentialSubject"]["achievement"]["name"] = "Everything"


def of_another(document: dict[str, Any]) -> None:
    document["credentialSubject"]["id"] = "https://city.example/people/mallory/"


def for_longer(document: dict[str, Any]) -> None:
    document["validUntil"] = "2099-01-01T00:00:00Z"


def unlocks_more(document: dict[str, Any]) -> None:
    document["credentialSubject"]["unlocksMachine"] = "laser"


def unsigned(document: dict[str, Any]) -> None:
    del document["proof"]


def never_taken_back(document: dict[str, Any]) -> None:
    document["credentialStatus"]["statusListIndex"] = "1"


def by_another(document: dict[str, Any]) -> None:
    other = keys.multikey_of(keys.new_key())
    document["issuer"]["id"] = did_key(other)
    document["proof"]["verificationMethod"] = f"{did_key(other)}#{other}"


TAMPERED = (named_anew, achieved_more, of_another, for_longer, unlocks_more, unsigned, never_taken_back, by_another)


def tampered(how: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
    document = copy.deepcopy(badge())
    how(document)
    return document


def independent(documents: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    """The verdicts of @digitalbazaar/vc, which shares no line with our signer."""
    assert (FRONTEND / "node_modules" / "@digitalbazaar" / "vc").is_dir(), "run `npm ci` in platform/frontend"
    file = folder / "badges.json"
    file.write_text(json.dumps(documents))
    script = Path(__file__).parent / "credentials" / "verify.mjs"
    node = Path(sys.executable).with_name("node")
    done = subprocess.run(
        [str(node) if node.exists() else "node", str(script), str(FRONTEND), str(file)],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_an_independent_verifier_says_the_same(tmp_path: Path) -> None:
    """Ours and the list are accepted by @digitalbazaar/vc, and every tampered one is refused by it and by us."""
    good = [badge(), badge(expires_at=None, kind="competency", evidence=""), status(4711)]
    bad = [tampered(how) for how in TAMPERED]
    verdicts = independent([*good, *bad], tmp_path)
    assert [v["verified"] for v in verdicts] == [True] * len(good) + [False] * len(bad), verdicts
    assert judged(good[0]).good
    assert judged(good[1]).good


@pytest.mark.parametrize("how", TAMPERED)
def test_what_was_tampered_with_is_refused(how: Callable[[dict[str, Any]], None]) -> None:
    verdict = judged(tampered(how))
    assert verdict.signature == "bad"
    assert not verdict.good
    assert verdict.why
    assert verdict.name == verdict.issuer == "", "nothing of a badge whose signature is bad is believed"


def test_what_a_good_badge_tells() -> None:
    verdict = judged(badge())
    assert verdict.good
    assert (verdict.issuer, verdict.issuer_name) == (did_key(MULTIKEY), "Kamppi Open Lab")
    assert (verdict.person, verdict.name) == ("Aino", "Laser cutter")
    assert verdict.subject == "https://city.example/people/aino/"
    assert dt.datetime.fromisoformat(verdict.valid_until) == NOW + dt.timedelta(days=700)


def test_a_badge_names_its_person_by_a_hash_of_the_address() -> None:
    document = badge()
    assert "aino@" not in json.dumps(document)
    verdict = judged(document)
    assert verifying.names_person(verdict, ["other@city.example", "aino@city.example"])
    assert not verifying.names_person(verdict, ["mallory@city.example", ""])
    nameless = judged(badge(person_email=""))
    assert not verifying.names_person(nameless, ["aino@city.example", ""])
    written = judged(badge(person_email="", person_id="mailto:Aino@city.example"))
    assert verifying.names_person(written, ["aino@city.example"])


def test_an_expired_badge_is_signed_but_not_good() -> None:
    verdict = judged(badge(given_at=NOW - dt.timedelta(days=800), expires_at=NOW - dt.timedelta(days=70)))
    assert (verdict.signature, verdict.dates) == ("good", "bad")
    assert "expired" in verdict.why


def test_a_badge_of_the_future_is_not_good_yet() -> None:
    verdict = judged(badge(given_at=NOW + dt.timedelta(days=3)))
    assert (verdict.signature, verdict.dates) == ("good", "bad")


def test_what_was_taken_back_is_not_good() -> None:
    verdict = judged(badge(), listed=status(1, 4711))
    assert (verdict.signature, verdict.dates, verdict.status) == ("good", "good", "bad")
    assert judged(badge(), listed=status(4710, 4712)).good, "its neighbours on the list are another's"


def test_a_list_that_does_not_answer_leaves_it_open() -> None:
    verdict = verifying.verify(json.dumps(badge(list_url="https://gone.example/1")), fetch=answers(), now=NOW)
    assert verdict.status == "unknown"
    assert not verdict.good


def forged(**more: Any) -> dict[str, Any]:
    other = keys.new_key()
    multikey = keys.multikey_of(other)
    bare = StatusList(LIST, more.get("issuer", did_key(multikey)), (), NOW, NOW + dt.timedelta(days=1))
    return signing.sign_list(bare, pem=keys.pem_of(other), multikey=multikey)


@pytest.mark.parametrize(
    "listed",
    [
        pytest.param(lambda: status(until=NOW - dt.timedelta(minutes=1)), id="an old copy"),
        pytest.param(forged, id="of another issuer"),
        pytest.param(lambda: forged(issuer=did_key(MULTIKEY)), id="signed by another"),
        pytest.param(lambda: {**status(), "credentialSubject": status(9)["credentialSubject"]}, id="changed"),
        pytest.param(lambda: {**status(), "id": "https://city.example/other"}, id="of another address"),
        pytest.param(lambda: {**status(), "@included": []}, id="with more in it"),
        pytest.param(lambda: ["no", "list"], id="no list at all"),
    ],
)
def test_a_list_that_is_not_the_issuers_own_is_not_believed(listed: Callable[[], Any]) -> None:
    verdict = judged(badge(), listed=listed())
    assert verdict.status == "unknown"
    assert not verdict.good


@pytest.mark.parametrize("rubbish", [b"", b"[]", b"{}", b"null", b"\xff\xfe", b"{" * 100_000, b'{"proof": {}}', b"1"])
def test_rubbish_is_refused_and_never_a_fault(rubbish: bytes) -> None:
    assert verifying.verify(rubbish, fetch=answers(), now=NOW).signature == "bad"


@settings(max_examples=40, deadline=None)
@given(st.binary(max_size=60))
def test_base58_goes_back(data: bytes) -> None:
    """By the inverse that openbadgeslib brings."""
    from openbadgeslib.ob3.did import _b58btc_decode

    assert not data or bytes(_b58btc_decode(keys.base58(data))) == data


def test_a_key_opens_with_the_sites_secret_alone() -> None:
    sealed = keys.seal(KEY, ["first", "older"])
    assert PEM.decode() not in sealed
    assert keys.unseal(sealed, ["newer", "first"]) == PEM
    with pytest.raises(keys.Sealed):
        keys.unseal(sealed, ["older"])


def test_the_did_document_holds_the_key_that_signs() -> None:
    """A strange resolver finds the key of did:web in it."""
    from openbadgeslib.ob3 import resolve_verification_method

    did = "did:web:city.example:labs:kamppi"
    document = did_document(did=did, multikeys=[MULTIKEY], url="https://city.example/labs/kamppi/")
    found = resolve_verification_method(f"{did}#{MULTIKEY}", download=lambda _url: json.dumps(document).encode())
    assert found == resolve_verification_method(f"{did_key(MULTIKEY)}#{MULTIKEY}")
