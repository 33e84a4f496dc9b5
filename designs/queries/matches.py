"""The designs whose texts have certain words, with the points that the words give each."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.search import SearchRank
from django.db import connection, transaction
from django.db.models import (
    BigIntegerField,
    BooleanField,
    Case,
    F,
    FloatField,
    Func,
    IntegerField,
    QuerySet,
    Value,
    When,
)
from django.db.models.expressions import CombinedExpression
from django.db.models.functions import Cast, Round

from designs.models import AboutText, SearchText
from designs.queries.words import TsQuery, query_of

#: What a word is worth in summary (C), tags and owner (B) and name (A); the README (D) makes found, not better.
WEIGHTS = [0.0, 0.15, 0.4, 1.0]
RANK_POINTS, EXACT_POINTS = 10_000, 4_000
#: Below this READMEs are searched too; above the other, words do not rank.
FEW, MOST_RANKED = 300, 2000


@dataclass(frozen=True, slots=True)
class Matches:
    """What has the words. `points` are by design, of those of which the words tell something; where more than
    MOST_RANKED have them, the words are `common`: then `points` are of some, and nothing is ranked by them."""

    words: tuple[str, ...]
    typed: str = ""
    common: bool = False
    points: dict[int, int] = field(default_factory=dict)

    @property
    def query(self) -> TsQuery:
        """What the full text is asked."""
        query = query_of(self.words)
        assert query is not None  # noqa: S101 there is a word
        return query


@contextmanager
def by_index() -> Iterator[None]:
    """Statements that read texts by their indexes, always.

    PostgreSQL guesses too high how many match an “or”, does not know what it costs to unpack a long text, and would
    read them all.
    """
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SET LOCAL enable_seqscan = off")
        yield


def matches(words: Sequence[str], typed: str = "") -> Matches:
    """Designs that have every word in name, tags, owner or summary, and, where that are few, in the README too.

    `typed` is what stands in the address: a name that is exactly that gets more points.
    """
    asked = Matches(tuple(words), typed)
    titles = SearchText.objects.filter(title=asked.query)
    with by_index():
        found = _points(titles, asked)
        common = len(found) > MOST_RANKED
        if len(found) < FEW:
            told = AboutText.objects.filter(body=asked.query).values_list("pk", flat=True)
            told_by = list(told[: MOST_RANKED + 1])
            if len(told_by) > len(found) and not (found and len(told_by) > MOST_RANKED):
                found = _points(SearchText.objects.filter(Among(told_by)), asked)
    return Matches(asked.words, typed, common, found)


class Among(Func):
    """Whether the design is one of these, given as one list: two thousand values of their own take long to write."""

    template, arg_joiner, output_field = "(%(expressions)s))", " = ANY(", BooleanField()

    def __init__(self, pks: Sequence[int]) -> None:
        super().__init__(F("pk"), Value(list(pks), output_field=ArrayField(BigIntegerField())))


def _points(texts: QuerySet[SearchText], asked: Matches) -> dict[int, int]:
    rows = texts.annotate(points=points(asked)).values_list("pk", "points")
    return dict(rows[: MOST_RANKED + 1])


def points(asked: Matches, at: str = "") -> CombinedExpression:
    """Rank of the words in name, tags, owner and summary, and a name that is exactly what was typed: whole points, so
    that an order is the same on every page. `at` leads to the text."""
    rank = SearchRank(F(f"{at}title"), asked.query, weights=WEIGHTS)
    exact = Case(
        When(**{f"{at}name": asked.typed.lower()}, then=Value(EXACT_POINTS)),
        default=Value(0),
        output_field=IntegerField(),
    )
    return Cast(Round(Cast(rank, FloatField()) * RANK_POINTS), IntegerField()) + exact
