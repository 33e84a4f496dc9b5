"""Reads of decisions, and of the values that hold because of them."""

import datetime as dt
import hashlib
from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _

from commons import sockets
from commons.decisions import amendment, charter
from commons.decisions.errors import BadMotion, MotionNotFound
from commons.decisions.models import Ballot, Body, CharterVersion, Motion, Option, PolicyValue, RollEntry, SecretBallot
from commons.people.models import User
from commons.web.fulltext import matching

#: So many are looked through for those that a person may see.
MOST_SEARCHED = 400


def plug(body: Body) -> sockets.DecidingBody | None:
    """The kind of a body, if its room is there."""
    return sockets.deciding_bodies.get(body.kind)


def decider(body: Body, person: User | None) -> sockets.Decider | None:
    """The body as a person may see it."""
    kind = plug(body)
    return kind.find(body.key, person) if kind else None


def motion(number: int, person: User | None) -> tuple[Motion, sockets.Decider]:
    """A decision that the person may see, with its body. Raises MotionNotFound."""
    found = Motion.objects.select_related("body", "charter", "author", "enactment").filter(pk=number).first()
    who = decider(found.body, person) if found else None
    if found is None or who is None:
        raise MotionNotFound(_("There is no such decision, or it is not yours to see."))
    return found, who


def motions(person: User | None, *, limit: int = 200) -> list[tuple[Motion, sockets.Decider]]:
    """Decisions that the person may see, newest first."""
    rows = Motion.objects.select_related("body", "author").order_by("-pk")[:limit]
    seen: dict[int, sockets.Decider | None] = {}
    for row in rows:
        if row.body_id not in seen:
            seen[row.body_id] = decider(row.body, person)
    return [(row, who) for row in rows if (who := seen[row.body_id])]


def members(body: Body) -> Mapping[int, dt.datetime]:
    """Who belongs to a body, and since when."""
    kind = plug(body)
    return kind.members(body.key) if kind else {}


def belongs(body: Body, person: User) -> bool:
    """Whether a person is a member now."""
    return person.pk in members(body)


def speaks_for(body: Body, person: User) -> bool:
    """Whether a person is a steward of the body."""
    kind = plug(body)
    return bool(kind and person.pk in kind.stewards(body.key))


def entry(motion: Motion, person: User | None) -> RollEntry | None:
    """The person's place on the roll."""
    return RollEntry.objects.filter(motion=motion, person=person).first() if person else None


def ballot(motion: Motion, person: User | None) -> Ballot | None:
    """What the person voted."""
    return Ballot.objects.filter(entry__motion=motion, entry__person=person).first() if person else None


def cast(motion: Motion) -> int:
    """How many have voted: all that anybody learns before the end."""
    if motion.secret:
        return SecretBallot.objects.filter(motion=motion).count()
    return Ballot.objects.filter(entry__motion=motion).count()


def roll_call(motion: Motion) -> QuerySet[Ballot]:
    """Who voted what, by name; shown after the end alone."""
    return (
        Ballot.objects.filter(entry__motion=motion)
        .select_related("entry__person", "through")
        .order_by("entry__person__username")
    )


def voted_through(motion: Motion) -> int:
    """For how many another voted."""
    return Ballot.objects.filter(entry__motion=motion).exclude(through=None).count()


def options(motion: Motion) -> list[Option]:
    """In the order of the ballot."""
    return list(motion.options.all())


def effect(motion: Motion) -> sockets.Effect | None:
    """What the motion would set, if its room is there."""
    if motion.effect == amendment.SLUG:
        return amendment.effect_for(motion.body.kind)
    return sockets.effects.get(motion.effect)


def effects_of(body: Body, rules_effects: tuple[str, ...] = ()) -> list[sockets.Effect]:
    """What a body may decide: all effects of its kind, or those that its charter names; and always its charter."""
    named = [e for e in sockets.effects if e.body == body.kind and (not rules_effects or e.slug in rules_effects)]
    return [*named, amendment.effect_for(body.kind)]


def known_effect(body: Body, slug: str, allowed: tuple[str, ...]) -> sockets.Effect:
    """An effect that the body may decide. Raises BadMotion."""
    for found in effects_of(body, allowed):
        if found.slug == slug:
            return found
    raise BadMotion(_("This body cannot decide “%(effect)s”.") % {"effect": slug})


def rules_of(body: Body) -> charter.Charter | None:
    """The rules by which a body decides now, also of one that is not written down yet."""
    version = charter_now(body)
    kind = plug(body)
    return version.rules if version else charter.read(kind.charter) if kind else None


def charter_now(body: Body) -> CharterVersion | None:
    """The charter that holds; None of a body that nothing was ever asked of."""
    if body.pk is None:
        return None
    return body.charters.filter(valid_from__lte=timezone.now()).order_by("-valid_from", "-number").first()


def value(kind: str, scope: str, at: dt.datetime | None = None) -> PolicyValue | None:
    """What holds for a scope at a moment (now without one); None when nothing was ever decided or set."""
    return (
        PolicyValue.objects.filter(kind=kind, scope=scope, valid_from__lte=at or timezone.now())
        .order_by("-valid_from")
        .first()
    )


def history(kind: str, scope: str) -> QuerySet[PolicyValue]:
    """Every value that held or will hold, newest first."""
    return PolicyValue.objects.filter(kind=kind, scope=scope).select_related("decided_by").order_by("-valid_from")


def roll_fingerprint(people: "list[int]") -> str:
    """SHA-256 over the roll's account ids in order, so that it cannot grow unseen."""
    return hashlib.sha256(",".join(map(str, sorted(people))).encode()).hexdigest()


def now_of(motion: Motion) -> Mapping[str, Any]:
    """What holds now of what the motion would set."""
    found = effect(motion)
    return found.now(motion.body.key) if found else {}


def voted_by(person: User | None) -> dict[str, set[int]]:
    """The open motions on whose roll a person stands ("roll"), in which they voted ("cast"), and the secret ones of
    which they took their token ("token"): whether they used it nobody knows.
    """
    if person is None:
        return {"roll": set(), "cast": set(), "token": set()}
    rows = RollEntry.objects.filter(person=person, motion__state=Motion.State.OPEN)
    return {
        "roll": set(rows.values_list("motion_id", flat=True)),
        "cast": set(rows.filter(ballot__isnull=False).values_list("motion_id", flat=True)),
        "token": set(rows.exclude(blinded_sha256="").values_list("motion_id", flat=True)),
    }


def bodies_of(person: User | None) -> list[tuple[str, str, sockets.Decider]]:
    """The bodies that a person belongs to: kind, key and how they are shown."""
    if person is None:
        return []
    found = [(kind, key, kind.find(key, person)) for kind in sockets.deciding_bodies for key in kind.keys_of(person)]
    return [(kind.slug, key, who) for kind, key, who in found if who]


def body(kind: str, key: str, person: User | None) -> tuple[Body, sockets.Decider]:
    """A body that the person may see; unsaved when nothing was ever asked of it. Raises MotionNotFound."""
    socket = sockets.deciding_bodies.get(kind)
    who = socket.find(key, person) if socket else None
    if who is None:
        raise MotionNotFound(_("There is no such body, or it is not yours to see."))
    return Body.objects.filter(kind=kind, key=key).first() or Body(kind=kind, key=key), who


def search(words: str, person: User | None, limit: int) -> list[sockets.Hit]:
    """Decisions whose title or text holds every word, of bodies that the person may see, best first."""
    rows = matching(Motion.objects.select_related("body"), words, title="A", text="C")
    seen: dict[int, sockets.Decider | None] = {}
    found: dict[int, sockets.Hit] = {}
    for row in rows[:MOST_SEARCHED]:
        if row.body_id not in seen:
            seen[row.body_id] = decider(row.body, person)
        who = seen[row.body_id]
        if who is not None and row.pk not in found:
            detail = f"{who.name}, {row.get_state_display()}"
            points = 0.4 + float(getattr(row, "points", 0.0))
            found[row.pk] = sockets.Hit(row.title, reverse("rooms:decision", args=[row.pk]), detail, points)
    return list(found.values())[:limit]
