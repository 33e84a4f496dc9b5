"""Whose certificates are believed: those that every computer believes, or the one authority that a relay names."""

import socket
import ssl
from typing import Any

from django.utils.translation import gettext as _

from labs.errors.interlocks import BadInterlock
from labs.interlocks.base import RelayError, Target

MOST_PEM = 16_000
BEGINNING = "-----BEGIN CERTIFICATE-----"


def check_authority(pem: str) -> str:
    """Certificates of an authority in PEM as they are kept, without keys or words between. Raises BadInterlock."""
    text = pem.replace("\r\n", "\n").strip()
    if len(text) > MOST_PEM or "PRIVATE KEY" in text:
        raise BadInterlock(_("Give the certificate of the authority alone, in PEM; no key belongs here."))
    try:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=text)
    except (ssl.SSLError, ValueError):
        raise BadInterlock(
            _("This is no certificate; paste the text from “%(start)s” on.") % {"start": BEGINNING}
        ) from None
    if not context.get_ca_certs():
        raise BadInterlock(_("This certificate is no authority's; paste the one that signed the relay's."))
    return text


class _OfHost(ssl.SSLContext):
    """Wants a certificate of the host that was typed, although the connection goes to the address that was checked."""

    host = ""

    def wrap_socket(self, sock: socket.socket, **how: Any) -> ssl.SSLSocket:  # type: ignore[override]
        """As always, under that name, whatever the client calls the other end."""
        return super().wrap_socket(sock, **{**how, "server_hostname": self.host})


def context_of(target: Target) -> ssl.SSLContext:
    """How TLS is spoken to a relay: with its own authority alone, where it names one. Raises RelayError."""
    context, authority = _OfHost(ssl.PROTOCOL_TLS_CLIENT), target.text("ca")
    context.host = target.host
    if not authority:
        context.load_default_certs()
        return context
    try:
        context.load_verify_locations(cadata=authority)
    except (ssl.SSLError, ValueError):
        raise RelayError(_("The certificate of the relay's authority cannot be read; type it in again.")) from None
    return context
