"""What a licence lets people do, in plain words, and the groups of the picker."""

from dataclasses import dataclass

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from designs.licences.expression import Leaf, Unreadable, fold, is_open, leaves, modern, parse
from designs.licences.table import ATTRIBUTION, DEDICATED, NON_COMMERCIAL, PERMISSIVE, PICKED

TITLES: dict[str, str | Promise] = {
    "CERN-OHL-S-2.0": "CERN Open Hardware Licence 2, strongly reciprocal",
    "CERN-OHL-W-2.0": "CERN Open Hardware Licence 2, weakly reciprocal",
    "CERN-OHL-P-2.0": "CERN Open Hardware Licence 2, permissive",
    "CERN-OHL-1.2": "CERN Open Hardware Licence 1.2",
    "CC-BY-SA-4.0": "Creative Commons Attribution-ShareAlike 4.0",
    "CC-BY-SA-3.0": "Creative Commons Attribution-ShareAlike 3.0",
    "CC-BY-4.0": "Creative Commons Attribution 4.0",
    "CC-BY-3.0": "Creative Commons Attribution 3.0",
    "CC0-1.0": "Creative Commons Zero 1.0",
    "CC-BY-NC-4.0": "Creative Commons Attribution-NonCommercial 4.0",
    "CC-BY-NC-3.0": "Creative Commons Attribution-NonCommercial 3.0",
    "CC-BY-NC-SA-4.0": "Creative Commons Attribution-NonCommercial-ShareAlike 4.0",
    "CC-BY-NC-SA-3.0": "Creative Commons Attribution-NonCommercial-ShareAlike 3.0",
    "CC-BY-NC-ND-4.0": "Creative Commons Attribution-NonCommercial-NoDerivatives 4.0",
    "CC-BY-ND-4.0": "Creative Commons Attribution-NoDerivatives 4.0",
    "TAPR-OHL-1.0": "TAPR Open Hardware License 1.0",
    "Apache-2.0 WITH SHL-2.1": "Solderpad Hardware License 2.1",
    "GPL-3.0-or-later": "GNU General Public License 3 or later",
    "GPL-3.0-only": "GNU General Public License 3",
    "GPL-2.0-or-later": "GNU General Public License 2 or later",
    "GPL-2.0-only": "GNU General Public License 2",
    "LGPL-3.0-or-later": "GNU Lesser General Public License 3 or later",
    "AGPL-3.0-or-later": "GNU Affero General Public License 3 or later",
    "MIT": "MIT License",
    "Apache-2.0": "Apache License 2.0",
    "BSD-3-Clause": "BSD 3-Clause License",
    "BSD-2-Clause": "BSD 2-Clause License",
    "0BSD": "BSD Zero Clause License",
    "MPL-2.0": "Mozilla Public License 2.0",
    "EUPL-1.2": "European Union Public Licence 1.2",
    "LAL-1.3": "Licence Art Libre (Free Art License) 1.3",
    "Unlicense": "The Unlicense",
    "ODbL-1.0": "Open Database License 1.0",
    "WTFPL": "Do What The F*ck You Want To Public License",
    "LicenseRef-All-Rights-Reserved": _("All rights reserved"),
    "LicenseRef-Unknown": _("Not known"),
}


@dataclass(frozen=True, slots=True)
class Rights:
    """What a licence means for somebody who wants to make the thing. `tone` is a note's class, `group` is the
    picker's: open, non-commercial or not open."""

    headline: str | Promise
    detail: str | Promise
    tone: str
    is_open: bool
    group: str = "open"


@dataclass(frozen=True, slots=True)
class Choice:
    """A licence in the picker."""

    licence: str
    title: str
    rights: Rights


@dataclass(frozen=True, slots=True)
class Group:
    """A group of the picker, with what its licences let you do."""

    slug: str
    title: str | Promise
    sentence: str | Promise
    choices: tuple[Choice, ...]


GROUPS = {
    "open": (_("Open"), _("Everybody may make, change and sell it. Only these count as open.")),
    "non-commercial": (_("Not for business"), _("People may make and often change it, but not sell it.")),
    "not open": (_("Not open"), _("Something that openness needs is missing, or nobody has confirmed it.")),
}
_MAKE = _("You may make, change and sell it.")
_FREE = Rights(_MAKE, _("It asks for nothing in return."), "good", True)
_KEPT = Rights(_MAKE, _("Keep the licence text with copies."), "good", True)
_NAMED = Rights(_MAKE, _("Say who made the original."), "good", True)
_SHARED = Rights(_MAKE, _("Share your changes under the same licence and keep the names."), "good", True)
_MIXED = Rights(_MAKE, _("Several licences hold; keep to each of them."), "good", True)
_CHOICE = Rights(_MAKE, _("You may choose which of its licences you keep to."), "good", True)
_NC = Rights(
    _("You may make it for yourself."), _("You may not sell it or use it for a business."), "warn", False,
    "non-commercial",
)  # fmt: skip
_NC_ND = Rights(
    _("You may make it for yourself."), _("You may not sell it, and not pass on a changed one."), "warn", False,
    "non-commercial",
)  # fmt: skip
_ND = Rights(
    _("You may make and sell it as it is."), _("You may not pass on a changed one."), "warn", False, "not open"
)
_RESERVED = Rights(
    _("Ask before you make it."), _("Its author has kept all rights."), "warn", False, "not open"
)  # fmt: skip
_UNKNOWN = Rights(
    _("Read its licence before you make it."), _("We do not know this licence well enough to sum it up."), "warn",
    False, "not open",
)  # fmt: skip


def rights(licence: str) -> Rights:
    """What the licence lets people do. An expression of several is told by what all of them allow."""
    try:
        node = parse(licence)
    except Unreadable:
        return _UNKNOWN
    if isinstance(node, Leaf):
        return _of_one(modern(node.licence))
    if is_open(licence):
        kinds = {_of_one(modern(leaf.licence)).detail for leaf in leaves(node)}
        if len(kinds) == 1:
            return _of_one(modern(leaves(node)[0].licence))
        return _CHOICE if not fold(node, leaf=lambda leaf: is_open(leaf.licence), either=all) else _MIXED
    strict = [_of_one(modern(leaf.licence)) for leaf in leaves(node)]
    return next((each for kind in (_UNKNOWN, _RESERVED, _NC_ND, _NC, _ND) for each in strict if each is kind), _UNKNOWN)


def _of_one(licence: str) -> Rights:
    if licence in NON_COMMERCIAL:
        return _NC_ND if "-ND" in licence else _NC
    if not is_open(licence):
        return _RESERVED if licence == "LicenseRef-All-Rights-Reserved" else _ND if "-ND-" in licence else _UNKNOWN
    if licence in DEDICATED | ATTRIBUTION:
        return _FREE if licence in DEDICATED else _NAMED
    return _KEPT if licence in PERMISSIVE else _SHARED


def title_of(licence: str) -> str:
    """The licence's own name, or its id when we keep none."""
    return str(TITLES.get(licence, licence))


def groups() -> tuple[Group, ...]:
    """The picker: open, non-commercial, not open."""
    return tuple(
        Group(slug, title, sentence, tuple(Choice(each, title_of(each), rights(each)) for each in PICKED[slug]))
        for slug, (title, sentence) in GROUPS.items()
    )
