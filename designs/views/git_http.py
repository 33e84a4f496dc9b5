"""The door for git clients: smart HTTP at /designs/<owner>/<slug>.git/.

The person comes from the token in Basic's password; sessions do not count here, so no page can make a browser push.
A private design answers 401 to somebody unknown, so that git asks for a token, and so does one that does not exist;
somebody known who may not see it hears 404.
"""

from collections.abc import Iterator

from django.conf import settings
from django.http import (
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponsePermanentRedirect,
    StreamingHttpResponse,
)
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from commons.errors import CityError, NotAllowed
from commons.people.errors import DeadToken
from commons.people.models import Scope, User
from commons.web.disk import Watched, check_disk
from designs import git, queries
from designs.errors import DesignNotFound
from designs.git import incoming, serve
from designs.models import Design
from designs.policies import check_may_push
from designs.queries import lfs
from designs.queries.room import left_bytes
from designs.services import index_later
from designs.services.room import measure
from designs.visitors import of_token, secret_in

SERVICES = {"git-upload-pack": Scope.DESIGNS_READ, "git-receive-pack": Scope.DESIGNS_WRITE}
NEVER_KEPT = {"Cache-Control": "no-cache, max-age=0, must-revalidate", "Expires": "Fri, 01 Jan 1980 00:00:00 GMT"}


@csrf_exempt
def info_refs(request: HttpRequest, owner: str, slug: str) -> HttpResponseBase:
    """What the repository has: the first question of every fetch and push."""
    service = request.GET.get("service", "")
    if request.method not in {"GET", "HEAD"} or service not in SERVICES:
        return _words(_("Use a git client of version 1.6.6 or later."), 403)
    try:
        design, _person = enter(request, owner, slug, SERVICES[service])
        if service == "git-receive-pack":
            check_disk(settings.REPOSITORIES_DIR)
    except CityError as refusal:
        return _refused(request, refusal)
    answer = serve.advertise(git.of(design.repository), service=service, protocol=_protocol(request))
    return HttpResponse(answer, content_type=f"application/x-{service}-advertisement", headers=NEVER_KEPT)


@csrf_exempt
def rpc(request: HttpRequest, owner: str, slug: str, service: str) -> HttpResponseBase:
    """A fetch or a push."""
    if request.method != "POST":
        return _words(_("This address takes POST."), 405)
    if request.content_type != f"application/x-{service}-request":
        return _words(_("This is not a git client's request."), 415)
    try:
        design, person = enter(request, owner, slug, SERVICES[service])
        return _push(request, design, person) if service == "git-receive-pack" else _fetch(request, design)
    except CityError as refusal:
        return _refused(request, refusal)


def _fetch(request: HttpRequest, design: Design) -> HttpResponseBase:
    pieces: Iterator[bytes] = serve.fetch(
        git.of(design.repository), body=Body(request), encoding=_encoding(request), protocol=_protocol(request)
    )
    return StreamingHttpResponse(
        pieces,
        content_type="application/x-git-upload-pack-result",
        headers={**NEVER_KEPT, "X-Accel-Buffering": "no"},
    )


def _push(request: HttpRequest, design: Design, person: User | None) -> HttpResponseBase:
    done = serve.push(
        git.of(design.repository),
        body=Watched(Body(request), settings.REPOSITORIES_DIR),
        encoding=_encoding(request),
        protocol=_protocol(request),
        rules=incoming.Rules(
            protected=f"refs/heads/{design.default_branch}",
            held=lambda oids: set(lfs.held(design, oids)),
            room_bytes=lambda: left_bytes(design.owner),
        ),
    )
    if done.changed:
        measure(design=design)
        index_later(design=design, by=person)
    return HttpResponse(done.answer, content_type="application/x-git-receive-pack-result", headers=NEVER_KEPT)


def enter(request: HttpRequest, owner: str, slug: str, scope: Scope) -> tuple[Design, User | None]:
    """The design and the person, if they may read or (with designs:write) push. Raises DesignNotFound or NotAllowed."""
    person, _sent = of_token(request, scope)
    design = queries.find(owner=owner, slug=slug, visitor=person, bare=True)
    if scope == Scope.DESIGNS_WRITE:
        check_may_push(person, design)
    return design, person


def _refused(request: HttpRequest, refusal: CityError) -> HttpResponse:
    """A refusal as git clients understand it. Without a good token: 401, so that git asks for one."""
    if there := refusal.elsewhere(request.get_full_path()):
        return HttpResponsePermanentRedirect(there, headers=NEVER_KEPT)
    if asks_for_token(request, refusal):
        answer = _words(_("Sign in with an API token as the password."), 401)
        answer["WWW-Authenticate"] = (
            'Basic realm="Living City: any name, an API token as the password", charset="UTF-8"'
        )
        return answer
    return _words(str(refusal.sentence), refusal.status)


def asks_for_token(request: HttpRequest, refusal: CityError) -> bool:
    """Whether the answer is 401: somebody without a good token asks for what is hidden or not allowed."""
    if isinstance(refusal, DeadToken):
        return True
    unknown = secret_in(request) is None or not _is_good(request)
    return unknown and isinstance(refusal, DesignNotFound | NotAllowed)


def _is_good(request: HttpRequest) -> bool:
    try:
        return of_token(request, Scope.DESIGNS_READ)[1]
    except NotAllowed:
        return True


def _words(sentence: str, status: int) -> HttpResponse:
    return HttpResponse(sentence + "\n", status=status, content_type="text/plain; charset=utf-8", headers=NEVER_KEPT)


def _protocol(request: HttpRequest) -> str:
    return request.headers.get("Git-Protocol", "")


def _encoding(request: HttpRequest) -> str:
    return request.headers.get("Content-Encoding", "").lower()


class Body:
    """A request's body as a stream. Django reads none of a chunked one, so that is taken from the server itself."""

    def __init__(self, request: HttpRequest) -> None:
        chunked = not request.META.get("CONTENT_LENGTH")
        self._source = request.META["wsgi.input"] if chunked and "wsgi.input" in request.META else request

    def read(self, size: int, /) -> bytes:
        """At most `size` bytes."""
        piece: bytes = self._source.read(size)
        return piece
