"""Series as PostgreSQL keeps them: little-endian float64, zlib. Pages read them without numpy."""

import sys
import zlib
from array import array
from collections.abc import Iterable


def pack(values: Iterable[float]) -> bytes:
    """Compress a series, bit for bit."""
    numbers = array("d", values)
    if sys.byteorder == "big":
        numbers.byteswap()
    return zlib.compress(numbers.tobytes(), 6)


#: A series that was deleted.
NOTHING = pack(())


def raw(packed: bytes | memoryview) -> bytes:
    """The series as little-endian float64 bytes."""
    return zlib.decompress(bytes(packed))


def unpack(packed: bytes | memoryview) -> "array[float]":
    """The series as numbers."""
    numbers = array("d")
    numbers.frombytes(raw(packed))
    if sys.byteorder == "big":
        numbers.byteswap()
    return numbers
