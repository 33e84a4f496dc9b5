"""From how people write a licence to SPDX: “CC BY-SA 4.0”, “GPLv3+”, “LicenseRef-CERN OHL v1.2”.

Never a guess: a text that does not say which licence and which version it means becomes LicenseRef-…, with its own
words in it, so that nothing is lost and nothing is claimed.
"""

import re
import unicodedata
from functools import cache

from designs.licences.reading import MOST, UNKNOWN, as_spdx, spdx_id

#: Whole spellings, folded as `_folded` does, that name one licence and one version.
NAMES = {
    "cc0": "CC0-1.0", "cc zero": "CC0-1.0", "cc0 universal": "CC0-1.0", "cc0 1 0 universal": "CC0-1.0",
    "creative commons zero": "CC0-1.0", "creative commons 0": "CC0-1.0", "creative commons cc0": "CC0-1.0",
    "cc0 1 0 universal public domain dedication": "CC0-1.0", "creative commons zero v1 0 universal": "CC0-1.0",
    "creative commons public domain dedication": "LicenseRef-Creative-Commons-Public-Domain-Dedication",
    "mit": "MIT", "mit license": "MIT", "the mit license": "MIT", "expat": "MIT", "mit licence": "MIT",
    "apache 2": "Apache-2.0", "apache license 2 0": "Apache-2.0", "apache 2 0": "Apache-2.0",
    "apache license version 2 0": "Apache-2.0", "apache software license 2 0": "Apache-2.0",
    "bsd 2 clause": "BSD-2-Clause", "bsd 3 clause": "BSD-3-Clause", "new bsd": "BSD-3-Clause",
    "simplified bsd": "BSD-2-Clause", "bsd 2 clause license": "BSD-2-Clause", "bsd 3 clause license": "BSD-3-Clause",
    "unlicense": "Unlicense", "the unlicense": "Unlicense", "wtfpl": "WTFPL", "isc": "ISC", "isc license": "ISC",
    "zlib": "Zlib", "tapr ohl": "TAPR-OHL-1.0", "tapr open hardware license": "TAPR-OHL-1.0",
    "tapr open hardware license 1 0": "TAPR-OHL-1.0", "tapr ohl 1 0": "TAPR-OHL-1.0",
    "free art license 1 3": "LAL-1.3", "licence art libre 1 3": "LAL-1.3", "fal 1 3": "LAL-1.3",
    "solderpad hardware license 2 1": "Apache-2.0 WITH SHL-2.1", "solderpad 2 1": "Apache-2.0 WITH SHL-2.1",
    "solderpad hardware license 2 0": "Apache-2.0 WITH SHL-2.0", "solderpad 2 0": "Apache-2.0 WITH SHL-2.0",
    "solderpad hardware license 0 51": "SHL-0.51", "solderpad 0 51": "SHL-0.51",
    "mozilla public license 2 0": "MPL-2.0", "mpl 2": "MPL-2.0", "mozilla public license version 2 0": "MPL-2.0",
    "eupl 1 2": "EUPL-1.2", "european union public licence 1 2": "EUPL-1.2",
    "all rights reserved": "LicenseRef-All-Rights-Reserved", "copyright": "LicenseRef-All-Rights-Reserved",
    "cern open hardware licence 1 2": "CERN-OHL-1.2", "cern open hardware licence 1 1": "CERN-OHL-1.1",
}  # fmt: skip
#: What a person may write for nothing at all.
NOTHING = frozenset({"", "none", "n a", "na", "unknown", "noassertion", "tbd", "not specified", "other", "custom"})

_CC_PARTS = {
    "by": "BY", "attribution": "BY", "nc": "NC", "noncommercial": "NC", "non commercial": "NC", "nd": "ND",
    "noderivatives": "ND", "noderivs": "ND", "no derivatives": "ND", "no derivs": "ND", "sa": "SA",
    "sharealike": "SA", "share alike": "SA",
}  # fmt: skip
_CC_PART = re.compile(
    r"\b(" + "|".join(sorted((re.escape(part) for part in _CC_PARTS), key=len, reverse=True)) + r")\b"
)
_CC_FILL = re.compile(r"\b(cc|creative commons|license|licence|international|intl|unported|public|version|v|generic)\b")
_GNU = re.compile(
    r"^(?:gnu )?(?P<family>agpl|lgpl|gpl|affero general public license|lesser general public license"
    r"|general public license|affero gpl|lesser gpl)"
    r"(?: license)?(?: version)?(?: ?v)? ?(?P<version>[123](?: [01])?)(?: (?P<rest>.*))?$"
)
_GNU_FAMILIES = {
    "agpl": "AGPL", "affero general public license": "AGPL", "affero gpl": "AGPL", "lgpl": "LGPL",
    "lesser general public license": "LGPL", "lesser gpl": "LGPL", "gpl": "GPL", "general public license": "GPL",
}  # fmt: skip
_LATER = frozenset({"plus", "or later", "or any later version", "and later", "or newer", "or later version"})
_ONLY = frozenset({"", "only", "0", "license", "licence"})
_VARIANT = r"[swp]|strongly reciprocal|weakly reciprocal|permissive"
_CERN = re.compile(
    rf"^cern (?:ohl|open hardware licen[cs]e)(?: (?P<a>{_VARIANT}))?(?: version)?(?: v)?"
    rf"(?: (?P<version>1 [12]|2 0|2))?(?: (?P<b>{_VARIANT}))?$"
)


def normalise(text: str) -> str:
    """The SPDX expression that the words name, else LicenseRef- and the words themselves. Never a guess, never an
    error; the same words always give the same answer, and an answer gives itself."""
    plain = " ".join(unicodedata.normalize("NFKC", text[:2000]).split())
    inner = re.sub(r"^licenseref-", "", plain, flags=re.IGNORECASE)
    if _folded(inner) in NOTHING:
        return UNKNOWN
    return _known(inner) or as_spdx(plain) or _reference(inner)


@cache
def _known(text: str) -> str:
    """The one licence that the words name, or nothing."""
    direct = spdx_id(text) or spdx_id(text.replace(" ", "-"))
    if direct:
        return direct
    words = _folded(text)
    return NAMES.get(words) or _cern(words) or _gnu(words) or _creative_commons(words)


def _folded(text: str) -> str:
    """Lower case, words only; `v3` is `3`, `gplv3+` is `gpl 3 plus`, `cc-by-sa` is `cc by sa`."""
    text = text.casefold().replace("+", " plus ")
    text = re.sub(r"([a-z])v?(\d)", r"\1 \2", text) if not text.startswith("cc0") else text
    text = re.sub(r"\bv(?:ersion|er)?[ .]*(?=\d)", "", text)
    return " ".join(re.sub(r"[^a-z0-9]+", " ", text).split())


def _creative_commons(words: str) -> str:
    """CC with its parts and its version. Thingiverse and Printables leave the version out: then it stays a LicenseRef,
    except where their words say 4.0 International."""
    if not re.match(r"^(cc|creative commons|attribution)\b", words):
        return ""
    found = [_CC_PARTS[part] for part in _CC_PART.findall(words)]
    rest = _CC_FILL.sub(" ", _CC_PART.sub(" ", words)).split()
    version = {("4", "0"): "4.0", ("4",): "4.0", ("3", "0"): "3.0", ("3",): "3.0", ("2", "5"): "2.5",
               ("2", "0"): "2.0", ("2",): "2.0", ("1", "0"): "1.0", ("1",): "1.0"}.get(tuple(rest))  # fmt: skip
    if version is None or len(found) != len(set(found)) or "BY" not in found:
        return ""
    named = "-".join(part for part in ("BY", "NC", "ND", "SA") if part in found)
    return spdx_id(f"CC-{named}-{version}") or ""


def _gnu(words: str) -> str:
    found = _GNU.match(words)
    if found is None:
        return ""
    family, version = _GNU_FAMILIES[found["family"]], found["version"].replace(" ", ".")
    version = version if "." in version else f"{version}.0"
    rest = found["rest"] or ""
    if rest in _LATER:
        return spdx_id(f"{family}-{version}-or-later") or ""
    return (spdx_id(f"{family}-{version}-only") or "") if rest in _ONLY else ""


def _cern(words: str) -> str:
    found = _CERN.match(words)
    if found is None:
        return ""
    version = (found["version"] or "").replace(" ", ".")
    variant = (found["a"] or found["b"] or "")[:1].upper()
    if not version and not variant:
        return ""
    if version.startswith("1"):
        return f"CERN-OHL-{version}" if not variant else ""
    # Version 2 says in 8.3 that without a variant it is the strongly reciprocal one; only version 2 has variants.
    return f"CERN-OHL-{variant or 'S'}-2.0"


def _reference(text: str) -> str:
    """LicenseRef- with what SPDX lets stand in one: letters, digits, `.` and `-`."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    word = re.sub(r"-{2,}", "-", re.sub(r"[^A-Za-z0-9.]+", "-", ascii_only))[: MOST - len("LicenseRef-")].strip("-.")
    return f"LicenseRef-{word}" if word else UNKNOWN
