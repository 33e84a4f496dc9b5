"""Every configuration that the documents and examples show can be read."""

import re
from pathlib import Path

import pytest

from livingcity_agent.adapters import KINDS
from livingcity_agent.config import ConfigError, read
from tests.conftest import ROOT

DOCUMENT = ROOT / "docs" / "adapters.md"
EXAMPLES = sorted((ROOT / "labs" / "agent" / "examples").glob("*.toml"))
SHOWN = re.findall(r"^```toml\n(.*?)^```", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
MINE = set(KINDS) - {"octoprint", "moonraker", "prusalink"}


@pytest.mark.parametrize("text", SHOWN, ids=lambda text: re.findall(r'type = "(\w+)"', text)[-1])
def test_what_the_document_shows(text: str) -> None:
    assert read(text, Path("livingcity-agent.toml")).devices


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_examples(path: Path) -> None:
    config = read(path.read_text(encoding="utf-8"), path)
    assert config.url == "https://city.example"
    assert len({device.name for device in config.devices}) == len(config.devices)


def test_every_adapter_has_its_section_and_stands_in_an_example() -> None:
    sections = set(re.findall(r"^## (\w+)$", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE))
    shown = {kind for path in EXAMPLES for kind in re.findall(r'^type = "(\w+)"', path.read_text(), re.MULTILINE)}
    assert sections >= MINE
    assert shown >= set(KINDS) - {"prusalink"}


def test_all_that_is_wrong_is_told_with_its_line() -> None:
    text = '[[device]]\nname = "A"\n[[device.source]]\ntype = "shelly"\nurl = "192.168.1.5"\n\nevery_s = "often"\n'
    with pytest.raises(ConfigError) as told:
        read(text, Path("x.toml"))
    assert [fault.line for fault in told.value.faults] == [5, 7]
