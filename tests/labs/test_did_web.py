"""A badge of another site: its did:web document is fetched through the one way out, over real TLS."""

import datetime as dt
import json
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from openbadgeslib.ob3 import Achievement, Issuer, OB3LdpSigner, OpenBadgeCredential

from commons.web import outside
from labs.credentials import keys, verifying
from labs.credentials.documents import did_document
from tests.labs.tls import Authority

NOW = dt.datetime(2026, 11, 22, 12, tzinfo=dt.UTC)
DID, HOST, PATH = "did:web:makers.example:labs:tools", "makers.example", "/labs/tools/did.json"
PUBLIC = "93.184.215.14"
KEY = keys.new_key()
PEM, MULTIKEY = keys.pem_of(KEY), keys.multikey_of(KEY)


def badge() -> str:
    """A badge that names its issuer by did:web, signed by the key that the issuer's document lists."""
    credential = OpenBadgeCredential(
        id="urn:uuid:7d3f2c1e-5b52-4c3e-8a52-0d1f9b0a2c11",
        name="Lathe",
        issuer=Issuer(id=DID, name="Makers", url=f"https://{HOST}/"),
        recipient_id="mailto:ida@example.org",
        achievement=Achievement(
            id=f"https://{HOST}/badges/lathe", name="Lathe", description="Turns.", criteria_narrative="A course."
        ),
        issuance_date=NOW - dt.timedelta(days=1),
    )
    return json.dumps(OB3LdpSigner(PEM, verification_method=f"{DID}#{MULTIKEY}").sign(credential))


@contextmanager
def site(tls: ssl.SSLContext, pages: dict[str, tuple[int, bytes]]) -> Iterator[tuple[int, list[str]]]:
    """The other site on a port of this machine, and what it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def log_message(self, *_args: Any) -> None:
            """Quiet."""

        def do_GET(self) -> None:
            asked.append(f"{self.headers['Host']}{self.path}")
            status, body = pages.get(self.path, (404, b""))
            self.send_response(status)
            if status == 302:
                self.send_header("Location", body.decode())
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.server_port, asked
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class Net:
    """A name server that knows one site, and the way there: what is dialled must be the address that was checked."""

    def __init__(self, port: int, addresses: tuple[str, ...] = (PUBLIC,)) -> None:
        self.port, self.addresses = port, addresses
        self.resolved: list[str] = []
        self.dialled: list[tuple[str, int]] = []

    def resolve(self, host: str, port: int) -> list[str]:
        self.resolved.append(host)
        return list(self.addresses)

    def dial(self, address: str, port: int) -> socket.socket:
        self.dialled.append((address, port))
        return socket.create_connection(("127.0.0.1", self.port), 5)


DOCUMENT = json.dumps(did_document(did=DID, multikeys=[MULTIKEY], url=f"https://{HOST}/")).encode()


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path)


def judged(net: Net, trust: ssl.SSLContext) -> verifying.Verdict:
    way = partial(outside.fetch, resolver=net.resolve, dial=net.dial, trust=trust)
    return verifying.verify(badge(), fetch=way, now=NOW)


def test_a_badge_of_another_site_is_checked_with_the_key_that_it_serves(authority: Authority) -> None:
    trust = ssl.create_default_context(cadata=authority.pem)
    with site(authority.serve(HOST).context, {PATH: (200, DOCUMENT)}) as (port, asked):
        net = Net(port)
        verdict = judged(net, trust)
    assert (verdict.signature, verdict.issuer, verdict.good) == ("good", DID, True), verdict
    assert asked == [f"{HOST}{PATH}"]
    assert net.dialled == [(PUBLIC, 443)]
    assert net.resolved == [HOST]  # once: no second answer of the name counts


def test_another_key_in_the_document_makes_it_bad(authority: Authority) -> None:
    other = keys.multikey_of(keys.new_key())
    said = DOCUMENT.replace(MULTIKEY.encode(), other.encode())
    swapped = json.dumps(
        {**json.loads(DOCUMENT), "verificationMethod": [
            {"id": f"{DID}#{MULTIKEY}", "type": "Multikey", "controller": DID, "publicKeyMultibase": other}]}
    ).encode()  # fmt: skip
    for document in (said, swapped, b"[]", b"not json"):
        with site(authority.serve(HOST).context, {PATH: (200, document)}) as (port, _asked):
            verdict = judged(Net(port), ssl.create_default_context(cadata=authority.pem))
        assert not verdict.good
        assert verdict.signature == "bad"


@pytest.mark.parametrize(
    ("name", "addresses", "answer", "dials"),
    [
        (HOST, ("127.0.0.1",), (200, DOCUMENT), False),
        (HOST, (PUBLIC, "10.0.0.5"), (200, DOCUMENT), False),
        (HOST, (), (200, DOCUMENT), False),
        ("other.example", (PUBLIC,), (200, DOCUMENT), True),
        (HOST, (PUBLIC,), (302, b"https://127.0.0.1/did.json"), True),
        (HOST, (PUBLIC,), (200, b" " * (outside.MAX_BYTES + 1)), True),
        (HOST, (PUBLIC,), (500, b""), True),
    ],
    ids=["inner address", "one inner address", "no address", "another's certificate", "redirect", "too much", "fault"],
)
def test_what_cannot_be_had_is_no_good_badge(
    name: str, addresses: tuple[str, ...], answer: tuple[int, bytes], dials: bool, authority: Authority
) -> None:
    with site(authority.serve(name).context, {PATH: answer}) as (port, asked):
        net = Net(port, addresses)
        verdict = judged(net, ssl.create_default_context(cadata=authority.pem))
    assert not verdict.good
    assert bool(net.dialled) == dials
    assert len(asked) <= 1


def test_the_systems_authorities_alone_are_believed_by_default(authority: Authority) -> None:
    with site(authority.serve(HOST).context, {PATH: (200, DOCUMENT)}) as (port, asked):
        net = Net(port)
        with pytest.raises(outside.Unreachable, match="certificate"):
            outside.fetch(f"https://{HOST}{PATH}", resolver=net.resolve, dial=net.dial)
    assert asked == []
