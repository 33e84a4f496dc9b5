"""The charter itself, changed by vote: an effect that every body has. What it changes holds for proposals made later,
so a vote on the charter goes by the charter that held when it was proposed.

Never in anybody's reach are the effects that are not there (safety, licences of others, named persons, the past) and
the limits of values, which the body's room sets.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from django.db.models import Max
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons import sockets
from commons.decisions import charter
from commons.decisions.errors import BadCharter
from commons.decisions.models import Body, CharterVersion, Motion

SLUG = "decisions.charter"
NEEDS = Fraction(2, 3)
METHODS = ("consent", "majority")
HOURS = ("notice_h", "window_h", "objection_h")
TITLES: Mapping[str, str | Promise] = {
    "quorum": gettext_lazy("Quorum"),
    "majority": gettext_lazy("Majority"),
    "notice_h": gettext_lazy("Talked over"),
    "window_h": gettext_lazy("Vote"),
    "objection_h": gettext_lazy("Objections"),
    "member_days": gettext_lazy("Belonging before the vote"),
    "ballots": gettext_lazy("Ballots"),
    "delegation": gettext_lazy("Voting for another"),
}
BALLOTS = (
    ("either", gettext_lazy("open or secret, as proposed")),
    ("open", gettext_lazy("open, by roll call")),
    ("secret", gettext_lazy("secret")),
)
YES_NO = (("no", gettext_lazy("no")), ("yes", gettext_lazy("yes, in open ballots")))
SHARES = ("0", "1/10", "1/5", "1/4", "1/3", "1/2", "2/3")
#: No body can be without time to talk, and what passed with a majority can be objected to.
LEAST = {"notice_h": 12, "window_h": 12, "objection_h": 0, "member_days": 0}


def effect_for(kind: str) -> sockets.Effect:
    """Changing the charter, for bodies of a kind."""

    def held(key: str) -> dict[str, Any]:
        return document(kind, key)

    def apply(key: str, value: Mapping[str, Any], at: dt.datetime, url: str) -> None:
        _apply(Body.objects.get(kind=kind, key=key), value, at, url)

    return sockets.Effect(
        slug=SLUG,
        body=kind,
        title=gettext_lazy("The charter: how this body decides"),
        fields=lambda key: fields(),
        now=lambda key: _shown(held(key)),
        check=lambda key, value: check(held(key), value),
        say=lambda key, value: say(value),
        border=lambda key, at: at,
        apply=apply,
        order=900,
    )


def document(kind: str, key: str) -> dict[str, Any]:
    """The charter that holds, as it is kept; that of the kind where the body never decided anything."""
    from commons.decisions import queries  # noqa: PLC0415 queries ask for effects, of which this is one

    body = Body.objects.filter(kind=kind, key=key).first()
    version = queries.charter_now(body) if body else None
    plug = sockets.deciding_bodies.get(kind)
    found = version.rules if version else charter.read(plug.charter if plug else {})
    return found.document()


def _shown(held: Mapping[str, Any]) -> dict[str, Any]:
    return {name: held[name] for name in TITLES if name != "delegation"} | {
        "delegation": "yes" if held["delegation"] else "no"
    }


def fields() -> Sequence[sockets.EffectField]:
    """What can be changed."""
    hours = gettext_lazy("hours")
    shares = [(share, share) for share in SHARES]
    found = [
        sockets.EffectField("quorum", TITLES["quorum"], shares),
        sockets.EffectField("majority", TITLES["majority"], [(share, share) for share in ("1/2", "3/5", "2/3", "3/4")]),
    ]
    found += [sockets.EffectField(n, TITLES[n], (), LEAST[n], charter.YEAR_H, hours) for n in HOURS]
    days = gettext_lazy("days")
    found.append(sockets.EffectField("member_days", TITLES["member_days"], (), LEAST["member_days"], 3660, days))
    found.append(sockets.EffectField("ballots", TITLES["ballots"], BALLOTS))
    found.append(sockets.EffectField("delegation", TITLES["delegation"], YES_NO))
    return found


def check(held: Mapping[str, Any], value: Mapping[str, Any]) -> dict[str, Any]:
    """What changes, as it is kept. Raises BadCharter."""
    asked = {name: value[name] for name in TITLES if value.get(name) not in (None, "")}
    if unknown := sorted(value.keys() - TITLES.keys()):
        raise BadCharter(_("A vote cannot change “%(name)s” of a charter.") % {"name": unknown[0]})
    if "delegation" in asked:
        asked["delegation"] = asked["delegation"] in ("yes", True)
    charter.read({**held, **asked})
    for name, least in LEAST.items():
        if name in asked and asked[name] < least:
            raise BadCharter(_("“%(name)s” is at least %(least)d.") % {"name": TITLES[name], "least": least})
    changed = {name: to for name, to in asked.items() if to != held[name]}
    if not changed:
        raise BadCharter(_("This is the charter as it is."))
    return changed


def say(value: Mapping[str, Any]) -> str:
    """In words."""
    words = dict(BALLOTS)
    told = []
    for name, title in TITLES.items():
        if name not in value:
            continue
        given = value[name]
        if name == "ballots":
            given = words[given]
        elif name == "delegation":
            given = dict(YES_NO)["yes" if given in ("yes", True) else "no"]
        elif name in HOURS:
            given = _("%(n)s hours") % {"n": given}
        elif name == "member_days":
            given = _("%(n)s days") % {"n": given}
        told.append(f"{title}: {given}")
    return "; ".join(told)


def _apply(body: Body, value: Mapping[str, Any], at: dt.datetime, url: str) -> None:
    """Add a version of the charter."""
    held = document(body.kind, body.key)
    rules = charter.read({**held, **value})
    number = (body.charters.aggregate(last=Max("number"))["last"] or 0) + 1
    motion = Motion.objects.filter(pk=int(url.strip("/").rsplit("/", 1)[-1])).first()
    CharterVersion.objects.create(body=body, number=number, document=rules.document(), valid_from=at, decided_by=motion)
