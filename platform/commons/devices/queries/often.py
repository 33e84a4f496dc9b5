"""Statements that come with every group of readings: planned once by PostgreSQL, and several in one round trip.

Django's cursor writes the values into the text, so the server parses and plans each statement every time; for a group
of four thousand readings that took a fifth of the server's work. These go by the driver's own cursor, which keeps
them prepared on the connection. Faults are Django's, as everywhere.
"""

from collections.abc import Sequence
from typing import Any

import psycopg
from django.db import connection

PREPARE_AFTER = 2
"""A statement is prepared when it comes again: a command that asks once is spared it."""

Asked = tuple[str, Sequence[Any]]


def ask(*asked: Asked) -> list[list[tuple[Any, ...]]]:
    """The rows that each statement answers, in their order; a statement sees what those before it have done. All go
    out together. Call it in a transaction."""
    with connection.wrap_database_errors:
        connection.ensure_connection()
        driver = connection.connection
        if driver.prepare_threshold is None:
            driver.prepare_threshold = PREPARE_AFTER
        if len(asked) == 1:
            found = [_rows(_said(driver, *asked[0]))]
        else:
            with driver.pipeline():
                cursors = [_said(driver, *one) for one in asked]
            found = [_rows(cursor) for cursor in cursors]
    if connection.queries_logged:
        connection.queries_log.extend({"sql": sql, "time": "0"} for sql, _values in asked)
    return found


def _said(driver: "psycopg.Connection[tuple[Any, ...]]", sql: str, values: Sequence[Any]) -> "psycopg.Cursor[Any]":
    cursor = psycopg.Cursor(driver)
    cursor.execute(sql.encode(), values)
    return cursor


def _rows(cursor: "psycopg.Cursor[Any]") -> list[tuple[Any, ...]]:
    return cursor.fetchall() if cursor.description is not None else []
