"""The one way from ballots to an outcome: the published file of a vote is exactly what `count` is given.

The file is JSON with sorted keys: "method", "options" (names in the order that breaks ties, "0" is “as it is”),
"eligible", "quorum", "majority", "budget" and "costs" (budgets alone), and "ballots", sorted, so that neither the order
of voting nor anything else joins a ballot to a voter.
"""

import hashlib
import json
from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, TypeAlias

from commons.decisions.engine import budget, choices, ranked
from commons.decisions.engine.outcome import Outcome

Choice: TypeAlias = str | list[str]
AGREE, OBJECT = "1", "object"


def ballots_file(
    *,
    method: str,
    options: Sequence[str],
    ballots: Sequence[Choice],
    eligible: int,
    quorum: Fraction,
    majority: Fraction,
    money: int = 0,
    costs: Mapping[str, int] | None = None,
    tokens: Mapping[str, Choice] | None = None,
) -> bytes:
    """The file that is published after the vote. `tokens`: of a secret vote, what the token of each SHA-256 chose, in
    place of `ballots`; sorted by it, so that each voter finds the own ballot and nobody another's.
    """
    told = {
        "method": method,
        "options": list(options),
        "eligible": eligible,
        "quorum": str(quorum),
        "majority": str(majority),
        "ballots": sorted(ballots, key=json.dumps) if tokens is None else [tokens[name] for name in sorted(tokens)],
    }
    if tokens is not None:
        told["tokens"] = sorted(tokens)
    if method == "shares":
        told |= {"budget": money, "costs": dict(costs or {})}
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


def count(document: bytes) -> Outcome:
    """The outcome of a file."""
    told: dict[str, Any] = json.loads(document)
    options, ballots, eligible = told["options"], told["ballots"], told["eligible"]
    quorum = Fraction(told["quorum"])
    if len(ballots) < quorum * eligible:
        return Outcome((), "no-quorum", {"cast": len(ballots), "eligible": eligible, "quorum": quorum})
    match told["method"]:
        case "consent":
            against = sum(ballot == OBJECT for ballot in ballots)
            return choices.consent(AGREE, eligible=eligible, answered=len(ballots), objections=against, quorum=quorum)
        case "majority":
            return choices.majority(
                options, ballots, eligible=eligible, quorum=quorum, share=Fraction(told["majority"])
            )
        case "approval":
            return choices.approval(options, ballots, eligible=eligible, quorum=quorum)
        case "condorcet":
            return ranked.minimax(options, ballots)
        case "shares":
            costs = {name: told["costs"][name] for name in options if name in told["costs"]}
            return budget.equal_shares(costs, ballots, budget=told["budget"], completed=True)
        case method:
            raise ValueError(f"nothing counts by {method!r}")


def sha256(document: bytes) -> str:
    """The fingerprint of a file or an outcome."""
    return hashlib.sha256(document).hexdigest()


def plain(outcome: Outcome) -> dict[str, Any]:
    """An outcome as JSON reads it back."""
    told: dict[str, Any] = json.loads(outcome.document())
    return told
