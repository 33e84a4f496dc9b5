"""git is called in one place alone, with nothing of the caller in it."""

import ast
import os
from pathlib import Path

import pytest

from designs.errors import AddressRefused, BadPath, BadRevision
from designs.git import environment, fetching
from designs.git.names import check_path, check_revision

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("designs", "labs", "energy", "twin", "platform/commons", "platform/livingcity")


def modules() -> list[Path]:
    return [path for room in ROOMS for path in (ROOT / room).rglob("*.py") if "node_modules" not in path.parts]


def test_nobody_else_runs_git() -> None:
    """No `.git.` command access of GitPython, no import of it, and no "git" as a program outside `designs/git`."""
    guilty = []
    for path in modules():
        inside = path.is_relative_to(ROOT / "designs/git")
        for node in ast.walk(ast.parse(path.read_text())):
            command = isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "git"
            library = isinstance(node, ast.Import) and any(name.name.split(".")[0] == "git" for name in node.names)
            source = isinstance(node, ast.ImportFrom) and node.level == 0 and (node.module or "").split(".")[0] == "git"
            program = isinstance(node, ast.List) and node.elts and getattr(node.elts[0], "value", None) == "git"
            if command or library or source or (program and not inside):
                guilty.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert guilty == []


def test_nothing_of_the_environment_reaches_git(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GIT_DIR", "GIT_SSH_COMMAND", "GIT_CONFIG_COUNT", "GIT_EXTERNAL_DIFF", "SECRET_KEY", "LD_PRELOAD"):
        monkeypatch.setenv(name, "evil")
    seen = environment.clean()
    assert "evil" not in seen.values()
    assert seen["GIT_ALLOW_PROTOCOL"] == ""
    assert seen["GIT_CONFIG_NOSYSTEM"] == "1"
    assert set(seen) - set(os.environ) <= {name for name in seen if name.startswith("GIT_") or name in {"HOME", "LC_ALL"}}


@pytest.mark.parametrize("name", ["--upload-pack=x", "-x", "a..b", "a@{1}", "main^", "x.lock", "", "a b", "a\nb", "/a"])
def test_revisions_that_are_no_names_are_refused(name: str) -> None:
    with pytest.raises(BadRevision):
        check_revision(name)


@pytest.mark.parametrize("path", ["../x", "/x", "a//b", ".git/config", "a/.GIT/x", "a\nb", "", "x" * 800])
def test_paths_that_lead_elsewhere_are_refused(path: str) -> None:
    with pytest.raises(BadPath):
        check_path(path)


@pytest.mark.parametrize("path", ["a", "ä/ö ü.stl", "--x", "-rf", "<script>.stl", "a/.gitignore"])
def test_odd_but_honest_paths_pass(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.0.0.1", "192.168.1.1", "172.16.5.5", "169.254.169.254", "100.64.0.1", "0.0.0.0", "224.0.0.1",
     "::1", "fe80::1", "fc00::1", "::ffff:127.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::", "255.255.255.255"],
)  # fmt: skip
def test_addresses_inside_are_refused(address: str) -> None:
    with pytest.raises(AddressRefused, match="private network"):
        fetching.check_address("https://example.org/x.git", resolver=lambda host, port: [address])


def test_one_private_address_among_public_ones_is_enough() -> None:
    with pytest.raises(AddressRefused):
        fetching.check_address("https://example.org/x", resolver=lambda host, port: ["93.184.216.34", "10.0.0.1"])


@pytest.mark.parametrize(
    "url",
    ["http://example.org/x", "file:///etc", "ssh://x/y", "ext::sh -c id", "git://x/y", "https://u:p@example.org/x",
     "https:///x", "https://example.org:x/", "/etc", "-x"],
)  # fmt: skip
def test_only_plain_https_addresses_pass(url: str) -> None:
    with pytest.raises(AddressRefused):
        fetching.check_address(url, resolver=lambda host, port: ["93.184.216.34"])


def test_a_public_address_is_pinned() -> None:
    assert fetching.check_address("https://example.org/x.git", resolver=lambda host, port: ["93.184.216.34"]) == (
        "example.org", 443, "93.184.216.34",
    )  # fmt: skip
