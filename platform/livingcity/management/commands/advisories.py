"""`manage.py advisories`."""

import datetime as dt
from typing import Any

from commons.errors import BadInput
from commons.web.commands import CityCommand
from livingcity.management.commands.sbom import read_locks
from livingcity.supply import advisories


class Command(CityCommand):
    """Hold the locks against the advisories that are known; fails where a locked version has one."""

    help = "Holds every locked version against the dated list of known advisories; needs no network."
    needs_services = False

    def run(self, **_options: Any) -> dict[str, Any]:
        try:
            known = advisories.read(advisories.FILE.read_text())
        except (ValueError, KeyError) as fault:
            raise BadInput(f"{advisories.FILE.name} cannot be read: {fault}") from None
        found = read_locks()
        wrong = advisories.hits(known, found)
        age = dt.datetime.now(dt.UTC).date() - known.as_of
        if age > advisories.OLD:
            self.say(f"The list of advisories is {age.days} days old; bring {advisories.FILE.name} up to date.")
        return {
            "ok": not wrong,
            "as_of": known.as_of,
            "advisories": len(known.advisories),
            "packages": len(found),
            "affected": [f"{one.ident}: {package.name} {package.version}: {one.summary}" for one, package in wrong],
        }
