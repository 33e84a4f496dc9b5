"""Whether a lab believes a badge: pure. A rule about one badge goes before a rule about all badges of a giver."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Grant:
    """A badge that was given. `given_in` is the lab's key, or None for the site itself; `issuer` is set for badges of
    other sites, with the address by which they call the achievement."""

    badge: int
    given_at: dt.datetime
    given_in: int | None = None
    expires_at: dt.datetime | None = None
    revoked: bool = False
    issuer: str = ""
    achievement: str = ""


@dataclass(frozen=True, slots=True)
class Rule:
    """What a lab says about a giver: a lab here (`giver`), or an issuer elsewhere."""

    believes: bool = True
    giver: int | None = None
    issuer: str = ""
    achievement: str = ""
    badge: int | None = None


@dataclass(frozen=True, slots=True)
class Renewal:
    """Badges that a lab gave before `asked_at` are good until `until` at most."""

    badge: int
    lab: int
    asked_at: dt.datetime
    until: dt.datetime


@dataclass(frozen=True, slots=True)
class Trust:
    """The rules of one lab; `scope` is all, listed or own."""

    lab: int
    scope: str = "listed"
    rules: Sequence[Rule] = ()


def believes(trust: Trust, grant: Grant) -> bool:
    """Whether the lab believes who gave it, whatever the day."""
    if grant.issuer:
        return any(
            rule.issuer == grant.issuer
            and rule.badge == grant.badge
            and rule.achievement in {"", grant.achievement}
            and rule.believes
            for rule in trust.rules
        )
    if grant.given_in is None or grant.given_in == trust.lab:
        return True
    if trust.scope == "own":
        return False
    about = [rule for rule in trust.rules if rule.giver == grant.given_in and rule.badge in {None, grant.badge}]
    exact = [rule for rule in about if rule.badge is not None]
    if rules := exact or about:
        return all(rule.believes for rule in rules)
    return trust.scope == "all"


def good_until(grant: Grant, renewals: Sequence[Renewal]) -> dt.datetime | None:
    """When it ends by its own date and by what its lab asked since; None is never."""
    ends = [grant.expires_at] if grant.expires_at else []
    ends += [
        one.until
        for one in renewals
        if one.badge == grant.badge and one.lab == grant.given_in and grant.given_at < one.asked_at
    ]
    return min(ends, default=None)


def is_good(grant: Grant, renewals: Sequence[Renewal], at: dt.datetime) -> bool:
    """Not taken back and not ended at that time."""
    until = good_until(grant, renewals)
    return not grant.revoked and (until is None or until > at)
