"""The OKH manifest of a design: the one that stands in a version, and the one that we fill from all that we know."""

import dataclasses
from collections.abc import Callable, Iterable, Sequence
from pathlib import PurePosixPath

from django.conf import settings
from django.urls import NoReverseMatch, reverse

from designs import git, okh
from designs.git.repository import Entry
from designs.models import Design, Release
from designs.okh import FileRef, Manifest, Person, Reading, Reference, Unreadable
from designs.okh.check import Checked, check, licence_for
from designs.okh.documents import MAX_BYTES
from designs.queries import bom as boms
from designs.queries.files import history

#: Endings by the role that a file of that kind has in a design.
SOURCES = frozenset({
    ".scad", ".fcstd", ".f3d", ".f3z", ".sldprt", ".sldasm", ".ipt", ".iam", ".blend", ".skp", ".step", ".stp", ".igs",
    ".iges", ".kicad_pro", ".kicad_pcb", ".kicad_sch", ".brd", ".sch", ".dxf", ".svg", ".py", ".ino", ".dwg", ".3dm",
    ".prt", ".asm", ".odg", ".ods",
})  # fmt: skip
EXPORTS = frozenset({
    ".stl", ".3mf", ".obj", ".ply", ".amf", ".glb", ".off", ".gcode", ".gbr", ".gtl", ".gbl", ".gts", ".gbs", ".gto",
    ".gbo", ".gko", ".gm1", ".drl", ".xln", ".dxf", ".svg", ".step", ".stp", ".pdf",
})  # fmt: skip
GUIDES = ("assembly", "assemble", "build", "making", "instruction", "manufactur", "howto", "how-to", "montage",
          "bauanleitung", "anleitung", "aufbau", "ohje", "kokoamis")  # fmt: skip
MANUALS = ("manual", "usage", "user", "operat", "bedienung", "kayttoohje", "käyttöohje")
TEXTS = frozenset({".md", ".markdown", ".txt", ".rst", ".pdf", ".html", ".odt", ".adoc"})
IMAGES = frozenset({".png", ".jpg", ".jpeg", ".webp", ".svg", ".gif"})
MOST_FILES = 200


def is_manifest(path: str) -> bool:
    """Whether a file is called as manifests are: okh.toml, okh.yml, okh-NAME.yml, NAME.okh.toml, okh-manifest.yaml."""
    name = PurePosixPath(path.lower())
    return name.suffix in {".toml", ".yml", ".yaml"} and any(
        word == "okh" for word in name.stem.replace("_", "-").replace(".", "-").split("-")
    )


def manifest_entry(entries: Iterable[Entry]) -> Entry | None:
    """The manifest among the files of a version: highest up, okh.toml before others."""
    found = [entry for entry in entries if is_manifest(entry.path) and not entry.is_symlink]
    return min(found, key=_rank, default=None)


def _rank(entry: Entry) -> tuple[int, int, str]:
    exact = ("okh.toml", "okh.yml", "okh.yaml")
    name = entry.name.lower()
    return entry.path.count("/"), exact.index(name) if name in exact else len(exact), entry.path


def reading_of(design: Design, entries: Sequence[Entry]) -> tuple[Entry, Reading] | None:
    """The manifest's file in a version and what it says; None where there is none that can be read."""
    entry = manifest_entry(entries)
    if entry is None or entry.size > MAX_BYTES:
        return None
    try:
        return entry, okh.read(git.of(design.repository).read(entry.oid, limit=MAX_BYTES), entry.name)
    except Unreadable:
        return None


def checked_of(design: Design, entries: Sequence[Entry]) -> tuple[Entry, Checked, str] | None:
    """The manifest's file in a version, what is found in it, and its text; None where there is none."""
    entry = manifest_entry(entries)
    if entry is None:
        return None
    raw = git.of(design.repository).read(entry.oid, limit=MAX_BYTES) if entry.size <= MAX_BYTES else b"\0"
    paths = {one.path for one in entries}
    folder = entry.path.rpartition("/")[0]
    there = check(
        raw,
        entry.name,
        has_file=lambda path: path in paths or f"{folder}/{path}".lstrip("/") in paths,
        site=settings.PUBLIC_URL,
    )
    return entry, there, raw.decode("utf-8", "replace") if entry.size <= MAX_BYTES else ""


def sources_of(manifest: Manifest) -> list[tuple[str, Reference]]:
    """(relation, other thing) that a manifest declares: derivative-of, variant-of, sub."""
    related = (("derivative-of", manifest.derivative_of), ("variant-of", manifest.variant_of), ("sub", manifest.sub))
    return [(relation, other) for relation, others in related for other in others]


def filled(design: Design, commit: str) -> Manifest:
    """The manifest of a version with everything that the city knows: what the design's own manifest says stands, what
    it leaves out comes from the design, its history, parts list, releases and files by their role."""
    entries = git.of(design.repository).files(commit) if commit else []
    own = reading_of(design, entries)
    said = own[1].manifest if own else Manifest()
    release = Release.objects.filter(design=design, commit=commit).order_by("-created_at").first() if commit else None
    sources, exports = _by_role(entries)
    known = Manifest(
        name=design.name,
        repo=_page(design),
        version=release.version if release else (said.version or (f"0.0.0+{commit[:10]}" if commit else "0.0.0")),
        release=_release(design, release) if release else "",
        licence=release.licence if release else design.licence,
        licensors=(Person(design.owner.title),),
        contributors=tuple(Person(name) for name in _authors(design, commit)),
        function=design.summary or design.name,
        keywords=tuple(design.tags),
        readme=_first(entries, lambda path: path.lower().startswith("readme") and "/" not in path),
        images=_images(design, entries),
        bom=_bom(design, entries),
        instructions=_guides(entries, GUIDES),
        manuals=_guides(entries, MANUALS),
        size=_size(design),
        derivative_of=_parent(design),
        sources=sources,
        exports=exports,
    )
    fixed = {"name", "licence", "release"} | ({"version"} if release else set())
    changes = {
        field.name: getattr(known, field.name)
        for field in dataclasses.fields(Manifest)
        if field.name not in {"spec", "extra"}
        and getattr(known, field.name)
        and (field.name in fixed or not getattr(said, field.name))
    }
    return dataclasses.replace(said, **{**_spelled(said), **changes})


def _spelled(said: Manifest) -> dict[str, str]:
    """Licences of the manifest as SPDX writes them; nothing else of what its author wrote is touched."""
    return {
        name: licence_for(text)
        for name in ("licence_documentation", "licence_software")
        if (text := getattr(said, name)) and licence_for(text)
    }


def _page(design: Design) -> str:
    return f"{settings.PUBLIC_URL}{reverse('rooms:design', args=[design.owner.name, design.slug])}"


def _release(design: Design, release: Release) -> str:
    try:
        where = reverse("rooms:design_release", args=[design.owner.name, design.slug, release.version])
    except NoReverseMatch:
        return _page(design)
    return f"{settings.PUBLIC_URL}{where}"


def _authors(design: Design, commit: str) -> list[str]:
    names = dict.fromkeys(entry.author for entry in history(design, commit, limit=500))
    return [name for name in names if name != design.owner.title][:50]


def _first(entries: Iterable[Entry], fits: Callable[[str], bool]) -> str:
    return next((entry.path for entry in entries if fits(entry.path)), "")


def _images(design: Design, entries: Iterable[Entry]) -> tuple[str, ...]:
    found = [e.path for e in entries if PurePosixPath(e.path).suffix.lower() in IMAGES - {".svg"}]
    if found:
        return (min(found, key=lambda path: (path.count("/"), path)),)
    cover = design.cover
    if cover is None or not cover.png:
        return ()
    where = reverse("design-preview", args=[design.owner.name, design.slug, cover.oid, "png"])
    return (f"{settings.PUBLIC_URL}{where}",)


def _bom(design: Design, entries: Sequence[Entry]) -> str:
    found = boms.table_entry(entries, "")
    return found.path if found else ""


def _guides(entries: Iterable[Entry], words: tuple[str, ...]) -> tuple[FileRef, ...]:
    return tuple(
        FileRef(entry.path)
        for entry in entries
        if PurePosixPath(entry.path).suffix.lower() in TEXTS and any(word in entry.path.lower() for word in words)
    )[:MOST_FILES]


def has_guide(entries: Iterable[Entry]) -> bool:
    """Whether a version holds a text that by its name says how to make the thing."""
    return bool(_guides(entries, GUIDES))


def _by_role(entries: Iterable[Entry]) -> tuple[tuple[FileRef, ...], tuple[FileRef, ...]]:
    """Sources and exports by their endings; a format that is both (STEP, DXF, SVG) is an export beside a source of the
    same name, else a source."""
    paths = [PurePosixPath(entry.path) for entry in entries if not entry.is_symlink]
    both = SOURCES & EXPORTS
    native = {str(p.with_suffix("")) for p in paths if p.suffix.lower() in SOURCES - both}
    sources: list[FileRef] = []
    exports: list[FileRef] = []
    for path in paths:
        ending = path.suffix.lower()
        if ending in TEXTS:
            continue
        if ending in both:
            (exports if str(path.with_suffix("")) in native else sources).append(FileRef(str(path)))
        elif ending in SOURCES:
            sources.append(FileRef(str(path)))
        elif ending in EXPORTS:
            exports.append(FileRef(str(path)))
    return tuple(sources[:MOST_FILES]), tuple(exports[:MOST_FILES])


def roles(entries: Iterable[Entry]) -> tuple[int, int]:
    """(how many sources, how many exports) a version holds."""
    sources, exports = _by_role(entries)
    return len(sources), len(exports)


def _size(design: Design) -> tuple[str, str] | tuple[()]:
    if not design.box_mm:
        return ()
    return "mm", f"cube(size = [{','.join(f'{side:g}' for side in design.box_mm)}])"


def _parent(design: Design) -> tuple[Reference, ...]:
    """What it was forked from, when everybody may see that."""
    parent = design.forked_from
    if parent is None or not parent.is_public or parent.deleted_at is not None:
        return ()
    return (Reference(title=parent.name, web=_page(parent)),)
