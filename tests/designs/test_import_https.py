"""Imports from an address: a real https server with a certificate of our own, and every way into a private network."""

import contextlib
import datetime as dt
import ipaddress
import ssl
import subprocess
import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client

from commons.people.models import User
from commons.runs.models import Run
from commons.runs.work import do
from designs import git
from designs.errors import AddressRefused, BadSource, NameTaken
from designs.git import environment, fetching
from designs.models import Design
from designs.services import import_later, imports, wish

pytestmark = pytest.mark.django_db


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *_words: Any) -> None:
        """Nothing."""

    def do_GET(self) -> None:
        if self.path.startswith("/moved"):
            self.send_response(302)
            self.send_header("Location", self.path.replace("/moved", "/thing", 1))
            self.end_headers()
        else:
            super().do_GET()


def certificate(folder: Path) -> Path:
    """A self-signed certificate for thing.example, key and all in one file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "thing.example")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
        .serial_number(1).not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("thing.example")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    pem, encoding = folder / "server.pem", serialization.Encoding.PEM
    private = key.private_bytes(encoding, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    pem.write_bytes(private + made.public_bytes(encoding))
    return pem


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """`https://thing.example:PORT`, which only this test takes for a public address."""
    pages = tmp_path / "pages"
    work = tmp_path / "work"
    env = {"PATH": "/usr/local/bin:/usr/bin:/bin", "HOME": str(tmp_path)}

    def run(*words: str) -> None:
        subprocess.run(["git", *words], env=env, check=True, capture_output=True)

    run("init", "-q", "-b", "main", str(work))
    (work / "part.txt").write_text("a part")
    run("-C", str(work), "add", "-A")
    run("-C", str(work), "-c", "user.name=A", "-c", "user.email=a@b", "commit", "-qm", "First")
    run("clone", "-q", "--bare", str(work), str(pages / "thing.git"))
    run("-C", str(pages / "thing.git"), "update-server-info")
    pem = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    httpd = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(pages)))
    httpd.socket = context.wrap_socket(httpd.socket, server_side=True)
    threading.Thread(target=httpd.serve_forever, daemon=True).start()
    clean = environment.clean
    monkeypatch.setattr(environment, "clean", lambda **more: clean(GIT_SSL_CAINFO=str(pem), **more))
    monkeypatch.setattr(fetching, "is_outside", lambda address: address == "127.0.0.1")
    monkeypatch.setattr(fetching, "resolve", lambda host, port: ["127.0.0.1"] if host == "thing.example" else [])
    monkeypatch.setattr(fetching.check_address, "__kwdefaults__", {"resolver": fetching.resolve})
    usual = fetching.from_https.__kwdefaults__
    monkeypatch.setattr(fetching.from_https, "__kwdefaults__", {**usual, "resolver": fetching.resolve})
    yield f"https://thing.example:{httpd.server_port}"
    httpd.shutdown()
    httpd.server_close()


def test_an_address_becomes_a_design_by_a_run(server: str, maker: User) -> None:
    wanted = wish(source=f"{server}/thing.git", owner=maker.handle, by=maker, licence="MIT", visibility="private")
    run = import_later(wanted=wanted, by=maker)
    assert Design.objects.count() == 0
    do(run.pk)
    run.refresh_from_db()
    assert (run.status, run.error) == ("done", "")
    design = Design.objects.get()
    assert run.result == {"owner": "aila", "slug": "thing", "url": "/designs/aila/thing/"}
    assert (design.visibility, design.licence, design.default_branch) == ("private", "MIT", "main")
    assert [f.path for f in git.of(design.repository).files("main")] == ["part.txt"]
    do(Run.objects.get(kind="designs.index").pk)
    design.refresh_from_db()
    assert design.file_versions.count() == 1


def test_what_cannot_be_fetched_leaves_nothing_and_says_why(server: str, maker: User) -> None:
    for path in ("absent.git", "moved.git"):  # a redirect is not followed
        run = import_later(wanted=wish(source=f"{server}/{path}", owner=maker.handle, by=maker), by=maker)
        do(run.pk)
        run.refresh_from_db()
        assert (run.status, run.error_code) == ("failed", "design:bad-source"), path
        assert path in run.error
    assert Design.objects.count() == 0
    assert not list(Path(settings.REPOSITORIES_DIR).glob("*/*.git"))


def test_a_name_that_was_taken_meanwhile_is_said(server: str, maker: User, design: Design) -> None:
    wanted = wish(source=f"{server}/thing.git", owner=maker.handle, by=maker, name="Late")
    run = import_later(wanted=wanted, by=maker)
    Design.objects.filter(pk=design.pk).update(slug="late")
    do(run.pk)
    run.refresh_from_db()
    assert (run.status, run.error_code) == ("failed", "design:name-taken")
    with pytest.raises(NameTaken):
        wish(source=f"{server}/thing.git", owner=maker.handle, by=maker, name="Late")


def test_a_fetch_that_is_told_to_stop_stops_and_leaves_nothing(server: str, maker: User) -> None:
    def stop(_share: float, _stage: str) -> None:
        raise KeyboardInterrupt

    wanted = wish(source=f"{server}/thing.git", owner=maker.handle, by=maker)
    with contextlib.suppress(KeyboardInterrupt):  # a dumb server may give git no stage to tell of
        imports.fetch(wanted, "ab" * 16, stop).remove()
    assert not list(Path(settings.REPOSITORIES_DIR).glob("*/*.git"))


def test_what_an_import_left_is_swept_after_a_day(server: str, maker: User) -> None:
    wanted = wish(source=f"{server}/thing.git", owner=maker.handle, by=maker)
    left = imports.fetch(wanted, "cd" * 16)
    now = dt.datetime.now(dt.UTC)
    assert imports.forget_unsettled(now=now) == 0
    assert left.path.exists()
    assert imports.forget_unsettled(now=now + dt.timedelta(days=2)) == 1
    assert not left.path.exists()


def test_the_page_starts_a_run(server: str, maker: User) -> None:
    browser = Client()
    browser.force_login(maker)
    form = {"name": "Thing", "licence": "MIT", "visibility": "public", "source": f"{server}/thing.git"}
    answer = browser.post("/designs/new/", form)
    run = Run.objects.get(kind="designs.import")
    assert (answer.status_code, answer["Location"]) == (302, f"/runs/{run.pk}/")
    refused = browser.post("/designs/new/", {**form, "source": "https://absent.example/thing.git"})
    assert refused.status_code == 422
    assert Run.objects.filter(kind="designs.import").count() == 1


PRIVATE = [
    "127.0.0.1", "127.255.255.254", "0.0.0.0",  # noqa: S104
    "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
    "224.0.0.1", "240.0.0.1", "255.255.255.255", "::", "::1", "fe80::1", "fc00::1", "fd12::1", "ff02::1",
    "::ffff:127.0.0.1", "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "2002:a00:1::", "2001:db8::1",
]  # fmt: skip


@pytest.mark.parametrize("address", PRIVATE)
def test_no_way_leads_into_a_private_network(address: str) -> None:
    ipaddress.ip_address(address)
    with pytest.raises(AddressRefused):
        fetching.check_address("https://thing.example/x.git", resolver=lambda _h, _p: [address])
    with pytest.raises(AddressRefused):  # one public answer does not help the other
        fetching.check_address("https://thing.example/x.git", resolver=lambda _h, _p: ["93.184.215.14", address])


@pytest.mark.parametrize(
    "url",
    ["http://thing.example/x", "ssh://thing.example/x", "git://thing.example/x", "file:///etc", "ext::sh -c id",
     "https://user:word@thing.example/x", "https:///x", "https://thing.example:99999/x", "https://thing.example:x/y",
     "https://thing.example/\n--upload-pack=id", "https://thing.example\\@127.0.0.1/x", "https://",
     "//thing.example/x", "https://thing.example/x.git?private_token=otter", "https://thing.example/x.git#otter"],
)  # fmt: skip
def test_only_plain_https_addresses(url: str) -> None:
    with pytest.raises(BadSource):
        fetching.check_address(url, resolver=lambda _h, _p: ["93.184.215.14"])


def test_numbers_that_mean_this_machine_are_refused_by_the_real_resolver() -> None:
    for host in ("2130706433", "0x7f000001", "0177.0.0.1", "127.1", "[::1]", "[::ffff:7f00:1]", "localhost"):
        with pytest.raises(AddressRefused):
            fetching.check_address(f"https://{host}/x.git")
