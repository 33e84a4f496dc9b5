"""What the pages of decisions show, put together."""

from collections.abc import Mapping, Sequence
from typing import Any

from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons import sockets
from commons.decisions import amendment, ballot_box, delegating, queries
from commons.decisions.engine.counting import AGREE, OBJECT
from commons.decisions.models import Motion, Option
from commons.people.models import User

State = Motion.State
GROUPS: tuple[tuple[str | Promise, tuple[str, ...]], ...] = (
    (lazy("Vote now"), (State.OPEN,)),
    (lazy("Being talked over"), (State.TALK,)),
    (lazy("Passed, not yet in force"), (State.OBJECTIONS, State.PASSED)),
    (lazy("Decided"), (State.ENACTED, State.KEPT, State.STOPPED, State.WITHDRAWN)),
)
WHY: Mapping[str, str | Promise] = {
    "passed": lazy("Most chose to leave it as it is."),
    "no-votes": lazy("Nobody chose an option."),
    "no-quorum": lazy("Too few voted."),
    "not-enough": lazy("No option had enough votes."),
    "objection": lazy("Somebody objected with a reason."),
    "nothing-fits": lazy("No option could be paid for."),
}
HOW: Mapping[str, str | Promise] = {
    "consent": lazy("It passes when nobody objects with a reason."),
    "majority": lazy("An option passes with more than half of the votes, or the share that the charter asks for."),
    "approval": lazy("Tick every option that you can live with. The one with the most ticks passes."),
    "condorcet": lazy("Rank the options. The one that does best against each other one passes."),
    "shares": lazy("Tick what is worth its money. Everybody holds an equal part of the budget."),
}
TWO_THIRDS = lazy("The charter changes with two thirds of the votes.")
CHIPS = {State.OPEN: "act", State.ENACTED: "good", State.STOPPED: "bad", State.OBJECTIONS: "warn", State.PASSED: "good"}


def how(method: str, effect: str) -> str | Promise:
    """When an option passes, in a sentence."""
    return TWO_THIRDS if (method, effect) == ("majority", amendment.SLUG) else HOW[method]


def home(person: User | None) -> dict[str, Any]:
    """All decisions that a person may see, those that wait for them first."""
    voted = queries.voted_by(person)
    groups: list[tuple[Any, list[dict[str, Any]]]] = [(title, []) for title, _states in GROUPS]
    for motion, who in queries.motions(person):
        i = next(i for i, (_title, states) in enumerate(GROUPS) if motion.state in states)
        open_to_me = motion.state == State.OPEN and motion.pk in voted["roll"]
        groups[i][1].append(
            {
                "motion": motion,
                "who": who,
                "chip": CHIPS.get(State(motion.state), ""),
                "mine": open_to_me and motion.pk not in voted["cast"] | voted["token"],
                "token": motion.pk in voted["token"],
                "voted": motion.pk in voted["cast"],
            }
        )
    return {"groups": [group for group in groups if group[1]], "bodies": queries.bodies_of(person)}


def motion_page(motion: Motion, who: sockets.Decider, person: User | None) -> dict[str, Any]:
    """One decision."""
    rules, options = motion.charter.rules, queries.options(motion)
    entry, ballot = queries.entry(motion, person), queries.ballot(motion, person)
    cast, now = queries.cast(motion), timezone.now()
    eligible = motion.eligible or 0
    quorum = -(-rules.quorum * eligible // 1)
    effect = queries.effect(motion)
    return {
        "motion": motion,
        "who": who,
        "rules": rules,
        "chip": CHIPS.get(State(motion.state), ""),
        "how": how(motion.method, motion.effect),
        "steps": _steps(motion),
        "options": [_shown(motion, option, effect, person, ballot.choice if ballot else None) for option in options],
        "ranks": range(1, len(options) + 1),
        "effect": effect,
        "now_words": effect.say(motion.body.key, effect.now(motion.body.key)) if effect else "",
        "entry": entry,
        "ballot": ballot,
        "may_vote": entry is not None and motion.state == State.OPEN and motion.opens_at <= now < motion.closes_at,
        "cast": cast,
        "cast_share": cast / eligible if eligible else None,
        "quorum": int(quorum),
        "quorum_share": float(rules.quorum),
        "results": _results(motion, options),
        "why": motion.why or WHY.get((motion.outcome or {}).get("why", ""), "")
        if motion.state != State.ENACTED
        else "",
        "roll_call": queries.roll_call(motion) if motion.ballots and entry and not motion.secret else [],
        "tokens": ballot_box.tokens_given(motion) if motion.secret else None,
        "may_withdraw": motion.state == State.TALK and person is not None and motion.author_id == person.pk,
        "may_stop": motion.state == State.OBJECTIONS and person is not None and queries.speaks_for(motion.body, person),
        "enactment": (enactment := getattr(motion, "enactment", None)),
        "before_words": effect.say(motion.body.key, enactment.before) if effect and enactment else "",
        "after_words": effect.say(motion.body.key, enactment.after) if effect and enactment else "",
        "measured": _measured(motion, effect),
        "delegated": queries.voted_through(motion),
    }


def _measured(motion: Motion, effect: sockets.Effect | None) -> list[dict[str, Any]]:
    """What stood on the ballot beside what was measured since, figure by figure."""
    enactment = getattr(motion, "enactment", None)
    if effect is None or effect.shows is None or enactment is None or not enactment.measured:
        return []
    key = motion.body.key
    return beside(effect, key, enactment.promised or {}, enactment.measured.get("figures", {}))


def beside(
    effect: sockets.Effect, key: str, promised: Mapping[str, Any], measured: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Each measured figure with what the ballot said of it; a room may also say what was, and how much is known."""
    if effect.shows is None:
        return []
    said = {row["title"]: row.get("promised", row["value"]) for row in effect.shows(key, promised)}
    rows = effect.shows(key, measured)
    names = ("before", "since", "coverage", "basis")
    return [
        {"title": row["title"], "promised": said.get(row["title"], "–"), "measured": row["value"]}
        | {name: row.get(name, "") for name in names}
        for row in rows
    ]


def _shown(
    motion: Motion, option: Option, effect: sockets.Effect | None, person: User | None, choice: Any
) -> dict[str, Any]:
    """An option with what it would mean, and whether the reader chose it."""
    preview = None
    if effect and effect.preview and option.value:
        preview = effect.preview(motion.body.key, option.value, person, option.reckoned or {})
    chosen = option.name in choice if isinstance(choice, list) else option.name == choice
    rank = choice.index(option.name) + 1 if isinstance(choice, list) and chosen else 0
    sets = effect.say(motion.body.key, option.value) if effect and option.value else ""
    return {"option": option, "preview": preview, "chosen": chosen, "rank": rank, "sets": sets}


def _steps(motion: Motion) -> list[dict[str, Any]]:
    """Where it stands between the idea and what it changed."""
    over = {State.ENACTED, State.KEPT, State.STOPPED, State.WITHDRAWN}
    place = {State.TALK: 1, State.OPEN: 2, State.OBJECTIONS: 3, State.PASSED: 3}.get(State(motion.state), 4)
    names: Sequence[tuple[str, Any]] = (
        (_("Idea"), motion.created_at),
        (_("Talked over"), motion.opens_at),
        (_("Vote"), motion.closes_at),
        (_("Objections"), motion.objections_until),
        (_("In force"), motion.takes_effect_at),
    )
    ended = motion.state in over - {State.ENACTED}
    return [
        {"name": name, "at": at, "done": i < place or motion.state == State.ENACTED, "here": i == place and not ended}
        for i, (name, at) in enumerate(names)
    ]


def _results(motion: Motion, options: Sequence[Option]) -> list[dict[str, Any]]:
    """Votes by option, the winner first; after the end alone."""
    if motion.outcome is None:
        return []
    told = motion.outcome["figures"]
    counts = told.get("votes") or told.get("approvals") or {}
    if motion.method == "consent":
        against = told.get("objections", 0)
        return [
            {"title": _("No objection"), "n": told.get("answered", 0) - against, "won": not against},
            {"title": _("Objections"), "n": against, "won": False},
        ]
    if motion.method == "condorcet" and "pairs" in told:
        counts = {o.name: sum(n for one, _two, n in told["pairs"] if one == o.name) for o in options}
    top = max([*counts.values(), 1])
    won = motion.outcome["winners"]
    rows = [
        {"title": o.title, "n": counts.get(o.name, 0), "share": counts.get(o.name, 0) / top, "won": o.name in won}
        for o in options
        if o.name in counts
    ]
    return sorted(rows, key=lambda row: (not row["won"], -row["n"]))


def body_page(body: Any, who: sockets.Decider, person: User | None) -> dict[str, Any]:
    """A body: its charter in words, what it may set and what holds now, what it decided."""
    version, rules = queries.charter_now(body), queries.rules_of(body)
    effects = queries.effects_of(body, rules.effects if rules else ())
    return {
        "body": body,
        "who": who,
        "version": version,
        "rules": rules,
        "methods": [Motion.Method(method).label for method in rules.methods] if rules else [],
        "values": [
            {
                "effect": effect,
                "words": effect.say(body.key, effect.now(body.key)) if effect.slug != amendment.SLUG else "",
                "history": queries.history(effect.slug, body.scope)[:12],
            }
            for effect in effects
        ],
        "motions": body.motions.order_by("-pk")[:50] if body.pk else [],
        "charters": body.charters.select_related("decided_by")[:12] if body.pk else [],
        "delegation": delegating.mine(body, person) if body.pk and person else None,
        "from_others": delegating.from_others(body, person) if body.pk and person else [],
        "member": person is not None and queries.belongs(body, person),
        "members": len(queries.members(body)),
    }


CONSENT_CHOICES = ((AGREE, lazy("I agree")), ("", lazy("I stand aside")), (OBJECT, lazy("I object, and say why")))
