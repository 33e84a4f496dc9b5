"""Whether the city's data are still those of a moment ago: a word in the cache that changes with every commit.

Every process of the city that writes through Django changes it, be it a page, a worker or a command; what devices
report does not pass here. A commit changes the word before whoever asked for it is answered.
"""

import logging
import re
import uuid
from collections.abc import Callable
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.backends.signals import connection_created

log = logging.getLogger(__name__)

KEY = "written"
#: What no page shows to strangers, or shows by a stream of its own: it is written all the time.
QUIET = frozenset({"axes_accessattempt", "axes_accesslog", "django_session", "usersessions_usersession"})
_CHANGE = r'(?:INSERT\s+INTO|UPDATE|DELETE\s+FROM|MERGE\s+INTO|TRUNCATE(?:\s+TABLE)?)\s+(?:ONLY\s+)?"?(\w+)'
_WRITES = re.compile(rf"\s*(?:{_CHANGE}|WITH\b.*?\b{_CHANGE})", re.IGNORECASE | re.DOTALL)


def listen() -> None:
    """Look at what every connection writes that this process opens from now on."""
    connection_created.connect(_listen, dispatch_uid="web.written")


def changed_table(sql: object) -> str | None:
    """The table that a statement changes, in small letters; None for a statement that only reads."""
    if not isinstance(sql, str):
        return "?"
    found = _WRITES.match(sql)
    return (found[1] or found[2]).lower() if found else None


def _listen(connection: BaseDatabaseWrapper, **_more: Any) -> None:
    if _look not in connection.execute_wrappers:
        connection.execute_wrappers.append(_look)


def _look(execute: Callable[..., Any], sql: Any, params: Any, many: bool, context: dict[str, Any]) -> Any:
    done = execute(sql, params, many, context)
    table = changed_table(sql)
    if table is not None and table not in QUIET:
        _tell(context["connection"])
    return done


def _tell(connection: BaseDatabaseWrapper) -> None:
    """Say it once the change can be seen; once for many statements in a row."""
    if not connection.in_atomic_block:
        say()
        return
    waiting = connection.run_on_commit
    if not (waiting and waiting[-1][1] is say and waiting[-1][0] == set(connection.savepoint_ids)):
        transaction.on_commit(say, using=connection.alias)


def say() -> None:
    """Change the word. Without the cache nothing is kept that could be old."""
    try:
        cache.set(KEY, uuid.uuid4().hex, None)
    except Exception:
        log.debug("the cache does not answer", exc_info=True)
