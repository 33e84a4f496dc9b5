"""The door for git-lfs: /designs/<owner>/<slug>.git/info/lfs/ (batch API, basic transfer, verify, locks).

Answers are JSON as the git-lfs specification says, refusals {"message"}. Who may come in is decided as for git itself;
an object is served only through a design that holds it.
"""

import json
import re
from collections.abc import Callable
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt

from commons.errors import BadInput, CityError
from commons.people.models import Scope, User
from commons.web.parsers import unkept
from designs.errors import Locked, NotYours, TooLarge
from designs.git.pointers import OID
from designs.models import Design, LfsLock
from designs.queries import lfs as queries
from designs.queries import room
from designs.services import lfs as services
from designs.services.room import check_room
from designs.views.git_http import Body, asks_for_token, enter

JSON = "application/vnd.git-lfs+json"
READ, WRITE = Scope.DESIGNS_READ, Scope.DESIGNS_WRITE
MAX_BODY, MAX_OBJECTS, PAGE = 2_000_000, 1000, 100
RANGE = re.compile(r"^bytes=(\d{1,15})-(\d{0,15})$")
Door = Callable[..., HttpResponseBase]


def door(view: Door) -> Door:
    """A view for git-lfs: no CSRF token, refusals as it reads them."""

    @csrf_exempt
    @wraps(view)
    def wrapped(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        try:
            return view(request, *args, **kwargs)
        except CityError as refusal:
            return _refused(request, refusal)

    return wrapped


def _refused(request: HttpRequest, refusal: CityError) -> HttpResponse:
    if there := refusal.elsewhere(request.get_full_path()):
        return HttpResponse(status=308, headers={"Location": there})
    if asks_for_token(request, refusal):
        answer = _json({"message": _("Sign in with an API token as the password.")}, 401)
        answer["LFS-Authenticate"] = 'Basic realm="Living City: any name, an API token as the password"'
        return answer
    return _json({"message": str(refusal.sentence)}, refusal.status)


def _json(document: dict[str, Any], status: int = 200) -> HttpResponse:
    return HttpResponse(json.dumps(document), status=status, content_type=JSON, headers={"Cache-Control": "no-store"})


def _sent(request: HttpRequest) -> dict[str, Any]:
    """The JSON object in a request. Raises BadInput."""
    raw = Body(request).read(MAX_BODY + 1)
    if len(raw) > MAX_BODY:
        raise TooLarge(_("This request is larger than %(n)d MB.") % {"n": MAX_BODY // 1_000_000})
    try:
        sent = json.loads(raw or b"{}")
    except (ValueError, RecursionError):
        sent = None
    if not isinstance(sent, dict):
        raise BadInput(_("The body of this request is not a JSON object."))
    if wrong := unkept(sent):
        raise BadInput(wrong)
    return sent


def _only(request: HttpRequest, *methods: str) -> None:
    if request.method not in methods:
        refusal = BadInput(_("This address takes %(methods)s.") % {"methods": ", ".join(methods)})
        refusal.status = 405  # type: ignore[misc]  # of this one refusal
        raise refusal


# --- objects -----------------------------------------------------------------------------------------------------


@door
def batch(request: HttpRequest, owner: str, slug: str) -> HttpResponseBase:
    """What git-lfs wants to send or get, and where each object is to be had."""
    _only(request, "POST")
    sent = _sent(request)
    operation, objects = sent.get("operation"), sent.get("objects")
    if operation not in {"download", "upload"} or not isinstance(objects, list) or len(objects) > MAX_OBJECTS:
        raise BadInput(_("Say “download” or “upload” and name up to %(n)d objects.") % {"n": MAX_OBJECTS})
    if sent.get("hash_algo", "sha256") != "sha256":
        raise _unsupported(_("Only sha256 names objects here."))
    if "basic" not in sent.get("transfers", ["basic"]):
        raise _unsupported(_("Only the basic transfer is spoken here."))
    design, _person = enter(request, owner, slug, WRITE if operation == "upload" else READ)
    asked = [_asked(one) for one in objects]
    here = queries.held(design, [oid for oid, _size in asked])
    if operation == "upload":
        _check_room(design, [(oid, size) for oid, size in asked if oid not in here])
    answer = _offered if operation == "download" else _wanted
    found = [answer(request, design, oid, size, here) for oid, size in asked]
    return _json({"transfer": "basic", "objects": found, "hash_algo": "sha256"})


def _check_room(design: Design, asked: list[tuple[str, int]]) -> None:
    """Say before the first byte when not all of them have room. Raises OverQuota."""
    there = room.counted(design.owner, [oid for oid, _size in asked])
    more = {oid: size for oid, size in asked if oid not in there}
    check_room(owner=design.owner, more_bytes=sum(max(0, size) for size in more.values()))


def _unsupported(words: str) -> CityError:
    refusal = BadInput(words)
    refusal.status = 422  # type: ignore[misc]  # as the specification wants it
    return refusal


def _asked(one: object) -> tuple[str, int]:
    oid, size = (one.get("oid"), one.get("size")) if isinstance(one, dict) else (None, None)
    if not isinstance(oid, str) or not isinstance(size, int) or isinstance(size, bool):
        raise BadInput(_("Each object has an oid and a size."))
    return oid, size


def _offered(request: HttpRequest, design: Design, oid: str, size: int, here: dict[str, Any]) -> dict[str, Any]:
    kept = here.get(oid)
    if kept is None:
        return _fault(oid, size, 404, _("This design does not hold that file."))
    return {"oid": oid, "size": kept.size, "authenticated": True, "actions": {"download": _at(request, design, oid)}}


def _wanted(request: HttpRequest, design: Design, oid: str, size: int, here: dict[str, Any]) -> dict[str, Any]:
    from django.conf import settings  # noqa: PLC0415 tests change it

    if not OID.match(oid) or size < 0:
        return _fault(oid, size, 422, _("This is not the SHA-256 and the size of a file."))
    if size > settings.LFS_MAX_BYTES:
        most = settings.LFS_MAX_BYTES // 1_000_000
        return _fault(oid, size, 413, _("A large file may have up to %(n)d MB here.") % {"n": most})
    if oid in here:
        return {"oid": oid, "size": size}
    actions = {"upload": _at(request, design, oid), "verify": _at(request, design, "", name="lfs-verify")}
    return {"oid": oid, "size": size, "authenticated": True, "actions": actions}


def _fault(oid: str, size: int, code: int, words: str) -> dict[str, Any]:
    return {"oid": oid, "size": size, "error": {"code": code, "message": words}}


def _at(request: HttpRequest, design: Design, oid: str, *, name: str = "lfs-object") -> dict[str, Any]:
    """Where to go, with the token that came, so that nobody is asked twice."""
    path = reverse(name, args=[design.owner.name, design.slug, *([oid] if oid else [])])
    credentials = request.headers.get("Authorization", "")
    header = {"Authorization": credentials} if credentials else {}
    return {"href": request.build_absolute_uri(path), "header": header}


@door
def one_object(request: HttpRequest, owner: str, slug: str, oid: str) -> HttpResponseBase:
    """The bytes of an object, both ways."""
    _only(request, "GET", "HEAD", "PUT")
    if request.method == "PUT":
        design, person = enter(request, owner, slug, WRITE)
        services.take(design=design, oid=oid, body=Body(request), by=_somebody(person))
        return HttpResponse(status=200)
    design, _person = enter(request, owner, slug, READ)
    return bytes_of(request, design, oid)


def bytes_of(request: HttpRequest, design: Design, oid: str) -> HttpResponseBase:
    """An object of the design, whole or from where a download was broken off."""
    size = queries.find(design, oid).size
    start, end, status = 0, size, 200
    if wanted := RANGE.match(request.headers.get("Range", "")):
        start, end, status = int(wanted[1]), min(size, int(wanted[2]) + 1) if wanted[2] else size, 206
        if start >= end:
            return HttpResponse(status=416, headers={"Content-Range": f"bytes */{size}"})
    response = StreamingHttpResponse(
        queries.stream(oid, start=start, end=end), status=status, content_type="application/octet-stream"
    )
    response["Content-Length"], response["Accept-Ranges"] = str(end - start), "bytes"
    response["X-Content-Type-Options"] = "nosniff"
    if status == 206:
        response["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    return response


@door
def verify(request: HttpRequest, owner: str, slug: str) -> HttpResponseBase:
    """Did the object arrive?"""
    _only(request, "POST")
    design, _person = enter(request, owner, slug, WRITE)
    oid, size = _asked(_sent(request))
    kept = queries.find(design, oid)
    if kept.size != size:
        raise _unsupported(_("The object has %(n)d bytes, not %(m)d.") % {"n": kept.size, "m": size})
    return _json({})


# --- locks -------------------------------------------------------------------------------------------------------


@door
def locks(request: HttpRequest, owner: str, slug: str) -> HttpResponseBase:
    """Who works on what; a new lock."""
    _only(request, "GET", "POST")
    if request.method == "POST":
        return _new_lock(request, owner, slug)
    design, _person = enter(request, owner, slug, READ)
    found = design.lfs_locks.select_related("owner")
    if path := request.GET.get("path"):
        found = found.filter(path=path)
    if (number := request.GET.get("id", "")).isdecimal() and len(number) < 18:
        found = found.filter(pk=int(number))
    page, after = _page(found, request.GET.get("cursor", ""), request.GET.get("limit", ""))
    return _json({"locks": [_told(one) for one in page], **after})


def _new_lock(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    design, person = enter(request, owner, slug, WRITE)
    path = _sent(request).get("path")
    if not isinstance(path, str):
        raise BadInput(_("Say the path of the file to lock."))
    try:
        return _json({"lock": _told(services.lock(design=design, path=path, by=_somebody(person)))}, 201)
    except Locked as refusal:
        held = LfsLock.objects.select_related("owner").filter(pk=refusal.data["lock"]).first()
        return _json({"lock": _told(held) if held else None, "message": str(refusal.sentence)}, 409)


@door
def verify_locks(request: HttpRequest, owner: str, slug: str) -> HttpResponseBase:
    """Asked before every push: my locks and those of others."""
    _only(request, "POST")
    design, person = enter(request, owner, slug, WRITE)
    sent = _sent(request)
    page, after = _page(
        design.lfs_locks.select_related("owner"), str(sent.get("cursor") or ""), str(sent.get("limit") or "")
    )
    ours = [_told(one) for one in page if one.owner == person]
    theirs = [_told(one) for one in page if one.owner != person]
    return _json({"ours": ours, "theirs": theirs, **after})


@door
def unlock(request: HttpRequest, owner: str, slug: str, number: int) -> HttpResponseBase:
    """Take a lock away."""
    _only(request, "POST")
    design, person = enter(request, owner, slug, WRITE)
    force = _sent(request).get("force") is True
    return _json({"lock": _told(services.unlock(design=design, number=number, by=_somebody(person), force=force))})


def _page(found: Any, cursor: str, limit: str) -> tuple[list[LfsLock], dict[str, str]]:
    """A page of locks by their numbers, and the cursor of the next."""
    size = min(int(limit), PAGE) if limit.isdecimal() and len(limit) < 6 and int(limit) > 0 else PAGE
    start = int(cursor) if cursor.isdecimal() and len(cursor) < 18 else 0
    page = list(found.filter(pk__gt=start).order_by("pk")[: size + 1])
    return page[:size], {"next_cursor": str(page[size - 1].pk)} if len(page) > size else {}


def _told(held: LfsLock) -> dict[str, Any]:
    return {
        "id": str(held.pk),
        "path": held.path,
        "locked_at": held.locked_at.isoformat(),
        "owner": {"name": held.owner.username},
    }


def _somebody(person: User | None) -> User:
    if person is None:
        raise NotYours(_("Only people who may push to this design can do that."))
    return person
