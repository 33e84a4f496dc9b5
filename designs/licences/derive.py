"""May something under one licence be made of something under another? A derivation never carries a licence that what
it comes from forbids.

Each rule names the clause that asks for it; docs/licences.md names where the texts stand and what is not decided here.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Protocol

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from designs.errors import LicenceForbids
from designs.licences.expression import Either, Leaf, Node, Unreadable, fold, is_open, modern, parse
from designs.licences.table import ATTRIBUTION, DEDICATED, NON_COMMERCIAL, PERMISSIVE, PICKED

GPL3 = ("GPL-3.0-only", "GPL-3.0-or-later")
AGPL3 = ("AGPL-3.0-only", "AGPL-3.0-or-later")
LGPL3 = ("LGPL-3.0-only", "LGPL-3.0-or-later")
GPL2 = ("GPL-2.0-only", "GPL-2.0-or-later")
#: Licences whose changes stay under them: (the clause, the licences that a derivation may carry).
RECIPROCAL: dict[str, tuple[str, tuple[str, ...]]] = {
    "CERN-OHL-S-2.0": ("3.3(d)", ("CERN-OHL-S-2.0",)),
    "CERN-OHL-W-2.0": ("3.3(d)", ("CERN-OHL-W-2.0", "CERN-OHL-S-2.0")),
    "CERN-OHL-1.2": ("3.4(e)", ("CERN-OHL-1.2", "CERN-OHL-S-2.0")),
    "CERN-OHL-1.1": ("3.4", ("CERN-OHL-1.1", "CERN-OHL-1.2", "CERN-OHL-S-2.0")),
    "TAPR-OHL-1.0": ("4.2(a)", ("TAPR-OHL-1.0",)),
    "GPL-2.0-only": ("2(b)", ("GPL-2.0-only",)),
    "GPL-2.0-or-later": ("2(b)", (*GPL2, *GPL3)),
    "GPL-3.0-only": ("5(c)", ("GPL-3.0-only",)),
    "GPL-3.0-or-later": ("5(c)", GPL3),
    "AGPL-3.0-only": ("5(c)", ("AGPL-3.0-only",)),
    "AGPL-3.0-or-later": ("5(c)", AGPL3),
    "LGPL-2.1-only": ("2(c)", ("LGPL-2.1-only", *GPL2, *GPL3)),
    "LGPL-2.1-or-later": ("2(c)", ("LGPL-2.1-only", "LGPL-2.1-or-later", *LGPL3, *GPL2, *GPL3)),
    "LGPL-3.0-only": ("2", ("LGPL-3.0-only", "GPL-3.0-only")),
    "LGPL-3.0-or-later": ("2", (*LGPL3, *GPL3)),
    "MPL-2.0": ("3.1", ("MPL-2.0", "LGPL-2.1-or-later", *LGPL3, *GPL2, *GPL3, *AGPL3)),
    "EPL-2.0": ("3.2", ("EPL-2.0",)),
    "EUPL-1.1": ("5", ("EUPL-1.1", "EUPL-1.2", "GPL-2.0-only", "OSL-2.1", "OSL-3.0")),
    "EUPL-1.2": (
        "5", ("EUPL-1.2", *GPL2, *GPL3, *AGPL3, "LGPL-2.1-only", "LGPL-2.1-or-later", *LGPL3, "MPL-2.0", "OSL-2.1",
              "OSL-3.0", "CC-BY-SA-3.0"),
    ),
    "OSL-3.0": ("1(c)", ("OSL-3.0",)),
    "MS-RL": ("3(A)", ("MS-RL",)),
    "OFL-1.1": ("5", ("OFL-1.1",)),
    "LAL-1.2": ("2.3", ("LAL-1.2", "LAL-1.3")),
    "LAL-1.3": ("2.3", ("LAL-1.3", "CC-BY-SA-4.0")),
    "ODbL-1.0": ("4.4", ("ODbL-1.0",)),
}  # fmt: skip
#: A design that holds a part under one of these keeps to it as a whole: CERN-OHL-S 3.2 and GPL 5(c) say so of larger
#: works. The parts of a collection under other licences only keep their own.
WHOLE = frozenset({"CERN-OHL-S-2.0", *GPL2, *GPL3, *AGPL3, *NON_COMMERCIAL})
#: What Creative Commons lists as compatible with CC BY-SA 4.0 (creativecommons.org/compatiblelicenses).
BY_SA_4 = ("LAL-1.3", *GPL3)
VERSIONS = ("1.0", "2.0", "2.5", "3.0", "4.0")
CC = re.compile(r"^CC-BY(?P<nc>-NC)?(?P<kind>-SA|-ND)?-(?P<version>[1-4]\.[05])$")


class Licensed(Protocol):
    """What has a name and a licence: a design, a declared source."""

    @property
    def name(self) -> str:
        """How people call it."""
        ...

    @property
    def licence(self) -> str:
        """Its SPDX expression."""
        ...


@dataclass(frozen=True, slots=True)
class Fault:
    """Why a derivation may not carry its licence. `parent` is empty when nobody said whose licence it is."""

    parent: str
    licence: str
    clause: str
    demand: str | Promise
    allowed: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """What, why, and what to do."""
        whose = f"“{self.parent}” ({self.licence})" if self.parent else self.licence
        begin = _("%(whose)s, section %(clause)s: ") if self.clause else "%(whose)s: "
        words = begin % {"whose": whose, "clause": self.clause} + str(self.demand)
        if not self.allowed:
            return words + " " + _("Ask its authors for another licence.")
        return words + " " + _("Choose %(allowed)s, or ask its authors.") % {"allowed": _listed(self.allowed)}


def check(child: str, parents: Iterable[str | Licensed], *, shared: bool = True) -> None:
    """Raise LicenceForbids if what is derived from all of `parents` may not carry the licence `child`.

    `shared=False` is for what only its owner sees: a licence against derivatives forbids to share one, not to make it.
    """
    found = fault(child, parents, shared=shared)
    if found is not None:
        raise LicenceForbids(
            found.sentence, clause=found.clause, licence=found.licence, parent=found.parent,
            allowed=list(found.allowed),
        )  # fmt: skip


def fault(child: str, parents: Iterable[str | Licensed], *, shared: bool = True) -> Fault | None:
    """The first parent whose licence forbids it, or None."""
    for parent in parents:
        name, licence = ("", parent) if isinstance(parent, str) else (parent.name, parent.licence)
        found = _fault(child, name, licence, shared)
        if found is not None:
            return found
    return None


def binds_the_whole(licence: str) -> bool:
    """Whether a design that contains a part under this licence is bound by it as a whole."""
    try:
        return fold(parse(licence), leaf=lambda leaf: modern(leaf.licence) in WHOLE or "LicenseRef-" in leaf.licence)
    except Unreadable:
        return True


def allowed(parents: Iterable[str | Licensed]) -> list[str]:
    """The licences of the picker that a derivation of all of them may carry; their own ones first."""
    listed = list(parents)
    own = [each if isinstance(each, str) else each.licence for each in listed]
    offered = dict.fromkeys([*own, *(each for group in PICKED.values() for each in group)])
    return [each for each in offered if fault(each, listed) is None]


def _fault(child: str, name: str, licence: str, shared: bool) -> Fault | None:
    try:
        parent = parse(licence)
    except Unreadable:
        parent = Leaf("LicenseRef-Unknown")
    faults: list[Fault] = []

    def allows(leaf: Leaf) -> bool:
        found = _fault_of_one(child, name, leaf, shared)
        if found is not None:
            faults.append(found)
        return found is None

    return None if fold(parent, leaf=allows) else faults[0]


def _fault_of_one(child: str, name: str, parent: Leaf, shared: bool) -> Fault | None:
    licence = modern(parent.licence)
    rule = _rule(licence, shared)
    if rule is None:
        return None
    clause, demand, fits, examples = rule
    return None if _fits(child, fits) else Fault(name, str(parent), clause, demand, examples)


Rule = tuple[str, str | Promise, Callable[[str], bool], tuple[str, ...]]


def _fits(child: str, fits: Callable[[str], bool]) -> bool:
    """Of licences that hold at once one must keep the demand (other files have other licences); of a choice, all."""
    try:
        node: Node = parse(child)
    except Unreadable:
        return False
    return _keeps(node, fits)


def _keeps(node: Node, fits: Callable[[str], bool]) -> bool:
    if isinstance(node, Leaf):
        return fits(modern(node.licence))
    answers = [_keeps(part, fits) for part in node.parts]
    return all(answers) if isinstance(node, Either) else any(answers)


def _among(licences: tuple[str, ...]) -> Callable[[str], bool]:
    return lambda licence: licence in licences


def _rule(licence: str, shared: bool) -> Rule | None:
    """What the licence asks of a derivation's licence; None when it asks nothing."""
    if licence in DEDICATED:
        return None
    if licence in PERMISSIVE | ATTRIBUTION:
        clause = _attribution_clause(licence)
        demand = gettext_lazy("its authors and notices stay named, which a licence without conditions gives up.")
        return clause, demand, lambda child: child not in DEDICATED, (licence,)
    if (found := CC.match(licence)) is not None:
        return _creative_commons(licence, found["nc"] or "", found["kind"] or "", found["version"], shared)
    if licence in RECIPROCAL:
        clause, fit = RECIPROCAL[licence]
        return clause, gettext_lazy("changes are shared under the same licence."), _among(fit), fit
    return _other(licence)


def _other(licence: str) -> Rule:
    """Licences that we keep no clause of."""
    if licence in NON_COMMERCIAL:
        demand = gettext_lazy("nobody may sell it, and a derivation keeps that.")
        return "", demand, lambda child: child in NON_COMMERCIAL, (licence,)
    if licence.startswith("LicenseRef-"):
        demand = gettext_lazy("nobody here can read this licence, so nothing made from it can be called open.")
        return "", demand, lambda child: not is_open(child) and child not in NON_COMMERCIAL, (licence,)
    demand = gettext_lazy("we keep no rule for this licence, so a derivation keeps it.")
    return "", demand, _among((licence,)), (licence,)


def _attribution_clause(licence: str) -> str:
    if licence in ATTRIBUTION:
        return "3(a)(1)" if licence.endswith("-4.0") else "4"
    return {"Apache-2.0": "4", "CERN-OHL-P-2.0": "3.3"}.get(licence, "")


def _creative_commons(licence: str, nc: str, kind: str, version: str, shared: bool) -> Rule:
    """CC BY-SA, -NC, -NC-SA, -ND and -NC-ND; plain CC BY is in ATTRIBUTION."""
    four = version == "4.0"
    if kind == "-ND":
        demand = gettext_lazy("it may be shared only unchanged, so no derivation of it can be shared.")
        clause = "2(a)(1)(B)" if four else "3"
        return clause, demand, (lambda _child: False) if shared else _among((licence,)), ()
    if kind == "-SA":
        # Version 1.0 knows no later one.
        later = VERSIONS[VERSIONS.index(version) :] if version != "1.0" else ("1.0",)
        fit = tuple(f"CC-BY{nc}-SA-{each}" for each in later) + (BY_SA_4 if four and not nc else ())
        demand = gettext_lazy("changes are shared under the same licence, a later version of it or a compatible one.")
        return "3(b)(1)" if four else "4(b)", demand, _among(fit), fit
    demand = gettext_lazy("nobody may sell it, and a derivation keeps that.")
    fit = tuple(f"CC-BY-NC{rest}-4.0" for rest in ("", "-SA"))
    return ("2(a)(1)" if four else "4(b)"), demand, lambda child: child in NON_COMMERCIAL, (licence, *fit)


def _listed(names: tuple[str, ...]) -> str:
    unique = list(dict.fromkeys(names))[:6]
    return unique[0] if len(unique) == 1 else ", ".join(unique[:-1]) + _(" or ") + unique[-1]
