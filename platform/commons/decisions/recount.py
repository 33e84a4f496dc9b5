"""Count a published file of ballots again: python3 recount.py ballots.json. Needs Python 3.11 alone; docs/deciding.md."""

# Written to be read on one screen, without anything of the site.
# ruff: noqa
# fmt: off
# mypy: ignore-errors
import json, sys
from fractions import Fraction as F
from itertools import permutations

def recount(d):
    names, votes, n, first, quorum = d["options"], d["ballots"], d["eligible"], d["options"].index, F(d["quorum"])
    def end(won, why, ties=(), **figures): return {"winners": won, "why": why, "figures": figures, "ties": ties}
    if len(votes) < quorum * n: return end([], "no-quorum", cast=len(votes), eligible=n, quorum=quorum)
    if d["method"] == "consent":
        no, said = votes.count("object"), dict(eligible=n, answered=len(votes), quorum=quorum)
        return end([] if no else ["1"], "objection" if no else "passed", objections=no, **said)
    if d["method"] == "condorcet":
        before = lambda a, b, v: a in v and (b not in v or v.index(a) < v.index(b))
        wins = {(a, b): sum(before(a, b, v) for v in votes) for a, b in permutations(names, 2)}
        worst = {a: max((wins[b, a] - wins[a, b] for b in names if b != a), default=0) for a in names}
        least = [a for a in names if worst[a] == min(worst.values())]
        best = next((a for a in names if all(wins[a, b] > wins[b, a] for b in names if b != a)), None)
        said = dict(cast=len(votes), pairs=[[a, b, k] for (a, b), k in wins.items()], score=worst, condorcet=best)
        return end(least[:1], "passed", [least] if least[1:] else [], **said) if any(votes) else end([], "no-votes", **said)
    if d["method"] != "shares":
        got = {a: sum(a == v if isinstance(v, str) else a in v for v in votes) for a in names}
        said, top = dict(votes=got, cast=len(votes), eligible=n, quorum=quorum), max(got.values())
        if not top: return end([], "no-votes", **said)
        level = [a for a in names if got[a] == top]
        if d["method"] == "approval": return end(level[:1], "passed", [level] if level[1:] else [], **said)
        need, given = F(d["majority"]), sum(got.values())
        won = [a for a in names if (got[a] * 2 > given if need <= F(1, 2) else got[a] >= need * given)][:1]
        return end(won, "passed" if won else "not-enough", share=need, **said)
    cost, money, raised = {a: d["costs"][a] for a in names if a in d["costs"]}, d["budget"], 0
    fans = {a: [i for i, v in enumerate(votes) if a in v] for a in cost}
    said = dict(budget=money, cast=len(votes), approvals={a: len(of) for a, of in fans.items()})
    def share(a, left):  # the least part of its cost at which those who want it can pay for it
        missing, payers = F(cost[a]), len(fans[a])
        for purse in sorted(left[i] for i in fans[a]):
            if purse * payers >= missing: return missing / payers / cost[a]
            missing, payers = missing - purse, payers - 1
    def buy(part):
        left, paid = [part] * len(votes), {}
        while offers := [(s, -len(fans[a]), first(a), a) for a in cost if a not in paid and (s := share(a, left))]:
            part_of_cost, _, _, best = min(offers)
            paid[best] = part_of_cost
            for i in fans[best]: left[i] -= min(left[i], part_of_cost * cost[best])
        return paid
    def spent(paid): return sum(cost[a] for a in paid)
    if not votes: return end([], "no-votes", **said)
    paid = buy(F(money, len(votes)))
    while any(fans[a] and a not in paid and spent(paid) + cost[a] <= money for a in cost) and raised < 9999:
        if spent(more := buy(F(money, len(votes)) + raised + 1)) > money: break
        paid, raised = more, raised + 1
    return end(list(paid), "passed" if paid else "nothing-fits", share_of_cost=paid, spent=spent(paid), raised_by=raised, **said)

if __name__ == "__main__":
    fraction = lambda f: f"{f.numerator}/{f.denominator}"
    print(json.dumps(recount(json.load(open(sys.argv[1]))), sort_keys=True, separators=(",", ":"), default=fraction), end="")
