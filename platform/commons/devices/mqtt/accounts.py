"""Who may say and hear what on the broker: Mosquitto's files, written from the devices that are let in.

Two files in one folder: `passwords` (a line for each active device and one for the city) and `acl` (each device its
own topics, by `%u`). They are written whole, beside the old ones, and put in their place in one step; then the broker
is told by SIGHUP if its `mosquitto.pid` lies in the folder and it runs on this machine. The ingest process writes them
again whenever they differ from the database, so a write that was missed is made good.
"""

import fcntl
import hashlib
import hmac
import logging
import os
import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from django.conf import settings
from django.db import transaction

from commons.devices.models import Device
from commons.devices.mqtt import topics
from commons.devices.mqtt.passwords import fits, hashed

log = logging.getLogger(__name__)

CITY = "city"
PASSWORDS, ACL, CONFIGURATION, PID = "passwords", "acl", "mosquitto.conf", "mosquitto.pid"
READABLE = 0o644
"""The broker runs as an account of its own. The files hold hashes of random secrets, which tell nobody anything."""

CONF = """# Written by `manage.py mqtt_accounts --listen`, which writes it anew.
per_listener_settings false
listener {listen}
allow_anonymous false
password_file {folder}/passwords
acl_file {folder}/acl
{pid}persistence true
persistence_location {store}/
autosave_interval 60
max_inflight_messages 500
max_queued_messages 100000
message_size_limit 4194304
set_tcp_nodelay true
persistent_client_expiration 14d
"""


@dataclass(frozen=True, slots=True)
class Written:
    """What `write` did: how many devices have an account, whether anything changed, whether the broker was told."""

    devices: int
    changed: bool
    told: bool


def city_account() -> tuple[str, str]:
    """The city's own name and password on the broker: those of MQTT_URL, else made from SECRET_KEY."""
    parts = urlsplit(settings.MQTT_URL)
    made = hmac.new(settings.SECRET_KEY.encode(), b"the city on its MQTT broker", hashlib.sha256).hexdigest()
    return unquote(parts.username or CITY), unquote(parts.password or made)


def passwords(before: str = "") -> str:
    """The password file. `before`: the one that is there, whose line for the city is kept while it fits."""
    name, secret = city_account()
    mine = next((text.partition(":")[2] for text in before.splitlines() if text.startswith(f"{name}:")), "")
    lines = [f"{name}:{mine if fits(secret, mine) else hashed(secret)}"]
    rows = Device.objects.filter(revoked_at=None, enrolled_at__isnull=False).exclude(mqtt_hash="").order_by("number")
    lines += [f"{device}:{line}" for device, line in rows.values_list("pk", "mqtt_hash")]
    return "\n".join([*lines, ""])


def acl() -> str:
    """The access file: the city hears all and answers all, a device has its own topics and no others."""
    name, _secret = city_account()
    mine = [f"topic read {topics.ROOT}/+/{part}" for part in topics.SAID]
    mine += [f"topic write {topics.ROOT}/+/{part}" for part in topics.HEARD]
    each = [f"pattern write {topics.ROOT}/%u/{part}" for part in topics.SAID]
    each += [f"pattern read {topics.ROOT}/%u/{part}" for part in topics.HEARD]
    return "\n".join([f"user {name}", *mine, "", *each, ""])


def write(folder: Path) -> Written:
    """Bring both files up to date and tell the broker when that changed them. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    with _alone(folder):
        before = _read(folder / PASSWORDS)
        wanted = passwords(before)
        changed = [_put(folder / PASSWORDS, wanted, before), _put(folder / ACL, acl(), _read(folder / ACL))]
    told = any(changed) and reload(folder)
    return Written(wanted.count("\n") - 1, any(changed), told)


def write_configuration(folder: Path, *, listen: str, store: Path | None = None) -> None:
    """A configuration for a broker on `listen` ("1883" or "1883 127.0.0.1").

    `store`: a folder of the broker's own for its sessions; then it runs elsewhere (another container), where no signal
    of ours reaches it. Without one it keeps them beside the files, and writes `mosquitto.pid`. Raises OSError.
    """
    mine = folder / "store"
    if store is None:
        mine.mkdir(parents=True, exist_ok=True)
    pid = f"pid_file {folder / PID}\n" if store is None else ""
    text = CONF.format(listen=listen, folder=folder, store=store or mine, pid=pid)
    _put(folder / CONFIGURATION, text, _read(folder / CONFIGURATION))


def reload(folder: Path) -> bool:
    """Let a broker of this machine read its files again; False where there is none to be told."""
    with suppress(OSError, ValueError):
        pid = int((folder / PID).read_text())
        if Path(f"/proc/{pid}/comm").read_text().strip() == "mosquitto":
            os.kill(pid, signal.SIGHUP)
            return True
    return False


def changed() -> None:
    """A device was let in or out: write the files when that is committed, where this city has a broker."""
    if settings.MQTT_URL:
        transaction.on_commit(refresh, robust=True)


def refresh() -> Written | None:
    """Write the files of this city's folder; what cannot be written now is written later by the ingest process."""
    try:
        return write(settings.MQTT_ACCOUNTS)
    except OSError:
        log.warning("the broker's accounts could not be written to %s", settings.MQTT_ACCOUNTS, exc_info=True)
        return None


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    with (folder / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _read(path: Path) -> str:
    return path.read_text() if path.exists() else ""


def _put(path: Path, text: str, before: str) -> bool:
    if text == before:
        return False
    new = path.with_name(f".{path.name}.new")
    new.write_text(text)
    new.chmod(READABLE)
    new.replace(path)
    return True
