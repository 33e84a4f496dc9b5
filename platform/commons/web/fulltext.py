"""Full text over the tables of a room that are small enough to be read whole: PostgreSQL's words, ranked.

Each word is looked for as a beginning ("lase" finds "laser"), all of them have to stand in the row, in any of its
fields; the letters A to D say how much a field counts, as in `setweight`. Rooms with many rows keep their own vectors
(designs: docs/search.md). Languages are not bent here: a beginning finds most of what Finnish and English endings hide.
"""

import re
from typing import Any, TypeVar, cast

from django.contrib.postgres.search import CombinedSearchVector, SearchQuery, SearchRank, SearchVector
from django.db.models import F, Model, QuerySet

M = TypeVar("M", bound=Model)

WORD = re.compile(r"\w+", re.UNICODE)
MOST_WORDS = 8
CONFIG = "simple"


def query(words: str) -> SearchQuery | None:
    """The words as PostgreSQL asks them, each as a beginning; None where there is no word."""
    found = [word for word in WORD.findall(words.replace("\x00", " ")) if word.strip("_")][:MOST_WORDS]
    asked = " & ".join(f"'{word.lower()}':*" for word in found)
    return SearchQuery(asked, config=CONFIG, search_type="raw") if found else None


def matching(rows: "QuerySet[M]", words: str, **fields: str) -> "QuerySet[M]":
    """The rows whose fields hold every word, best first, each with its `points`; fields are given with their weight:
    `matching(rows, words, name="A", lab__name="C")`."""
    asked = query(words)
    if asked is None:
        return rows.none()
    vectors: list[Any] = [SearchVector(name, weight=weight, config=CONFIG) for name, weight in fields.items()]
    whole: SearchVector | CombinedSearchVector = vectors[0]
    for vector in vectors[1:]:
        whole += vector
    found = rows.annotate(held=whole).filter(held=asked)
    ranked = found.annotate(points=SearchRank(F("held"), asked)).order_by("-points", "pk")
    return cast("QuerySet[M]", ranked)
