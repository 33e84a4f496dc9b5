"""Where a relay may stand: only where whoever runs the site lets the city reach into.

A relay is a web server without a guard, in a network that trusts everybody; so the address that a lab's manager types
must not become a way into the site's own network. What is on the public internet is spoken to through TLS alone, and a
private network only when the setting INTERLOCK_NETWORKS names it.
"""

import ipaddress
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

from commons.web import outside
from labs.errors.interlocks import BadInterlock
from labs.interlocks.base import RelayError, Target

PORTS = {"http": 80, "https": 443, "mqtt": 1883, "mqtts": 8883, "modbus": 502}
SCHEMES = {
    "shelly": ("http", "https"),
    "tasmota": ("http", "https"),
    "mqtt": ("mqtt", "mqtts"),
    "modbus": ("modbus",),
    "none": (),
}
IP = ipaddress.IPv4Address | ipaddress.IPv6Address


def parts(driver: str, url: str) -> tuple[str, str, int]:
    """Scheme, host and port of an address as somebody typed it; asks no name server. Raises BadInterlock."""
    try:
        split = urlsplit(url.strip())
        port = split.port or PORTS.get(split.scheme, 0)
    except ValueError:
        raise BadInterlock(_("The address “%(url)s” cannot be read.") % {"url": url[:120]}) from None
    if split.scheme not in SCHEMES[driver] or not split.hostname:
        known = " or ".join(f"{scheme}://host" for scheme in SCHEMES[driver])
        raise BadInterlock(_("Write the address of the relay as %(known)s.") % {"known": known})
    if split.username or split.password or split.path.strip("/") or split.query or split.fragment:
        raise BadInterlock(_("Give the host and port alone; name and password have fields of their own."))
    return split.scheme, split.hostname, port


def check_typed(driver: str, url: str) -> None:
    """Refuse an address that can never be spoken to, when it is typed. Raises BadInterlock."""
    scheme, host, _port = parts(driver, url)
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return
    refusal = _refusal(scheme, host, address)
    if refusal:
        raise BadInterlock(refusal)


def target(driver: str, url: str, **more: object) -> Target:
    """The relay with one checked address; each address of the name must be allowed. Raises RelayError."""
    try:
        scheme, host, port = parts(driver, url)
    except BadInterlock as refused:
        raise RelayError(str(refused.sentence)) from None
    try:
        found = outside.resolve(host, port)
    except OSError as error:
        words = {"host": host, "why": error.strerror or "?"}
        raise RelayError(_("“%(host)s” has no address: %(why)s.") % words, silent=True) from None
    addresses = [ipaddress.ip_address(text.partition("%")[0]) for text in found]
    for address in addresses:
        refusal = _refusal(scheme, host, address)
        if refusal:
            raise RelayError(refusal)
    return Target(scheme, host, port, str(addresses[0]), **more)  # type: ignore[arg-type]


def _refusal(scheme: str, host: str, address: IP) -> str:
    """Why this address may not be spoken to; empty if it may."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    if any(address in network for network in networks() if network.version == address.version):
        return ""
    if not outside.is_outside(str(address)):
        return _(
            "“%(host)s” is in a private network, which this site may not reach into. Who runs the site names the "
            "network of the lab's relays in INTERLOCK_NETWORKS."
        ) % {"host": host}
    if scheme not in {"https", "mqtts"}:
        return _(
            "“%(host)s” is on the public internet, where a relay is only spoken to by https:// or mqtts://. "
            "Put the relay into a network of its own, and name that in INTERLOCK_NETWORKS."
        ) % {"host": host}
    return ""


def networks() -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """The networks in which relays may stand, as the setting names them."""
    return [ipaddress.ip_network(text.strip()) for text in settings.INTERLOCK_NETWORKS if text.strip()]
