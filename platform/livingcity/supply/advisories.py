"""Locked versions against a dated list of known advisories in the repository, without asking anybody."""

import datetime as dt
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.version import InvalidVersion, Version

from livingcity.supply.locks import Package

FILE = Path(__file__).with_name("advisories.json")
#: A list that is older than this says nothing about today.
OLD = dt.timedelta(days=120)


@dataclass(frozen=True, slots=True)
class Advisory:
    """Something that is wrong with some versions of a package. `affected` are sets of versions, any of which counts."""

    ident: str
    ecosystem: str
    package: str
    affected: tuple[SpecifierSet, ...]
    summary: str

    def concerns(self, package: Package) -> bool:
        """Whether this version has it. A version that nobody can read counts as affected."""
        if (self.ecosystem, self.package) != (package.ecosystem, package.name):
            return False
        try:
            version = Version(package.version)
        except InvalidVersion:
            return True
        return any(versions.contains(version, prereleases=True) for versions in self.affected)


@dataclass(frozen=True, slots=True)
class Known:
    """The list, and of which day it is."""

    as_of: dt.date
    advisories: tuple[Advisory, ...]


def read(text: str) -> Known:
    """The list. Raises ValueError with the entry that cannot be read."""
    said = json.loads(text)
    found = []
    for row in said["advisories"]:
        try:
            affected = tuple(SpecifierSet(one) for one in row["affected"])
        except InvalidSpecifier as fault:
            raise ValueError(f"{row['id']}: {fault}") from None
        if not affected:
            raise ValueError(f"{row['id']}: names no versions")
        found.append(Advisory(row["id"], row["ecosystem"], row["package"], affected, row["summary"]))
    return Known(dt.date.fromisoformat(said["as_of"]), tuple(found))


def hits(known: Known, packages: Iterable[Package]) -> list[tuple[Advisory, Package]]:
    """Which locked versions are affected by what."""
    return [(one, package) for package in packages for one in known.advisories if one.concerns(package)]
