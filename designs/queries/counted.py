"""How many designs there are of each kind: every group of filters without its own choice."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from django.db.models import F
from django.db.models.expressions import CombinedExpression

from designs import licences, vocabulary
from designs.queries.asked import Asked

OPEN, NON_COMMERCIAL, OTHER = "open", "non-commercial", "other"
PROCESS_BITS = (1 << vocabulary.FORMAT_BIT) - 1


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


def bits_for(asked: Asked) -> F | CombinedExpression:
    """The bits of a card that are shown or asked for. Those that are shown lie in an index."""
    wanted = vocabulary.SHOWN_BITS | vocabulary.bit_of(asked.format)
    return F("shown") if wanted == vocabulary.SHOWN_BITS else F("facets").bitand(wanted)


def group_of(licence: str) -> str:
    """The group of a licence: open, only for what is not sold, or other."""
    if licences.rights(licence).is_open:
        return OPEN
    return NON_COMMERCIAL if "-NC" in licence else OTHER


def has_licence(licence: str, wanted: str) -> bool:
    """Whether it is the licence that is asked for, or in the group that is."""
    return licence.lower() == wanted.lower() or group_of(licence) == wanted.lower()


def of_kinds(asked: Asked, kinds: Iterable[Kind]) -> Counts:
    """Each group without its own filter, from the number of designs of each kind."""
    kinds = list(kinds)
    groups = {licence: group_of(licence) for licence in {kind.licence for kind in kinds}}
    licensed = {licence for licence in groups if not asked.licence or has_licence(licence, asked.licence)}
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


def _by_slug(by_bits: Counter[int]) -> dict[str, int]:
    counts: Counter[str] = Counter()
    for bits, count in by_bits.items():
        for slug in vocabulary.slugs_of(bits):
            counts[slug] += count
    return dict(counts)
