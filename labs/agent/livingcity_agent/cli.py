"""The command line: enrol, run, --check, install-unit."""

import argparse
import asyncio
import getpass
import hashlib
import logging
import sqlite3
import sys
from pathlib import Path

from livingcity_agent import __version__, unit
from livingcity_agent.adapters.base import AdapterError
from livingcity_agent.city import City
from livingcity_agent.config import Config, ConfigError, load
from livingcity_agent.journal import Busy, Journal

USUAL = Path("/etc/livingcity-agent.toml")


def parser() -> argparse.ArgumentParser:
    """What may stand on the command line."""
    made = argparse.ArgumentParser(
        prog="livingcity-agent",
        description="Tells a Living City every job and every kWh of a lab's machines.",
    )
    made.add_argument("--version", action="version", version=__version__)
    made.add_argument("--config", type=Path, default=None, help=f"usually livingcity-agent.toml here, or {USUAL}")
    made.add_argument("--check", action="store_true", help="say what is well and what is wrong, then stop")
    made.add_argument("-v", "--verbose", action="store_true", help="say more")
    verbs = made.add_subparsers(dest="verb")
    enrol = verbs.add_parser("enrol", help="let a device in with the code from the lab's desk")
    enrol.add_argument("code", help="such as K7QM-3XPA; good for ten minutes")
    enrol.add_argument("--url", default="", help="the city, e.g. https://city.example; else url in the configuration")
    enrol.add_argument("--device", default="", help="which [[device]] of the configuration, where there are several")
    run = verbs.add_parser("run", help="work, until told to stop")
    run.add_argument("--check", action="store_true", dest="check_first", help="the same as --check")
    look = verbs.add_parser("discover", help="look at addresses and print a configuration to begin with")
    look.add_argument("address", nargs="+", help="such as 192.168.1.20 or 192.168.1.0/24; private ones alone")
    place = verbs.add_parser("install-unit", help="print the systemd unit, or write it")
    place.add_argument("--write", nargs="?", const=unit.PLACE, type=Path, default=None, metavar="FILE")
    place.add_argument("--user", default=getpass.getuser(), help="who it runs as")
    return made


def main(argv: list[str] | None = None) -> int:
    """The program; 0 well, 1 something is wrong, 2 usage."""
    options = parser().parse_args(argv)
    logging.basicConfig(
        stream=sys.stderr,
        level=logging.DEBUG if options.verbose else logging.INFO,
        format="%(asctime)s %(message)s",
        datefmt="%Y-%m-%d %H:%M:%S",
    )
    path = options.config or next((p for p in (Path("livingcity-agent.toml"), USUAL) if p.exists()), USUAL)
    try:
        if options.verb == "discover":
            return asyncio.run(_discover(options.address))
        return _do(load(path), options)
    except ConfigError as error:
        _say(f"{path}:", *(f"  {fault}" for fault in error.faults))
    except (Busy, AdapterError, OSError, sqlite3.Error) as error:
        _say(str(error))
    return 1


def _do(config: Config, options: argparse.Namespace) -> int:
    if options.check or getattr(options, "check_first", False):
        return asyncio.run(_check(config))
    if options.verb == "enrol":
        return asyncio.run(_enrol(config, options.code, options.url, options.device))
    if options.verb == "install-unit":
        return _unit(config, options.write, options.user)
    if options.verb == "run":
        from livingcity_agent.running import run  # noqa: PLC0415 the other verbs start faster without

        run(config)
        return 0
    parser().print_help(sys.stderr)
    return 2


def _say(*lines: str) -> None:
    print(*lines, sep="\n", file=sys.stderr)  # noqa: T201 a program's own words


async def _discover(addresses: list[str]) -> int:
    from livingcity_agent.discovering import discover  # noqa: PLC0415

    found = await discover(addresses)
    print("\n".join(thing.toml for thing in found), end="")  # noqa: T201
    _say(f"{len(found)} found; --check tells what is still wrong." if found else "Nothing that is known here answers.")
    return 0 if found else 1


async def _check(config: Config) -> int:
    from livingcity_agent.checking import findings  # noqa: PLC0415

    well = True
    async for finding in findings(config):
        well = well and finding.ok
        print(f"{'ok   ' if finding.ok else 'WRONG'} {finding.sentence}", flush=True)  # noqa: T201
    return 0 if well else 1


async def _enrol(config: Config, code: str, url: str, name: str) -> int:
    names = [device.name for device in config.devices]
    if not name and len(names) > 1:
        raise AdapterError(f"Say which with --device: {', '.join(names)}.")
    name = name or names[0]
    if name not in names:
        raise AdapterError(f"The configuration has no device “{name}”; it has {', '.join(names)}.")
    url = (url or config.url).rstrip("/")
    if not url.startswith(("http://", "https://")):
        raise AdapterError("Say where the city is: --url https://city.example, or url = in the configuration.")
    answer = await City(url).enrol(code, kind="", hardware_id=hardware_id(name))
    journal = Journal(config.journal)
    journal.enrol(
        name,
        id=str(answer["device"]),
        url=url,
        token=str(answer["token"]),
        next_seq=int(answer["next_seq"]),
        mqtt=answer.get("mqtt") or {},
    )
    journal.close()
    print(f"{name} is enrolled at {url} as {answer['device']}.")  # noqa: T201
    circuit = next(device.circuit for device in config.devices if device.name == name)
    if circuit:
        await City(url, str(answer["token"])).feeds(circuit)
        print(f"It feeds the circuit “{circuit}”.")  # noqa: T201
    return 0


def hardware_id(name: str) -> str:
    """A name of this computer and device that is the same next time and tells nothing else."""
    try:
        machine = Path("/etc/machine-id").read_text(encoding="ascii").strip()
    except OSError:
        machine = ""
    return "agent-" + hashlib.sha256(f"livingcity-agent {machine} {name}".encode()).hexdigest()[:16]


def _unit(config: Config, place: Path | None, user: str) -> int:
    program = str(Path(sys.argv[0]).absolute())
    text = unit.unit(program=program, config=config.path.absolute(), state=config.state.absolute(), user=user)
    if place is None:
        print(text, end="")  # noqa: T201
        return 0
    config.state.mkdir(parents=True, exist_ok=True)
    place.write_text(text, encoding="utf-8")
    print(f"{place} is written. Now: systemctl daemon-reload && systemctl enable --now livingcity-agent")  # noqa: T201
    return 0


if __name__ == "__main__":
    sys.exit(main())
