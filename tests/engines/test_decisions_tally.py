"""Counting of votes against other programs (pabutools, pyrankvote) and against the rules' own definitions.

1,000 random elections a rule, seeded; elections with a tie are told apart where the other program draws lots.
"""

import itertools
import json
import random
import runpy
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import commons.decisions
from commons.decisions.engine import budget, choices, counting, ranked
from commons.decisions.engine.outcome import Outcome

ELECTIONS = 1_000
UNHURRIED = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
SCRIPT = Path(commons.decisions.__file__).with_name("recount.py")
HALF, THIRD, TWO_THIRDS = Fraction(1, 2), Fraction(1, 3), Fraction(2, 3)
OPTIONS = ("as-it-is", "b", "c", "d", "e")


def rankings(dice: random.Random, *, whole: bool = False) -> tuple[tuple[str, ...], list[tuple[str, ...]]]:
    options = OPTIONS[: dice.randint(2, 5)]
    return options, [
        tuple(dice.sample(options, len(options) if whole else dice.randint(0, len(options))))
        for _ in range(dice.randint(1, 40))
    ]


# --- ranked ------------------------------------------------------------------------------------------------------


def test_instant_runoff_is_that_of_pyrankvote() -> None:
    import pyrankvote

    dice, compared = random.Random(1), 0
    for _ in range(ELECTIONS):
        options, votes = rankings(dice, whole=True)
        ours = ranked.instant_runoff(options, votes)
        people = {option: pyrankvote.Candidate(option) for option in options}
        theirs = pyrankvote.instant_runoff_voting(
            list(people.values()), [pyrankvote.Ballot([people[o] for o in vote]) for vote in votes]
        )
        if not ours.ties:
            assert [ours.winners[0]] == [w.name for w in theirs.get_winners()], (options, votes)
            compared += 1
    assert compared > ELECTIONS / 2


def beats(votes: list[tuple[str, ...]], one: str, other: str) -> int:
    """How many put one before the other, by the word: named and the other not, or named earlier."""
    return sum(one in vote and (other not in vote or vote.index(one) < vote.index(other)) for vote in votes)


def test_minimax_is_its_definition() -> None:
    dice = random.Random(2)
    for _ in range(ELECTIONS):
        options, votes = rankings(dice)
        worst = {a: max(beats(votes, b, a) - beats(votes, a, b) for b in options if b != a) for a in options}
        ours = ranked.minimax(options, votes)
        if any(votes):
            assert ours.winners[0] == min(options, key=lambda a: worst[a])
            assert (ours.ties == ()) == (list(worst.values()).count(min(worst.values())) == 1)


def widest(options: tuple[str, ...], wins: dict[tuple[str, str], int], start: str, end: str) -> int:
    """The strength of the strongest path, by trying every path."""
    between = [option for option in options if option not in (start, end)]
    best = 0
    for n in range(len(between) + 1):
        for middle in itertools.permutations(between, n):
            way = [start, *middle, end]
            steps = [wins[a, b] if wins[a, b] > wins[b, a] else 0 for a, b in itertools.pairwise(way)]
            best = max(best, min(steps))
    return best


def test_schulze_is_its_definition() -> None:
    dice = random.Random(3)
    for _ in range(ELECTIONS):
        options, votes = rankings(dice)
        wins = {pair: beats(votes, *pair) for pair in itertools.permutations(options, 2)}
        path = {pair: widest(options, wins, *pair) for pair in wins}
        unbeaten = [a for a in options if all(path[a, b] >= path[b, a] for b in options if b != a)]
        if any(votes):
            assert ranked.schulze(options, votes).winners[0] == unbeaten[0]


def test_schulze_of_his_own_paper() -> None:
    # Schulze 2011, example 1: 45 voters, candidate E wins
    votes = [
        vote
        for times, order in (
            (5, "acbed"),
            (5, "adecb"),
            (8, "bedac"),
            (3, "cabed"),
            (7, "caebd"),
            (2, "cbade"),
            (7, "dceba"),
            (8, "ebadc"),
        )
        for vote in [tuple(order)] * times
    ]
    assert ranked.schulze(tuple("abcde"), votes).winners == ("e",)


def test_tennessee() -> None:
    # the capital of Tennessee: Condorcet says Nashville, the run-off Knoxville
    votes = 42 * [("M", "N", "C", "K")] + 26 * [("N", "C", "K", "M")] + 15 * [("C", "K", "N", "M")]
    votes += 17 * [("K", "C", "N", "M")]
    assert ranked.minimax(("M", "N", "C", "K"), votes).winners == ("N",)
    assert ranked.schulze(("M", "N", "C", "K"), votes).winners == ("N",)
    assert ranked.instant_runoff(("M", "N", "C", "K"), votes).winners == ("K",)


@UNHURRIED
@given(st.lists(st.permutations(OPTIONS[:4]), min_size=1, max_size=25))
def test_who_beats_all_others_wins(votes: list[tuple[str, ...]]) -> None:
    options = OPTIONS[:4]
    winner = next(
        (a for a in options if all(beats(votes, a, b) * 2 > len(votes) for b in options if b != a)),
        None,
    )
    if winner:
        assert ranked.minimax(options, votes).winners == ranked.schulze(options, votes).winners == (winner,)


# --- choices -----------------------------------------------------------------------------------------------------


def single(dice: random.Random) -> tuple[tuple[str, ...], list[str], int]:
    options = OPTIONS[: dice.randint(2, 5)]
    votes = dice.choices([*options, choices.ABSTAIN], k=dice.randint(0, 30))
    return options, votes, len(votes) + dice.randint(0, 60)


@pytest.mark.parametrize("share", [HALF, TWO_THIRDS])
def test_majority_is_its_definition(share: Fraction) -> None:
    dice, reasons = random.Random(4), Counter[str]()
    for _ in range(ELECTIONS):
        options, votes, eligible = single(dice)
        ours = choices.majority(options, votes, eligible=eligible, quorum=THIRD, share=share)
        reasons[ours.why] += 1
        given_ = [vote for vote in votes if vote]
        if 3 * len(votes) < eligible:
            assert ours.why == "no-quorum"
        elif not given_:
            assert ours.why == "no-votes"
        else:
            need = len(given_) // 2 + 1 if share == HALF else -(-2 * len(given_) // 3)
            assert ours.winners == tuple(o for o in options if votes.count(o) >= need)
    assert {"passed", "no-quorum", "not-enough"} <= reasons.keys()


def test_plurality_and_ties_leave_it_as_it_is() -> None:
    dice, ties = random.Random(5), 0
    for _ in range(ELECTIONS):
        options, votes, eligible = single(dice)
        ours = choices.plurality(options, votes, eligible=eligible)
        if any(votes):
            assert ours.winners == (max(options, key=votes.count),)
            ties += bool(ours.ties)
            assert bool(ours.ties) == ([votes.count(o) for o in options].count(votes.count(ours.winners[0])) > 1)
    assert ties
    assert choices.plurality(OPTIONS[:2], ["b", "as-it-is"], eligible=2).winners == ("as-it-is",)


def test_approval_is_that_of_pabutools_with_equal_costs() -> None:
    dice = random.Random(6)
    for _ in range(ELECTIONS):
        options = OPTIONS[: dice.randint(2, 5)]
        votes = [dice.sample(options, dice.randint(0, len(options))) for _ in range(dice.randint(1, 25))]
        wanted = dice.randint(1, len(options))
        ours = choices.approval(options, votes, eligible=30, winners=wanted)
        if any(votes):
            theirs = welfare(dict.fromkeys(options, 1), votes, wanted)
            assert sorted(ours.winners) == sorted(name for name in theirs if any(name in vote for vote in votes))


def test_consent() -> None:
    ask: Any = {"eligible": 20, "quorum": THIRD}
    assert choices.consent("b", answered=7, objections=0, **ask).passed
    assert choices.consent("b", answered=6, objections=0, **ask).why == "no-quorum"
    assert choices.consent("b", answered=20, objections=1, **ask).why == "objection"


def test_consent_is_its_definition() -> None:
    dice, reasons = random.Random(10), Counter[str]()
    for _ in range(ELECTIONS):
        eligible = dice.randint(1, 40)
        answered = dice.randint(0, eligible)
        objections = dice.choice([0, 0, dice.randint(0, answered)])
        ours = choices.consent("b", answered=answered, objections=objections, eligible=eligible, quorum=THIRD)
        expected = "no-quorum" if 3 * answered < eligible else "objection" if objections else "passed"
        assert (ours.why, ours.winners) == (expected, ("b",) if expected == "passed" else ())
        reasons[ours.why] += 1
    assert min(reasons[why] for why in ("passed", "no-quorum", "objection")) > 100


def test_a_vote_for_what_is_not_on_the_ballot_is_an_error() -> None:
    with pytest.raises(ValueError, match="not on the ballot"):
        choices.majority(("a", "b"), ["c"], eligible=1)
    with pytest.raises(ValueError, match="not on the ballot"):
        budget.greedy({"a": 1}, [["c"]], budget=1)
    with pytest.raises(ValueError, match="at most once"):
        ranked.minimax(("a", "b"), [("a", "a")])


# --- budgets -----------------------------------------------------------------------------------------------------


def profile(costs: dict[str, int], votes: list[list[str]], limit: int) -> tuple[Any, Any]:
    """The same election for pabutools; its ties go by the name, so names stand in the order of the ballot."""
    from pabutools.election import ApprovalBallot, ApprovalProfile, Instance, Project

    projects = {name: Project(name, cost) for name, cost in costs.items()}
    instance = Instance(projects.values(), budget_limit=limit)
    return instance, ApprovalProfile([ApprovalBallot([projects[name] for name in vote]) for vote in votes])


def welfare(costs: dict[str, int], votes: list[list[str]], limit: int) -> list[str]:
    from pabutools.election import Cardinality_Sat
    from pabutools.rules import greedy_utilitarian_welfare
    from pabutools.tiebreaking import lexico_tie_breaking

    instance, people = profile({f"{i}{name}": cost for i, (name, cost) in enumerate(costs.items())}, [
        [f"{list(costs).index(name)}{name}" for name in vote] for vote in votes
    ], limit)  # fmt: skip
    found = greedy_utilitarian_welfare(instance, people, sat_class=Cardinality_Sat, tie_breaking=lexico_tie_breaking)
    return [project.name[1:] for project in found]


def pb(dice: random.Random) -> tuple[dict[str, int], list[list[str]], int]:
    names = [f"p{i}" for i in range(dice.randint(1, 8))]
    costs = {name: dice.randint(1, 60) for name in names}
    votes = [dice.sample(names, dice.randint(0, len(names))) for _ in range(dice.randint(1, 15))]
    return costs, votes, dice.randint(20, 150)


def is_of_pabutools(bought: Iterable[str], costs: dict[str, int], votes: list[list[str]], limit: int) -> bool:
    """Whether it buys the same; where it breaks a tie in another way, whether ours is one of all its outcomes."""
    from pabutools.election import Cost_Sat
    from pabutools.rules import method_of_equal_shares

    instance, people = profile(costs, votes, limit)
    found = method_of_equal_shares(instance, people, sat_class=Cost_Sat)
    if sorted(project.name for project in found) == sorted(bought):
        return True
    every = method_of_equal_shares(instance, people, sat_class=Cost_Sat, resoluteness=False)
    return sorted(bought) in [sorted(project.name for project in outcome) for outcome in every]


def test_equal_shares_are_those_of_pabutools() -> None:
    dice = random.Random(7)
    for _ in range(ELECTIONS):
        costs, votes, limit = pb(dice)
        ours = budget.equal_shares(costs, votes, budget=limit)
        assert is_of_pabutools(ours.winners, costs, votes, limit), (costs, votes, limit)


def test_what_is_left_is_spent_by_raising_every_part() -> None:
    dice, raised = random.Random(8), 0
    for _ in range(ELECTIONS):
        costs, votes, limit = pb(dice)
        ours = budget.equal_shares(costs, votes, budget=limit, completed=True)
        more = ours.figures["raised_by"]
        assert is_of_pabutools(ours.winners, costs, votes, limit + more * len(votes))
        assert ours.figures["spent"] <= limit
        raised += more > 0
    assert raised > 10


def test_the_greedy_budget_is_its_definition() -> None:
    dice = random.Random(9)
    for _ in range(ELECTIONS):
        costs, votes, limit = pb(dice)
        left, expected = limit, []
        for name in sorted(costs, key=lambda name: -sum(name in vote for vote in votes)):
            if costs[name] <= left and any(name in vote for vote in votes):
                expected.append(name)
                left -= costs[name]
        assert list(budget.greedy(costs, votes, budget=limit).winners) == expected


@UNHURRIED
@given(st.randoms(use_true_random=False))
def test_nobody_pays_more_than_his_part(dice: random.Random) -> None:
    costs, votes, limit = pb(dice)
    ours = budget.equal_shares(costs, votes, budget=limit)
    assert ours.figures["spent"] <= limit
    paid: dict[str, Fraction] = ours.figures.get("share_of_cost", {})
    assert all(0 < share <= 1 for share in paid.values())


# --- the document ------------------------------------------------------------------------------------------------


def test_an_outcome_is_the_same_bytes_wherever_it_is_counted() -> None:
    one = budget.equal_shares({"a": 10, "b": 7}, [["a", "b"], ["b"], ["a"]], budget=12)
    again = budget.equal_shares({"a": 10, "b": 7}, [["b", "a"], ["b"], ["a"]], budget=12)
    assert one.document() == again.document()
    assert json.loads(one.document())["figures"]["share_of_cost"] == {"b": "1/2"}
    with pytest.raises(TypeError):
        Outcome((), "passed", {"a": 1.5j}).document()


# --- the script that anybody can run ------------------------------------------------------------------------------


def published(dice: random.Random, method: str) -> bytes:
    """A file of ballots as a vote by that method publishes it."""
    names = [str(i) for i in range(1 if method == "shares" else 0, dice.randint(2, 6))] or ["1"]
    one: Any = {
        "consent": lambda: dice.choice(["1", "1", "1", "", "object"]),
        "majority": lambda: dice.choice([*names, ""]),
        "condorcet": lambda: dice.sample(names, dice.randint(0, len(names))),
    }.get(method, lambda: sorted(dice.sample(names, dice.randint(0, len(names)))))
    votes = [one() for _ in range(dice.randint(0, 25))]
    return counting.ballots_file(
        method=method, options=names, ballots=votes, eligible=len(votes) + dice.randint(0, 30),
        quorum=dice.choice([Fraction(0), Fraction(1, 5), THIRD]), majority=dice.choice([HALF, TWO_THIRDS]),
        money=dice.randint(30, 200), costs={name: dice.randint(1, 30) for name in names},
    )  # fmt: skip


@pytest.mark.parametrize("method", ["consent", "majority", "approval", "condorcet", "shares"])
def test_the_script_without_the_site_gives_the_same_bytes(method: str, tmp_path: Path) -> None:
    dice, seen = random.Random(5), set()
    script = runpy.run_path(str(SCRIPT))
    for _ in range(ELECTIONS):
        document = published(dice, method)
        ours = counting.count(document)
        theirs = script["recount"](json.loads(document))
        assert json.loads(ours.document()) == json.loads(json.dumps(theirs, default=str_of)), document
        seen.add(ours.why)
    assert len(seen) >= (2 if method == "shares" else 3), seen
    (tmp_path / "ballots.json").write_bytes(document)
    said = subprocess.run([sys.executable, "-I", SCRIPT, tmp_path / "ballots.json"], capture_output=True, check=True)
    assert said.stdout == ours.document()


def str_of(share: Fraction) -> str:
    return f"{share.numerator}/{share.denominator}"
