"""What decisions tell everybody: asked, open, over, in force. Only of bodies that a stranger may see, and no ballot."""

import datetime as dt
from collections.abc import Iterator

from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons import sockets as house
from commons.activity import sockets
from commons.activity.sockets import Happening, Source, Subject, SubjectKind
from commons.decisions.errors import MotionNotFound
from commons.decisions.models import Motion
from commons.decisions.queries import body, motion, motions
from commons.people.models import Handle

S = Motion.State
#: The outcome is told in a sentence once there is one.
OVER = {
    S.OBJECTIONS: lazy("“%(title)s” passed; objections are possible"),
    S.PASSED: lazy("“%(title)s” passed"),
    S.KEPT: lazy("“%(title)s”: it stays as it is"),
    S.STOPPED: lazy("“%(title)s” was stopped"),
    S.ENACTED: lazy("“%(title)s” passed"),
}


def find_decision(key: str) -> Subject | None:
    """A decision of a body that everybody sees."""
    try:
        found, _who = motion(int(key) if key.isdecimal() and len(key) < 10 else 0, None)
    except MotionNotFound:
        return None
    return Subject("decision", str(found.pk), found.title, reverse("rooms:decision", args=[found.pk]), found)


def find_body(key: str) -> Subject | None:
    """A body that everybody sees, as "kind/key"."""
    kind, _slash, name = key.partition("/")
    try:
        found, who = body(kind, name, None)
    except MotionNotFound:
        return None
    return Subject("body", key, who.name, who.url, found)


def tell(subject: Subject, most: int) -> Iterator[Happening]:
    """What happened to the decisions of a subject."""
    if subject.kind not in {"city", "place", "body", "decision", "person"}:
        return
    for row, who in motions(None, limit=200):
        if _concerns(subject, row, who):
            yield from _of(row, who, most)


def _concerns(subject: Subject, row: Motion, who: house.Decider) -> bool:
    thing = subject.thing
    match subject.kind:
        case "place":
            return who.place is not None and thing.pk in {who.place.pk, who.place.parent_id}
        case "body":
            return bool(row.body_id == thing.pk)
        case "decision":
            return bool(row.pk == thing.pk)
        case "person":
            return isinstance(thing, Handle) and thing.user_id is not None and row.author_id == thing.user_id
        case _:
            return True


def _of(row: Motion, who: house.Decider, most: int) -> Iterator[Happening]:
    url, words, now = reverse("rooms:decision", args=[row.pk]), {"title": row.title}, timezone.now()

    def happened(what: str, at: dt.datetime, said: object) -> Happening:
        return Happening(f"decision-{row.pk}-{what}", at, str(said) % words, url, who.name)

    yield happened("asked", row.created_at, _("Proposed: “%(title)s”"))
    if row.state == S.WITHDRAWN:
        return
    if row.opens_at <= now and row.state != S.TALK:
        yield happened("open", row.opens_at, _("The vote on “%(title)s” is open"))
    if row.outcome is not None and row.state in OVER:
        yield happened("over", row.closes_at, OVER[S(row.state)])
    enactment = getattr(row, "enactment", None) if row.state == S.ENACTED else None
    if enactment is not None:
        yield happened("in-force", enactment.effective_at, _("“%(title)s” is in force"))


def register() -> None:
    """Bodies and decisions may be followed."""
    sockets.kinds.register(
        SubjectKind(
            "body", lazy("Bodies"), find_body, {"rooms:decision_body": lambda at: f"{at['kind']}/{at['key']}"}, order=70
        )
    )
    sockets.kinds.register(
        SubjectKind(
            "decision", lazy("Decisions"), find_decision, {"rooms:decision": lambda at: str(at["number"])}, order=80
        )
    )
    sockets.sources.register(Source("decisions", tell, order=50))
