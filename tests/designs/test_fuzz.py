"""Nonsense in an address is never a fault: an answer or a refusal in words, and nothing changed by a GET."""

from urllib.parse import quote

import pytest
from django.test import Client

from commons.web.api import Throttle
from designs.models import Design
from tests.designs.authz_world import written

pytestmark = pytest.mark.django_db

#: What is put into every place: none of it means anything there.
NONSENSE = ("-1", "9" * 30, "²", "'\";--", "../../etc/passwd", "--upload-pack=x", "%00", "a" * 5000)  # fmt: skip
#: Parts of an address, in place of what should stand there.
PLACES = (
    "/designs/aila/test-cube/raw/{}/README.md", "/designs/aila/test-cube/raw/main/{}", "/designs/aila/{}/",
    "/designs/aila/test-cube/files/{}", "/designs/aila/test-cube/archive/{}.zip",
    "/designs/aila/test-cube/releases/{}/", "/designs/aila/test-cube/releases/{}.zip",
    "/designs/aila/test-cube/changes/{}/", "/designs/{}/test-cube/",
    "/api/v1/designs/aila/test-cube/releases/{}/", "/api/v1/designs/aila/test-cube/files/{}", "/letters/{}/",
)  # fmt: skip


@pytest.fixture(autouse=True)
def no_throttle(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Throttle, "allow_request", lambda *_args: True)


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
