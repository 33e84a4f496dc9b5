"""Words that somebody typed: as a query for the full text, and, where nothing has them, as words that something has."""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from functools import reduce
from itertools import islice, product
from operator import and_, or_

from django.contrib.postgres.search import CombinedSearchQuery, SearchQuery
from django.db import connection

MOST_WORDS = 8
LONGEST_WORD = 40
#: Words too common to ask for.
SMALL = frozenset({
    "a", "an", "and", "as", "at", "by", "for", "from", "in", "is", "it", "of", "on", "or", "the", "to", "with",
    "ja", "tai", "ei", "se",
})  # fmt: skip
#: How far the nearest words are looked for, in letters, by the length of what was typed.
NEAREST, TRIES = 4, 12

TsQuery = SearchQuery | CombinedSearchQuery


def split(text: str) -> list[str]:
    """The words of a text, at most eight; small words only where there are no others."""
    words = all_of(text)
    telling = [word for word in words if word not in SMALL] or words
    return list(dict.fromkeys(telling))[:MOST_WORDS]


def all_of(text: str) -> list[str]:
    """Every word of a text in small letters without accents."""
    folded = "".join(c for c in unicodedata.normalize("NFKD", text) if not unicodedata.combining(c)).lower()
    return [word[:LONGEST_WORD] for word in re.findall(r"[^\W_]+", folded)]


def query_of(words: Sequence[str]) -> TsQuery | None:
    """The designs that have every word: as it is written or as it begins (from three letters on), or bent as English
    or Finnish bend it."""
    return reduce(and_, map(_query_of_word, words)) if words else None


def _query_of_word(word: str) -> TsQuery:
    forms = [
        SearchQuery(f"{word}:*" if len(word) >= 3 else word, config="designs_simple", search_type="raw"),
        SearchQuery(word, config="designs_english", search_type="plain"),
        SearchQuery(word, config="designs_finnish", search_type="plain"),
    ]
    return reduce(or_, forms)


def corrections(words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    """What may have been meant, likeliest first: each word itself, if a design has it, or the nearest known ones."""
    choices = [nearest(word) or [word] for word in words]
    ranked = sorted(product(*(enumerate(choice) for choice in choices)), key=lambda some: sum(n for n, _word in some))
    for some in islice(ranked, TRIES):
        meant = tuple(word for _n, word in some)
        if meant != tuple(words):
            yield meant


def nearest(word: str) -> list[str]:
    """The known words that differ least, at most two letters (one in words of up to four): nearest first.

    A pair of letters that changed places is one error. Words are found by their trigrams, or, as these miss short
    words with two errors, by their length and Levenshtein's distance; then the errors are counted exactly.
    """
    allowed = 1 if len(word) <= 4 else 2
    if len(word) < 3:
        return [word]
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT word, similarity(word, %(word)s) FROM designs_knownword
               WHERE length(word) BETWEEN %(least)s AND %(most)s
                 AND levenshtein_less_equal(word, %(word)s, %(far)s) <= %(far)s""",
            {"word": word, "least": len(word) - allowed, "most": len(word) + allowed, "far": 2 * allowed},
        )
        found = [(errors(word, known), -similarity, known) for known, similarity in cursor.fetchall()]
    return [known for far, _similarity, known in sorted(found) if far <= allowed][:NEAREST]


def errors(a: str, b: str) -> int:
    """The least number of letters left out, put in, changed, or changed in place with the next, from a to b (optimal
    string alignment)."""
    before: list[int] = []
    row = list(range(len(b) + 1))
    for i, letter in enumerate(a, 1):
        before, last, row = row, before, [i]
        for j, other in enumerate(b, 1):
            far = min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != other))
            if i > 1 and j > 1 and letter == b[j - 2] and a[i - 2] == other:
                far = min(far, last[j - 2] + 1)
            row.append(far)
    return row[-1]
