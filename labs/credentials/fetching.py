"""Fetches a small public document for the checker: https only, and never from an address of an inner network.

The name is resolved once and the connection goes to just that address, so that a name that changes its answer in
between leads nowhere else. No redirects, 1 MB, five seconds.
"""

import http.client
import socket
import ssl
from collections.abc import Callable
from urllib.parse import urlsplit

from commons.errors import CityError
from designs.git.fetching import Resolver, check_address, resolve

MAX_BYTES = 1024 * 1024
WAIT_S = 5.0
Dial = Callable[[str, int], socket.socket]


class Unreachable(OSError):
    """The document cannot be had."""


def fetch(
    url: str, *, resolver: Resolver = resolve, dial: Dial | None = None, trust: ssl.SSLContext | None = None
) -> bytes:
    """The bytes behind an https address. Raises Unreachable.

    `resolver` says which addresses a name has, `dial` connects to the one that was checked, `trust` says whose
    certificates are believed: the system's, unless a test brings its own.
    """
    parts = urlsplit(url)
    try:
        host, port, address = check_address(url, resolver=resolver)
        connection = _Pinned(host, port, address, dial or _dial, trust or ssl.create_default_context())
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


def _dial(address: str, port: int) -> socket.socket:
    return socket.create_connection((address, port), WAIT_S)


class _Pinned(http.client.HTTPSConnection):
    """A connection to one address, with the certificate of the name."""

    def __init__(self, host: str, port: int, address: str, dial: Dial, trust: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=WAIT_S, context=trust)
        self._address, self._tls, self._dial = address, trust, dial

    def connect(self) -> None:
        self.sock = self._tls.wrap_socket(self._dial(self._address, self.port), server_hostname=self.host)
