"""The locks as a list of packages: Python's by name, version and hashes of their wheels, the front end's from npm."""

import base64
import binascii
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from importlib import metadata
from pathlib import Path

PINNED = re.compile(r"^([A-Za-z0-9][A-Za-z0-9._-]*)==([^\s;\\]+)")
HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")
#: Locks by how far what is in them goes with the city, the nearest first.
PYTHON_LOCKS = (
    ("requirements.lock", "required"),
    ("requirements-data.lock", "required"),
    ("requirements-full.lock", "optional"),
    ("requirements-run.lock", "excluded"),
    ("requirements-dev.lock", "excluded"),
    ("requirements-data-dev.lock", "excluded"),
    ("requirements-uv.lock", "excluded"),
)
NPM_LOCK = "platform/frontend/package-lock.json"


@dataclass(frozen=True, slots=True)
class Package:
    """A locked package. `scope` is CycloneDX's: required, optional, or excluded from what runs."""

    ecosystem: str
    name: str
    version: str
    scope: str
    hashes: tuple[tuple[str, str], ...] = ()
    licence: str = ""

    @property
    def purl(self) -> str:
        """The package URL (ECMA-427)."""
        return f"pkg:{self.ecosystem}/{self.name.replace('@', '%40', 1)}@{self.version.replace('+', '%2B')}"


def packages(root: Path) -> list[Package]:
    """Every package of every lock once, with the nearest scope, by purl."""
    found: dict[str, Package] = {}
    for name, scope in PYTHON_LOCKS:
        for package in python_lock((root / name).read_text(), scope):
            found.setdefault(package.purl, package)
    for package in npm_lock((root / NPM_LOCK).read_text()):
        found.setdefault(package.purl, package)
    return [found[purl] for purl in sorted(found)]


def python_lock(text: str, scope: str) -> Iterator[Package]:
    """The packages of a requirements file with hashes. Raises ValueError for a line that pins nothing."""
    for entry in re.split(r"\n(?=[^\s#])", text.strip()):
        line = entry.lstrip()
        if not line or line.startswith(("#", "--")):
            continue
        pinned = PINNED.match(line)
        hashes = HASH.findall(entry)
        if pinned is None or not hashes:
            raise ValueError(f"this line of a lock has no version or no hash: {line.splitlines()[0]!r}")
        name = re.sub(r"[-_.]+", "-", pinned.group(1)).lower()
        package = Package("pypi", name, pinned.group(2), scope, tuple(("SHA-256", text) for text in sorted(hashes)))
        yield replace(package, licence=_licence(name))


def _licence(name: str) -> str:
    """What the installed package says of its licence; nothing where it is not installed here."""
    try:
        said = metadata.metadata(name)
    except metadata.PackageNotFoundError:
        return ""
    words = (_field(said, "License-Expression") or _field(said, "License")).strip()
    if words and len(words) < 80 and "\n" not in words and words != "UNKNOWN":
        return words
    kinds = [line.rpartition(" :: ")[2] for line in said.get_all("Classifier") or () if line.startswith("License ::")]
    return " AND ".join(kinds)


def _field(said: metadata.PackageMetadata, name: str) -> str:
    return str((said.get_all(name) or [""])[0])


def npm_lock(text: str) -> Iterator[Package]:
    """The packages of a package-lock of version 3. What Vite bundles is required, its tools are excluded."""
    for place, entry in json.loads(text)["packages"].items():
        _before, found, name = place.rpartition("node_modules/")
        if not found or entry.get("link"):
            continue
        hashes = tuple(_integrity(entry.get("integrity", "")))
        if not hashes:
            raise ValueError(f"{place} has no integrity in the front end's lock")
        scope = "excluded" if entry.get("dev") else "required"
        yield Package("npm", name, entry["version"], scope, hashes, str(entry.get("license", "")))


def _integrity(text: str) -> Iterator[tuple[str, str]]:
    for part in text.split():
        algorithm, _dash, encoded = part.partition("-")
        try:
            yield f"{algorithm[:3].upper()}-{algorithm[3:]}", base64.b64decode(encoded, validate=True).hex()
        except binascii.Error:
            raise ValueError(f"{part!r} is no integrity") from None
