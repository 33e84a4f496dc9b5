"""Compilation of the inner loops: numba, cached on disk, without the interpreter's lock, never in parallel by
itself.

Parallelism belongs to the callers (threads over members, Celery over neighbourhoods), so that a worker uses
the cores it was given and no more.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

from numba import njit

F = TypeVar("F", bound=Callable[..., Any])


def compiled(function: F) -> F:
    """Compile with exact IEEE arithmetic."""
    return cast(F, njit(cache=True, nogil=True)(function))


def compiled_sums(function: F) -> F:
    """Compile, letting sums be reordered so that they vectorise; the same machine gives the same bits."""
    return cast(F, njit(cache=True, nogil=True, fastmath={"reassoc", "nsz", "contract"})(function))
