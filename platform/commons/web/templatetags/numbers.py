"""Filters for numbers and times: `{{ run.energy_kwh|kwh }}`. The rules stand in commons.web.numbers."""

import datetime as dt

from django import template
from django.utils import timezone
from django.utils.html import format_html
from django.utils.safestring import SafeString

from commons.web import numbers

register = template.Library()

for _name in (
    "kw", "watts", "kwh", "ratio", "percent", "change", "points", "mm", "cm2", "cm3", "co2", "grams", "duration",
):  # fmt: skip
    register.filter(_name, getattr(numbers, _name))


@register.filter
def amount(value: object, decimals: int = 0) -> str:
    """A plain number with parted thousands: `{{ n|amount }}`, `{{ x|amount:1 }}`."""
    return numbers.number(value, decimals)


@register.filter
def money(value: object, currency: str = "EUR") -> str:
    """`{{ price|money:community.currency }}`."""
    return numbers.money(value, currency or "EUR")


@register.filter
def ago(moment: dt.datetime | None) -> str:
    """How long since, or until."""
    return numbers.ago(moment or None)


@register.filter
def when(moment: dt.datetime | None) -> str:
    """A moment as people say it."""
    return numbers.when(moment or None)


@register.filter
def day(date: dt.date | None) -> str:
    """A date, or that of a moment on the clock here, with its year unless it is this one."""
    return numbers.day(_on_the_clock_here(date), dt.date.today()) if date else numbers.MISSING


@register.filter
def last_day(end: dt.datetime | None) -> dt.date | None:
    """The last day of a period that goes up to `end`: a period until midnight ends the day before."""
    return _on_the_clock_here(end - dt.timedelta(microseconds=1)) if end else None


def _on_the_clock_here(date: dt.date) -> dt.date:
    if isinstance(date, dt.datetime):
        return (timezone.localtime(date) if timezone.is_aware(date) else date).date()
    return date


@register.filter
def united(text: str) -> SafeString | str:
    """The unit smaller than the number: `{{ x|kwh|united }}` in figures and metrics."""
    value, unit = numbers.split_unit(str(text))
    return format_html('{}<span class="unit">{}</span>', value, unit) if unit else value


@register.filter
def in_percent(share: object) -> int:
    """A share 0..1 as a whole number 0..100 for the classes `w-…` and `at-…`; what is missing is 0."""
    known = numbers.as_number(share)
    return 0 if known is None else min(max(round(known * 100), 0), 100)
