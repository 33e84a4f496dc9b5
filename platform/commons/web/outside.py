"""The one way out: fetches a small public document by https, and never from an address of an inner network.

The name is resolved once and the connection goes to just the address that was checked, so that a name that changes its
answer in between leads nowhere else. No redirects, no names or passwords in the address, a bound on size and time.
"""

import http.client
import ipaddress
import socket
import ssl
from collections.abc import Callable, Sequence
from contextlib import closing
from urllib.parse import urlsplit

MAX_BYTES = 1024 * 1024
WAIT_S = 5.0
Resolver = Callable[[str, int], Sequence[str]]
Dial = Callable[[str, int], socket.socket]


class Unreachable(OSError):
    """The document cannot be had."""


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host by the system's resolver."""
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def is_outside(address: str) -> bool:
    """Whether the address is on the public internet, also when it is wrapped in IPv6."""
    ip = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in ipaddress.ip_network("64:ff9b::/96"):
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is not None:
            return inner.is_global and not inner.is_multicast
    return ip.is_global and not ip.is_multicast


def fetch(
    url: str,
    *,
    accept: str = "*/*",
    most_bytes: int = MAX_BYTES,
    resolver: Resolver = resolve,
    dial: Dial | None = None,
    trust: ssl.SSLContext | None = None,
) -> bytes:
    """The bytes behind an https address. Raises Unreachable.

    `resolver` says which addresses a name has, `dial` connects to the one that was checked, `trust` says whose
    certificates are believed: the system's, unless a test brings its own.
    """
    parts = urlsplit(url)
    try:
        host, port, address = _checked(url, resolver)
        connection = _Pinned(host, port, address, dial or _dial, trust or ssl.create_default_context())
        path = f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}"
        with closing(connection):
            connection.request("GET", path, headers={"Accept": accept})
            answer = connection.getresponse()
            body = answer.read(most_bytes + 1)
    except Unreachable:
        raise
    except (OSError, http.client.HTTPException, ValueError) as fault:
        raise Unreachable(f"{parts.hostname} did not answer: {fault}"[:200]) from None
    if answer.status != http.HTTPStatus.OK or len(body) > most_bytes:
        raise Unreachable(f"{parts.hostname} answered {answer.status}, or too much")
    return body


def _checked(url: str, resolver: Resolver) -> tuple[str, int, str]:
    """Host, port and one address, after all addresses of the name were found to be public."""
    parts = urlsplit(url)
    port = parts.port or 443
    if parts.scheme != "https" or not parts.hostname or parts.username or parts.password:
        raise Unreachable("only plain addresses that begin with https:// are fetched")
    if any(letter in url for letter in "\n\r\t \\"):
        raise Unreachable("the address has spaces in it")
    addresses = resolver(parts.hostname, port)
    if not addresses or not all(is_outside(address) for address in addresses):
        raise Unreachable(f"{parts.hostname} leads into a private network")
    return parts.hostname, port, addresses[0]


def _dial(address: str, port: int) -> socket.socket:
    return socket.create_connection((address, port), WAIT_S)


class _Pinned(http.client.HTTPSConnection):
    """A connection to one address, with the certificate of the name."""

    def __init__(self, host: str, port: int, address: str, dial: Dial, trust: ssl.SSLContext) -> None:
        super().__init__(host, port, timeout=WAIT_S, context=trust)
        self._address, self._tls, self._dial = address, trust, dial

    def connect(self) -> None:
        self.sock = self._tls.wrap_socket(self._dial(self._address, self.port), server_hostname=self.host)
