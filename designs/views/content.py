"""Bytes of designs: raw files, archives, pictures and models. Always through the design that holds them."""

import re
from pathlib import PurePosixPath
from urllib.parse import quote

from django.http import FileResponse, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from designs import git, queries
from designs.errors import DesignNotFound
from designs.queries import archives
from designs.queries.boards import PICTURES, board_in
from designs.queries.files import content as file_content
from designs.queries.files import file_at, files_at, holds_blob
from designs.services.previews import store
from designs.visitors import reader

#: A stranger's file may show itself, but run nothing and reach nothing.
SANDBOX = {
    "Content-Security-Policy": "sandbox; default-src 'none'; img-src 'self'; style-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
SHOWN = {"png": "image/png", "jpg": "image/jpeg", "jpeg": "image/jpeg", "webp": "image/webp", "gif": "image/gif"}
KINDS = {"png": ("png", "image/png"), "small": ("small", "image/png"), "glb": ("glb", "model/gltf-binary")}


@require_safe
def raw(request: HttpRequest, owner: str, slug: str, ref: str, path: str) -> HttpResponseBase:
    """A file's bytes as they are, as a download; pictures may show in place."""
    design = queries.find(owner=owner, slug=slug, visitor=reader(request))
    file = file_at(design, git.of(design.repository).commit_of(ref), path)
    kind = SHOWN.get(PurePosixPath(path).suffix.lower().lstrip("."))
    disposition = "inline" if kind and not file.entry.is_symlink else "attachment"
    response = StreamingHttpResponse(
        file_content(design, file), content_type=kind or "application/octet-stream", headers=SANDBOX
    )
    response["Content-Length"] = str(file.size)
    response["Content-Disposition"] = f"{disposition}; filename*=UTF-8''{quote(file.entry.name)}"
    response["ETag"] = f'"{file.entry.oid}"'
    return response


@require_safe
def archive(request: HttpRequest, owner: str, slug: str, ref: str) -> HttpResponseBase:
    """A whole version as a .zip."""
    design = queries.find(owner=owner, slug=slug, visitor=reader(request))
    commit = git.of(design.repository).commit_of(ref)
    label = re.sub(r"[^A-Za-z0-9.-]+", "-", ref)[:40]
    response = StreamingHttpResponse(
        archives.stream(design, commit, prefix=f"{design.slug}-{label}"),
        content_type="application/zip",
        headers=SANDBOX,
    )
    response["Content-Disposition"] = f'attachment; filename="{design.slug}-{label}.zip"'
    return response


@require_safe
def board(request: HttpRequest, owner: str, slug: str, ref: str, **where: str) -> HttpResponseBase:
    """The picture (`kind`) of the circuit board whose files lie in a `folder` of a version."""
    kind, folder = where["kind"], where["folder"]
    design = queries.find(owner=owner, slug=slug, visitor=reader(request))
    found = board_in(files_at(design, git.of(design.repository).commit_of(ref)), folder)
    picture = found.picture(kind) if found and kind in PICTURES else None
    if found is None or picture is None:
        raise DesignNotFound(_("There is no picture of this board."))
    response = FileResponse(picture.open("rb"), content_type="image/png", headers=SANDBOX)
    response["Cache-Control"] = f"{'public' if design.is_shown else 'private'}, max-age=86400"
    response["ETag"] = f'"{found.key[:32]}-{kind}"'
    return response


@require_safe
def preview(request: HttpRequest, owner: str, slug: str, oid: str, kind: str) -> HttpResponseBase:
    """The picture or model of a blob that this design holds."""
    design = queries.find(owner=owner, slug=slug, visitor=reader(request))
    blob = holds_blob(design, oid)
    field, content_type = KINDS[kind]
    name = getattr(blob, field) if blob else ""
    path = store() / name if name else None
    if path is None or not path.is_file():
        raise DesignNotFound(_("There is no picture of this file."))
    response = FileResponse(path.open("rb"), content_type=content_type, headers=SANDBOX)
    scope = "public" if design.is_shown else "private"
    response["Cache-Control"] = f"{scope}, max-age=86400"
    response["ETag"] = f'"{blob.oid if blob else ""}-{blob.engine_version if blob else ""}-{kind}"'
    return response
