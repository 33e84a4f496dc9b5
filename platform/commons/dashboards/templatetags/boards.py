"""How a cell of a panel is written."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from django import template
from django.utils.formats import date_format
from django.utils.html import format_html

from commons.dashboards.sockets import Column
from commons.web import numbers

register = template.Library()

#: Above this a number has no decimals.
LARGE = 100


@register.simple_tag
def board_cell(row: Mapping[str, Any], column: Column, first: bool = False) -> str:
    """The value by its kind; the first of a row leads to its proof where there is one."""
    words = written(row.get(column.name), column.kind)
    url = row.get("url")
    return format_html('<a href="{}">{}</a>', url, words) if first and url else words


def written(value: Any, kind: str) -> str:
    """A value in words of the guide; an en dash for what is not known."""
    if value is None or value == "":
        return numbers.MISSING
    if isinstance(value, dt.date):
        return date_format(value, "DATE_FORMAT")
    if kind == "text":
        return str(value)
    if kind in {"hours", "number"}:
        whole = float(value) == round(float(value))
        words = numbers.number(value, 0 if whole or abs(value) >= LARGE else 1)
        return numbers.with_unit(words, "h") if kind == "hours" else words
    return str(getattr(numbers, kind)(value))
