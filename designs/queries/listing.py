"""The list of designs: what is asked, found in the order of what is asked, with how many there are of each kind.

One query finds the page's designs, one counts all that the words (and place, size, owner, tag) find by kind. The counts
of each group of filters leave out the group's own choice, so that a visitor sees what choosing another would give.
docs/search.md tells why and how fast.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

from django.contrib.postgres.search import SearchRank
from django.db import connection, transaction
from django.db.models import Case, Count, F, FloatField, IntegerField, Q, QuerySet, Value, When
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Cast, Round

from commons.people.models import Handle
from commons.places.queries import place as place_of
from designs import licences, vocabulary
from designs.models import AboutText, Card, Design, SearchText
from designs.policies import Visitor, known, seen_by
from designs.queries import words as spelling
from designs.queries.asked import Asked
from designs.queries.reach import fit, makeable_near

#: What a word is worth in summary (C), tags and owner (B) and name (A); the README (D) makes found, not better.
WEIGHTS = [0.0, 0.15, 0.4, 1.0]
RANK_POINTS, EXACT_POINTS = 10_000, 4_000
#: Below this READMEs are searched too; above the other, words do not rank.
FEW, MOST_RANKED = 300, 2000
FIELD_OF = {"best": "score", "new": "pushed_at", "made": "makes", "starred": "stars"}
#: Tags are counted in sets up to this size; of larger ones the tags of the newest are shown without a count.
MOST_FOR_TAGS, NEWEST_FOR_TAGS, TAGS_SHOWN = 3000, 500, 12
OPEN, NON_COMMERCIAL, OTHER = "open", "non-commercial", "other"


class Kind(NamedTuple):
    """How many designs have these bits, this licence, and a release or none."""

    bits: int
    licence: str
    released: bool
    number: int


@dataclass(frozen=True, slots=True)
class Counts:
    """How many there are of each kind; every group is counted without its own filter."""

    total: int
    licences: dict[str, int]
    processes: dict[str, int]
    formats: dict[str, int]
    released: int


@dataclass(frozen=True, slots=True)
class Listing:
    """What was found. `meant` are the words that were searched instead when nothing has those that were typed."""

    asked: Asked
    cards: QuerySet[Card]
    counts: Counts
    meant: tuple[str, ...] = ()


def group_of(licence: str) -> str:
    """The group of a licence: open, only for what is not sold, or other."""
    if licences.rights(licence).is_open:
        return OPEN
    return NON_COMMERCIAL if "-NC" in licence else OTHER


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
    words = spelling.split(asked.q)
    seen = seen_cards(visitor)
    listing = _found(asked, seen, words)
    if listing.counts.total or not words or _any(seen, words):
        return listing
    for meant in spelling.corrections(words):
        if _any(seen, meant):
            return replace(_found(asked, seen, meant), meant=meant)
    return listing


def _any(seen: QuerySet[Card], words: Sequence[str]) -> bool:
    return seen.filter(pk__in=_having(AboutText, "body", words)).exists()


def _having(table: type[SearchText] | type[AboutText], field: str, words: Sequence[str]) -> list[int]:
    """The designs whose texts have the words, and no more than one over MOST_RANKED of them.

    Asked of the index, always: PostgreSQL guesses too high how many match an "or", does not know what it costs to
    unpack a long text, and would read them all.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL enable_seqscan = off")
        found = table.objects.filter(**{field: spelling.query_of(words)}).values_list("pk", flat=True)
        return list(found[: MOST_RANKED + 1])


def _found(asked: Asked, seen: QuerySet[Card], words: Sequence[str]) -> Listing:
    """Designs that have the words in name, tags, owner or summary, and, where that are few, in the README too.

    Words that very many have tell nothing apart: then what people made, starred and released decides alone.
    """
    base, ranked = _narrowed(asked, seen), False
    if words:
        base, ranked = _worded(base, words)
    elif asked.q:
        base = base.none()
    kinds = _kinds(asked, base)
    cards = _filtered(asked, base, {kind.licence for kind in kinds})
    return Listing(asked, _ordered(asked, cards, words if ranked else ()), _counted(asked, kinds))


def _worded(cards: QuerySet[Card], words: Sequence[str]) -> tuple[QuerySet[Card], bool]:
    """The cards of designs that have the words, and whether so few that these rank them."""
    known_by = _having(SearchText, "title", words)
    if len(known_by) > MOST_RANKED:
        return cards.filter(text__title=spelling.query_of(words)), False
    if len(known_by) < FEW:
        told_by = _having(AboutText, "body", words)
        if not known_by or len(told_by) <= MOST_RANKED:
            known_by = told_by
    return cards.filter(pk__in=known_by), True


def _kinds(asked: Asked, cards: QuerySet[Card]) -> list[Kind]:
    """How many cards there are of each kind, by the bits that are shown or asked for."""
    bits = SHOWN_BITS | vocabulary.bit_of(asked.format)
    rows = cards.annotate(shown=F("facets").bitand(bits)).values_list("shown", "licence", "released")
    return list(map(Kind._make, rows.annotate(n=Count("pk")).order_by()))


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


def _filtered(asked: Asked, cards: QuerySet[Card], used: Iterable[str]) -> QuerySet[Card]:
    """By what has counts; `used` are the licences that there are."""
    for name, slug in (("process", asked.process), ("format", asked.format)):
        if slug:
            cards = cards.alias(**{f"{name}_bit": F("facets").bitand(vocabulary.bit_of(slug))})
            cards = cards.filter(**{f"{name}_bit__gt": 0})
    if asked.licence:
        cards = cards.filter(licence__in=[licence for licence in used if _has_licence(licence, asked.licence)])
    return cards.filter(released=True) if asked.has_release else cards


def _has_licence(licence: str, wanted: str) -> bool:
    """Whether it is the licence that is asked for, or in the group that is."""
    return licence.lower() == wanted.lower() or group_of(licence) == wanted.lower()


def _ordered(asked: Asked, cards: QuerySet[Card], words: Sequence[str]) -> QuerySet[Card]:
    """In the order that is asked, the newer design first where two are level. `score` is the value it goes by."""
    if asked.order == "best":
        cards = cards.annotate(score=_score(asked, words))
    return cards.order_by(f"-{FIELD_OF[asked.order]}", "-pk")


def _score(asked: Asked, words: Sequence[str]) -> F | CombinedExpression:
    """Rank of the words in name, tags, owner and summary, a name that is exactly what was typed, and `prior`; whole
    points, so that an order is the same on every page."""
    query = spelling.query_of(words)
    if query is None:
        return F("prior")
    rank = SearchRank(F("text__title"), query, weights=WEIGHTS)
    exact = Case(
        When(text__name=asked.q.lower(), then=Value(EXACT_POINTS)), default=Value(0), output_field=IntegerField()
    )
    points = Cast(Round(Cast(rank, FloatField()) * RANK_POINTS), IntegerField())
    return points + exact + F("prior")


def _counted(asked: Asked, kinds: Sequence[Kind]) -> Counts:
    """Each group without its own filter, from the number of designs of each kind."""
    groups = {licence: group_of(licence) for licence in {kind.licence for kind in kinds}}
    licensed = {licence for licence in groups if not asked.licence or _has_licence(licence, asked.licence)}
    process, file_format = vocabulary.bit_of(asked.process), vocabulary.bit_of(asked.format)
    total = released = 0
    by_licence: Counter[str] = Counter()
    for_process: Counter[int] = Counter()
    for_format: Counter[int] = Counter()
    for bits, licence, is_released, count in kinds:
        right = licence in licensed
        made = not asked.process or bits & process != 0
        filed = not asked.format or bits & file_format != 0
        ready = not asked.has_release or is_released
        if made and filed and ready:
            by_licence[groups[licence]] += count
            total += count if right else 0
        if right and filed and ready:
            for_process[bits & PROCESS_BITS] += count
        if right and made and ready:
            for_format[bits & ~PROCESS_BITS] += count
        if right and made and filed and is_released:
            released += count
    return Counts(total, dict(by_licence), _by_slug(for_process), _by_slug(for_format), released)


PROCESS_BITS = (1 << vocabulary.FORMAT_BIT) - 1
SHOWN_BITS = vocabulary.bits_of((*vocabulary.PROCESSES, *vocabulary.FORMATS)) & ~vocabulary.bits_of(vocabulary.COMMON)


def _by_slug(by_bits: Counter[int]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for bits, count in by_bits.items():
        for slug in vocabulary.slugs_of(bits):
            counts[slug] += count
    return dict(counts)


def tags_of(found: Listing) -> dict[str, int | None]:
    """The most used tags with their counts; of a large set those of its newest designs, without."""
    large = found.counts.total > MOST_FOR_TAGS
    if not found.counts.total:
        return {}
    asked = found.cards.order_by("-pushed_at", "-pk").values_list("tags", flat=True)
    counts = Counter(tag for tags in asked[: NEWEST_FOR_TAGS if large else MOST_FOR_TAGS] for tag in tags)
    return {tag: None if large else count for tag, count in counts.most_common(TAGS_SHOWN)}


def designs_of(cards: Iterable[Card]) -> list[Design]:
    """The designs of these cards in their order, with owner and cover, in one query."""
    pks = [card.pk for card in cards]
    found = Design.objects.select_related("owner", "owner__user", "owner__organisation", "cover", "mirror")
    designs = found.in_bulk(pks)
    return [designs[pk] for pk in pks if pk in designs]


def looser(asked: Asked, visitor: Visitor) -> list[tuple[str, Asked, int]]:
    """What leaving one thing out would find: its name, what is asked then, how many; only what finds some."""
    tries = [(name, asked.without(name)) for name in asked.given()]
    counted = [(name, other, found(other, visitor).counts.total) for name, other in tries if other.given()]
    return [entry for entry in counted if entry[2]]
