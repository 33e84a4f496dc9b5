"""Reading what people and files say a licence is. Never a guess: what is not SPDX is LicenseRef-…"""

import re
from functools import cache
from typing import Any

from django.utils.translation import gettext as _

from designs.errors import BadLicence
from designs.licences.expression import Unreadable, leaves, parse

UNKNOWN = "LicenseRef-Unknown"
MOST = 160
#: SPDX has these as exceptions to Apache-2.0, people write them alone.
SOLDERPAD = frozenset({"SHL-2.0", "SHL-2.1"})
#: An old id that says its version, such as GPL-3.0+; “GPL” alone says none.
SAID = re.compile(r"^[^ ]*\d[^ ]*$")
REFERENCE = re.compile(r"^(DocumentRef-[A-Za-z0-9.-]+:)?LicenseRef-[A-Za-z0-9.-]*[A-Za-z0-9]$")


@cache
def spdx() -> Any:
    """The list of SPDX as `license-expression` carries it."""
    from license_expression import get_spdx_licensing  # type: ignore[import-untyped]  # noqa: PLC0415 reads 2 MB

    return get_spdx_licensing()


@cache
def _ids() -> dict[str, str]:
    """Every id and old id in lower case, with the id of today. An exception is no licence."""
    known = {key: symbol for key, symbol in spdx().known_symbols.items() if not symbol.is_exception}
    old = {alias.lower(): key for key, symbol in known.items() for alias in symbol.aliases if SAID.match(alias)}
    return old | {key.lower(): key for key in known}


def spdx_id(word: str) -> str | None:
    """The id as SPDX spells it today, or None when SPDX has none like it."""
    return _ids().get(word.strip().lower())


def read(text: str) -> str:
    """The SPDX expression, spelled as SPDX does. A licence that is not SPDX is LicenseRef-…, never a guess.

    Raises BadLicence.
    """
    found = as_spdx(text)
    if not found:
        raise BadLicence(
            _("“%(licence)s” is no SPDX licence. Write one such as CERN-OHL-S-2.0, or LicenseRef- and a name.")
            % {"licence": text[:80]}
        )
    return found


def as_spdx(text: str) -> str:
    """Like `read`, but nothing where that refuses."""
    text = text.strip()
    try:
        found = _read(text) if 0 < len(text) <= 4 * MOST else ""
    except Unreadable:
        return ""
    return found if len(found) <= MOST else ""


def _read(text: str) -> str:
    if REFERENCE.match(text):
        return text
    if text.upper() in SOLDERPAD:
        return f"Apache-2.0 WITH {text.upper()}"
    node = parse(text)
    if any(spdx_id(leaf.licence) is None and not REFERENCE.match(leaf.licence) for leaf in leaves(node)):
        return ""
    try:
        found = spdx().parse(text)
        unknown = [str(key) for key in spdx().unknown_license_keys(found)]
    except Exception:  # the parser raises several kinds, all of them mean the same
        return ""
    return str(found) if all(REFERENCE.match(key) for key in unknown) else ""
