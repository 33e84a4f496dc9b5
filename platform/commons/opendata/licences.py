"""Where a licence's own words stand. Licences are named by SPDX; several are parted by “ · ”."""

import re

_OWN = {
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC-BY-SA-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "CC-BY-3.0": "https://creativecommons.org/licenses/by/3.0/",
    "ODbL-1.0": "https://opendatacommons.org/licenses/odbl/1-0/",
    "ODC-By-1.0": "https://opendatacommons.org/licenses/by/1-0/",
    "PDDL-1.0": "https://opendatacommons.org/licenses/pddl/1-0/",
}
_SPDX = re.compile(r"[A-Za-z][A-Za-z0-9]*(?:[-.+][A-Za-z0-9.+]+)+")


def named(text: str) -> list[tuple[str, str]]:
    """(name, address) of each licence that has a known address; a licence of somebody's own words has none."""
    found = []
    for name in dict.fromkeys(part.strip() for part in text.split(" · ")):
        if name in _OWN:
            found.append((name, _OWN[name]))
        elif _SPDX.fullmatch(name) and not name.startswith("LicenseRef-"):
            found.append((name, f"https://spdx.org/licenses/{name}.html"))
    return found
