"""What stays true once it is known, kept in the process; the longest unasked makes room.

For pure functions of what never changes (a commit's files) or of rows that bear a stamp (an answer's number). The key
names all that the answer depends on, so nothing here is ever old, and nothing has to be told that it has changed.
What is kept is shared by all threads: nobody may change it.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Generic, TypeVar

from django.db.models import Func, Model, TextField

Kept = TypeVar("Kept")
Size = Callable[[Kept], int]


class Shelf(Generic[Kept]):
    """Answers by what they were made of, of `room` altogether; a single one may take a tenth of it."""

    def __init__(self, room: int) -> None:
        self._room, self._taken = room, 0
        self._kept: OrderedDict[Hashable, tuple[Kept, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], Kept], size: Size[Kept] = lambda _made: 1) -> Kept:
        """What stands under the key, else what `make` gives. Raises what `make` raises."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key][0]
        made = make()
        self._put(key, made, max(size(made), 1))
        return made

    def holds(self, key: Hashable) -> bool:
        """Whether something stands under the key."""
        with self._lock:
            return key in self._kept

    def _put(self, key: Hashable, made: Kept, size: int) -> None:
        if 10 * size > self._room:
            return
        with self._lock:
            if key in self._kept:  # another thread made the same
                return
            self._kept[key] = made, size
            self._taken += size
            while self._taken > self._room:
                _key, (_made, gone) = self._kept.popitem(last=False)
                self._taken -= gone


class Stamp(Func):
    """What changes with each change of a row: who wrote it, and where it lies, since a transaction may write it twice.

    These are PostgreSQL's own numbers. `Stamp(Model)` in `annotate`.
    """

    def __init__(self, model: type[Model]) -> None:
        table = f'"{model._meta.db_table}"'
        super().__init__(template=f"{table}.xmin::text || {table}.ctid::text", output_field=TextField())


_asked: ContextVar[dict[Hashable, Any] | None] = ContextVar("asked", default=None)


@contextmanager
def asked_once() -> Iterator[None]:
    """A step in which what is asked by `once` is asked once."""
    mark = _asked.set({})
    try:
        yield
    finally:
        _asked.reset(mark)


def once(key: Hashable, make: Callable[[], Kept]) -> Kept:
    """What `make` gave before in this step (`asked_once`), else what it gives; outside of one always anew."""
    known = _asked.get()
    if known is None:
        return make()
    if key not in known:
        known[key] = make()
    found: Kept = known[key]
    return found
