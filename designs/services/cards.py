"""What the list knows of a design, made again from its files: formats, ways of making, the size of its parts, the
words of its README, the known words. The rest of a card the database keeps in step by itself (migration 0009_search).
"""

import logging
from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, transaction

from designs import git, vocabulary
from designs.errors import GitFailed
from designs.models import AboutText, Design
from designs.queries import words
from designs.queries.files import README_NAMES

log = logging.getLogger(__name__)

MAX_ABOUT = 20_000
TOLD_BY = ("bom.csv", "parts.csv")
#: Their size is of a bed, a sheet or a screen, not of a part.
NO_PARTS = frozenset({"program", "picture", "document", "table", "schematic"})
WHOLE = ("assembly", "preview", "exploded")
Box = tuple[float, float, float]


@transaction.atomic
def refresh(design: Design) -> None:
    """Make a design's columns for the list, and the words of its README, again. Called when its index or its previews
    have changed; twice is harmless."""
    files = list(_files(design))
    formats = sorted({file_format for _path, file_format, *_rest in files if file_format})
    about = _texts(design, {path: (oid, size) for path, _format, oid, size, _facts in files})
    fields: dict[str, Any] = {
        "formats": formats,
        "processes": vocabulary.processes_of(formats, f"{design.name} {design.summary} {about}"),
        "box_mm": box_of([(path, facts) for path, _format, _oid, _size, facts in files if facts]),
    }
    for name, value in fields.items():
        setattr(design, name, value)
    Design.objects.filter(pk=design.pk).update(**fields)
    AboutText.objects.filter(pk=design.pk).update(about=about)
    transaction.on_commit(lambda: learn(design))


def _files(design: Design) -> Iterable[tuple[str, str, str, int, dict[str, Any] | None]]:
    return (
        design.file_versions.filter(current=True)
        .order_by("path")
        .values_list("path", "blob__format", "blob__oid", "blob__size", "blob__facts")
    )


def box_of(shapes: Sequence[tuple[str, dict[str, Any]]]) -> list[float] | None:
    """The box (mm, longest side first) that every part goes into, turned as it likes; None when no size is known.

    A file that shows the whole thing put together counts only when there are no others.
    """
    sizes = [(path, box) for path, facts in shapes if (box := _sides(facts))]
    parts = [box for path, box in sizes if not _is_whole(path)] or [box for _path, box in sizes]
    return [max(sides) for sides in zip(*parts, strict=True)] if parts else None


def _sides(facts: dict[str, Any]) -> Box | None:
    extents = facts.get("extents_mm") or []
    if (facts.get("more") or {}).get("kind") in NO_PARTS or not (2 <= len(extents) <= 3 and any(extents)):
        return None
    long, middle, short = sorted([*map(float, extents), *([0.0] * (3 - len(extents)))], reverse=True)
    return long, middle, short


def _is_whole(path: str) -> bool:
    stem = path.rsplit("/", 1)[-1].rsplit(".", 1)[0].lower().replace("_", "-")
    return any(stem == word or stem.endswith(f"-{word}") for word in WHOLE)


def _texts(design: Design, files: dict[str, tuple[str, int]]) -> str:
    """The beginning of the README and of the parts list, as text; nothing where they cannot be read."""
    tops = {path.lower(): found for path, found in files.items() if "/" not in path}
    readme = next((tops[name] for name in README_NAMES if name in tops), None)
    wanted = [found for found in (readme, *(tops.get(name) for name in TOLD_BY)) if found]
    texts = []
    for oid, size in wanted:
        try:
            raw = git.of(design.repository).read(oid, limit=max(size, 1)) if size <= MAX_ABOUT * 10 else b""
        except (GitFailed, OSError):
            log.warning("%s of design %s could not be read for search", oid, design.pk)
            continue
        texts.append(raw.decode("utf-8", "replace").replace("\0", " "))
    return "\n".join(texts)[:MAX_ABOUT]


def learn(design: Design) -> None:
    """Keep the words of a design's name, tags, owner and summary, so that typing errors find them.

    In one statement and in the order of the alphabet: two that learn the same words wait, and never for each other.
    """
    texts = (design.name, " ".join(design.tags), design.owner.name, design.owner.title, design.summary)
    told = sorted({word for text in texts for word in words.all_of(text) if len(word) >= 3})
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO designs_knownword (word) SELECT unnest(%s::text[]) ON CONFLICT (word) DO NOTHING", [told]
        )
