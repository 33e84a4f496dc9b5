"""Which licence a licence's own text is. Only texts that say their name are read, never guessed."""

from designs.errors import BadLicence
from designs.licences.reading import UNKNOWN, read

#: Where a repository keeps its licence, as beginnings of file names in upper case.
FILES = ("LICENSE", "LICENCE", "COPYING")
MOST_BYTES = 200_000
#: First words of licence texts; the more exact ones first.
TEXTS = (
    ("CERN Open Hardware Licence Version 2 - Strongly Reciprocal", "CERN-OHL-S-2.0"),
    ("CERN Open Hardware Licence Version 2 - Weakly Reciprocal", "CERN-OHL-W-2.0"),
    ("CERN Open Hardware Licence Version 2 - Permissive", "CERN-OHL-P-2.0"),
    ("CERN Open Hardware Licence v1.2", "CERN-OHL-1.2"),
    ("TAPR Open Hardware License Version 1.0", "TAPR-OHL-1.0"),
    ("GNU AFFERO GENERAL PUBLIC LICENSE Version 3", "AGPL-3.0-only"),
    ("GNU LESSER GENERAL PUBLIC LICENSE Version 3", "LGPL-3.0-only"),
    ("GNU LESSER GENERAL PUBLIC LICENSE Version 2.1", "LGPL-2.1-only"),
    ("GNU GENERAL PUBLIC LICENSE Version 3", "GPL-3.0-only"),
    ("GNU GENERAL PUBLIC LICENSE Version 2", "GPL-2.0-only"),
    ("Attribution-NonCommercial-ShareAlike 4.0 International", "CC-BY-NC-SA-4.0"),
    ("Attribution-NonCommercial-NoDerivatives 4.0 International", "CC-BY-NC-ND-4.0"),
    ("Attribution-NoDerivatives 4.0 International", "CC-BY-ND-4.0"),
    ("Attribution-ShareAlike 4.0 International", "CC-BY-SA-4.0"),
    ("Attribution-NonCommercial 4.0 International", "CC-BY-NC-4.0"),
    ("Attribution 4.0 International", "CC-BY-4.0"),
    ("CC0 1.0 Universal", "CC0-1.0"),
    ("Mozilla Public License Version 2.0", "MPL-2.0"),
    ("MIT License", "MIT"),
    ("Apache License Version 2.0", "Apache-2.0"),
)


def is_licence_file(path: str) -> bool:
    """Whether a file of this path holds the licence of the whole: LICENSE, COPYING and the like at the top."""
    return "/" not in path and path.upper().startswith(FILES)


def licence_of_text(text: str) -> str:
    """The licence that a text names; LicenseRef-Unknown when it names none that we know."""
    words = " ".join(text[:6000].split())
    if words.startswith("SPDX-License-Identifier:"):
        try:
            return read(words.split()[1])
        except (BadLicence, IndexError):
            return UNKNOWN
    start = words[:2000].lower()
    return next((licence for begin, licence in TEXTS if begin.lower() in start), UNKNOWN)
