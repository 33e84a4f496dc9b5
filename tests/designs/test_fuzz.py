"""Nonsense in an address or a body is never a fault: an answer or a refusal in words, and nothing changed by a GET."""

import json
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client

from commons.people.models import User
from commons.web.api import Throttle
from designs.models import Design
from tests.designs.authz_world import written

pytestmark = pytest.mark.django_db

BASE, API = "/designs/aila/test-cube/", "/api/v1/designs/aila/test-cube/"
#: What is put into every parameter: none of it means anything there.
NONSENSE = ("-1", "9" * 30, "²", "'\";--", "../../etc/passwd", "--upload-pack=x", "%00", "a" * 5000)  # fmt: skip
PARAMETERS: dict[str, tuple[str, ...]] = {
    "/designs/": ("q", "licence", "process", "format", "tag", "owner", "sort", "fits", "has_release", "near", "page"),
    "/api/v1/designs/": ("q", "licence", "fits", "has_release", "place", "sort", "cursor", "limit"),
    "/api/v1/provenance/": ("sha256", "sha1", "blob"),
    "/api/v1/collections/": ("cursor", "limit"),
    "/collections/": ("page",),
    BASE: ("ref", "show"),
    BASE + "files/README.md": ("ref",),
    BASE + "history/": ("ref", "page"),
    BASE + "changes/": ("state", "page"),
    BASE + "talk/": ("answer", "edit"),
    BASE + "compare/": ("base", "head", "path", "view"),
    BASE + "bom/": ("ref",),
    BASE + "bom.csv": ("ref",),
    BASE + "manifest/": ("ref",),
    BASE + "okh.toml": ("ref",),
    BASE + "makes/": ("page",),
    API + "files/": ("ref",),
    API + "diff/": ("base", "head"),
    API + "proposals/": ("state", "cursor", "limit"),
    API + "comments/": ("cursor", "limit"),
    API + "okh.toml": ("ref",),
    "/designs/aila/test-cube.git/info/refs": ("service",),
    "/designs/aila/test-cube.git/info/lfs/locks": ("path", "id", "cursor", "limit"),
    "/me/notices/": ("before",),
    "/reports/new/": ("kind", "key"),
    "/collections/new/": ("design",),
    BASE + "changes/new/": ("source", "branch", "target"),
}
#: Parts of an address, in place of what should stand there.
PLACES = (
    "/designs/aila/test-cube/raw/{}/README.md", "/designs/aila/test-cube/raw/main/{}", "/designs/aila/{}/",
    "/designs/aila/test-cube/files/{}", "/designs/aila/test-cube/archive/{}.zip",
    "/designs/aila/test-cube/releases/{}/", "/designs/aila/test-cube/releases/{}.zip",
    "/designs/aila/test-cube/changes/{}/", "/designs/{}/test-cube/",
    "/api/v1/designs/aila/test-cube/releases/{}/", "/api/v1/designs/aila/test-cube/files/{}", "/letters/{}/",
)  # fmt: skip
BODIES: tuple[Any, ...] = (
    [], None, "x", 7, {}, {"name": []}, {"body": {"a": 1}}, {"body": "\x00"}, {"version": "é" * 80},
    {"title": 1, "source_branch": "--x"}, {"relation": "part", "url": "javascript:x()"},
    {"person": "\x00", "role": "owner"}, {"tags": [[1]]}, {"slug": "../.."}, {"archived": "x"},
    {"name": "\x00", "licence": "MIT"}, {"name": "x" * 121, "licence": "\ud800"},
)  # fmt: skip


@pytest.fixture(autouse=True)
def no_throttle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Throttle, "allow_request", lambda *_args: True)


def test_parameters_that_mean_nothing(client: Client, design: Design, maker: User) -> None:
    client.force_login(maker)
    client.raise_request_exception = False
    faults = []
    for path, names in PARAMETERS.items():
        for value in NONSENSE:
            for name in names if "%" not in value else names[:1]:
                response = client.get(path, {name: value})
                if response.status_code >= 500:
                    faults.append(f"{path}?{name}={value[:30]!r}: {response.status_code}")
    assert not faults, "\n".join(faults)


def test_addresses_that_mean_nothing(client: Client, design: Design) -> None:
    client.raise_request_exception = False
    faults = []
    for place in PLACES:
        for value in (*NONSENSE, "%ff", "%80%00"):
            path = place.format(value if value.startswith("%") else quote(value, safe=""))
            with written() as tables:
                response = client.get(path)
            if response.status_code >= 500 or tables:
                faults.append(f"{path[:90]}: {response.status_code} {tables}")
    assert not faults, "\n".join(faults)


def test_bodies_that_mean_nothing(client: Client, design: Design, maker: User) -> None:
    client.force_login(maker)
    client.raise_request_exception = False
    faults = []
    calls = [("post", "/api/v1/designs/"), ("patch", API), ("post", "/api/v1/reports/"),
             ("post", "/api/v1/people/me/notices/"), *(("post", API + word + "/") for word in (
                 "comments", "makes", "collaborators", "fork", "lineage", "releases", "proposals"))]  # fmt: skip
    for verb, path in calls:
        for body in BODIES:
            response = getattr(client, verb)(path, data=_json(body), content_type="application/json")
            if response.status_code >= 500:
                faults.append(f"{verb} {path} {body!r}: {response.status_code}")
        for raw in (b"", b"{", b"\xff\xfe", b"[" * 100_000, b'{"a":' * 2000, b"\x00"):
            response = getattr(client, verb)(path, data=raw, content_type="application/json")
            if response.status_code >= 500:
                faults.append(f"{verb} {path} {raw[:10]!r}: {response.status_code}")
    assert not faults, "\n".join(faults)


def _json(body: Any) -> bytes:
    return json.dumps(body).encode()
