"""Is a licence open? A table of SPDX ids that OSI, OSHW or Free Cultural Works count as open.

Licences that forbid selling or changing (NC, ND) are not open, and neither is a licence that we cannot read.
"""

import re
from collections.abc import Iterator

OPEN = frozenset(
    x.lower()
    for x in [
        "0BSD",
        "AFL-3.0",
        "AGPL-3.0-only",
        "AGPL-3.0-or-later",
        "Apache-2.0",
        "Artistic-2.0",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "BSL-1.0",
        "CC-BY-1.0",
        "CC-BY-2.0",
        "CC-BY-2.5",
        "CC-BY-3.0",
        "CC-BY-4.0",
        "CC-BY-SA-1.0",
        "CC-BY-SA-2.0",
        "CC-BY-SA-2.5",
        "CC-BY-SA-3.0",
        "CC-BY-SA-4.0",
        "CC0-1.0",
        "CERN-OHL-1.2",
        "CERN-OHL-P-2.0",
        "CERN-OHL-S-2.0",
        "CERN-OHL-W-2.0",
        "ECL-2.0",
        "EUPL-1.1",
        "EUPL-1.2",
        "FAL-1.3",
        "GFDL-1.3-only",
        "GFDL-1.3-or-later",
        "GPL-2.0-only",
        "GPL-2.0-or-later",
        "GPL-3.0-only",
        "GPL-3.0-or-later",
        "ISC",
        "LGPL-2.1-only",
        "LGPL-2.1-or-later",
        "LGPL-3.0-only",
        "LGPL-3.0-or-later",
        "MIT",
        "MIT-0",
        "MPL-2.0",
        "SHL-0.51",
        "SHL-2.0",
        "SHL-2.1",
        "Solderpad-0.5",
        "TAPR-OHL-1.0",
        "Unlicense",
        "WTFPL",
        "Zlib",
        "ODbL-1.0",
        "ODC-By-1.0",
        "PDDL-1.0",
        "OFL-1.1",
    ]
)
WORD = re.compile(r"\(|\)|[A-Za-z0-9.+\-]+")


def is_open(expression: str) -> bool:
    """Whether an SPDX expression lets anybody make, change and sell; of OR one side must, of AND all."""
    words = iter([*WORD.findall(expression), ")"])
    try:
        value = _any(words)
        return value and next(words, None) is None
    except (StopIteration, ValueError):
        return False


def _any(words: Iterator[str]) -> bool:
    """OR binds weakest: read up to the closing bracket."""
    found, every = False, True
    while True:
        every = _one(words) and every
        word = next(words).upper()
        if word == "WITH":
            next(words)
            word = next(words).upper()
        if word == "AND":
            continue
        found, every = found or every, True
        if word == ")":
            return found
        if word != "OR":
            raise ValueError(word)


def _one(words: Iterator[str]) -> bool:
    word = next(words)
    if word == "(":
        return _any(words)
    if word == ")" or word.upper() in {"AND", "OR", "WITH"}:
        raise ValueError(word)
    return word.rstrip("+").lower() in OPEN or word.lower() in OPEN
