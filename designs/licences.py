"""Licences as SPDX expressions, and what they let a maker do in one sentence."""

from dataclasses import dataclass
from functools import cache
from typing import Any

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from designs.errors import BadLicence

#: What the forms offer first.
OFFERED = (
    "CERN-OHL-S-2.0", "CERN-OHL-W-2.0", "CERN-OHL-P-2.0", "CC-BY-SA-4.0", "CC-BY-4.0", "CC0-1.0", "MIT", "Apache-2.0",
    "GPL-3.0-or-later", "TAPR-OHL-1.0",
)  # fmt: skip

FREE = frozenset(
    {"CC0-1.0", "CERN-OHL-P-2.0", "MIT", "Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "Unlicense", "0BSD"}
)
NAMED = frozenset({"CC-BY-4.0", "CC-BY-3.0", "CC-BY-2.0"})
SHARED = frozenset({
    "CERN-OHL-S-2.0", "CERN-OHL-W-2.0", "CERN-OHL-1.2", "CC-BY-SA-4.0", "CC-BY-SA-3.0", "TAPR-OHL-1.0",
    "GPL-3.0-or-later",
    "GPL-3.0-only", "GPL-2.0-only", "GPL-2.0-or-later", "AGPL-3.0-or-later", "LGPL-3.0-or-later", "SHL-2.1", "SHL-2.0",
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class Rights:
    """What a licence means for somebody who wants to make the thing. `tone` is a note's class."""

    headline: str | Promise
    detail: str | Promise
    tone: str
    is_open: bool


@cache
def _spdx() -> Any:
    from license_expression import get_spdx_licensing  # type: ignore[import-untyped]  # noqa: PLC0415 reads 2 MB

    return get_spdx_licensing()


def read(text: str) -> str:
    """The SPDX expression, spelled as SPDX does. A licence that is not SPDX is LicenseRef-…, never a guess.

    Raises BadLicence.
    """
    text = text.strip()
    if text.startswith("LicenseRef-") and text.removeprefix("LicenseRef-").replace("-", "").replace(".", "").isalnum():
        return text
    try:
        found = str(_spdx().parse(text, validate=True)) if text else ""
    except Exception:  # the parser raises several kinds, all of them mean the same
        found = ""
    if not found or len(found) > 160:
        raise BadLicence(
            _("“%(licence)s” is no SPDX licence. Write one such as CERN-OHL-S-2.0, or LicenseRef- and a name.")
            % {"licence": text[:80]}
        )
    return found


def rights(licence: str) -> Rights:
    """What the licence lets people do. An expression of several is told by its strictest known part."""
    parts = {part.strip("()") for part in licence.replace(" AND ", " ").replace(" OR ", " ").split()}
    if parts & SHARED:
        return Rights(
            gettext_lazy("You may make, change and sell it."),
            gettext_lazy("Share your changes under the same licence and keep the names."), "good", True,
        )  # fmt: skip
    if parts and parts <= NAMED | FREE and parts & NAMED:
        return Rights(
            gettext_lazy("You may make, change and sell it."), gettext_lazy("Say who made the original."), "good", True
        )
    if parts and parts <= FREE:
        return Rights(
            gettext_lazy("You may make, change and sell it."), gettext_lazy("Keep the licence text with copies."),
            "good", True,
        )  # fmt: skip
    if "-NC" in licence or "-ND" in licence:
        return Rights(
            gettext_lazy("You may make it for yourself."),
            gettext_lazy("Selling it or changing it is limited; read the licence first."), "warn", False,
        )  # fmt: skip
    return Rights(
        gettext_lazy("Read its licence before you make it."),
        gettext_lazy("We do not know this licence well enough to sum it up."), "warn", False,
    )  # fmt: skip
