"""The list of designs: what is asked, found in the order of what is asked, with how many there are of each kind.

Where words tell designs apart, the few that have them are read once and put in order here. Without words, or with
words that very many have, the database orders and counts. docs/search.md tells why and how fast.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple

from django.db.models import Count, F, Q, QuerySet

from commons.people.models import Handle
from commons.places.queries import place as place_of
from designs import vocabulary
from designs.models import Card, Design
from designs.policies import Visitor, known, seen_by
from designs.queries import counted
from designs.queries import words as spelling
from designs.queries.asked import Asked
from designs.queries.counted import Counts, Kind
from designs.queries.matches import Among, Matches, by_index, matches, points
from designs.queries.reach import fit, makeable_near

FIELD_OF = {"best": "score", "new": "pushed_at", "made": "makes", "starred": "stars"}
#: Tags are counted in sets up to this size; of larger ones the tags of the newest are shown without a count.
MOST_FOR_TAGS, NEWEST_FOR_TAGS, TAGS_SHOWN = 3000, 500, 12
#: How many are asked first whether the visitor may see one of them.
FIRST = 100


class Row(NamedTuple):
    """A design that has the words: its bits, licence and release, what it is ordered by, and its tags."""

    pk: int
    bits: int
    licence: str
    released: bool
    value: Any
    tags: list[str]


@dataclass(frozen=True)
class Listing:
    """What was found, read when it is asked for. `narrowed` are the cards by all that has no counts of its own; `found`
    says which of them have the words, where some are asked. `meant` are the words that were searched instead when
    nothing has those that were typed."""

    asked: Asked
    narrowed: QuerySet[Card]
    found: Matches | None = None
    meant: tuple[str, ...] = ()

    @property
    def ranks(self) -> bool:
        """Whether there are words, and so few have them that they rank."""
        return self.found is not None and not self.found.common

    @cached_property
    def rows(self) -> list[Row]:
        """Where words rank: all that have them, by what has no counts, best first."""
        value = "prior" if self.asked.order == "best" else FIELD_OF[self.asked.order]
        cards = self._worded().annotate(bits=counted.bits_for(self.asked))
        rows = list(map(Row._make, cards.values_list("pk", "bits", "licence", "released", value, "tags")))
        if self.asked.order == "best" and self.found is not None:
            given = self.found.points
            return sorted(rows, key=lambda row: (row.value + given[row.pk], row.pk), reverse=True)
        return sorted(rows, key=lambda row: (row.value, row.pk), reverse=True)

    @cached_property
    def chosen(self) -> list[Row]:
        """Those of the rows that every filter lets through."""
        asked, process = self.asked, vocabulary.bit_of(self.asked.process)
        file_format = vocabulary.bit_of(asked.format)
        return [
            row
            for row in self.rows
            if (not asked.process or row.bits & process)
            and (not asked.format or row.bits & file_format)
            and (not asked.has_release or row.released)
            and (not asked.licence or counted.has_licence(row.licence, asked.licence))
        ]

    @cached_property
    def kinds(self) -> list[Kind]:
        """How many there are of each kind."""
        if self.ranks:
            told = Counter((row.bits, row.licence, row.released) for row in self.rows)
            return [Kind(*kind, number) for kind, number in told.items()]
        cards = self._worded().annotate(bits=counted.bits_for(self.asked))
        rows = cards.values_list("bits", "licence", "released")
        with by_index() if self.found else nullcontext():
            return list(map(Kind._make, rows.annotate(n=Count("*")).order_by()))

    @cached_property
    def counts(self) -> Counts:
        """Each group without its own filter."""
        return counted.of_kinds(self.asked, self.kinds)

    @cached_property
    def cards(self) -> QuerySet[Card]:
        """The cards that were found in the order that is asked, the newer design first where two are level. `score` is
        the value that "best" goes by."""
        cards = self._filtered(self._worded())
        if self.asked.order == "best":
            score = points(self.found, "text__") + F("prior") if self.found and self.ranks else F("prior")
            cards = cards.annotate(score=score)
        return cards.order_by(f"-{FIELD_OF[self.asked.order]}", "-pk")

    @property
    def pks(self) -> "Sequence[int] | QuerySet[Card, int]":
        """The designs that were found in the order that is asked, to take pages of."""
        return [row.pk for row in self.chosen] if self.ranks else self.cards.values_list("pk", flat=True)

    @property
    def is_empty(self) -> bool:
        """Whether nothing was found."""
        return not self.chosen if self.ranks else not self.cards.exists()

    def _worded(self) -> QuerySet[Card]:
        if self.found is None:
            return self.narrowed
        if self.found.common:
            return self.narrowed.filter(text__title=self.found.query)
        return self.narrowed.filter(Among(list(self.found.points)))

    def _filtered(self, cards: QuerySet[Card]) -> QuerySet[Card]:
        """By what has counts."""
        for name, slug in (("process", self.asked.process), ("format", self.asked.format)):
            if slug:
                cards = cards.alias(**{f"{name}_bit": F("facets").bitand(vocabulary.bit_of(slug))})
                cards = cards.filter(**{f"{name}_bit__gt": 0})
        if wanted := self.asked.licence:
            used = {kind.licence for kind in self.kinds}
            cards = cards.filter(licence__in=[licence for licence in used if counted.has_licence(licence, wanted)])
        return cards.filter(released=True) if self.asked.has_release else cards


def seen_cards(visitor: Visitor) -> QuerySet[Card]:
    """The cards of the designs that this visitor may see."""
    cards = Card.objects.all()
    if known(visitor) is None:
        return cards.filter(is_open=True)
    hidden = Design.objects.filter(seen_by(visitor)).exclude(visibility=Design.Visibility.PUBLIC, hidden_at=None)
    if not hidden.exists():
        return cards.filter(is_open=True)
    return cards.filter(Q(is_open=True) | Q(pk__in=hidden.values("pk")))


def found(asked: Asked, visitor: Visitor) -> Listing:
    """What the visitor may see of what is asked. Raises UnknownPlace for a place that is not there."""
    words, seen = spelling.split(asked.q), seen_cards(visitor)
    narrowed = _narrowed(asked, seen)
    if not words:
        return Listing(asked, narrowed.none() if asked.q else narrowed)
    has = matches(words, asked.q)
    listing = Listing(asked, narrowed, has)
    if not listing.is_empty or _any(seen, has):
        return listing
    for meant in spelling.corrections(words):
        has = matches(meant, asked.q)
        if _any(seen, has):
            return Listing(asked, narrowed, has, meant)
    return listing


def _any(seen: QuerySet[Card], has: Matches) -> bool:
    """Whether the visitor may see anything that has the words."""
    pks = list(has.points)
    return any(seen.filter(Among(some)).exists() for some in (pks[:FIRST], pks[FIRST:]) if some)


def _narrowed(asked: Asked, cards: QuerySet[Card]) -> QuerySet[Card]:
    """By all that has no group of counts, but for the words."""
    if asked.owner:
        owner = Handle.objects.filter(name=asked.owner).values_list("pk", flat=True).first()
        cards = cards.filter(owner_id=owner) if owner else cards.none()
    if asked.tag:
        cards = cards.filter(tags__contains=[asked.tag])
    if asked.fits:
        cards = cards.filter(fit(asked.fits))
    if asked.near:
        cards = makeable_near(cards, place_of(asked.near))
    return cards


def tags_of(found: Listing) -> dict[str, int | None]:
    """The most used tags with their counts; of a large set those of its newest designs, without."""
    large = found.counts.total > MOST_FOR_TAGS
    counts = Counter(tag for tags in _tagged(found, large=large) for tag in tags)
    ranked = sorted(counts.items(), key=lambda entry: (-entry[1], entry[0]))
    return {tag: None if large else count for tag, count in ranked[:TAGS_SHOWN]}


def _tagged(found: Listing, *, large: bool) -> Iterable[list[str]]:
    if found.ranks or not found.counts.total:
        return [row.tags for row in found.chosen] if found.ranks else []
    if large:
        return found.cards.order_by("-pushed_at", "-pk").values_list("tags", flat=True)[:NEWEST_FOR_TAGS]
    return found.cards.order_by().values_list("tags", flat=True)


def designs_of(pks: Iterable[int]) -> list[Design]:
    """These designs in their order, with owner and cover, in one query."""
    wanted = list(pks)
    found = Design.objects.select_related("owner", "owner__user", "owner__organisation", "cover", "mirror")
    designs = found.in_bulk(wanted)
    return [designs[pk] for pk in wanted if pk in designs]


def looser(asked: Asked, visitor: Visitor) -> list[tuple[str, Asked, int]]:
    """What leaving one thing out would find: its name, what is asked then, how many; only what finds some."""
    tries = [(name, asked.without(name)) for name in asked.given()]
    counts = [(name, other, found(other, visitor).counts.total) for name, other in tries if other.given()]
    return [entry for entry in counts if entry[2]]
