"""What a person is told of backups, in commands, on the page and where the city is watched."""

import datetime as dt
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from commons.sockets import Health
from livingcity.backups import shelf
from livingcity.backups.manifest import Backup

#: A backup may be this many times its interval old, a drill this much older than its own, before somebody is told.
PATIENCE = 2.0


class Teller:
    """Progress as lines “ 45% what”, at most one each second and each time that it does something else."""

    def __init__(self, say: Callable[[str], None]) -> None:
        self.say, self.at, self.what = say, float("-inf"), ""

    def __call__(self, share: float, what: str) -> None:
        """Say it, if it is time."""
        if time.monotonic() - self.at >= 1.0:
            self.say(f"{100 * share:3.0f}% {what}")
            self.at, self.what = time.monotonic(), what


def summary(backup: Backup) -> dict[str, Any]:
    """A backup in figures."""
    made = backup.manifest
    return {
        "name": backup.name, "made_at": made.made_at, "took_s": made.took_s, "tables": len(made.tables),
        "rows": made.rows, "files": made.files, "bytes": made.rows_bytes + made.files_bytes,
        "new_bytes": made.new_bytes,
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class State:
    """How it stands with the backups of this city. `alarms` are sentences for who runs it."""

    folder: Path | None
    backups: tuple[Backup, ...]
    drill: dict[str, Any] | None
    alarms: tuple[str, ...]

    @property
    def age_s(self) -> float | None:
        """How old the newest is."""
        return (timezone.now() - shelf.made_at(self.backups[-1])).total_seconds() if self.backups else None


def state() -> State:
    """Asked of the folder itself, which is the truth."""
    if not settings.BACKUP_TO:
        return State(None, (), None, ())
    folder = shelf.chosen()
    found = tuple(shelf.backups(folder))
    drilled = shelf.drills(folder)
    last = drilled[0] if drilled else None
    return State(folder, found, last, tuple(_alarms(found, last)))


def _alarms(found: tuple[Backup, ...], last: dict[str, Any] | None) -> Iterable[str]:
    now = timezone.now()
    if found:
        hours = (now - shelf.made_at(found[-1])) / dt.timedelta(hours=1)
        if hours > PATIENCE * settings.BACKUP_EVERY_HOURS:
            yield _("The newest backup is %(n)d hours old; one is due every %(due)d.") % {
                "n": hours, "due": settings.BACKUP_EVERY_HOURS,
            }  # fmt: skip
    else:
        yield _("There is no backup yet.")
    if last is not None and not last["ok"]:
        yield _("The backup %(name)s could not be restored in the drill: %(why)s") % {
            "name": last["backup"], "why": last["sentence"],
        }  # fmt: skip
    elif found and settings.BACKUP_DRILL_DAYS:
        since = dt.datetime.fromisoformat(last["at"]) if last else shelf.made_at(found[0])
        days = (now - since) / dt.timedelta(days=1)
        if days > PATIENCE * settings.BACKUP_DRILL_DAYS:
            yield _("No backup has been restored in a drill for %(n)d days.") % {"n": days}


def health() -> Health:
    """For `/readyz`. A backup that is missing makes nobody unready: the city serves all the same."""
    found = state()
    if found.folder is None:
        return Health(True, _("No backups are made here: BACKUP_TO is not set."), {"alarm": False})
    data = {
        "alarm": bool(found.alarms),
        "backups": len(found.backups),
        "age_s": None if found.age_s is None else round(found.age_s),
        "drill_ok": None if found.drill is None else found.drill["ok"],
        "drill_at": None if found.drill is None else found.drill["at"],
    }
    words = " ".join(found.alarms) or _("The newest backup is %(name)s.") % {"name": found.backups[-1].name}
    return Health(True, words, data)
