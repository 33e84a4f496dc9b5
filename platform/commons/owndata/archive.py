"""One ZIP of all that is kept of a person: each table as JSON and as CSV, their files, and a page that explains it."""

import hashlib
import json
import zipfile
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from commons import csv_files, kept
from commons.kept import Extra, Files, Kept
from commons.owndata import collect
from commons.people.models import User

Say = Callable[[float, str], None]
#: How index.html looks: a file beside it, since no template of ours has style of its own.
STYLE = Path(__file__).with_name("page.css")


@dataclass(frozen=True, slots=True)
class Written:
    """What a file became."""

    tables: int
    rows: int
    files: int
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


@dataclass(frozen=True, slots=True)
class _Shelf:
    """Files of one kind: what they are, and their names in the ZIP."""

    title: str
    names: list[str]
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
    shelves: list[_Shelf] = []
    tables, extras, kinds = kept.everything(), kept.extras(), kept.files()
    steps = len(tables) + len(extras) + len(kinds)
    try:
        with zipfile.ZipFile(fresh, "w", zipfile.ZIP_DEFLATED, allowZip64=True) as out:
            for number, one in enumerate(tables):
                say(number / steps, str(one.title))
                _keep(parts, _table(out, person, one))
            for number, extra in enumerate(extras, len(tables)):
                say(number / steps, str(extra.title))
                _keep(parts, _extra(out, person, extra))
            for number, kind in enumerate(kinds, len(tables) + len(extras)):
                say(number / steps, str(kind.title))
                shelf = _files(out, person, kind, target.with_suffix(".file"))
                if shelf.names:
                    shelves.append(shelf)
            out.writestr("README.txt", _readme(person, parts, shelves))
            out.writestr("index.html", _page(person, parts, shelves))
            out.write(STYLE, STYLE.name)
        fresh.chmod(0o600)
        fresh.replace(target)
    finally:
        fresh.unlink(missing_ok=True)
        target.with_suffix(".file").unlink(missing_ok=True)
    with target.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    count = sum(len(shelf.names) for shelf in shelves)
    return Written(len(parts), sum(part.rows for part in parts), count, target.stat().st_size, digest)


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


def _files(out: zipfile.ZipFile, person: User, kind: Files, draft: Path) -> _Shelf:
    """Every file of a kind that is there, as it is."""
    names = []
    for one in kind.found(person):
        name = f"files/{kind.slug}/{one.name}"
        if isinstance(one.source, bytes):
            out.writestr(name, one.source)
        elif isinstance(one.source, Path):
            if not one.source.is_file():
                continue
            out.write(one.source, name, zipfile.ZIP_STORED)
        else:
            one.source(draft)
            out.write(draft, name, zipfile.ZIP_STORED)
            draft.unlink()
        names.append(name)
    return _Shelf(str(kind.title), names, str(kind.closing))


def _page(person: User, parts: list[_Part], shelves: list[_Shelf]) -> str:
    """The page to begin with: it opens in any browser, from the disk and without a network."""
    context = {
        "person": person, "site": settings.PUBLIC_URL, "at": timezone.now(), "parts": parts, "shelves": shelves,
        "language": get_language(), "rows": sum(part.rows for part in parts),
        "files": sum(len(shelf.names) for shelf in shelves),
    }  # fmt: skip
    return render_to_string("owndata/file.html", context)


def _readme(person: User, parts: list[_Part], shelves: list[_Shelf]) -> str:
    said = [
        _("Everything that %(site)s keeps of %(person)s") % {"site": settings.PUBLIC_URL, "person": person.username},
        _("Written %(when)s (UTC).") % {"when": timezone.now().strftime("%Y-%m-%d %H:%M")},
        "",
        _("Each table is here twice: json/NAME.json for programs, csv/NAME.csv for spreadsheets (UTF-8, comma)."),
        _("Times are ISO 8601 with their zone, energy is in kWh, power in W, length in mm, money as decimal text."),
        _("In columns that name people, “you” is you; others are “another person”, since their data are theirs."),
        _("Secrets are left out: passwords, tokens and keys are kept as fingerprints alone and open nothing."),
        _("A secret ballot is kept without any tie to who cast it, so nobody can tell which is yours."),
        _("Open index.html for the same in a browser. What are files already is in files/, as it is."),
        _("A design with all its history is a bundle: git clone files/designs/NAME.bundle"),
        "",
    ]
    for shelf in shelves:
        said += [f"{name}" for name in shelf.names]
        said += [f"    {shelf.title}.", ""]
    for part in parts:
        said.append(f"{part.slug}  ({part.rows})")
        said.append(f"    {part.title}.")
        said.append("    " + _("Columns: %(columns)s") % {"columns": ", ".join(part.columns)})
        if part.closing:
            said.append("    " + _("When the account is closed: %(what)s.") % {"what": part.closing})
        said.append("")
    if not parts and not shelves:
        said.append(_("Nothing is kept."))
    return "\n".join(said)
