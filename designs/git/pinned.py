"""https requests to strangers: the address is resolved, checked and used as it was checked; no redirect is followed.

The certificate and the name that the server is asked for (SNI) are the host's, the connection goes to the address that
was looked at. So a name that answers differently a moment later leads nowhere.
"""

import http.client
import ssl
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from django.utils.translation import gettext as _

from commons.web import outside
from designs.errors import BadSource
from designs.git import fetching

#: A server that says nothing for so long is given up.
SILENCE_S = 30.0
MAX_URL = 8000


def context() -> ssl.SSLContext:
    """Certificates are checked against the machine's own list of authorities."""
    return ssl.create_default_context()


@contextmanager
def request(
    method: str, url: str, *, headers: Mapping[str, str], body: bytes | None = None, wall_s: float
) -> Iterator[http.client.HTTPResponse]:
    """The answer to one request; its body is read inside the block, all of it within `wall_s`.

    Raises AddressRefused, or BadSource when there is no answer, or one that is not 200.
    """
    if len(url) > MAX_URL:
        raise BadSource(_("The source answered with an address that is too long."))
    place = fetching.look(url)
    with outside.Pinned(place, trust=context(), wait_s=SILENCE_S).within(wall_s) as connection:
        try:
            connection.request(method, place.path, body=body, headers=dict(headers))
            answer = connection.getresponse()
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise BadSource(
                _("“%(host)s” could not be reached: %(why)s.") % {"host": place.host, "why": _why(error)}
            ) from None
        if answer.status != 200:
            raise BadSource(_refused(place.host, answer.status))
        yield answer


def _why(error: Exception) -> str:
    return str(getattr(error, "strerror", None) or getattr(error, "verify_message", None) or error)[:120]


def _refused(host: str, status: int) -> str:
    if status in {401, 403}:
        return _("“%(host)s” gives this only to people it knows.") % {"host": host}
    if 300 <= status < 400:
        return _("“%(host)s” sends us on to another address, which is not followed.") % {"host": host}
    return _("“%(host)s” answered with status %(n)d.") % {"host": host, "n": status}


def read(answer: http.client.HTTPResponse, size: int) -> bytes:
    """At most `size` bytes of the body. Raises BadSource when the connection breaks."""
    try:
        return answer.read(size)
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise BadSource(_("The connection broke: %(why)s.") % {"why": _why(error)}) from None
