"""Parts lists of designs: which file holds one, what it adds up to, and which designs are parts of others."""

from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath
from urllib.parse import urlencode, urlsplit

from django.conf import settings
from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _

from commons.errors import CityError
from designs import bom, git, okh
from designs.bom import Bom, Found, Rolled
from designs.bom.table import MAX_BYTES
from designs.errors import DesignNotFound
from designs.git.repository import Entry
from designs.models import Design, OldAddress, PartUse
from designs.okh import Manifest
from designs.okh.documents import MAX_BYTES as MAX_TEXT
from designs.policies import Visitor, seen_by
from designs.queries.files import README_NAMES

TABLES = frozenset({".csv", ".tsv"})
#: Words in a file's name that say that it is a parts list, surest first.
NAMES = ("bom", "bill-of-materials", "bill_of_materials", "billofmaterials", "sbom", "parts-list", "partslist", "parts",
         "stueckliste", "stückliste", "teileliste", "nomenclature", "osaluettelo", "components")  # fmt: skip
#: Sub-assemblies whose lists are read for one sum.
MAX_DESIGNS = 100


def site() -> str:
    """The host whose addresses are designs of ours."""
    return urlsplit(settings.PUBLIC_URL).netloc


def table_entry(entries: Iterable[Entry], named: str) -> Entry | None:
    """The table that is the parts list of a version: the one that its manifest names, else the one whose own name says
    so, highest up."""
    tables = [e for e in entries if PurePosixPath(e.path.lower()).suffix in TABLES and not e.is_symlink]
    told = named.lstrip("/").removeprefix("./").split("#")[0]
    exact = next((entry for entry in tables if told and entry.path == told), None)
    ranked = [(rank, entry) for entry in tables if (rank := _rank(entry.path)) is not None]
    return exact or min(ranked, key=lambda item: item[0], default=(None, None))[1]


def _rank(path: str) -> tuple[int, int, str] | None:
    stem = PurePosixPath(path.lower()).stem.replace(" ", "-")
    for number, name in enumerate(NAMES):
        if stem == name or (number < 7 and name in stem.replace("_", "-").split("-")):
            return path.count("/"), number, path
    return None


def bom_at(design: Design, commit: str) -> Bom | None:
    """The parts list of a version, None where it has none."""
    return bom_in(design, git.of(design.repository).files(commit)) if commit else None


def bom_in(design: Design, entries: Sequence[Entry]) -> Bom | None:
    """The same, from the files of a version: a table, the head of the README, or the parts of its OKH manifest."""
    from designs.queries.manifests import reading_of  # noqa: PLC0415 they ask each other

    reading = reading_of(design, entries)
    manifest: Manifest = reading[1].manifest if reading else okh.Manifest()
    repository = git.of(design.repository)
    table = table_entry(entries, manifest.bom)
    if table is not None:
        raw = repository.read(table.oid, limit=MAX_BYTES) if table.size <= MAX_BYTES else b"\0"
        return bom.read_table(raw, table.path, site=site())
    for entry in _texts(entries):
        text = repository.read(entry.oid, limit=MAX_TEXT).decode("utf-8", "replace")
        if (found := bom.read_front_matter(text, entry.path, site=site())) is not None:
            return found
    return bom.from_manifest(manifest, reading[0].path) if reading else None


def _texts(entries: Iterable[Entry]) -> list[Entry]:
    """Texts whose head may hold parts: the README, bom.md, parts.md."""
    wanted = {*README_NAMES, *(f"{name}.md" for name in NAMES)}
    return [e for e in entries if e.path.lower() in wanted and e.size <= MAX_TEXT and not e.is_symlink]


def rolled(design: Design, commit: str, found: Bom, visitor: Visitor) -> Rolled:
    """A parts list with its sub-assemblies, as far as the visitor may see them."""
    return bom.roll_up(found.lines, _Resolver(visitor), key=(design.pk, commit))


class _Resolver:
    """Looks sub-assemblies up; what the visitor may not see is as if it were not there."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor
        self.seen = 0

    def __call__(self, address: str, version: str) -> Found | str:
        self.seen += 1
        if self.seen > MAX_DESIGNS:
            return _("More than %(n)d sub-assemblies are not added up.") % {"n": MAX_DESIGNS}
        design = part_design(address, self.visitor)
        if design is None:
            return _("There is no design “%(name)s” here, or it is not yours to see.") % {"name": address}
        repository = git.of(design.repository)
        try:
            commit = repository.commit_of(version) if version else repository.head(design.default_branch)
        except CityError:
            return _("“%(name)s” has no version “%(version)s”.") % {"name": address, "version": version[:60]}
        found = bom_at(design, commit)
        if found is None or not found.lines:
            return _("“%(name)s” has no parts list; its mass and cost are not known.") % {"name": address}
        url = reverse("rooms:design_bom", args=[design.owner.name, design.slug])
        return Found((design.pk, commit), found.lines, design.name, f"{url}?{urlencode({'ref': commit})}")


def part_design(address: str, visitor: Visitor) -> Design | None:
    """The design of `owner/slug`, by an old address too, that the visitor may see."""
    owner, _slash, slug = address.partition("/")
    seen = Design.objects.filter(seen_by(visitor)).select_related("owner", "owner__user", "owner__organisation")
    found = seen.filter(owner__name=owner, slug=slug).first()
    if found is None:
        moved = OldAddress.objects.filter(owner__name=owner, slug=slug).values("design")
        found = seen.filter(pk__in=moved).first()
    return found


def used_in(design: Design, visitor: Visitor) -> QuerySet[PartUse]:
    """Where a design is a part of others that the visitor may see, by their names."""
    return (
        PartUse.objects.filter(used=design, design__in=Design.objects.filter(seen_by(visitor)).values("pk"))
        .exclude(design=design)
        .select_related("design", "design__owner", "design__owner__user", "design__owner__organisation")
        .order_by("design__name", "pk")
    )


def wanted(design: Design, commit: str) -> Bom:
    """The parts list of a version. Raises DesignNotFound when it has none."""
    found = bom_at(design, commit)
    if found is None:
        raise DesignNotFound(_("This version has no parts list."))
    return found
