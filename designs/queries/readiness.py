"""How far a design is from being made by a stranger: what is there, what is missing, and where to mend it.

The levels follow the ideas of DIN SPEC 3105-1 and the documentation readiness of OKH-LOSH; docs/okh.md says them in
words.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from designs import git, licences
from designs.bom import Bom
from designs.git.repository import Entry
from designs.models import Design, Release
from designs.okh import Manifest
from designs.queries.bom import bom_in
from designs.queries.files import README_NAMES
from designs.queries.manifests import has_guide, reading_of, roles

HIGHEST = 5
LEVELS: dict[int, str | Promise] = {
    0: _("Just begun"),
    1: _("Described"),
    2: _("Open"),
    3: _("Makeable"),
    4: _("Changeable"),
    5: _("Proven"),
}
LICENCE_FILES = ("license", "licence", "copying", "licenses/")


@dataclass(frozen=True, slots=True)
class Item:
    """Something that a design of its level has. `how` says how to get there and `url` leads to the place."""

    slug: str
    level: int
    done: bool
    title: str | Promise
    how: str | Promise
    url: str = ""


@dataclass(frozen=True, slots=True)
class Readiness:
    """The highest level of which nothing is missing, nor of those below."""

    level: int
    items: tuple[Item, ...]

    @property
    def name(self) -> str | Promise:
        """The level in a word."""
        return LEVELS[self.level]

    @property
    def missing(self) -> list[Item]:
        """What is left to do, lowest level first."""
        return [item for item in self.items if not item.done]

    @property
    def next(self) -> list[Item]:
        """What is left to do for the next level."""
        return [item for item in self.missing if item.level == self.level + 1]

    @property
    def by_level(self) -> list[dict[str, Any]]:
        """The levels with what each asks for."""
        return [
            {"level": level, "name": LEVELS[level], "reached": level <= self.level,
             "items": [item for item in self.items if item.level == level]}
            for level in range(1, HIGHEST + 1)
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a version holds, looked at once."""

    design: Design
    entries: Sequence[Entry]
    manifest: Manifest
    has_manifest: bool
    bom: Bom | None


def readiness(design: Design, commit: str) -> Readiness:
    """The readiness of a version."""
    return readiness_in(design, git.of(design.repository).files(commit) if commit else [])


def readiness_in(design: Design, entries: Sequence[Entry]) -> Readiness:
    """The same from the files of a version."""
    own = reading_of(design, entries)
    seen = _Seen(design, entries, own[1].manifest if own else Manifest(), own is not None, bom_in(design, entries))
    items = (*_described(seen), *_open(seen), *_makeable(seen), *_changeable(seen), *_proven(seen))
    level = HIGHEST
    for item in items:
        if not item.done:
            level = min(level, item.level - 1)
    return Readiness(level, items)


def _described(seen: _Seen) -> list[Item]:
    design, manifest = seen.design, seen.manifest
    tops = {entry.path.lower() for entry in seen.entries}
    return [
        Item("files", 1, bool(seen.entries), _("Files"), _("Push its files with git or add them here."),
             _place(design, "design_upload", "design")),
        Item("readme", 1, bool(tops & set(README_NAMES)), _("A README"),
             _("Write a README.md: what it is, what for, what it needs."), _edit(design, "README.md")),
        Item("summary", 1, bool(design.summary or manifest.function), _("What it is for, in a sentence"),
             _("Fill in the sentence under its name, or “function” in okh.toml."), _place(design, "design_settings")),
    ]  # fmt: skip


def _open(seen: _Seen) -> list[Item]:
    design = seen.design
    named = any(entry.path.lower().startswith(LICENCE_FILES) for entry in seen.entries)
    return [
        Item("licence", 2, is_open(design.licence), _("An open licence"),
             _("Choose one that lets everybody make, change and sell it, such as CERN-OHL-S-2.0."),
             _place(design, "design_settings")),
        Item("licence-text", 2, named, _("The licence's text"),
             _("Put the text of the licence into a file LICENSE, so that copies carry it."), _edit(design, "LICENSE")),
    ]  # fmt: skip


def _makeable(seen: _Seen) -> list[Item]:
    design, manifest = seen.design, seen.manifest
    sources, exports = roles(seen.entries)
    counted = seen.bom is not None and any(line.quantity is not None for line in seen.bom.lines)
    guided = bool(manifest.instructions) or has_guide(seen.entries)
    return [
        Item("exports", 3, bool(exports or sources), _("Files that a machine or a shop takes"),
             _("Add what is cut, printed or etched: STL, 3MF, STEP, DXF, SVG or Gerber."),
             _place(design, "design_upload", "design")),
        Item("bom", 3, counted, _("A parts list with counts"),
             _("Add bom.csv with the columns name, quantity, mass g and cost EUR."), _edit(design, "bom.csv")),
        Item("instructions", 3, guided, _("Instructions for making it"),
             _("Write them into assembly.md, or name the file in okh.toml as “manufacturing-instructions”."),
             _edit(design, "assembly.md")),
    ]  # fmt: skip


def _changeable(seen: _Seen) -> list[Item]:
    design = seen.design
    sources, _exports = roles(seen.entries)
    released = Release.objects.filter(design=design).exists()
    return [
        Item("sources", 4, bool(sources or seen.manifest.sources), _("Source files"),
             _("Add the files that you change yourself, such as STEP, FreeCAD, OpenSCAD or KiCad."),
             _place(design, "design_upload", "design")),
        Item("manifest", 4, seen.has_manifest, _("An OKH manifest"),
             _("Take the one that is filled in for you, look it over, and put it into the design as okh.toml."),
             _place(design, "design_manifest")),
        Item("release", 4, released, _("A release"),
             _("Publish a version that never changes again, so that others can name what they made."),
             _place(design, "design_releases", "design_release_new")),
    ]  # fmt: skip


def _proven(seen: _Seen) -> list[Item]:
    design, manifest = seen.design, seen.manifest
    made = design.make_count > 0 or manifest.made_independently is True
    return [
        Item("made", 5, made, _("Made by somebody else"),
             _("Ask a lab or a neighbour to make it from this page alone, and to say how it went."),
             _place(design, "design_makes", "design")),
    ]  # fmt: skip


def is_open(licence: str) -> bool:
    """Whether everybody may make, change and sell it."""
    return licences.is_open(licence)


def _place(design: Design, *names: str) -> str:
    """The first of these pages that there is."""
    for name in names:
        try:
            return reverse(f"rooms:{name}", args=[design.owner.name, design.slug])
        except NoReverseMatch:
            continue
    return ""


def _edit(design: Design, path: str) -> str:
    """Where a file of that name is written."""
    for name in ("design_edit", "design_file_new", "design_new_file"):
        try:
            return reverse(f"rooms:{name}", args=[design.owner.name, design.slug, path])
        except NoReverseMatch:
            continue
    return _place(design, "design_upload", "design")
