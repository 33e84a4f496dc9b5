"""The rules of the ladder: what a piece of evidence must show for each level, and until when it counts.

Every rule can only be failed by time passing, never be met by it: so a level falls by itself and never rises.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _

from commons.sockets import Evidence
from commons.web import numbers
from twin.coverage.systems import FRESH

Text = str | Promise
COMPLETE = 0.8
"""Share of a reference that an inventory must hold, where there is a reference."""
UPTIME = 0.9
"""Share of seven days for which a stream must be known."""
LEAST_DAYS = 30
"""Days over which a forecast must have been better than persistence."""
HIGHEST = 5


@dataclass(frozen=True, slots=True)
class Standing:
    """The level that a piece of evidence gives now, and why it is not the one that it was brought for."""

    level: int
    why: Text = ""


def standing(piece: Evidence, now: dt.datetime) -> Standing:
    """The highest level, up to the one it was brought for, whose rule the evidence meets at `now`."""
    claimed = min(piece.level, HIGHEST)
    first = ""
    for level in range(claimed, 0, -1):
        why = lacking(piece, level, now)
        if not why:
            return Standing(level, first)
        first = first or why
    return Standing(0, first)


def lacking(piece: Evidence, level: int, now: dt.datetime) -> str:
    """What the evidence lacks for a level, in words; nothing where it has it all."""
    if piece.count <= 0:
        return _("nothing is there")
    if level == 1 and piece.as_of is None:
        return _complete(piece.proof)
    if piece.as_of is None:
        return _("it has no date")
    if now - piece.as_of > FRESH[level]:
        return _("it is too old")
    return RULES[level](piece.proof) if level != 2 else _streams(piece.proof, now - piece.as_of)


def _complete(proof: Mapping[str, Any]) -> str:
    share = number(proof.get("completeness"))
    if share is None or share >= COMPLETE:
        return ""
    words = {"share": numbers.percent(share), "least": numbers.percent(COMPLETE)}
    return _("it holds %(share)s of its reference, and %(least)s are needed") % words


def _streams(proof: Mapping[str, Any], age: dt.timedelta) -> str:
    period, uptime = number(proof.get("period_s")), number(proof.get("uptime"))
    if period is None or uptime is None:
        return _("how often it reports, and its uptime, are not stated")
    if age > dt.timedelta(seconds=period):
        return _("the last word is older than its period of %(n)s s") % {"n": numbers.number(period, 0)}
    if uptime < UPTIME:
        words = {"share": numbers.percent(uptime), "least": numbers.percent(UPTIME)}
        return _("it was heard %(share)s of the last seven days, and %(least)s are needed") % words
    return ""


def _forecasts(proof: Mapping[str, Any]) -> str:
    skill, days = number(proof.get("skill")), number(proof.get("days"))
    if skill is None or days is None:
        return _("no back-test is stated")
    if days < LEAST_DAYS:
        return _("its back-test has %(n)d days, and %(least)d are needed") % {"n": days, "least": LEAST_DAYS}
    if skill <= 0:
        return _("it is no better than the simple guess that tomorrow is as today")
    return ""


def _what_if(proof: Mapping[str, Any]) -> str:
    if not proof.get("oracle"):
        return _("nothing is named that its engine was held against")
    if not proof.get("uncertainty"):
        return _("how sure it is was not reckoned")
    return ""


def _closed_loop(proof: Mapping[str, Any]) -> str:
    measured, expected = figures(proof.get("measured")), figures(proof.get("expected"))
    if not measured:
        return _("no effect of a decision was measured")
    if not measured.keys() & expected.keys():
        return _("what was measured was not held against what was expected")
    return ""


def figures(value: Any) -> dict[str, float]:
    """Figures by name; a bare number is one without a name."""
    given = value if isinstance(value, Mapping) else {"": value}
    return {str(name): found for name, one in given.items() if (found := number(one)) is not None}


RULES: Mapping[int, Callable[[Mapping[str, Any]], str]] = {
    1: _complete,
    3: _forecasts,
    4: _what_if,
    5: _closed_loop,
}


def number(value: Any) -> float | None:
    """A number that is one; truth values and what is not finite are none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if abs(value) < float("inf") else None
