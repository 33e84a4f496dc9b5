"""Votes that name options without an order: consent, majority, plurality, approval.

An abstention counts for the quorum and for nothing else. Ties go to the option that stands first in `options`; the
body publishes that order before the vote, with “as it is” first, so a tie changes nothing.
"""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction

from commons.decisions.engine.outcome import Outcome

ABSTAIN = ""


def consent(option: str, *, eligible: int, answered: int, objections: int, quorum: Fraction = Fraction(0)) -> Outcome:
    """One option passes when no reasoned objection stands at the end of the window and enough answered."""
    figures = {"eligible": eligible, "answered": answered, "objections": objections, "quorum": quorum}
    if answered < quorum * eligible:
        return Outcome((), "no-quorum", figures)
    if objections:
        return Outcome((), "objection", figures)
    return Outcome((option,), "passed", figures)


def majority(
    options: Sequence[str],
    votes: Sequence[str],
    *,
    eligible: int,
    quorum: Fraction = Fraction(0),
    share: Fraction = Fraction(1, 2),
) -> Outcome:
    """The option with more than `share` of the votes that were no abstentions; at exactly two thirds, two thirds pass.

    More than a half is needed, as the word says; a share above a half is reached at the share itself. `votes`: one
    option a voter, or ABSTAIN. `quorum`: the share of `eligible` that must vote or abstain.
    """
    counted, outcome = _counted(options, votes, eligible, quorum)
    if outcome:
        return outcome
    given = sum(counted.values())
    enough = [
        o for o in options if (counted[o] * 2 > given if share <= Fraction(1, 2) else counted[o] >= share * given)
    ]
    figures = _figures(options, counted, len(votes), eligible, quorum) | {"share": share}
    return Outcome(tuple(enough[:1]), "passed" if enough else "not-enough", figures)


def plurality(
    options: Sequence[str], votes: Sequence[str], *, eligible: int, quorum: Fraction = Fraction(0)
) -> Outcome:
    """The option with the most votes."""
    counted, outcome = _counted(options, votes, eligible, quorum)
    return outcome or _most(options, counted, _figures(options, counted, len(votes), eligible, quorum))


def approval(
    options: Sequence[str],
    votes: Sequence[Sequence[str]],
    *,
    eligible: int,
    quorum: Fraction = Fraction(0),
    winners: int = 1,
) -> Outcome:
    """The `winners` options that most voters approve of. `votes`: the options that a voter approves of; none of them is
    an abstention.
    """
    counted, nobody = _counted(options, [name for vote in votes for name in set(vote)], eligible, Fraction(0))
    figures = _figures(options, counted, len(votes), eligible, quorum)
    if len(votes) < quorum * eligible:
        return Outcome((), "no-quorum", figures)
    return Outcome((), "no-votes", figures) if nobody else _most(options, counted, figures, winners)


def _counted(
    options: Sequence[str], votes: Sequence[str], eligible: int, quorum: Fraction
) -> tuple[Counter[str], Outcome | None]:
    counted = Counter(votes)
    del counted[ABSTAIN]
    if unknown := counted.keys() - set(options):
        raise ValueError(f"votes name options that are not on the ballot: {sorted(unknown)}")
    figures = _figures(options, counted, len(votes), eligible, quorum)
    if len(votes) < quorum * eligible:
        return counted, Outcome((), "no-quorum", figures)
    return counted, None if counted else Outcome((), "no-votes", figures)


def _figures(
    options: Sequence[str], counted: Counter[str], cast: int, eligible: int, quorum: Fraction
) -> dict[str, object]:
    return {"votes": {o: counted[o] for o in options}, "cast": cast, "eligible": eligible, "quorum": quorum}


def _most(options: Sequence[str], counted: Counter[str], figures: dict[str, object], winners: int = 1) -> Outcome:
    ordered = sorted(options, key=lambda o: -counted[o])  # stable: ties stay in the order of the ballot
    best = tuple(o for o in ordered[:winners] if counted[o])
    last = counted[best[-1]]
    level = tuple(o for o in options if counted[o] == last)
    tied = (level,) if set(level) - set(best) else ()
    return Outcome(best, "passed", figures, tied)
