"""The bill of materials against CycloneDX's own schema, and locks that hold what is known to be broken."""

import io
import json
import re
from pathlib import Path
from typing import Any

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from django.conf import settings
from django.core.management import CommandError, call_command
from packageurl import PackageURL

from livingcity.supply import advisories, locks, sbom

ROOT = Path(settings.ROOT)
HASHED = " \\\n    --hash=sha256:" + "0" * 64 + "\n"


@pytest.fixture(scope="module")
def locked() -> list[locks.Package]:
    return locks.packages(ROOT)


def test_the_bill_is_cyclonedx_and_holds_every_lock(locked: list[locks.Package], tmp_path: Path) -> None:
    file = tmp_path / "bom.json"
    said = io.StringIO()
    call_command("sbom", str(file), "--json", stdout=said)
    text = file.read_text()
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(text) is None
    components = {one["purl"]: one for one in json.loads(text)["components"]}
    assert len(components) == json.loads(said.getvalue())["components"] == len(locked) > 400
    for lock in ROOT.glob("requirements*.lock"):
        for name, version in re.findall(r"^([\w.-]+)==([^\s;]+)", lock.read_text(), re.MULTILINE):
            assert str(PackageURL("pypi", None, name.replace(".", "-"), version)) in components, (lock.name, name)
    npm = json.loads((ROOT / locks.NPM_LOCK).read_text())["packages"]
    assert sum(one.startswith("pkg:npm/") for one in components) == len(
        {(place.rpartition("node_modules/")[2], entry["version"]) for place, entry in npm.items() if place}
    )
    assert all(one["hashes"] for one in components.values())


def test_the_same_locks_give_the_same_bytes(locked: list[locks.Package]) -> None:
    assert sbom.written(locked, "1") == sbom.written(list(locked), "1") != sbom.written(locked[:-1], "1")


def test_nothing_that_is_locked_is_known_to_be_broken() -> None:
    said = io.StringIO()
    call_command("advisories", "--json", stdout=said)
    told = json.loads(said.getvalue())
    assert told["ok"] and told["advisories"] > 80 and told["packages"] > 400


@pytest.mark.parametrize(
    ("line", "ident"),
    [
        ("gitpython==3.1.57", "GHSA-9rj7-rf2p-w77r"),
        ("GitPython==3.1.60", "PYSEC-2026-3788"),
        ("Django==5.2.16", "CVE-2026-15307"),
        ("pillow==11.2.1", "CVE-2025-48379"),
        ("cryptography==43.0.0", "CVE-2024-12797"),
    ],
)
def test_an_affected_version_is_found(line: str, ident: str) -> None:
    known = advisories.read(advisories.FILE.read_text())
    found = advisories.hits(known, locks.python_lock(line + HASHED, "required"))
    assert ident in {one.ident for one, _package in found}


@pytest.mark.parametrize("line", ["gitpython==3.1.61", "pillow==11.3.0", "pillow==11.1.0", "other-gitpython==1.0"])
def test_another_version_is_not(line: str) -> None:
    known = advisories.read(advisories.FILE.read_text())
    assert not advisories.hits(known, locks.python_lock(line + HASHED, "required"))


def test_the_command_fails_with_the_name_of_what_is_broken(monkeypatch: pytest.MonkeyPatch) -> None:
    from livingcity.management.commands import advisories as command

    old = list(locks.python_lock("gitpython==3.1.40" + HASHED, "required"))
    monkeypatch.setattr(command, "read_locks", lambda: old)
    said = io.StringIO()
    with pytest.raises(CommandError):
        call_command("advisories", "--json", stdout=said)
    told: dict[str, Any] = json.loads(said.getvalue())
    assert not told["ok"] and any("CVE-2024-22190: gitpython 3.1.40" in line for line in told["affected"])


@pytest.mark.parametrize("text", ["django>=5" + HASHED, "django==5.2.19\n", "-e .\n"])
def test_a_lock_that_pins_nothing_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no version or no hash"):
        list(locks.python_lock(text, "required"))
    with pytest.raises(ValueError, match="no integrity"):
        list(locks.npm_lock('{"packages": {"node_modules/x": {"version": "1.0.0"}}}'))


def test_an_advisory_that_cannot_be_read_is_named() -> None:
    for affected in ('["5.2"]', "[]"):
        row = f'{{"id": "X-1", "ecosystem": "pypi", "package": "x", "affected": {affected}, "summary": "s"}}'
        with pytest.raises(ValueError, match="X-1"):
            advisories.read(f'{{"as_of": "2026-01-01", "advisories": [{row}]}}')
