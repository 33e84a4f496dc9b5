"""The demonstration's loop, once every room has its part: where its labs belong, and decisions of each kind.

A newcomer finds a vote to take part in, one that is talked over, one that passed and waits for its day, and two that
hold and were measured: a price by the lab's sun and the neighbourhood's plan. What is over went the way of every vote,
through the same services; only its days are set back, since a demonstration begins today.
"""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from django.apps import apps
from django.db import transaction
from django.utils import timezone

from commons.decisions import measuring, queries, services
from commons.decisions.models import Body, CharterVersion, Enactment, Motion
from commons.errors import CityError
from commons.people.models import User
from twin import deciding
from twin.models import District, Scenario

Say = Callable[[str], None]
State = Motion.State
LAB, COMMUNITY, PLACE = "kamppi-open-lab", "kamppi", "kamppi"
AGO = dt.timedelta(days=14)
ONE, SECOND = dt.timedelta(days=1), dt.timedelta(seconds=1)

SUN = (
    "Shall sunny hours cost less?",
    "At noon the roofs around the square make more than the quarter uses, and the machines stand idle. In the evening "
    "everybody comes at once. A fifth off while the sun has power to spare brings some of the long prints to noon.",
    ({"title": "A fifth less in the sun", "value": {"discount_percent": 20, "above_surplus_share": 0.5}},),
)
PRICE = (
    "Shall shared power cost half a cent less?",
    "Whoever has a roof gets 7.5 cents for a kWh that a neighbour uses, and the neighbour saves as much again. Half a "
    "cent less leaves both better off than the supplier's price, and the homes without a roof a little more so.",
)
QUORUM = (
    "Shall a quarter of us be enough for a vote?",
    "Three of the last votes were decided by who was there at noon. A quarter comes together in a week.",
)
PLAN = (
    "Which plan shall the quarter follow?",
    "Two questions were put to the twin, and both answers are on the ballot with their ranges. The plan is what the "
    "neighbourhood measures itself by; it spends nobody's money.",
)
NEXT = (
    "Shall the quieter streets be the plan instead?",
    "The panels are being measured, and the second answer looks better for the people of Mannerheimintie. Tick what "
    "you can live with.",
)


def seed(say: Say) -> None:
    """Make what is missing; running it again is harmless."""
    made = [
        *_tied(),
        *_said("a price by the sun", _sunny_price),
        *_said("a price of shared power", _shared_price),
        *_said("a charter", _quorum),
        *_said("a plan", _plan),
        *_said("another plan", _next_plan),
    ]
    say(f"loop: {', '.join(made)}" if made else "loop: it is closed already")


def remove(_say: Say) -> None:
    """Ties go with their labs, decisions with their bodies."""


def _said(what: str, make: Callable[[], bool]) -> Iterable[str]:
    """One part; a demonstration without it is better than none."""
    try:
        with transaction.atomic():
            made = make()
        if made:
            yield what
    except CityError as refusal:
        yield f"no {what}: {refusal}"


# --- where the labs belong ---------------------------------------------------------------------------------------


def _tied() -> list[str]:
    """The demo's labs in the demo's community, and each in the building that is nearest to it."""
    if not apps.is_installed("labs"):
        return []
    from labs.models import Lab, LabTie  # noqa: PLC0415 only where the labs' room is there
    from labs.sides import sides  # noqa: PLC0415 as above

    made = []
    for lab in Lab.objects.filter(demo=True).select_related("place"):
        for side in sides:
            near = side.near(lab, None, COMMUNITY if side.slug == LabTie.Kind.COMMUNITY else "")
            if not near or LabTie.objects.filter(lab=lab, kind=side.slug).exists():
                continue
            other, now = near[0], timezone.now()
            LabTie.objects.create(
                lab=lab, kind=side.slug, target=other.target, title=other.title, url=other.url, state="holds",
                asked_at=now - AGO, answered_at=now - AGO + ONE, demo=True,
            )  # fmt: skip
            made.append(f"{lab.name} in {other.title}")
    return made


# --- decisions ---------------------------------------------------------------------------------------------------


def _sunny_price() -> bool:
    """Holds for two weeks, and was measured."""
    if "labs.surplus_price" not in {effect.slug for effect in _effects()}:
        return False
    motion = _ask("labs.lab", LAB, SUN, effect="labs.surplus_price", options=SUN[2])
    if motion is None:
        return False
    _enacted(motion, "1", _monday(motion, timezone.now() - AGO))
    return True


def _shared_price() -> bool:
    """Passed; it waits for the first of a month."""
    motion = _ask(
        "energy.community", COMMUNITY, PRICE, effect="energy.tariff",
        options=[{"title": "Seven cents", "value": {"price": 0.07}}],
    )  # fmt: skip
    if motion is None:
        return False
    _passed(motion, "1")
    return True


def _quorum() -> bool:
    """Talked over; the vote opens in three days."""
    motion = _ask(
        "labs.lab", LAB, QUORUM, effect="decisions.charter", notice_h=72,
        options=[{"title": "A quarter", "value": {"quorum": "1/4"}}],
    )  # fmt: skip
    return motion is not None


def _plan() -> bool:
    """The first scenario holds since two weeks ago, and was measured."""
    values = _scenarios()
    motion = _ask("twin.neighbourhood", PLACE, PLAN, effect=deciding.SLUG, options=values) if values else None
    if motion is None:
        return False
    at = timezone.now() - AGO
    _enacted(motion, "1", deciding.border(PLACE, at))
    return True


def _next_plan() -> bool:
    """A vote that is open now."""
    values = _scenarios()
    if len(values) < 2:
        return False
    motion = _ask("twin.neighbourhood", PLACE, NEXT, method="approval", effect=deciding.SLUG, options=values)
    if motion is None:
        return False
    _open(motion)
    voters = _people(motion)[:2]
    for person, choice in zip(voters, (["1", "2"], ["2"]), strict=False):
        services.vote(motion=motion, person=person, choice=choice)
    return True


def _effects() -> Iterable[Any]:
    from commons import sockets  # noqa: PLC0415 beside its use

    return sockets.effects


def _scenarios() -> list[dict[str, Any]]:
    """The demo's scenarios, the oldest first, as a ballot takes them."""
    district = District.objects.filter(place__slug=PLACE, demo=True).first()
    rows = Scenario.objects.filter(district=district, demo=True).order_by("created_at", "pk") if district else ()
    found = []
    for scenario in rows:
        version = scenario.versions.order_by("-number").first()
        if version is not None:
            found.append({"title": scenario.title, "value": {"scenario_version": str(version.pk)}})
    return found


# --- the way of a vote -------------------------------------------------------------------------------------------


def _ask(
    kind: str, key: str, words: Sequence[Any], *, effect: str, options: Sequence[Mapping[str, Any]],
    method: str = "majority", notice_h: int = 0,
) -> Motion | None:
    """Put the question, unless it was put before or nobody is there; what its options mean is reckoned at once."""
    if queries.decider(Body(kind=kind, key=key), None) is None:
        return None
    body = services.body(kind=kind, key=key)
    if not body.demo or body.motions.filter(title=words[0]).exists():
        return None
    _short_notice(body, notice_h)
    members = [user for user in _members(body) if user.demo]
    if not members:
        return None
    motion = services.propose(
        body=body, author=members[0], title=words[0], text=words[1], method=method, options=list(options),
        effect=effect, demo=True,
    )  # fmt: skip
    for option in motion.options.exclude(value=None):
        measuring.reckon(option)
    return motion


def _short_notice(body: Body, notice_h: int) -> None:
    """A charter by which a demonstration can vote today, or is talked over first."""
    newest = body.charters.order_by("-number").first()
    asked = {"notice_h": notice_h, "member_days": 0, "ballots": "open"}
    if newest is not None and any(newest.document.get(name) != value for name, value in asked.items()):
        CharterVersion.objects.create(body=body, number=newest.number + 1, document={**newest.document, **asked})


def _members(body: Body) -> list[User]:
    return list(User.objects.filter(pk__in=queries.members(body), is_active=True).order_by("pk"))


def _people(motion: Motion) -> list[User]:
    """The demonstration's own on the roll: nobody votes in the name of a visitor."""
    return list(User.objects.filter(pk__in=motion.roll.values("person"), demo=True).order_by("pk"))


def _open(motion: Motion) -> None:
    services.advance(motion.pk, timezone.now() + SECOND)
    motion.refresh_from_db()


def _passed(motion: Motion, choice: str) -> None:
    """All of the demonstration on the roll vote, nobody objects."""
    _open(motion)
    for person in _people(motion):
        services.vote(motion=motion, person=person, choice=choice)
    now = timezone.now()
    Motion.objects.filter(pk=motion.pk).update(opens_at=now - 3 * SECOND, closes_at=now - 2 * SECOND)
    services.advance(motion.pk)
    Motion.objects.filter(pk=motion.pk, state=State.OBJECTIONS).update(objections_until=now - SECOND)
    services.advance(motion.pk)
    motion.refresh_from_db()


def _enacted(motion: Motion, choice: str, since: dt.datetime) -> None:
    """The same with its days set back: in force since then, and measured."""
    _passed(motion, choice)
    Motion.objects.filter(pk=motion.pk, state=State.PASSED).update(takes_effect_at=since)
    services.advance(motion.pk)
    Motion.objects.filter(pk=motion.pk).update(
        created_at=since - 12 * ONE, opens_at=since - 10 * ONE, closes_at=since - 3 * ONE, objections_until=since - ONE
    )
    done = Enactment.objects.filter(motion=motion).first()
    if done is not None:
        measuring.measure(done)


def _monday(motion: Motion, at: dt.datetime) -> dt.datetime:
    """The border of the effect's period at or after that moment."""
    plug = queries.effect(motion)
    return plug.border(motion.body.key, at) if plug else at
