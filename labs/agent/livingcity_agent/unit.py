"""The systemd unit under which the agent runs."""

from pathlib import Path

UNIT = """[Unit]
Description=livingcity-agent: tells the city what machines do
After=network.target time-sync.target

[Service]
Type=exec
ExecStart={program} --config {config} run
User={user}
Restart=always
RestartSec=5
# What is not on disk is in memory for a second; the agent writes it down when it is asked to stop.
TimeoutStopSec=20
UMask=0077
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=read-only
ReadWritePaths={state}
PrivateTmp=yes
ProtectKernelTunables=yes
ProtectControlGroups=yes
RestrictAddressFamilies=AF_INET AF_INET6 AF_UNIX
SupplementaryGroups=dialout

[Install]
WantedBy=multi-user.target
"""

PLACE = Path("/etc/systemd/system/livingcity-agent.service")


def unit(*, program: str, config: Path, state: Path, user: str) -> str:
    """The unit's text."""
    return UNIT.format(program=_quoted(program), config=_quoted(str(config)), state=_quoted(str(state)), user=user)


def _quoted(word: str) -> str:
    escaped = word.replace("%", "%%")
    return f'"{escaped}"' if " " in escaped else escaped
