"""How long a web process lets the database work for one request: a statement, a lock, a transaction that stands still.

Workers and commands have no such limit; what they do may take as long as it takes.
"""

from typing import Any

from django.conf import settings
from django.db.backends.signals import connection_created


def limit_connections() -> None:
    """Every connection that this process opens from now on."""
    connection_created.connect(_limit, dispatch_uid="livingcity.patience")


def _limit(connection: Any, **_more: Any) -> None:
    if connection.vendor != "postgresql":
        return
    names = {
        "statement_timeout": settings.WEB_STATEMENT_TIMEOUT_S,
        "lock_timeout": settings.WEB_LOCK_TIMEOUT_S,
        "idle_in_transaction_session_timeout": settings.WEB_IDLE_TRANSACTION_TIMEOUT_S,
    }
    with connection.cursor() as cursor:
        calls = ", ".join(["set_config(%s, %s, false)"] * len(names))
        cursor.execute(f"SELECT {calls}", [text for name, s in names.items() for text in (name, f"{s}s")])
