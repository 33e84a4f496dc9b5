"""What designs tell everybody: a design begins, a release comes out, a change is merged. Only what strangers see."""

from collections.abc import Iterator, Mapping
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.activity import sockets
from commons.activity.sockets import Happening, Source, Subject, SubjectKind
from designs.models import Design, Proposal, Release
from designs.policies import seen_by

PAGES = (
    "design",
    "design_file",
    "design_changes",
    "design_change",
    "design_history",
    "design_talk",
    "design_makes",
    "design_rights",
    "design_releases",
    "design_release",
    "design_forks",
)


def find(key: str) -> Subject | None:
    """A design that everybody sees."""
    owner, _slash, slug = key.partition("/")
    rows = Design.objects.filter(seen_by(None)).select_related("owner")
    found = rows.filter(owner__name=owner.lower(), slug=slug.lower()).first()
    return (
        Subject("design", f"{found.owner.name}/{found.slug}", found.name, found.get_absolute_url(), found)
        if found
        else None
    )


def tell(subject: Subject, most: int) -> Iterator[Happening]:
    """The newest of a design, of a person's designs, or of all."""
    seen = Design.objects.filter(seen_by(None))
    if subject.kind == "design":
        seen = seen.filter(pk=subject.thing.pk)
    elif subject.kind == "person":
        seen = seen.filter(owner=subject.thing)
    elif subject.kind != "city":
        return
    yield from _begun(seen, most)
    yield from _released(seen, most)
    yield from _merged(seen, most)


def _begun(seen: "QuerySet[Design]", most: int) -> Iterator[Happening]:
    for design in seen.exclude(head="").select_related("owner").order_by("-created_at")[:most]:
        said = _("New design: %(design)s") % {"design": design.name}
        url = design.get_absolute_url()
        yield Happening(f"design-{design.pk}", design.created_at, said, url, design.owner.title, design.summary)


def _released(seen: "QuerySet[Design]", most: int) -> Iterator[Happening]:
    rows = Release.objects.filter(design__in=seen.values("pk")).select_related("design__owner").order_by("-created_at")
    for release in rows[:most]:
        design = release.design
        said = _("%(design)s %(version)s is released") % {"design": design.name, "version": release.version}
        url = reverse("rooms:design_release", args=[design.owner.name, design.slug, release.version])
        yield Happening(f"release-{release.pk}", release.created_at, said, url, design.owner.title, release.name)


def _merged(seen: "QuerySet[Design]", most: int) -> Iterator[Happening]:
    rows = Proposal.objects.filter(design__in=seen.values("pk"), state=Proposal.State.MERGED, ended_at__isnull=False)
    for change in rows.select_related("design__owner", "author").order_by("-ended_at")[:most]:
        design = change.design
        said = _("A change to %(design)s was taken in: %(title)s") % {"design": design.name, "title": change.title}
        url = reverse("rooms:design_change", args=[design.owner.name, design.slug, change.number])
        assert change.ended_at is not None  # noqa: S101 the filter saw to it
        yield Happening(f"change-{change.pk}", change.ended_at, said, url, str(change.author or ""))


def _shown(context: Mapping[str, Any]) -> bool:
    design = context.get("design")
    return isinstance(design, Design) and design.is_shown


def register() -> None:
    """Designs may be followed, and tell what happens to them."""
    pages = {f"rooms:{name}": lambda at: f"{at['owner']}/{at['slug']}" for name in PAGES}
    sockets.kinds.register(SubjectKind("design", lazy("Designs"), find, pages, _shown, order=30))
    sockets.sources.register(Source("designs", tell, order=10))
