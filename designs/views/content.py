"""Bytes of designs: raw files, archives, pictures and models. Always through the design that holds them."""

import re
from urllib.parse import quote

from django.http import FileResponse, HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from designs import git, queries
from designs.errors import DesignNotFound
from designs.models import Design
from designs.queries import archives, layers, scripts
from designs.queries import made as made_of_several
from designs.queries.boards import PICTURES, board_in
from designs.queries.files import content as file_content
from designs.queries.files import file_at, files_at, holds_all, holds_blob
from designs.services.previews import store
from designs.visitors import reader

#: A stranger's file may show itself, but run nothing and reach nothing.
SANDBOX = {
    "Content-Security-Policy": "sandbox; default-src 'none'; img-src 'self'; style-src 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Cross-Origin-Resource-Policy": "same-origin",
}
TYPES = {".png": "image/png", ".webp": "image/webp", ".glb": "model/gltf-binary"}
MADE = {"png": "picture.png", "small": "small.png", "glb": "model.glb"}
DAY_S, SHORT_S = 86_400, 300


@require_safe
def raw(request: HttpRequest, owner: str, slug: str, ref: str, path: str) -> HttpResponseBase:
    """A file's bytes as they are, always as a download: what pages show of it was drawn anew, see `preview`."""
    design = queries.find(owner=owner, slug=slug, visitor=reader(request))
    file = file_at(design, git.of(design.repository).commit_of(ref), path)
    response = StreamingHttpResponse(
        file_content(design, file), content_type="application/octet-stream", headers=SANDBOX
    )
    response["Content-Length"] = str(file.size)
    response["Content-Disposition"] = f"attachment; filename*=UTF-8''{quote(file.entry.name)}"
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
    response = kept(design, blob.stored(kind) if blob else "")
    if blob is not None and request.GET.get("v", "") != blob.engine_version:
        response["Cache-Control"] = f"{scope_of(design)}, max-age={SHORT_S}"  # it may be drawn anew any time
    return response


@require_safe
def made(request: HttpRequest, owner: str, slug: str, oid: str, **asked: str) -> HttpResponseBase:
    """The picture or model (`kind`) that lies under a `key` made of several files, if this design holds them all."""
    design = queries.find(owner=owner, slug=slug, visitor=reader(request))
    about = made_of_several.about(scripts.KIND, asked["key"]) or {}
    files = about.get("files") or {}
    if oid not in files.values() or not holds_all(design, files.values()):
        raise DesignNotFound(_("There is no picture of this file."))
    folder = made_of_several.name_of(scripts.KIND, asked["key"])
    return kept(design, f"{folder}/{MADE[asked['kind']]}")


@require_safe
def layer(request: HttpRequest, owner: str, slug: str, oid: str, number: str) -> HttpResponse:
    """One layer of a program from above (the first is 1), drawn from what the engine packed."""
    design = queries.find(owner=owner, slug=slug, visitor=reader(request))
    found = layers.layers_of(holds_blob(design, oid))
    if found is None or not 1 <= int(number) <= len(found):
        raise DesignNotFound(_("There is no picture of this layer."))
    response = HttpResponse(layers.svg(found, int(number) - 1), content_type="image/svg+xml", headers=SANDBOX)
    response["Cache-Control"] = f"{scope_of(design)}, max-age={DAY_S if request.GET.get('v') else SHORT_S}"
    return response


def kept(design: Design, name: str) -> FileResponse:
    """A picture or model by its path under the store, for a day. Raises DesignNotFound."""
    path = store() / name if name else None
    if path is None or not path.is_file():
        raise DesignNotFound(_("There is no picture of this file."))
    response = FileResponse(path.open("rb"), content_type=TYPES[path.suffix], headers=SANDBOX)
    response["Cache-Control"] = f"{scope_of(design)}, max-age={DAY_S}"
    response["ETag"] = f'"{path.parent.name}-{path.name}"'
    return response


def scope_of(design: Design) -> str:
    """Who may keep what a design shows: everybody's caches, or the reader's own alone."""
    return "public" if design.is_shown else "private"
