"""Fetches a small public document for the checker: https only, and never from an address of an inner network.

The name is resolved once and the connection goes to just that address, so that a name that changes its answer in
between leads nowhere else. No redirects, 1 MB, five seconds.
"""

import http.client
import socket
import ssl
from urllib.parse import urlsplit

from commons.errors import CityError
from designs.git.fetching import check_address

MAX_BYTES = 1024 * 1024
WAIT_S = 5.0


class Unreachable(OSError):
    """The document cannot be had."""


def fetch(url: str) -> bytes:
    """The bytes behind an https address. Raises Unreachable."""
    parts = urlsplit(url)
    try:
        host, port, address = check_address(url)
        connection = _Pinned(host, port, address)
        connection.request("GET", f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}",
                           headers={"Accept": "application/json, application/ld+json;q=0.9, */*;q=0.1"})  # fmt: skip
        answer = connection.getresponse()
        body = answer.read(MAX_BYTES + 1)
        connection.close()
    except (CityError, OSError, http.client.HTTPException, ValueError) as fault:
        raise Unreachable(f"{parts.hostname} did not answer: {fault}"[:200]) from None
    if answer.status != http.HTTPStatus.OK or len(body) > MAX_BYTES:
        raise Unreachable(f"{parts.hostname} answered {answer.status}, or too much")
    return body


class _Pinned(http.client.HTTPSConnection):
    """A connection to one address, with the certificate of the name."""

    def __init__(self, host: str, port: int, address: str) -> None:
        context = ssl.create_default_context()
        super().__init__(host, port, timeout=WAIT_S, context=context)
        self._address, self._tls = address, context

    def connect(self) -> None:
        plain = socket.create_connection((self._address, self.port), WAIT_S)
        self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
