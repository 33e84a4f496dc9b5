"""Projects that share one budget: equal shares, with or without completion, and the plain greedy rule.

Equal shares (Peters, Pierczyński and Skowron, Proportional Participatory Budgeting with Additive Utilities, NeurIPS
2021), with cost utilities: each voter holds an equal part of the budget; a project is bought by those who approve of
it, each paying the same share of its cost or all that is left to them; the project that asks the smallest such share is
bought next. What is left is spent by raising every part a little until one more project would cost too much
(`completed=True`), as in Świecie and Wieliczka.

Costs and budget are whole numbers of the smallest coin; payments are fractions. Ties go to the project with more
approvals and then to the one that stands first on the ballot.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction

from commons.decisions.engine.outcome import Outcome

RAISES_AT_MOST = 10_000


def equal_shares(
    costs: Mapping[str, int], votes: Sequence[Sequence[str]], *, budget: int, completed: bool = False
) -> Outcome:
    """The projects bought by equal shares, in the order of buying.

    `costs`: each project's cost, in the order of the ballot; `votes`: the projects that a voter approves of.
    """
    approving = _approving(costs, votes)
    figures: dict[str, object] = {
        "budget": budget,
        "cast": len(votes),
        "approvals": {project: len(voters) for project, voters in approving.items()},
    }
    if not votes:
        return Outcome((), "no-votes", figures)
    bought, paid = _bought(costs, approving, Fraction(budget, len(votes)), len(votes))
    if completed:
        bought, paid, raised = _completed(costs, approving, len(votes), budget, (bought, paid))
        figures["raised_by"] = raised
    figures |= {"share_of_cost": paid, "spent": sum(costs[project] for project in bought)}
    return Outcome(tuple(bought), "passed" if bought else "nothing-fits", figures)


def greedy(costs: Mapping[str, int], votes: Sequence[Sequence[str]], *, budget: int) -> Outcome:
    """The projects with the most approvals that still fit into the budget."""
    approvals = {project: len(voters) for project, voters in _approving(costs, votes).items()}
    bought, left = [], budget
    for project in sorted(costs, key=lambda project: -approvals[project]):
        if approvals[project] and costs[project] <= left:
            bought.append(project)
            left -= costs[project]
    figures = {"budget": budget, "cast": len(votes), "approvals": approvals, "spent": budget - left}
    return Outcome(tuple(bought), "passed" if bought else "nothing-fits", figures)


def _approving(costs: Mapping[str, int], votes: Sequence[Sequence[str]]) -> dict[str, list[int]]:
    if any(cost <= 0 for cost in costs.values()):
        raise ValueError("a project costs at least one coin")
    found: dict[str, list[int]] = {project: [] for project in costs}
    for voter, vote in enumerate(votes):
        for project in set(vote):
            if project not in found:
                raise ValueError(f"a vote names a project that is not on the ballot: {project!r}")
            found[project].append(voter)
    return found


def _bought(
    costs: Mapping[str, int], approving: Mapping[str, Sequence[int]], part: Fraction, voters: int
) -> tuple[list[str], dict[str, Fraction]]:
    """What is bought when each voter holds `part`, and the share of its cost that the fullest payers of each gave."""
    left = [part] * voters
    open_to = [project for project in costs if approving[project]]
    asks = dict.fromkeys(open_to, Fraction(0))
    paid: dict[str, Fraction] = {}
    while True:
        best: tuple[Fraction, int] | None = None
        chosen = ""
        for project in sorted(open_to, key=lambda project: asks[project]):
            if best and asks[project] > best[0]:
                break  # what a project asks never falls, so the rest cannot be better
            share = _share(costs[project], [left[voter] for voter in approving[project]])
            if share is None:
                open_to.remove(project)
                continue
            asks[project] = share
            rank = (share, -len(approving[project]))
            if best is None or rank < best or (rank == best and _stands_first(costs, project, chosen)):
                best, chosen = rank, project
        if best is None:
            return list(paid), paid
        for voter in approving[chosen]:
            left[voter] -= min(left[voter], best[0] * costs[chosen])
        paid[chosen] = best[0]
        open_to.remove(chosen)


def _stands_first(costs: Mapping[str, int], one: str, other: str) -> bool:
    order = list(costs)
    return order.index(one) < order.index(other)


def _share(cost: int, purses: Sequence[Fraction]) -> Fraction | None:
    """The smallest share of the cost at which min(purse, share x cost), summed, pays for it; None when they cannot."""
    missing, payers = Fraction(cost), len(purses)
    for purse in sorted(purses):
        if purse * payers >= missing:
            return missing / payers / cost
        missing -= purse
        payers -= 1
    return None


def _completed(
    costs: Mapping[str, int],
    approving: Mapping[str, Sequence[int]],
    voters: int,
    budget: int,
    first: tuple[list[str], dict[str, Fraction]],
) -> tuple[list[str], dict[str, Fraction], int]:
    """Raise every part by one coin at a time while what is bought still fits into the budget."""
    kept, raised = first, 0
    wanted = [project for project in costs if approving[project]]
    for more in range(1, RAISES_AT_MOST):
        spent = sum(costs[project] for project in kept[0])
        if not any(project not in kept[0] and spent + costs[project] <= budget for project in wanted):
            break
        tried = _bought(costs, approving, Fraction(budget, voters) + more, voters)
        if sum(costs[project] for project in tried[0]) > budget:
            break
        kept, raised = tried, more
    return *kept, raised
