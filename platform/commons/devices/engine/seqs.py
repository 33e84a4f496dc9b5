"""Sets of sequence numbers as sorted ranges, each from inclusive until exclusive."""

from collections.abc import Iterable, Sequence

Ranges = tuple[tuple[int, int], ...]


def ranges_of(seqs: Iterable[int]) -> Ranges:
    """The ranges that hold exactly these numbers."""
    found: list[tuple[int, int]] = []
    for seq in sorted(set(seqs)):
        if found and found[-1][1] == seq:
            found[-1] = (found[-1][0], seq + 1)
        else:
            found.append((seq, seq + 1))
    return tuple(found)


def union(left: Sequence[tuple[int, int]], right: Sequence[tuple[int, int]]) -> Ranges:
    """All numbers of both."""
    merged: list[tuple[int, int]] = []
    for low, high in sorted([*left, *right]):
        if merged and low <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


def holds(ranges: Sequence[tuple[int, int]], seq: int) -> bool:
    """Whether the number is among them; O(log n)."""
    low, high = 0, len(ranges)
    while low < high:
        middle = (low + high) // 2
        if ranges[middle][1] <= seq:
            low = middle + 1
        else:
            high = middle
    return low < len(ranges) and ranges[low][0] <= seq


def acknowledged(ranges: Sequence[tuple[int, int]]) -> int:
    """The highest number up to which nothing is missing, 0 if 1 is. Devices count from 1; 0 may be used."""
    for low, high in ranges:
        if low <= 1 < high:
            return high - 1
    return 0


def next_free(ranges: Sequence[tuple[int, int]]) -> int:
    """The number after the highest that was ever used."""
    return max(ranges[-1][1], 1) if ranges else 1
