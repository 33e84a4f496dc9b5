"""Where a person is signed in: the rows, when each was last seen, and their end."""

import datetime as dt
import re
from dataclasses import dataclass

from allauth.account.signals import user_logged_in
from allauth.usersessions.models import UserSession
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from commons.audit.marks import is_unaudited
from commons.audit.recording import note
from commons.errors import NotFound
from commons.people.models import User
from commons.web.addresses import client_ip
from commons.web.middleware_types import GetResponse

#: When the session was last seen is kept in the session itself, so that few requests write.
SEEN = "seen"
SEEN_EVERY = dt.timedelta(minutes=5)
BROWSERS = (("Edg/", "Edge"), ("OPR/", "Opera"), ("Firefox/", "Firefox"), ("Chrome/", "Chrome"), ("Safari/", "Safari"))
SYSTEMS = (
    ("Android", "Android"), ("iPhone", "iPhone"), ("iPad", "iPad"), ("Windows", "Windows"), ("Mac OS X", "Mac"),
    ("CrOS", "ChromeOS"), ("Linux", "Linux"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Place:
    """A browser in which a person is signed in."""

    pk: int
    device: str
    ip: str
    since: dt.datetime
    seen: dt.datetime
    here: bool
    same_network: bool


def device_words(agent: str) -> str:
    """ "Firefox on Linux", as far as the browser says."""
    browser = next((name for mark, name in BROWSERS if mark in agent), "")
    system = next((name for mark, name in SYSTEMS if mark in agent), "")
    if browser and system:
        return _("%(browser)s on %(system)s") % {"browser": browser, "system": system}
    return browser or system or re.sub(r"[^\w./ ()-]", "", agent)[:40] or _("An unknown device")


def begin(request: HttpRequest) -> None:
    """Write down a sign-in that has just happened."""
    UserSession.objects.create_from_request(request)
    request.session[SEEN] = timezone.now().isoformat()


def connect() -> None:
    """Sign-ins by allauth; it has written its own row by then."""
    user_logged_in.connect(_signed_in, dispatch_uid="people.seen")


def _signed_in(request: HttpRequest, **_more: object) -> None:
    request.session[SEEN] = timezone.now().isoformat()


def places(request: HttpRequest, user: User) -> list[Place]:
    """Where the person is signed in, this browser first, then the last seen; what has ended is taken away."""
    here = request.session.session_key
    if here and not UserSession.objects.filter(session_key=here).exists():
        begin(request)
    ip = client_ip(request)
    found = [
        Place(
            pk=row.pk, device=device_words(row.user_agent), ip=row.ip, since=row.created_at, seen=row.last_seen_at,
            here=row.session_key == here, same_network=row.ip == ip,
        )
        for row in UserSession.objects.purge_and_list(user)
    ]  # fmt: skip
    return sorted(found, key=lambda place: (place.here, place.seen), reverse=True)


def end(*, user: User, pk: int) -> None:
    """End one of the person's sessions at once. Raises NotFound."""
    row = UserSession.objects.filter(user=user, pk=pk).first()
    if row is None:
        raise NotFound(_("This session has ended already, or is not yours."))
    row.end()
    note("session ended", by=user)


def end_others(request: HttpRequest, user: User) -> int:
    """End all of the person's sessions but this one; how many."""
    others = list(UserSession.objects.filter(user=user).exclude(session_key=request.session.session_key))
    for row in others:
        row.end()
    if others:
        note("other sessions ended", f"n={len(others)}", by=user)
    return len(others)


class seen:  # noqa: N801 a middleware reads like a function in settings
    """Notes now and then that a session is in use; never on the way to a ballot."""

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        match = request.resolver_match
        if match is not None and not is_unaudited(match.func):
            _note_seen(request)
        return response


def _note_seen(request: HttpRequest) -> None:
    session = getattr(request, "session", None)
    if session is None or not session.accessed or SEEN not in session:
        return
    now, last = timezone.now(), parse_datetime(str(session[SEEN]))
    if last is not None and now - last < SEEN_EVERY:
        return
    session[SEEN] = now.isoformat()
    UserSession.objects.filter(session_key=session.session_key).update(last_seen_at=now, ip=client_ip(request) or "::1")
