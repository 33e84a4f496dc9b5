"""The pages of releases: all of them, one, and making one; and their archive."""

import base64
import re
from typing import Any

from django import forms
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase
from django.shortcuts import redirect, render
from django.utils.http import http_date
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST, require_safe

from commons.errors import CityError
from commons.people.models import User
from designs import citation, licences, markdown, queries
from designs.errors import DesignNotFound
from designs.models import Design, Release
from designs.policies import check_may_maintain
from designs.queries import releases as found
from designs.queries.pictures import pictures_at
from designs.services import release_archives
from designs.services import releases as services
from designs.services.release_checks import check_release, remarks
from designs.views.content import SANDBOX
from designs.views.frame import frame
from designs.visitors import reader

PAGE = 20
MOST_FILES = 500
RANGE = re.compile(r"^bytes=(?P<first>\d*)-(?P<last>\d*)$")


class ReleaseForm(forms.Form):
    """A new release."""

    version = forms.CharField(
        label=gettext_lazy("Version"), max_length=60,
        help_text=gettext_lazy("Such as 1.2.0. It can never be used again, and what it names never changes."),
    )  # fmt: skip
    name = forms.CharField(label=gettext_lazy("Name"), max_length=120, required=False)
    notes = forms.CharField(
        label=gettext_lazy("What is new"), required=False, max_length=20_000,
        widget=forms.Textarea(attrs={"rows": 8}), help_text=gettext_lazy("Markdown works here."),
    )  # fmt: skip
    ref = forms.CharField(widget=forms.HiddenInput, required=False, max_length=200)


@require_safe
def releases(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """Which versions can I rely on?"""
    design, _commit, context = frame(request, owner, slug, tab="releases")
    page = Paginator(found.of_design(design), PAGE).get_page(request.GET.get("page"))
    shown = [(each, _notes(design, each)) for each in page.object_list]
    return render(request, "designs/releases.html", context | {"page": page, "shown": shown})


def _notes(design: Design, release: Release) -> Any:
    return markdown.render(
        release.notes, owner=design.owner.name, slug=design.slug, ref=release.commit,
        pictures=pictures_at(design, release.commit),
    )  # fmt: skip


@require_safe
def release(request: HttpRequest, owner: str, slug: str, version: str) -> HttpResponseBase:
    """What is in this version, and is what I have the same?"""
    design, _commit, context = frame(request, owner, slug, tab="releases")
    if version == "latest" and (newest := found.newest(design)) is not None:
        return redirect("rooms:design_release", design.owner.name, design.slug, newest.version)
    this = found.find(design, version)
    work = found.work(this)
    files = this.manifest.get("files", [])
    run = services.run_of(this) if not this.sha256 else None
    context |= {
        "release": this,
        "notes": _notes(design, this),
        "files": files[:MOST_FILES],
        "more": max(0, len(files) - MOST_FILES),
        "packing": run if run is not None and run.status in {run.Status.QUEUED, run.Status.RUNNING} else None,
        "broken": run is not None and run.status not in {run.Status.QUEUED, run.Status.RUNNING},
        "cite": {"text": citation.text(work), "bibtex": citation.bibtex(work), "cff": citation.cff(work)},
        "release_rights": licences.rights(this.licence),
        "folder": this.manifest.get("prefix", ""),
        "is_newest": found.newest(design) == this,
    }
    return render(request, "designs/release.html", context)


@login_required
def new(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """Is this version ready to stand for ever?"""
    assert isinstance(request.user, User)  # noqa: S101 login_required
    design, commit, context = frame(request, owner, slug, tab="releases")
    check_may_maintain(request.user, design)
    start = {"version": services.next_version(design), "ref": context["old"]}
    form = ReleaseForm(request.POST or None, initial=start)
    if request.method == "POST" and form.is_valid():
        try:
            made = services.publish(design=design, by=request.user, **form.cleaned_data)
        except CityError as refusal:
            form.add_error(None, str(refusal.sentence))
        else:
            return redirect("rooms:design_release", design.owner.name, design.slug, made.version)
    context |= {"form": form, **_looked_at(design, commit)}
    return render(request, "designs/release_new.html", context, status=422 if form.errors else 200)


def _looked_at(design: Design, commit: str) -> dict[str, Any]:
    """What the form says before anybody presses its button."""
    if not commit:
        return {"nothing": True}
    try:
        known = check_release(design=design, commit=commit)
    except CityError as refusal:
        return {"forbidden": str(refusal.sentence)}
    return {"remarks": remarks(design=design, commit=commit, known=known), "file_count": len(known.files)}


@require_POST
@login_required
def pack(request: HttpRequest, owner: str, slug: str, version: str) -> HttpResponse:
    """Make the archive again when its making failed."""
    assert isinstance(request.user, User)  # noqa: S101 login_required
    design, _commit, _context = frame(request, owner, slug)
    check_may_maintain(request.user, design)
    this = found.find(design, version)
    run = services.run_of(this)
    if not this.sha256 and (run is None or run.status not in {run.Status.QUEUED, run.Status.RUNNING}):
        services.start(release=this, by=request.user)
    return redirect("rooms:design_release", design.owner.name, design.slug, this.version)


@require_safe
def archive(request: HttpRequest, owner: str, slug: str, version: str) -> HttpResponseBase:
    """The archive, whole or from where a download was broken off; its SHA-256 is in the header."""
    design = queries.find(owner=owner, slug=slug, visitor=reader(request))
    this = found.find(design, version)
    path = release_archives.path_of(this)
    if path is None:
        raise DesignNotFound(_("The archive of this release is not made yet; try again in a minute."))
    etag = f'"{this.sha256}"'
    headers = {
        **SANDBOX,
        "ETag": etag,
        "Accept-Ranges": "bytes",
        "Last-Modified": http_date(this.created_at.timestamp()),
    }
    if request.headers.get("If-None-Match") == etag:
        return HttpResponse(status=304, headers=headers)
    digest = f"sha-256=:{base64.b64encode(bytes.fromhex(this.sha256)).decode()}:"
    scope = "public" if design.is_shown else "private"
    headers |= {"Repr-Digest": digest, "Cache-Control": f"{scope}, no-cache"}
    part = _part(request, this.size, etag)
    if part is None:
        return _whole(this, path.open("rb"), headers | {"Content-Digest": digest})
    first, last = part
    if first > last:
        return HttpResponse(status=416, headers={**headers, "Content-Range": f"bytes */{this.size}"})
    file = _Part(path, first, last)
    response = FileResponse(file, status=206, content_type="application/zip", headers=headers)
    response["Content-Range"] = f"bytes {first}-{last}/{this.size}"
    response["Content-Length"] = str(last - first + 1)
    return response


def _whole(this: Release, file: Any, headers: dict[str, str]) -> HttpResponseBase:
    name = f"{this.manifest.get('prefix') or this.version}.zip"
    response = FileResponse(file, as_attachment=True, filename=name, content_type="application/zip", headers=headers)
    response["Content-Length"] = str(this.size)
    return response


def _part(request: HttpRequest, size: int, etag: str) -> tuple[int, int] | None:
    """First and last byte of a range that is asked for; first > last when it lies outside, None for the whole."""
    wanted = RANGE.match(request.headers.get("Range", ""))
    if wanted is None or request.headers.get("If-Range", etag) != etag or not (wanted["first"] or wanted["last"]):
        return None
    if not wanted["first"]:
        return max(0, size - int(wanted["last"])), size - 1 if int(wanted["last"]) else -1
    first = int(wanted["first"])
    return first, min(size - 1, int(wanted["last"])) if wanted["last"] else size - 1


class _Part:
    """The bytes of a file from `first` to `last`, both counted."""

    def __init__(self, path: Any, first: int, last: int) -> None:
        self._file = path.open("rb")
        self._file.seek(first)
        self._left = last - first + 1

    def read(self, size: int = -1) -> bytes:
        """At most `size` bytes."""
        piece: bytes = self._file.read(self._left if size < 0 else min(size, self._left))
        self._left -= len(piece)
        return piece

    def close(self) -> None:
        """Let the file go."""
        self._file.close()
