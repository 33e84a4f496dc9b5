"""The pages of one design: overview, a file, history."""

from collections import Counter
from pathlib import PurePosixPath
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.safestring import SafeString
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from commons.shelf import Shelf
from commons.web.lately import kept_a_moment
from designs import markdown, queries
from designs.addresses import layer_url
from designs.git import pointers
from designs.git.repository import Commit
from designs.models import Blob, Design
from designs.policies import may_offer
from designs.queries import lineage
from designs.queries.boards import Board, board_in, boards
from designs.queries.bom import bom_in
from designs.queries.file_licences import licence_at
from designs.queries.files import File, file_at, files_at, history, readme, sheet_of, text_of
from designs.queries.layers import layers_of
from designs.queries.makes import photos_of
from designs.queries.pictures import drawn, pictures_at
from designs.queries.proposals import offer_of
from designs.queries.readiness import readiness_in
from designs.services import previews
from designs.services.covers import choose_version
from designs.views.frame import frame
from designs.visitors import of_session

PAGE_OF_COMMITS = 40
#: So many of the newest commits say who made the design.
MOST_COMMITS = 500
#: Heights that are worth sending so that a slider can say them.
MOST_HEIGHTS = 1500

# What a design tells of itself, by all that it is rendered of.
_rendered: Shelf[SafeString] = Shelf(2_000_000)


@kept_a_moment
@require_safe
def design(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """Can I make this, where, at what cost?"""
    found, commit, context = frame(request, owner, slug, tab="overview")
    files = files_at(found, commit)
    drawn_boards = boards(files)[:4]
    undrawn = any(board.about is None for board in drawn_boards)
    asked = previews.ask(design=found, blobs=[file.blob for file in files], commit=commit, more=undrawn)
    context["run"] = asked or context["run"]
    entries = [file.entry for file in files]
    about = readme(files)
    text = text_of(found, about) if about else None
    grown = history(found, commit, limit=MOST_COMMITS)
    context |= {
        "files": files,
        "shown": _shown(found, files, request.GET.get("show", "")),
        "boards": drawn_boards,
        "strip": [file for file in files if file.is_drawn][:12],
        "failed": [file for file in files if file.status == Blob.Preview.FAILED],
        "waiting": sum(file.status == Blob.Preview.PENDING for file in files),
        "readme": _markdown(found, commit, text, files=files) if text else "",
        "bom": bom_in(found, entries),
        "readiness": readiness_in(found, entries),
        "newest": grown[:5],
        "people": _people(grown),
        "chain": lineage.chain(found, visitor=of_session(request)),
        "photos": photos_of(found, of_session(request), limit=4),
        **_offer(request, found, context["forked_from"]),
    }
    return render(request, "designs/design.html", context)


def _offer(request: HttpRequest, design: Design, parent: Design | None) -> dict[str, Any]:
    """How far a fork is ahead of what it comes from, the open change that offers it, and whether one may offer it."""
    found = offer_of(design) if parent is not None else None
    if found is None or parent is None:
        return {}
    ahead, offered = found
    return {"ahead": ahead, "offered": offered, "may_offer": may_offer(of_session(request), design, parent)}


def _shown(design: Design, files: list[File], path: str) -> File | None:
    """The file on the stage: the one asked for, else the cover, else the first that is drawn."""
    drawn = {file.path: file for file in files if file.is_drawn}
    if path in drawn:
        return drawn[path]
    version = choose_version(design)
    cover = drawn.get(version.path) if version is not None else None
    if cover is not None and cover.blob is not None and cover.blob.glb:
        return cover
    # What is made of several files is nobody's cover, and yet says more than a picture of the thing or its path.
    solid = next((file for file in drawn.values() if file.blob is not None and file.blob.made_of), None)
    return solid or cover or next(iter(drawn.values()), None)


def _people(grown: list[Commit]) -> list[str]:
    """Everybody who made a commit, most first."""
    names = Counter(entry.author for entry in grown)
    return [name for name, _count in names.most_common()]


@require_safe
def file(request: HttpRequest, owner: str, slug: str, path: str) -> HttpResponse:
    """What is this file?"""
    found, commit, context = frame(request, owner, slug)
    shown = file_at(found, commit, path)
    board = _board_of(found, commit, shown)
    undrawn = board is not None and board.about is None
    context["run"] = previews.ask(design=found, blobs=[shown.blob], commit=commit, more=undrawn) or context["run"]
    script = text_of(found, shown) if shown.format == "openscad" else None
    text = script if not shown.is_drawn else None
    if not shown.is_drawn and script is None:
        text = text_of(found, shown)
    is_markdown = shown.format == "markdown"
    sheet = sheet_of(found, shown) if shown.format == "csv" else None
    absent = None if text is None or shown.is_large else pointers.read(text.encode())
    context |= {
        "file": shown,
        "text": None if is_markdown or absent or sheet else text,
        "sheet": sheet,
        **_layers(request, found, shown),
        "absent": absent,
        "script": script,
        "board": board,
        "editable": (text is not None or script is not None) and absent is None and not shown.entry.is_symlink,
        "rendered": _markdown(found, commit, text, path=shown.path) if is_markdown and text else "",
        "versions": history(found, commit, limit=12, path=path),
        "licence": licence_at(found, commit, shown.path),
        "elsewhere": _elsewhere(request, found, shown),
    }
    return render(request, "designs/file.html", context)


def _layers(request: HttpRequest, design: Design, shown: File) -> dict[str, Any]:
    """The layers of a program, and the one that is asked for (`layer`, from 1); nothing where there are none."""
    found = layers_of(shown.blob)
    if found is None or shown.blob is None:
        return {}
    asked = request.GET.get("layer", "")
    number = min(max(1, int(asked[:6])), len(found)) if asked.isdecimal() and asked.isascii() else 0
    return {
        "layers": len(found),
        "layer": number,
        "layer_mm": found.heights_mm[number - 1] if number else None,
        "layer_url": layer_url(design, shown.blob, number or 1),
        "layer_address": layer_url(design, shown.blob, 0),
        "layer_steps": [step for step in _steps(number, len(found)) if step[0] != number],
        "heights": ",".join(f"{z:g}" for z in found.heights_mm) if len(found) <= MOST_HEIGHTS else "",
    }


def _steps(number: int, count: int) -> list[tuple[int, str, str]]:
    """Where one may go from a layer, or from the whole path: the layer, words, and the step that this is."""
    if not number:
        return [(1, _("First layer"), ""), ((count + 1) // 2, _("Middle layer"), ""), (count, _("Last layer"), "")]
    return [(max(1, number - 1), _("Layer below"), "-1"), (min(count, number + 1), _("Layer above"), "1")]


def _markdown(design: Design, commit: str, text: str, *, path: str = "", files: list[File] | None = None) -> SafeString:
    """A text of a version as a page, with the pictures of the same version."""
    folder = path.rpartition("/")[0]
    place = {"owner": design.owner.name, "slug": design.slug, "ref": commit}
    if files is None:
        return markdown.render(text, **place, folder=folder, pictures=pictures_at(design, commit))
    shown = drawn(design, files)
    key = get_language(), *place.values(), folder, text, *shown.items()
    return _rendered.get(key, lambda: markdown.render(text, **place, folder=folder, pictures=shown.get), len)


def _board_of(design: Design, commit: str, shown: File) -> Board | None:
    """The circuit board that a Gerber file is part of."""
    if shown.format != "gerber":
        return None
    return board_in(files_at(design, commit), str(PurePosixPath(shown.path).parent))


def _elsewhere(request: HttpRequest, design: Design, shown: File) -> list[Any]:
    """Other designs that hold exactly these bytes."""
    origins = queries.origins(blob=shown.entry.oid, visible_to=of_session(request))
    return [origin for origin in origins if origin.design.pk != design.pk][:6]


@require_safe
def history_page(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """How did it grow?"""
    found, commit, context = frame(request, owner, slug, tab="history")
    page = max(1, int(request.GET["page"])) if request.GET.get("page", "").isdecimal() else 1
    commits = history(found, commit, limit=PAGE_OF_COMMITS + 1, skip=(page - 1) * PAGE_OF_COMMITS)
    context |= {
        "commits": commits[:PAGE_OF_COMMITS],
        "earlier": page + 1 if len(commits) > PAGE_OF_COMMITS else None,
        "later": page - 1 if page > 1 else None,
    }
    return render(request, "designs/history.html", context)
