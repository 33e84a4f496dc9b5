"""The one way out: who may be asked, and a small public document fetched by https, never from an inner network.

Every door that follows an address which somebody typed comes through here: `place_of` looks at it, `dial` connects,
`fetch` does both (`docs/hostile-input.md`). The name is resolved once and the connection goes to just the address that
was checked, so that a name that changes its answer in between leads nowhere else. No redirects, no names or passwords
in the address, a bound on size and time.
"""

import http.client
import ipaddress
import re
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from urllib.parse import urlsplit

MAX_BYTES = 1024 * 1024
WAIT_S = 5.0
#: All of a small document, however slowly its pieces come.
WALL_S = 20.0
Resolver = Callable[[str, int], Sequence[str]]
Dial = Callable[[str, int], socket.socket]


#: Hosts that every program reads alike: no blanks, no escapes, no dot at the end.
PLAIN_HOST = re.compile(r"[a-z0-9_]([a-z0-9._-]{0,250}[a-z0-9_])?|[0-9a-f:.]*:[0-9a-f:.]*", re.ASCII)
#: What is given out of IPv6 for the public internet (RFC 4291), and the prefix behind which IPv4 stands (RFC 6052).
PUBLIC_6 = ipaddress.IPv6Network("2000::/3")
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")
#: Kept for protocols (RFC 6890, RFC 7526), which Python counts as public; clouds answer in the first.
PROTOCOLS = (ipaddress.IPv4Network("192.0.0.0/24"), ipaddress.IPv4Network("192.88.99.0/24"))


class Unreachable(OSError):
    """The document cannot be had."""


class Refused(Unreachable):
    """The address may not be asked; `why` is scheme, port, secret, host or private."""

    def __init__(self, why: str, sentence: str) -> None:
        super().__init__(sentence)
        self.why = why


@dataclass(frozen=True, slots=True)
class Place:
    """Where an address leads: the host, its port, the one of its addresses that was looked at, and the path there."""

    host: str
    port: int
    address: str
    path: str


def resolve(host: str, port: int) -> list[str]:
    """The addresses of a host by the system's resolver. Raises OSError."""
    try:
        return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]
    except UnicodeError:
        raise socket.gaierror(socket.EAI_NONAME, "no host has such a name") from None


def is_outside(address: str) -> bool:
    """Whether the address is on the public internet, also when it is wrapped in IPv6."""
    try:
        ip = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    if isinstance(ip, ipaddress.IPv6Address):
        inner = ip.ipv4_mapped or ip.sixtofour or (ip.teredo[1] if ip.teredo else None)
        if inner is None and ip in NAT64:
            inner = ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
        if inner is None:
            return ip in PUBLIC_6 and ip.is_global
        ip = inner
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in PROTOCOLS)


def place_of(url: str, *, resolver: Resolver = resolve, judge: Callable[[str], bool] = is_outside) -> Place:
    """Where an https address leads, after every address of its name was found to be public. Raises Refused.

    `judge` says which addresses are. A host that programs might read differently is refused, since whoever connects
    could then go elsewhere than we looked.
    """
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port or 443
    except ValueError:
        raise Refused("port", "the host or port of this address cannot be read") from None
    if parts.scheme != "https" or not host:
        raise Refused("scheme", "only plain addresses that begin with https:// are fetched")
    if "@" in parts.netloc:
        raise Refused("secret", "the address has a name or a password in it")
    if any(letter <= " " or letter in "\\\x7f" for letter in url):
        raise Refused("secret", "the address has spaces in it")
    if not PLAIN_HOST.fullmatch(host):
        raise Refused("host", f"the host “{host[:80]}” is not written plainly")
    addresses = resolver(host, port)
    if not addresses or not all(judge(address) for address in addresses):
        raise Refused("private", f"{host} leads into a private network")
    return Place(host, port, addresses[0], f"{parts.path or '/'}{'?' + parts.query if parts.query else ''}")


def dial(address: str, port: int, wait_s: float = WAIT_S) -> socket.socket:
    """A connection to an address that was looked at."""
    return socket.create_connection((address, port), wait_s)


def fetch(
    url: str,
    *,
    accept: str = "*/*",
    most_bytes: int = MAX_BYTES,
    resolver: Resolver = resolve,
    dial: Dial | None = None,
    trust: ssl.SSLContext | None = None,
    wall_s: float = WALL_S,
) -> bytes:
    """The bytes behind an https address. Raises Unreachable.

    `resolver` says which addresses a name has, `dial` connects to the one that was checked, `trust` says whose
    certificates are believed: the system's, unless a test brings its own.
    """
    place: Place | None = None
    try:
        place = place_of(url, resolver=resolver)
        with Pinned(place, trust=trust, dial=dial).within(wall_s) as connection:
            connection.request("GET", place.path, headers={"Accept": accept})
            answer = connection.getresponse()
            body = answer.read(most_bytes + 1)
            if connection.given_up or (answer.length and len(body) <= most_bytes):
                raise Unreachable(f"{place.host} sent only a part of it")
    except Unreachable:
        raise
    except (OSError, http.client.HTTPException, ValueError) as fault:
        raise Unreachable(f"{place.host if place else 'the host'} did not answer: {fault}"[:200]) from None
    if answer.status != http.HTTPStatus.OK or len(body) > most_bytes:
        raise Unreachable(f"{place.host} answered {answer.status}, or too much")
    return body


class Pinned(http.client.HTTPSConnection):
    """A connection to the address that was looked at, with the certificate of the name."""

    def __init__(
        self, place: Place, *, trust: ssl.SSLContext | None = None, dial: Dial | None = None, wait_s: float = WAIT_S
    ) -> None:
        self._tls = trust or ssl.create_default_context()
        super().__init__(place.host, place.port, timeout=wait_s, context=self._tls)
        self._address, self._dial, self._wait_s = place.address, dial, wait_s
        self.given_up = False

    def connect(self) -> None:
        """Connect to that address, whatever the name says by now."""
        plain = self._dial(self._address, self.port) if self._dial else dial(self._address, self.port, self._wait_s)
        try:
            self.sock = self._tls.wrap_socket(plain, server_hostname=self.host)
        except BaseException:
            plain.close()
            raise

    @contextmanager
    def within(self, wall_s: float) -> "Iterator[Pinned]":
        """Ended after so many seconds, whatever the other end still has to say; closed in any case."""
        clock = threading.Timer(wall_s, self._hang_up)
        clock.daemon = True
        clock.start()
        try:
            yield self
        finally:
            clock.cancel()
            self.close()

    def _hang_up(self) -> None:
        self.given_up = True
        with suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)
