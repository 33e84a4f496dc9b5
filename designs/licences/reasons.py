"""Why a licence counts as open or not: the table of the third figure, a reason for each licence. Pure.

Open is what the Open Source Initiative has approved, what the Definition of Free Cultural Works lists, or what the Open
Source Hardware Association names for hardware (`table`, with sources). Everything else is not open, and says why.
"""

from dataclasses import dataclass

from designs.licences.expression import Unreadable, fold, leaves, lists_of, modern, parse
from designs.licences.table import NON_COMMERCIAL, OPEN

#: Of those that are often taken for open: what speaks against each.
NOT_OPEN = {
    "ODbL-1.0": "for databases; none of the three lists names it for designs",
    "WTFPL": "Free Software by its words, but none of the three lists names it for designs",
    "PDDL-1.0": "for databases; none of the three lists names it for designs",
    "JSON": "forbids uses (“for Good, not Evil”)",
    "BUSL-1.1": "forbids uses until a date",
    "SSPL-1.0": "the Open Source Initiative refused it",
    "Elastic-2.0": "forbids uses",
    "GFDL-1.3-invariants-only": "parts of it may not be changed",
    "LicenseRef-All-Rights-Reserved": "all rights are reserved",
    "LicenseRef-Unknown": "nobody knows what it allows",
}
WORDS = {
    "OSI": "approved by the Open Source Initiative",
    "OSHWA": "named for hardware by the Open Source Hardware Association",
    "FCW": "listed by the Definition of Free Cultural Works",
}


@dataclass(frozen=True, slots=True)
class Reason:
    """What is said of one licence, and why; `lists` are keys of WORDS."""

    licence: str
    open: bool
    lists: tuple[str, ...]
    reason: str


def reason_of(licence: str) -> Reason:
    """Why one licence, by its SPDX id, is open or not. An old id is read as today's; a `+` opens no more."""
    name = modern(licence)
    base = name.removesuffix("+")
    lists = lists_of(base)
    if lists:
        return Reason(name, True, lists, "; ".join(WORDS[key] for key in lists))
    return Reason(name, False, (), _against(base))


def _against(name: str) -> str:
    if name in NOT_OPEN:
        return NOT_OPEN[name]
    if name in NON_COMMERCIAL or "-NC" in name or "Noncommercial" in name:
        return "forbids commercial use"
    if "-ND" in name:
        return "forbids changed versions"
    if name.startswith("LicenseRef-"):
        return "its own text; no list that we read names it"
    return "none of the three lists names it"


def reasons(expression: str) -> tuple[bool, tuple[Reason, ...]]:
    """Whether an SPDX expression is open (of OR one side must be, of AND all), with each licence's reason."""
    try:
        tree = parse(expression)
    except Unreadable:
        said = Reason(expression[:160], False, (), "it cannot be read as an SPDX expression")
        return False, (said,)
    found = {leaf.licence: reason_of(leaf.licence) for leaf in leaves(tree)}
    return fold(tree, leaf=lambda leaf: found[leaf.licence].open), tuple(found.values())


def table() -> list[Reason]:
    """Every licence of which there is something to say, by name."""
    return [reason_of(name) for name in sorted({*OPEN, *NON_COMMERCIAL, *NOT_OPEN}, key=str.lower)]
