"""What a design's own files say of it: manifest and parts list, read again with every push."""

from collections.abc import Sequence

from django.db import transaction

from commons.errors import CityError
from designs import git, licences
from designs.bom import Line
from designs.git.repository import Entry
from designs.models import Design, OldAddress, PartUse, Source
from designs.okh import Manifest
from designs.okh.check import licence_for
from designs.queries.bom import bom_in
from designs.queries.manifests import reading_of, sources_of
from designs.queries.readiness import readiness_in
from designs.services import rights

MOST_USES = 500
MOST_TAGS = 20
MOST_SOURCES = 20


@transaction.atomic
def refresh(*, design: Design, entries: Sequence[Entry]) -> None:
    """Fill what the owner left empty from the manifest, note which designs are parts, count the readiness. Changes and
    saves `design`; what the owner typed is never overwritten, and a file that cannot be read changes nothing."""
    reading = reading_of(design, entries)
    fields = fill(design, reading[1].manifest) if reading else []
    if reading:
        _declare(design, reading[1].manifest)
    found = bom_in(design, entries)
    _write_uses(design, found.lines if found else ())
    design.readiness = readiness_in(design, entries).level
    design.save(update_fields=[*fields, "readiness"])


def count_readiness(*, design: Design) -> None:
    """Count the readiness of the shown version again, when not its files but what is known of it has changed: a make
    was told of or taken away, or a version was released."""
    entries = git.of(design.repository).files(design.head) if design.head else ()
    design.readiness = readiness_in(design, entries).level
    Design.objects.filter(pk=design.pk).update(readiness=design.readiness)


def fill(design: Design, manifest: Manifest) -> list[str]:
    """Give an unsaved design what it lacks; the names of the fields that changed."""
    changed = []
    if not design.summary and manifest.function:
        design.summary = " ".join(manifest.function.split())[:400]
        changed.append("summary")
    if design.licence == licences.UNKNOWN and (meant := licence_for(manifest.licence)) and len(meant) <= 160:
        design.licence = meant
        changed.append("licence")
    if not design.tags and manifest.keywords:
        words = (" ".join(word.split())[:40].lower() for word in manifest.keywords)
        design.tags = list(dict.fromkeys(word for word in words if word))[:MOST_TAGS]
        changed.append("tags")
    return changed


def _declare(design: Design, manifest: Manifest) -> None:
    """Write down what the manifest says that the design comes from or contains, for its chain of origins. What is there
    already stays; what the licence forbids, or what has no address, is left to the owner."""
    there = set(design.sources.values_list("url", flat=True))
    for relation, other in sources_of(manifest)[:MOST_SOURCES]:
        url = other.web or other.manifest
        if not url or url in there:
            continue
        there.add(url)
        kind = Source.Relation.PART if relation == "sub" else Source.Relation.ADAPTED
        try:
            rights.declare_source(design=design, by=None, title=other.title or url[:160], relation=kind, url=url)
        except CityError:
            continue


def _write_uses(design: Design, lines: Sequence[Line]) -> None:
    """The sub-assemblies of the default branch, and which of the city's designs they are; who sees which is asked when
    they are shown."""
    design.part_uses.all().delete()
    uses = []
    for line in [line for line in lines if line.design][:MOST_USES]:
        owner, _slash, slug = line.design.partition("/")
        uses.append(
            PartUse(
                design=design, used=_named(owner, slug), owner=owner[:39], slug=slug[:60], version=line.version[:100],
                name=line.name[:300], quantity=line.quantity,
            )
        )  # fmt: skip
    PartUse.objects.bulk_create(uses)
    PartUse.objects.filter(used=None, owner=design.owner.name, slug=design.slug).update(used=design)


def _named(owner: str, slug: str) -> Design | None:
    found = Design.objects.filter(owner__name=owner, slug=slug).first()
    moved = None if found else OldAddress.objects.filter(owner__name=owner, slug=slug).select_related("design").first()
    return moved.design if moved else found
