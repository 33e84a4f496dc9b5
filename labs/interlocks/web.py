"""One small HTTP request to a relay: to the address that was checked, no redirect, bounded, with digest sign-in."""

import hashlib
import http.client
import os
import re
import ssl
from collections.abc import Mapping

from django.utils.translation import gettext as _

from commons.web import outside
from labs.interlocks.base import MOST_BYTES, SILENCE_S, RelayError, Target
from labs.interlocks.trust import context_of


class _Pinned(http.client.HTTPConnection):
    """To one address, under the name that was typed."""

    def __init__(self, target: Target) -> None:
        super().__init__(target.host, target.port, timeout=SILENCE_S)
        self._target = target

    def connect(self) -> None:
        self.sock = outside.dial(self._target.address, self._target.port, SILENCE_S)
        if self._target.tls:
            self.sock = context_of(self._target).wrap_socket(self.sock, server_hostname=self._target.host)


def ask(
    target: Target, method: str, path: str, *, body: bytes | None = None, headers: Mapping[str, str] | None = None
) -> bytes:
    """The body of the answer. A 401 with a digest challenge is answered once. Raises RelayError."""
    sent = dict(headers or {})
    status, challenge, answer = _once(target, method, path, body=body, headers=sent)
    if status == http.client.UNAUTHORIZED and target.password and challenge.lower().startswith("digest"):
        sent["Authorization"] = digest(challenge, method, path, user=target.user or "admin", password=target.password)
        status, _challenge, answer = _once(target, method, path, body=body, headers=sent)
    if status in {401, 403}:
        raise RelayError(_("The relay refuses the name or the password."))
    if status != http.client.OK:
        raise RelayError(_("The relay answered with status %(n)d.") % {"n": status})
    return answer


def _once(
    target: Target, method: str, path: str, *, body: bytes | None, headers: Mapping[str, str]
) -> tuple[int, str, bytes]:
    connection = _Pinned(target)
    try:
        connection.request(method, path, body=body, headers=dict(headers))
        answer = connection.getresponse()
        return answer.status, answer.getheader("WWW-Authenticate") or "", answer.read(MOST_BYTES)
    except ssl.SSLCertVerificationError as error:
        why = error.verify_message or "?"
        raise RelayError(_("The relay's certificate is not to be trusted: %(why)s.") % {"why": why}) from None
    except (OSError, http.client.HTTPException) as error:
        why = getattr(error, "strerror", None) or str(error) or type(error).__name__
        raise RelayError(_("The relay gave no answer: %(why)s.") % {"why": why}, silent=True) from None
    finally:
        connection.close()


def digest(challenge: str, method: str, path: str, *, user: str, password: str, cnonce: str = "") -> str:
    """The answer to a digest challenge (RFC 7616, qop=auth), by SHA-256 as the relay asks, or MD5."""
    asked = {
        name.lower(): quoted or bare for name, quoted, bare in re.findall(r'(\w+)=(?:"([^"]*)"|([\w-]+))', challenge)
    }
    algorithm = asked.get("algorithm", "MD5").upper()

    def hashed(text: str) -> str:
        made = hashlib.sha256(text.encode()) if algorithm == "SHA-256" else hashlib.md5(text.encode())  # noqa: S324
        return made.hexdigest()

    realm, nonce, cnonce = asked.get("realm", ""), asked.get("nonce", ""), cnonce or os.urandom(8).hex()
    first, second = hashed(f"{user}:{realm}:{password}"), hashed(f"{method}:{path}")
    response = hashed(f"{first}:{nonce}:00000001:{cnonce}:auth:{second}")
    said = {"username": user, "realm": realm, "nonce": nonce, "uri": path, "cnonce": cnonce, "response": response}
    if "opaque" in asked:
        said["opaque"] = asked["opaque"]
    quoted = ", ".join(f'{name}="{value}"' for name, value in said.items())
    return f"Digest {quoted}, algorithm={algorithm}, qop=auth, nc=00000001"
