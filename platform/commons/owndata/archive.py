"""One ZIP of all that is kept of a person: each table as JSON and as CSV, and a README that explains each file."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone
from django.utils.translation import gettext as _

from commons import csv_files, kept
from commons.kept import Extra, Kept
from commons.owndata import collect
from commons.people.models import User

Say = Callable[[float, str], None]


@dataclass(frozen=True, slots=True)
class Written:
    """What a file became."""

    tables: int
    rows: int
    bytes: int
    sha256: str


@dataclass(frozen=True, slots=True)
class _Part:
    """One table of the file: its name, what it is, and its rows."""

    slug: str
    title: str
    rows: int
    columns: list[str]
    closing: str = ""


def folder() -> Path:
    """Where such files lie until they run out; no web server serves it."""
    return Path(settings.DATA_DIR) / "own-data"


def path_of(run_id: Any) -> Path:
    """The file of an export. Its name says nothing of whose it is."""
    return folder() / f"{run_id}.zip"


def write(person: User, target: Path, say: Say = lambda _share, _stage: None) -> Written:
    """Write it; whole or not at all. Rows pass one by one, so that ten years of readings need no memory."""
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    fresh = target.with_suffix(".part")
    parts: list[_Part] = []
    tables, extras = kept.everything(), kept.extras()
    try:
        with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as out:
            for number, one in enumerate(tables):
                say(number / (len(tables) + len(extras)), str(one.title))
                _keep(parts, _table(out, person, one))
            for number, extra in enumerate(extras, len(tables)):
                say(number / (len(tables) + len(extras)), str(extra.title))
                _keep(parts, _extra(out, person, extra))
            out.writestr("README.txt", _readme(person, parts))
        fresh.chmod(0o600)
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
    with target.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    return Written(len(parts), sum(part.rows for part in parts), target.stat().st_size, digest)


def _keep(parts: list[_Part], part: _Part | None) -> None:
    if part is not None:
        parts.append(part)


def _table(out: zipfile.ZipFile, person: User, one: Kept) -> _Part | None:
    names = [column.name for column in collect.columns(one)]
    count = _both(out, one.slug, names, lambda: collect.rows(one, person))
    closing = ", ".join(sorted({str(kept.SAID[closing]) for closing in [*one.ties.values(), *one.names.values()]}))
    return _Part(one.slug, str(one.title), count, names, closing) if count else None


def _extra(out: zipfile.ZipFile, person: User, extra: Extra) -> _Part | None:
    names = list(extra.columns)

    def rows() -> Iterator[dict[str, Any]]:
        for row in extra.rows(person):
            yield dict(zip(names, (collect.plain(value) for value in row), strict=True))

    count = _both(out, extra.slug, names, rows)
    return _Part(extra.slug, str(extra.title), count, names, str(extra.closing)) if count else None


def _both(
    out: zipfile.ZipFile, slug: str, names: list[str], rows: Callable[[], Iterable[dict[str, Any]]]
) -> int:
    """The rows as JSON and as CSV; how many. Where there are none, no file is begun."""
    first = next(iter(rows()), None)
    if first is None:
        return 0
    count = 0
    with out.open(f"json/{slug}.json", "w", force_zip64=True) as file:
        file.write(b"[\n")
        for row in rows():
            file.write((b",\n" if count else b"") + json.dumps(row, ensure_ascii=False).encode())
            count += 1
        file.write(b"\n]\n")
    with out.open(f"csv/{slug}.csv", "w", force_zip64=True) as file:
        csv_files.write(file, names, ([row[name] for name in names] for row in rows()))
    return count


def _readme(person: User, parts: list[_Part]) -> str:
    said = [
        _("Everything that %(site)s keeps of %(person)s") % {"site": settings.PUBLIC_URL, "person": person.username},
        _("Written %(when)s (UTC).") % {"when": timezone.now().strftime("%Y-%m-%d %H:%M")},
        "",
        _("Each table is here twice: json/NAME.json for programs, csv/NAME.csv for spreadsheets (UTF-8, comma)."),
        _("Times are ISO 8601 with their zone, energy is in kWh, power in W, length in mm, money as decimal text."),
        _("In columns that name people, “you” is you; others are “another person”, since their data are theirs."),
        _("Secrets are left out: passwords, tokens and keys are kept as fingerprints alone and open nothing."),
        _("A secret ballot is kept without any tie to who cast it, so nobody can tell which is yours."),
        _("Files of your designs with all their history: git clone %(site)s/designs/NAME/DESIGN.git")
        % {"site": settings.PUBLIC_URL},
        "",
    ]
    for part in parts:
        said.append(f"{part.slug}  ({part.rows})")
        said.append(f"    {part.title}.")
        said.append("    " + _("Columns: %(columns)s") % {"columns": ", ".join(part.columns)})
        if part.closing:
            said.append("    " + _("When the account is closed: %(what)s.") % {"what": part.closing})
        said.append("")
    if not parts:
        said.append(_("Nothing is kept."))
    return "\n".join(said)
