"""Writes of decisions: found a body, propose, vote, withdraw, stop; and what the clock does with a motion.

A motion moves only by `advance`, which locks its row; each step is one transaction and looks at nothing but the row and
the clock, so it does not matter how often, how late or by how many workers it is called, nor when one is killed.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons import sockets
from commons.decisions import amendment, ballot_box, charter, delegating, measuring, queries
from commons.decisions.engine import counting
from commons.decisions.engine.outcome import Outcome
from commons.decisions.errors import BadMotion, BadVote, MotionNotFound, NotAMember, NotNow, OutsideLimits
from commons.decisions.models import Ballot, Body, CharterVersion, Enactment, Motion, Option, PolicyValue, RollEntry
from commons.errors import CityError
from commons.notices.services import tell
from commons.people.models import User
from commons.said import said

OPTIONS_AT_MOST, DUE_AT_MOST = 12, 100
AS_IT_IS = "0"
State = Motion.State


@transaction.atomic
def body(*, kind: str, key: str, person: User | None = None) -> Body:
    """The body of that name with a charter; made when it is first asked for. Raises MotionNotFound."""
    plug = sockets.deciding_bodies.get(kind)
    who = plug.find(key, person) if plug else None
    if plug is None or who is None:
        raise MotionNotFound(_("There is no such body, or it is not yours to see."))
    found, made = Body.objects.get_or_create(kind=kind, key=key, defaults={"demo": who.demo})
    if made:
        rules = charter.read(plug.charter)
        CharterVersion.objects.create(body=found, number=1, document=rules.document())
    return found


@transaction.atomic
def propose(
    *,
    body: Body,
    author: User,
    title: str,
    text: str,
    method: str,
    options: Sequence[Mapping[str, Any]],
    effect: str = "",
    budget: int | None = None,
    secret: bool = False,
    demo: bool = False,
) -> Motion:
    """Put a question to a body; it is talked over until the charter's notice is out.

    `options`: {"title", "text"?, "value"? (what the effect would set), "cost"? (budgets)}; “as it is” is added as the
    first. Raises NotAMember, BadMotion, OutsideLimits and what the effect's check raises.
    """
    if not queries.belongs(body, author):
        raise NotAMember(_("Only members propose. Join first."))
    version = queries.charter_now(body)
    if version is None:
        raise BadMotion(_("This body has no charter."))
    rules = version.rules
    _check_question(rules=rules, title=title, text=text, method=method, options=options, budget=budget)
    if effect == amendment.SLUG and method not in amendment.METHODS:
        raise BadMotion(_("A charter is changed by consent or by two thirds."), field="method")
    plug = queries.known_effect(body, effect, rules.effects) if effect else None
    opens = timezone.now() + dt.timedelta(hours=rules.notice_h)
    motion = Motion.objects.create(
        body=body,
        charter=version,
        author=author,
        title=title.strip(),
        text=text.strip(),
        method=method,
        effect=effect,
        budget=budget if method == "shares" else None,
        secret=_secret(body, rules, method, secret),
        opens_at=opens,
        closes_at=opens + dt.timedelta(hours=rules.window_h),
        demo=demo,
    )
    Option.objects.create(motion=motion, position=0, title=_("Leave it as it is"))
    for position, option in enumerate(options, 1):
        value = _value(body, rules, plug, option.get("value"))
        Option.objects.create(
            motion=motion,
            position=position,
            title=str(option["title"]).strip()[:160],
            text=str(option.get("text", "")).strip()[:4000],
            value=value,
            cost=option.get("cost") if method == "shares" else None,
        )
    _tell(motion, gettext_lazy("A new proposal: %(title)s"), author)
    return motion


def _secret(body: Body, rules: charter.Charter, method: str, asked: bool) -> bool:
    """Whether ballots are secret, as asked and as the charter has it. Raises BadMotion."""
    if not asked and rules.ballots != "secret":
        return False
    if rules.ballots == "open":
        raise BadMotion(_("By its charter this body votes by roll call."), field="secret")
    if method == "consent":
        raise BadMotion(_("Consent is by name, since an objection has its reason."), field="secret")
    if len(queries.members(body)) < charter.SECRET_FROM:
        raise BadMotion(
            _("Fewer than %(n)d people cannot vote in secret: who knows the others knows the last.")
            % {"n": charter.SECRET_FROM},
            field="secret",
        )
    return True


def _check_question(
    *,
    rules: charter.Charter,
    title: str,
    text: str,
    method: str,
    options: Sequence[Mapping[str, Any]],
    budget: int | None,
) -> None:
    if not 5 <= len(title.strip()) <= 160:
        raise BadMotion(_("Ask in 5 to 160 letters."), field="title")
    if not 20 <= len(text.strip()) <= 20_000:
        raise BadMotion(_("Say why, in 20 to 20,000 letters."), field="text")
    if method not in rules.methods:
        raise BadMotion(_("This body decides by %(methods)s.") % {"methods": ", ".join(rules.methods)}, field="method")
    if not 1 <= len(options) <= OPTIONS_AT_MOST:
        raise BadMotion(_("Offer 1 to %(most)d options.") % {"most": OPTIONS_AT_MOST}, field="options")
    if method == "consent" and len(options) > 1:
        raise BadMotion(_("Consent is asked for one option."), field="options")
    if any(not str(option.get("title", "")).strip() for option in options):
        raise BadMotion(_("Each option needs a title."), field="options")
    if method == "shares":
        costs = [option.get("cost") for option in options]
        if not budget or any(not isinstance(cost, int) or not 0 < cost <= budget for cost in costs):
            raise BadMotion(_("A budget is more than nothing, and each option costs a part of it."), field="budget")


def _value(
    body: Body, rules: charter.Charter, plug: sockets.Effect | None, given: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """What an option would set, checked by its room and by the charter's limits."""
    if plug is None:
        return None
    if not given:
        raise BadMotion(_("Say what each option would set."), field="options")
    value = plug.check(body.key, given)
    for name, (least, most) in rules.limits.get(plug.slug, {}).items():
        number = value.get(name)
        if number is not None and not least <= float(number) <= most:
            raise OutsideLimits(
                _("The charter lets “%(name)s” be from %(least)s to %(most)s, not %(value)s.")
                % {"name": name, "least": f"{least:g}", "most": f"{most:g}", "value": number}
            )
    return value


@transaction.atomic
def vote(*, motion: Motion, person: User, choice: Any, reason: str = "") -> Ballot:
    """Cast or change an open vote. Raises NotNow, NotAMember or BadVote."""
    held = Motion.objects.select_for_update(of=("self",), no_key=True).get(pk=motion.pk)
    now = timezone.now()
    if held.secret:
        raise NotNow(_("This vote is secret: it is cast with a token, not by name."))
    if held.state != State.OPEN or not held.opens_at <= now < held.closes_at:
        raise NotNow(
            _("Votes are cast while the vote is open; this one is: %(state)s.") % {"state": held.get_state_display()}
        )
    entry = queries.entry(held, person)
    if entry is None:
        raise NotAMember(_("You are not on the roll of this vote: it was closed when the vote opened."))
    kept = choice_of(held, choice)
    if kept == counting.OBJECT and len(reason.strip()) < 10:
        raise BadVote(_("An objection needs its reason, so that it can be met."), field="reason")
    ballot, _made = Ballot.objects.update_or_create(
        entry=entry, defaults={"choice": kept, "reason": reason.strip()[:2000], "cast_at": now}
    )
    return ballot


def choice_of(motion: Motion, choice: Any) -> counting.Choice:
    """A choice as it is counted."""
    names = [str(position) for position in motion.options.values_list("position", flat=True)]
    if motion.method in ("consent", "majority"):
        allowed = [counting.AGREE, counting.OBJECT, ""] if motion.method == "consent" else [*names, ""]
        if not isinstance(choice, str) or choice not in allowed:
            raise BadVote(_("Choose one of the options."), field="choice")
        return choice
    open_to = names[1:] if motion.method == "shares" else names
    if not isinstance(choice, list) or any(name not in open_to for name in choice) or len(set(choice)) < len(choice):
        raise BadVote(_("Choose among the options, each at most once."), field="choice")
    return choice if motion.method == "condorcet" else sorted(choice, key=int)


@transaction.atomic
def withdraw(*, motion: Motion, person: User) -> Motion:
    """Take a proposal back before its vote opens; its author may. Raises NotNow or NotAMember."""
    held = _held(motion.pk)
    if held.author_id != person.pk:
        raise NotAMember(_("Only who proposed it takes it back."))
    if held.state != State.TALK:
        raise NotNow(_("A proposal is taken back before its vote opens."))
    return _end(held, State.WITHDRAWN, "")


@transaction.atomic
def stop(*, motion: Motion, person: User, reason: str) -> Motion:
    """Stop what passed, in the days for objections, because it breaks the charter or a law; the body's stewards may.

    Raises NotAMember, NotNow or BadVote.
    """
    held = _held(motion.pk)
    if not queries.speaks_for(held.body, person):
        raise NotAMember(_("Only the stewards of the body stop what passed."))
    if held.state != State.OBJECTIONS:
        raise NotNow(_("What passed is stopped in the days for objections."))
    if len(reason.strip()) < 10:
        raise BadVote(_("Say which rule or law it breaks."), field="reason")
    return _end(held, State.STOPPED, reason.strip()[:500])


def _held(pk: int) -> Motion:
    return Motion.objects.select_for_update(of=("self",)).select_related("body", "charter").get(pk=pk)


def _end(motion: Motion, state: Motion.State, why: str) -> Motion:
    motion.state, motion.why = state, why
    motion.save(update_fields=["state", "why"])
    measuring.forget_people(motion)
    _tell(motion, ENDS[state])
    return motion


ENDS = {
    State.WITHDRAWN: gettext_lazy("Taken back: %(title)s"),
    State.STOPPED: gettext_lazy("Stopped: %(title)s"),
    State.KEPT: gettext_lazy("It stays as it is: %(title)s"),
    State.OBJECTIONS: gettext_lazy("Passed, objections possible: %(title)s"),
    State.PASSED: gettext_lazy("Passed: %(title)s"),
    State.ENACTED: gettext_lazy("In force: %(title)s"),
    State.OPEN: gettext_lazy("Vote now: %(title)s"),
}


# --- the clock ---------------------------------------------------------------------------------------------------


def advance_all(now: dt.datetime | None = None) -> int:
    """Move every motion that is due; how many steps were made."""
    moving = [State.TALK, State.OPEN, State.OBJECTIONS, State.PASSED]
    due = Motion.objects.filter(state__in=moving, opens_at__lte=now or timezone.now()).order_by("pk")
    steps = 0
    for number in due.values_list("pk", flat=True)[:DUE_AT_MOST]:
        while advance(number, now):
            steps += 1
    ballot_box.mix_all()
    return steps


@transaction.atomic
def advance(number: int, now: dt.datetime | None = None) -> bool:
    """Make the next step of a motion if it is due; whether one was made."""
    now = now or timezone.now()
    motion = _held(number)
    match motion.state:
        case State.TALK if motion.opens_at <= now:
            _open(motion)
        case State.OPEN if motion.closes_at <= now:
            _count(motion, now)
        case State.OBJECTIONS if motion.objections_until and motion.objections_until <= now:
            _pass(motion, motion.objections_until, now)
        case State.PASSED if motion.takes_effect_at and motion.takes_effect_at <= now:
            _enact(motion)
        case _:
            return False
    return True


def _open(motion: Motion) -> None:
    """Freeze the roll: members who belonged long enough when the vote was to open."""
    since = motion.opens_at - dt.timedelta(days=motion.charter.rules.member_days)
    people = [person for person, joined in queries.members(motion.body).items() if joined <= since]
    known = set(User.objects.filter(pk__in=people, is_active=True).values_list("pk", flat=True))
    if motion.secret and len(known) < charter.SECRET_FROM:
        _end(motion, State.STOPPED, _("Too few are on the roll for a secret vote."))
        return
    if motion.secret:
        motion.signing_key = ballot_box.new_key()
    RollEntry.objects.bulk_create([RollEntry(motion=motion, person_id=person) for person in sorted(known)])
    motion.state, motion.eligible = State.OPEN, len(known)
    motion.roll_sha256 = queries.roll_fingerprint(list(known))
    motion.save(update_fields=["state", "eligible", "roll_sha256", "signing_key"])
    _tell(motion, ENDS[State.OPEN])


def _count(motion: Motion, now: dt.datetime) -> None:
    """Publish the ballots, count them, and go where the outcome leads."""
    delegating.resolve(motion)
    document = _document(motion)
    outcome = counting.count(document)
    motion.ballots, motion.outcome = document, counting.plain(outcome)
    motion.save(update_fields=["ballots", "outcome"])
    if not outcome.passed or outcome.winners[0] == AS_IT_IS:
        _end(motion, State.KEPT, "")
        return
    hours = motion.charter.rules.objection_h
    until = motion.closes_at + dt.timedelta(hours=hours)
    if not hours:
        _pass(motion, until, now)
        return
    motion.state, motion.objections_until = State.OBJECTIONS, until
    motion.save(update_fields=["state", "objections_until"])
    _tell(motion, ENDS[State.OBJECTIONS])


def _document(motion: Motion) -> bytes:
    rules, options = motion.charter.rules, queries.options(motion)
    names = [option.name for option in options if motion.method != "shares" or option.position]
    return counting.ballots_file(
        method=motion.method,
        options=names,
        ballots=[ballot.choice for ballot in Ballot.objects.filter(entry__motion=motion)],
        tokens=ballot_box.shuffled(motion) if motion.secret else None,
        eligible=motion.eligible or 0,
        quorum=rules.quorum,
        majority=max(rules.majority, amendment.NEEDS) if motion.effect == amendment.SLUG else rules.majority,
        money=motion.budget or 0,
        costs={option.name: option.cost for option in options if option.cost},
    )


def _pass(motion: Motion, at: dt.datetime, now: dt.datetime) -> None:
    """Nothing stands against it any more: it holds from the next border of its period."""
    plug = queries.effect(motion)
    at = max(at, now)  # a clock that was stopped must not reach into the past
    motion.state, motion.takes_effect_at = State.PASSED, plug.border(motion.body.key, at) if plug else at
    motion.save(update_fields=["state", "takes_effect_at"])
    _tell(motion, ENDS[State.PASSED])


def _enact(motion: Motion) -> None:
    """Write the value that holds from now on, let the room apply it, and say what held before: all or nothing.

    A value that the room refuses by now (the thing is gone, a limit was drawn tighter) stops the motion with that
    reason.
    """
    plug, at = queries.effect(motion), motion.takes_effect_at or timezone.now()
    chosen = _chosen(motion)
    before, after = (dict(plug.now(motion.body.key)) if plug else {}), chosen.value or {}
    try:
        with transaction.atomic():
            if plug:
                after = plug.check(motion.body.key, after)
                set_value(
                    kind=plug.slug,
                    scope=motion.body.scope,
                    value=after,
                    valid_from=at,
                    motion=motion,
                    demo=motion.body.demo,
                )
                plug.apply(motion.body.key, after, at, reverse("rooms:decision", args=[motion.pk]))
            Enactment.objects.create(
                motion=motion, before=before, after=after, effective_at=at, promised=measuring.promised(chosen)
            )
    except CityError as refusal:
        _end(motion, State.STOPPED, str(refusal.sentence)[:500])
        return
    motion.state = State.ENACTED
    motion.save(update_fields=["state"])
    measuring.forget_people(motion)
    _tell(motion, ENDS[State.ENACTED])


def _chosen(motion: Motion) -> Option:
    """The option that won."""
    winners: list[str] = (motion.outcome or {}).get("winners", [])
    return motion.options.get(position=int(winners[0]))


def set_value(
    *,
    kind: str,
    scope: str,
    value: Mapping[str, Any],
    valid_from: dt.datetime,
    motion: Motion | None = None,
    demo: bool = False,
) -> PolicyValue:
    """Add a value that holds from a moment on; without a motion it is a body's first, set by its stewards.

    Raises NotNow when another value already holds from that very moment.
    """
    try:
        with transaction.atomic():
            return PolicyValue.objects.create(
                kind=kind, scope=scope, value=dict(value), valid_from=valid_from, decided_by=motion, demo=demo
            )
    except IntegrityError:
        raise NotNow(_("Another decision already holds from that moment on.")) from None


def _tell(motion: Motion, words: Any, actor: User | None = None) -> None:
    people = User.objects.filter(pk__in=queries.members(motion.body).keys(), is_active=True)
    url = reverse("rooms:decision", args=[motion.pk])
    tell(
        people=people,
        kind=f"decisions.{motion.state}",
        text=said(words, title=motion.title),
        url=url,
        actor=actor,
        about=f"decision:{motion.pk}:{motion.state}",
    )


@transaction.atomic
def remove_demo() -> int:
    """Take the demo's bodies away with all that they decided; how many."""
    bodies = Body.objects.filter(demo=True)
    PolicyValue.objects.filter(demo=True).delete()
    Motion.objects.filter(Q(body__in=bodies) | Q(demo=True)).delete()
    number = bodies.count()
    bodies.delete()
    return number


def recount(motion: Motion) -> Outcome | None:
    """Count the published ballots again; None before the end."""
    return counting.count(bytes(motion.ballots)) if motion.ballots else None
