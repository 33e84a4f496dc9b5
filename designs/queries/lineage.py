"""Where a design comes from, over any number of hops: forks from git, and the sources that owners declare."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.urls import reverse
from django.utils.translation import gettext as _

from designs.licences import derive
from designs.models import Design, Source
from designs.policies import Visitor, seen_by

#: Nobody reads further, and a ring of declared sources ends.
MOST_LINKS = 200
RELATIONS = dict(Source.Relation.choices)


@dataclass(frozen=True, slots=True)
class Link:
    """One step back. `hops` is how many steps from the design (0 is the design itself); `design` is set when it is one
    that the visitor may see; `gone` says that the original is no longer here and this is what was written down."""

    hops: int
    relation: str
    title: str
    authors: str
    licence: str
    url: str = ""
    commit: str = ""
    design: Design | None = None
    gone: bool = False

    @property
    def name(self) -> str:
        """How people call it."""
        return self.title

    @property
    def words(self) -> str:
        """The relation in words."""
        return str(RELATIONS.get(self.relation, ""))

    def as_data(self) -> dict[str, Any]:
        """What is written down of it for the time when it is gone."""
        return {
            "title": self.title, "authors": self.authors, "licence": self.licence, "url": self.url,
            "relation": self.relation,
        }  # fmt: skip


def url_of(design: Design) -> str:
    """The address of a design's page."""
    return f"{settings.PUBLIC_URL}{reverse('rooms:design', args=[design.owner.name, design.slug])}"


def chain(design: Design, *, visitor: Visitor = None) -> list[Link]:
    """The design and everything that it comes from, newest first, as this visitor may see it.

    An original that became private is told without its name; one that is gone is told from what was written down.
    """
    link = Link(0, "", design.name, design.owner.title, design.licence, url_of(design), design.head, design)
    return [link, *sources_of(design, visitor=visitor)]


def sources_of(design: Design, *, visitor: Visitor = None) -> list[Link]:
    """The chain without the design itself."""
    found: list[Link] = []
    for link in _back(design, visitor, 1, {design.pk}):
        found.append(link)
        if len(found) >= MOST_LINKS:
            break
    return found


def _back(design: Design, visitor: Visitor, hops: int, seen: set[int]) -> Iterator[Link]:
    """Each source of a design followed by its own sources."""
    for source in _sources(design):
        linked = source.linked
        if linked is not None and linked.pk in seen:
            continue
        if linked is None or linked.deleted_at is not None:
            yield from _remembered(source, hops, gone=source.linked_id is not None or source.relation == "fork")
            continue
        seen.add(linked.pk)
        if Design.objects.filter(seen_by(visitor), pk=linked.pk).exists():
            yield Link(
                hops, source.relation, linked.name, linked.owner.title, source.licence, url_of(linked), source.commit,
                linked,
            )  # fmt: skip
            yield from _back(linked, visitor, hops + 1, seen)
        else:
            yield _hidden(source, hops)


def _sources(design: Design) -> list[Source]:
    """What is written down, and a fork that somebody forgot to write down. The fork comes first."""
    listed = list(
        design.sources.select_related(
            "linked", "linked__owner", "linked__owner__user", "linked__owner__organisation"
        ).order_by("created_at", "pk")
    )
    parent = design.forked_from
    if parent is not None and not any(each.relation == Source.Relation.FORK for each in listed):
        listed.insert(0, fork_source(design, parent))
    return sorted(listed, key=lambda each: each.relation != Source.Relation.FORK)


def fork_source(design: Design, parent: Design) -> Source:
    """What there is to say of a design's parent; not saved."""
    return Source(
        design=design, relation=Source.Relation.FORK, title=parent.name, authors=parent.owner.title,
        licence=parent.licence, url=url_of(parent), linked=parent, commit=design.forked_at,
        was_public=parent.is_public,
    )  # fmt: skip


def _hidden(source: Source, hops: int) -> Link:
    """A design that is not public: its licence holds, its name is nobody's business."""
    return Link(hops, source.relation, _("A design that is not public"), "", source.licence)


def _remembered(source: Source, hops: int, *, gone: bool) -> Iterator[Link]:
    if not source.was_public:
        yield _hidden(source, hops)
        return
    url = "" if gone else source.url
    yield Link(hops, source.relation, source.title, source.authors, source.licence, url, source.commit, gone=gone)
    for step, data in enumerate(source.earlier, 1):
        yield Link(
            hops + step, str(data.get("relation", "")), str(data.get("title", "")), str(data.get("authors", "")),
            str(data.get("licence", "")), str(data.get("url", "")),
        )  # fmt: skip


def parents(design: Design) -> list[Source]:
    """The sources whose licences the design's own must keep: what it was made from, and parts that bind the whole."""
    return [
        each
        for each in _sources(design)
        if each.relation != Source.Relation.PART or derive.binds_the_whole(each.licence)
    ]


def attribution(design: Design) -> str:
    """ATTRIBUTION.md as everybody may read it: the chain with names, licences, addresses. Nothing for an original."""
    links = sources_of(design, visitor=None)
    if not links:
        return ""
    lines = [f"# Where {_md(design.name)} comes from", ""]
    for link in links:
        who = f" by {_md(link.authors)}" if link.authors else ""
        where = f", <{link.url}>" if link.url and "\n" not in link.url and ">" not in link.url else ""
        lines.append(f"{'  ' * (link.hops - 1)}- {_english(link.relation)} **{_md(link.title)}**{who} "
                     f"({link.licence}){where}")  # fmt: skip
    return "\n".join(lines) + "\n"


def _english(relation: str) -> str:
    """An archive speaks English whoever makes it."""
    return {"fork": "forked from", "adapted": "adapted from", "part": "contains parts of"}.get(relation, "from")


def _md(words: str) -> str:
    return "".join(f"\\{letter}" if letter in "\\`*_[]<>#|" else letter for letter in " ".join(words.split()))
