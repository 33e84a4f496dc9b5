"""The charter of a body, as data: who may vote on what, by which method, within which times and limits.

Shares are fractions in text (“1/5”), times are hours. `limits` bound the numbers that a decision may set: by kind of
effect, by field, the least and the most. What no charter can allow is not here at all: there is no effect for it.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from fractions import Fraction
from typing import Any, Literal, get_args

from django.utils.translation import gettext as _

from commons.decisions.errors import BadCharter

Method = Literal["consent", "majority", "approval", "condorcet", "shares"]
Ballots = Literal["open", "secret", "either"]
METHODS: tuple[Method, ...] = get_args(Method)
SECRET_FROM = 10
YEAR_H = 24 * 366


@dataclass(frozen=True, slots=True)
class Charter:
    """The rules of one body. `majority` is the share that a majority needs; `member_days` is how long somebody must
    belong before the roll is closed.
    """

    methods: tuple[Method, ...] = METHODS
    effects: tuple[str, ...] = ()
    quorum: Fraction = Fraction(1, 5)
    majority: Fraction = Fraction(1, 2)
    notice_h: int = 72
    window_h: int = 168
    objection_h: int = 72
    member_days: int = 30
    ballots: Ballots = "either"
    delegation: bool = False
    limits: Mapping[str, Mapping[str, tuple[float, float]]] = field(default_factory=dict)

    def document(self) -> dict[str, Any]:
        """As it is kept: JSON, fractions as text."""
        plain = asdict(self)
        plain |= {"quorum": str(self.quorum), "majority": str(self.majority)}
        plain |= {"methods": list(self.methods), "effects": list(self.effects)}
        plain["limits"] = {kind: {name: list(pair) for name, pair in of.items()} for kind, of in self.limits.items()}
        return plain


def read(document: Mapping[str, Any]) -> Charter:
    """A charter from its document. Raises BadCharter with what is wrong and what would be right."""
    unknown = sorted(document.keys() - set(Charter.__dataclass_fields__))
    if unknown:
        raise BadCharter(_("A charter has no “%(name)s”.") % {"name": unknown[0]})
    given = dict(document)
    for name in ("quorum", "majority"):
        if name in given:
            given[name] = _fraction(name, given[name])
    for name, most in (("notice_h", YEAR_H), ("window_h", YEAR_H), ("objection_h", YEAR_H), ("member_days", 3660)):
        if name in given:
            given[name] = _whole(name, given[name], 1 if name == "window_h" else 0, most)
    given["methods"] = _methods(given.get("methods", METHODS))
    given["effects"] = tuple(str(effect) for effect in given.get("effects", ()))
    if given.get("ballots", "either") not in get_args(Ballots):
        raise BadCharter(_("Ballots are open, secret or either."))
    if not isinstance(given.get("delegation", False), bool):
        raise BadCharter(_("“%(name)s” is true or false.") % {"name": "delegation"})
    if given.get("delegation") and given.get("ballots") == "secret":
        raise BadCharter(_("Nobody votes for another in secret: who delegated could not see how it was used."))
    given["limits"] = _limits(given.get("limits", {}))
    charter = Charter(**given)
    if charter.majority < Fraction(1, 2):
        raise BadCharter(_("A majority is a half or more; this charter says %(share)s.") % {"share": charter.majority})
    return charter


def _fraction(name: str, value: object) -> Fraction:
    try:
        share = Fraction(str(value))
    except (ValueError, ZeroDivisionError):
        share = Fraction(-1)
    if not 0 <= share <= 1:
        raise BadCharter(_("“%(name)s” is a share such as 1/5, not %(value)s.") % {"name": name, "value": value})
    return share


def _whole(name: str, value: object, least: int, most: int) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
        raise BadCharter(
            _("“%(name)s” is a whole number from %(least)d to %(most)d, not %(value)s.")
            % {"name": name, "least": least, "most": most, "value": value}
        )
    return value


def _methods(value: object) -> tuple[Method, ...]:
    asked = value if isinstance(value, (list, tuple)) else ()
    found = tuple(method for method in METHODS if method in asked)
    if not found or len(found) != len(asked):
        raise BadCharter(_("Methods are one or more of %(methods)s.") % {"methods": ", ".join(METHODS)})
    return found


def _limits(value: object) -> dict[str, dict[str, tuple[float, float]]]:
    try:
        assert isinstance(value, Mapping)  # noqa: S101 caught below
        found = {
            str(kind): {str(name): (float(low), float(high)) for name, (low, high) in of.items()}
            for kind, of in value.items()
        }
    except (AssertionError, AttributeError, TypeError, ValueError):
        raise BadCharter(_("Limits are given by effect and field, each as the least and the most.")) from None
    if any(low > high for of in found.values() for low, high in of.values()):
        raise BadCharter(_("A limit’s least is above its most."))
    return found
