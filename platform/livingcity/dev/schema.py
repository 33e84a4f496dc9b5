"""Whether the tables are those of this code, told from file names: `migrate` costs seconds even with nothing to do."""

import hashlib
from pathlib import Path

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

Migrations = set[tuple[str, str]]


def on_disk() -> Migrations:
    """The migrations of all installed apps, by the label of the app and the name of the file."""
    return {
        (config.label, file.stem)
        for config in apps.get_app_configs()
        for file in Path(config.path, "migrations").glob("[!_~]*.py")
    }


def recorded() -> Migrations:
    """The migrations that the database says it has had."""
    return set(MigrationRecorder(connection).applied_migrations())


def known() -> bool:
    """Whether the tables fitted this code when the city last started: then nothing need wait for the database."""
    note = _note()
    return note.exists() and note.read_text() == _fingerprint()


def bring_up_to_date() -> bool:
    """Run `migrate` if the database lacks a migration; whether it did."""
    lacking = not on_disk() <= recorded()
    if lacking:
        call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
    _note().write_text(_fingerprint())
    return lacking


def _note() -> Path:
    return Path(settings.DATA_DIR) / "tables"


def _fingerprint() -> str:
    return hashlib.sha256(repr(sorted(on_disk())).encode()).hexdigest()
