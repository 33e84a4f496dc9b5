"""Votes that rank options: Condorcet (minimax or Schulze), instant run-off.

A ranking may be cut short: options that it leaves out stand level behind those it names, as in the sources.

- minimax by margins: the option whose worst defeat is smallest. A Condorcet winner has no defeat and wins.
- Schulze, A new monotonic, clone-independent, reversal symmetric and Condorcet-consistent single-winner election
  method, Social Choice and Welfare 36 (2011): widest paths over winning votes.
- instant run-off: the option with the fewest first places goes, until one has more than half of those still counting.

Ties go to the option that stands first on the ballot; of the last in a run-off the one that stands last goes.
"""

from collections import Counter
from collections.abc import Sequence
from itertools import permutations

from commons.decisions.engine.outcome import Outcome

Pairs = dict[tuple[str, str], int]


def pairwise(options: Sequence[str], rankings: Sequence[Sequence[str]]) -> Pairs:
    """How many rankings put the first of each pair before the second."""
    wins: Pairs = dict.fromkeys(permutations(options, 2), 0)
    for ranking, times in Counter(map(tuple, rankings)).items():
        _check(options, ranking)
        place = {option: i for i, option in enumerate(ranking)}
        for one in ranking:
            for other in options:
                if place[one] < place.get(other, len(ranking)):
                    wins[one, other] += times
    return wins


def _check(options: Sequence[str], ranking: Sequence[str]) -> None:
    if len(set(ranking)) != len(ranking) or set(ranking) - set(options):
        raise ValueError(f"a ranking names each option of the ballot at most once: {ranking!r}")


def condorcet_winner(options: Sequence[str], wins: Pairs) -> str | None:
    """The option that beats each other one, if there is one."""
    return next((a for a in options if all(wins[a, b] > wins[b, a] for b in options if b != a)), None)


def minimax(options: Sequence[str], rankings: Sequence[Sequence[str]]) -> Outcome:
    """The option whose worst defeat, by margin, is smallest."""
    wins = pairwise(options, rankings)
    worst = {a: max((wins[b, a] - wins[a, b] for b in options if b != a), default=0) for a in options}
    return _least(options, rankings, wins, worst)


def schulze(options: Sequence[str], rankings: Sequence[Sequence[str]]) -> Outcome:
    """The option that no other reaches by a wider path of winning votes."""
    wins = pairwise(options, rankings)
    path = {(a, b): wins[a, b] if wins[a, b] > wins[b, a] else 0 for a, b in permutations(options, 2)}
    for via in options:
        for a, b in permutations([o for o in options if o != via], 2):
            path[a, b] = max(path[a, b], min(path[a, via], path[via, b]))
    lost = {a: sum(path[b, a] > path[a, b] for b in options if b != a) for a in options}
    return _least(options, rankings, wins, lost)


def _least(options: Sequence[str], rankings: Sequence[Sequence[str]], wins: Pairs, score: dict[str, int]) -> Outcome:
    figures = {
        "cast": len(rankings),
        "pairs": [[a, b, wins[a, b]] for a, b in permutations(options, 2)],
        "score": score,
        "condorcet": condorcet_winner(options, wins),
    }
    if not any(rankings):
        return Outcome((), "no-votes", figures)
    level = tuple(option for option in options if score[option] == min(score.values()))
    return Outcome(level[:1], "passed", figures, (level,) if len(level) > 1 else ())


def instant_runoff(options: Sequence[str], rankings: Sequence[Sequence[str]]) -> Outcome:
    """Drop the option with the fewest first places until one has more than half of the votes that still count."""
    standing, rounds = list(options), list[dict[str, int]]()
    ties: list[tuple[str, ...]] = []
    for ranking in rankings:
        _check(options, ranking)
    while True:
        firsts = Counter(first for ranking in rankings if (first := _first(ranking, standing)) is not None)
        rounds.append({option: firsts[option] for option in standing})
        figures = {"cast": len(rankings), "rounds": rounds}
        if not firsts:
            return Outcome((), "no-votes", figures)
        best = max(standing, key=lambda option: firsts[option])
        if firsts[best] * 2 > firsts.total() or len(standing) == 1:
            return Outcome((best,), "passed", figures, tuple(ties))
        fewest = min(firsts[option] for option in standing)
        last = [option for option in standing if firsts[option] == fewest]
        if len(last) > 1:
            ties.append(tuple(last))
        standing.remove(last[-1])


def _first(ranking: Sequence[str], standing: Sequence[str]) -> str | None:
    return next((option for option in ranking if option in standing), None)
