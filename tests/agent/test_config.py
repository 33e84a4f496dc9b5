"""What is wrong with a configuration is said by line and key; hashes and heads of files are right."""

import hashlib
import subprocess
from pathlib import Path

import pytest

from livingcity_agent import hashing
from livingcity_agent.config import load, read
from livingcity_agent.tables import ConfigError
from livingcity_agent.unit import unit

GOOD = """
url = "https://city.example"

[[device]]
name = "Prusa 1"
commands = ["send", "cancel"]

[[device.source]]
type = "octoprint"
url = "http://127.0.0.1:5000"
key_file = "octoprint.key"

[[device]]
name = "Voron"

[[device.source]]
type = "moonraker"
"""


def faults(text: str) -> list[str]:
    with pytest.raises(ConfigError) as refused:
        read(text, Path("/nowhere/livingcity-agent.toml"))
    return [str(fault) for fault in refused.value.faults]


def test_a_good_one_is_read(tmp_path: Path) -> None:
    (tmp_path / "octoprint.key").write_text("secret\n")
    path = tmp_path / "livingcity-agent.toml"
    path.write_text(GOOD)
    config = load(path)
    assert [device.name for device in config.devices] == ["Prusa 1", "Voron"]
    assert config.devices[0].sources[0].adapter.key == "secret"  # type: ignore[attr-defined]
    assert config.devices[0].commands == {"send", "cancel"}
    assert config.journal == tmp_path / "state" / "journal.db"
    assert "secret" not in repr(config)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[[device]\n", "is no TOML"),
        ("", "There is no [[device]]"),
        ("device = 3\n", "“device” must be written as [[device]], with two brackets."),
        (GOOD.replace('type = "moonraker"', 'type = "moon"'), "line 17: “type” of device 2. source 1. must be one"),
        (GOOD.replace("http://127.0.0.1:5000", "127.0.0.1"), "line 10: “url” of device 1. source 1. must be an addr"),
        (GOOD, "line 11: “key_file” of device 1. source 1. cannot be read: No such file or directory."),
        (GOOD.replace("key_file", "kee"), "line 11: “kee” of device 1. source 1. is not known here. Known are: "),
        (GOOD.replace("key_file", "kee"), "line 8: “key” of device 1. source 1. is missing."),
        (GOOD.replace('"cancel"', '"dance"'), "line 6: “commands” of device 1. has “dance”; known are send, start,"),
        (
            GOOD.replace('"cancel"', '"relay"').replace("key_file", "key"),
            "has “relay”, which none of its sources can",
        ),
        (GOOD.replace("Voron", "Prusa 1"), "line 14: “name” of device 2. stands twice"),
        (GOOD + '[journal]\nmost_mb = "big"\n', "“most_mb” of journal must be a whole number from 1"),
        ('[[device]]\nname = "Lonely"\n', "has no [[device.source]] below"),
    ],
)
def test_each_mistake_has_its_line_and_sentence(text: str, said: str) -> None:
    assert any(said in fault for fault in faults(text)), faults(text)


def test_all_mistakes_are_told_at_once() -> None:
    text = GOOD.replace("http://127", "ftp://127").replace("moonraker", "moon").replace('url = "https', 'ur = "https')
    assert len(faults(text)) >= 4


def test_hashes_are_those_of_git_and_the_head_tells_the_source(tmp_path: Path) -> None:
    body = b"; made by a slicer\n; lc-source=sha256:" + b"C0" * 32 + b"\nG28\n" + bytes(range(256)) * 9000
    path = tmp_path / "x.gcode"
    path.write_bytes(body)
    found = hashing.of_file("x.gcode", path)
    assert found == hashing.of_bytes("x.gcode", body)
    blob = subprocess.run(["git", "hash-object", path], capture_output=True, text=True, check=True).stdout.strip()
    assert (found.blob, found.sha256) == (blob, hashlib.sha256(body).hexdigest())
    assert found.sha1 == hashlib.sha1(body).hexdigest()  # noqa: S324
    assert found.source_sha256 == "c0" * 32
    assert hashing.source_of(b"; lc-source=sha256:" + b"c0" * 33) == ""
    assert hashing.of_bytes("", b"x" * 70_000 + body).source_sha256 == "", "only the head is read"


def test_the_unit_names_program_configuration_and_state(tmp_path: Path) -> None:
    text = unit(program="/opt/a b/livingcity-agent", config=Path("/etc/100%.toml"), state=Path("/var/lib/x"), user="pi")
    assert 'ExecStart="/opt/a b/livingcity-agent" --config /etc/100%%.toml run' in text
    assert "ReadWritePaths=/var/lib/x" in text and "Restart=always" in text and "User=pi" in text
