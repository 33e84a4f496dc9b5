"""The sun to spare in words, for who does not see the picture: how sure it is, and the best hours of a day."""

import datetime as dt
from collections.abc import Sequence

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.web import numbers
from labs.engine import times
from labs.engine.hours import Span
from labs.engine.times import Sun

#: What a share comes from.
BASES = {
    "forecast": lazy("by the forecast of the day"),
    "lately": lazy("as in the same hours of the last four weeks; no forecast covers it yet"),
    "season": lazy("as in the same weeks of the data's year; no forecast covers it"),
    "carried": lazy("by the newest forecast, carried on"),
    "": lazy("as in the same hour of the data's year; how sure that is, is not known"),
}
MUCH = 0.5


def basis_words(basis: str) -> str:
    """What a share comes from."""
    return str(BASES.get(basis, BASES[""]))


def range_words(low: float | None, high: float | None, basis: str) -> str:
    """“between 30 % and 90 %, by the forecast of the day”."""
    if low is None or high is None:
        return basis_words("")
    said = {"low": numbers.percent(low), "high": numbers.percent(high), "basis": basis_words(basis)}
    if round(100 * low) == round(100 * high):
        return said["basis"]
    return _("between %(low)s and %(high)s, %(basis)s") % said


def day_words(span: Span, suns: Sequence[Sun], zone: dt.tzinfo) -> str:
    """The best hours of a day: “half or more between 10:00 and 15:00; most at 12:00: 90 %, between …”."""
    hour = dt.timedelta(hours=1)
    found: list[tuple[dt.datetime, float]] = []
    at = span.start
    while at < span.end:
        share = times.share_of(Span(at, min(at + hour, span.end)), suns)
        if share is not None:
            found.append((at, share))
        at += hour
    if not found:
        return _("nothing is known")
    best, most = max(found, key=lambda one: one[1])
    if round(100 * most) == 0:
        return _("no sun to spare")
    known = times.range_of(Span(best, min(best + hour, span.end)), suns)
    said = {
        "at": f"{best.astimezone(zone):%H:%M}",
        "share": numbers.percent(most),
        "range": range_words(known.low, known.high, known.basis),
    }
    much = [one for one, share in found if share >= MUCH]
    if not much:
        return _("little; most at %(at)s: %(share)s, %(range)s") % said
    said["from"], said["until"] = f"{much[0].astimezone(zone):%H:%M}", f"{(much[-1] + hour).astimezone(zone):%H:%M}"
    return _("half or more between %(from)s and %(until)s; most at %(at)s: %(share)s, %(range)s") % said
