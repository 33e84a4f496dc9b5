"""Designs from elsewhere: an https address, a repository or folder on this machine, a .zip; history kept whole."""

import stat
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from django.utils import timezone
from django.utils.translation import gettext as _

from commons.people.models import Handle, User
from designs import git, licences
from designs.errors import BadLicence, BadSource, TooLarge
from designs.git import commits, fetching
from designs.git.environment import MAX_FILES, MAX_PUSH_BYTES
from designs.git.names import path_fault
from designs.git.pointers import OID
from designs.git.repository import Repository
from designs.models import Design
from designs.services import lfs
from designs.services.designs import create_design, delete_design
from designs.services.index import index_now

UNKNOWN_LICENCE = "LicenseRef-Unknown"
LICENCE_FILES = ("LICENSES/", "LICENSE", "LICENCE", "COPYING")
#: First words of licence texts; only texts that say their own name are read, never guessed.
TEXTS = (
    ("CERN Open Hardware Licence Version 2 - Strongly Reciprocal", "CERN-OHL-S-2.0"),
    ("CERN Open Hardware Licence Version 2 - Weakly Reciprocal", "CERN-OHL-W-2.0"),
    ("CERN Open Hardware Licence Version 2 - Permissive", "CERN-OHL-P-2.0"),
    ("CERN Open Hardware Licence v1.2", "CERN-OHL-1.2"),
    ("GNU AFFERO GENERAL PUBLIC LICENSE Version 3", "AGPL-3.0-only"),
    ("GNU LESSER GENERAL PUBLIC LICENSE Version 3", "LGPL-3.0-only"),
    ("GNU GENERAL PUBLIC LICENSE Version 3", "GPL-3.0-only"),
    ("GNU GENERAL PUBLIC LICENSE Version 2", "GPL-2.0-only"),
    ("Attribution-NonCommercial-ShareAlike 4.0 International", "CC-BY-NC-SA-4.0"),
    ("Attribution-ShareAlike 4.0 International", "CC-BY-SA-4.0"),
    ("Attribution-NonCommercial 4.0 International", "CC-BY-NC-4.0"),
    ("Attribution 4.0 International", "CC-BY-4.0"),
    ("CC0 1.0 Universal", "CC0-1.0"),
    ("MIT License", "MIT"),
    ("Apache License Version 2.0", "Apache-2.0"),
)


def import_design(
    *,
    source: str,
    owner: Handle,
    by: User | None,
    slug: str = "",
    name: str = "",
    licence: str = "",
    wait: bool = False,
) -> Design:
    """A new design from a source, indexed when this returns; with `wait` its previews too.

    `by=None` is the city's own command and may read this machine; a person may give https addresses only.
    Raises BadSource (AddressRefused) or what `create_design` raises; then nothing is left behind.
    """
    title = name or _title(source)
    if licence:
        licences.read(licence)
    if by is not None and urlsplit(source).scheme != "https":
        raise BadSource(_("Only addresses that begin with https:// can be imported here."))
    design = create_design(owner=owner, name=title, slug=slug or title, licence=licence or UNKNOWN_LICENCE, by=by)
    try:
        repository = git.of(design.repository)
        _fill(design, repository, source)
        if not repository.refs():
            raise BadSource(_("“%(source)s” holds no files.") % {"source": source})
        if not licence:
            design.licence = licence_of(repository, design.default_branch)
        design.save(update_fields=["default_branch", "licence"])
    except Exception:
        delete_design(design=design, by=None)
        raise
    return index_now(design=design, by=by, draw=wait)


def _title(source: str) -> str:
    path = urlsplit(source).path if "://" in source else str(Path(source).resolve())
    return PurePosixPath(path.rstrip("/")).name.removesuffix(".git").removesuffix(".zip") or "design"


def _fill(design: Design, repository: Repository, source: str) -> None:
    if "://" in source:
        fetching.from_https(repository, source)
        _choose_branch(design, repository, "")
        return
    path = Path(source)
    if path.is_file() and zipfile.is_zipfile(path):
        _first_commit(design, repository, dict(_zipped(path)), source=path.name)
    elif path.is_dir() and (inner := fetching.repository_in(path)):
        fetching.from_folder(repository, inner)
        _large_files(design, inner)
        _choose_branch(design, repository, fetching.default_branch(inner))
    elif path.is_dir():
        _first_commit(design, repository, dict(_folder(path)), source=path.name)
    else:
        raise _neither(source)


def _large_files(design: Design, source: Path) -> None:
    """What git-lfs keeps beside a repository of this machine."""
    for file in sorted((source / "lfs" / "objects").glob("??/??/*")):
        if OID.match(file.name) and file.is_file() and not file.is_symlink():
            lfs.add_file(design=design, source=file)


def _neither(source: str) -> BadSource:
    return BadSource(
        _("“%(source)s” is neither an https address, a git repository, a folder nor a .zip.") % {"source": source}
    )


def _choose_branch(design: Design, repository: Repository, wanted: str) -> None:
    """The branch that the source calls its own, else main or master, else the first."""
    refs = repository.refs()
    for branch in (wanted, "main", "master", *(ref.removeprefix("refs/heads/") for ref in sorted(refs))):
        if f"refs/heads/{branch}" in refs:
            design.default_branch = branch
            repository.point_head(branch)
            return


def _first_commit(design: Design, repository: Repository, files: dict[str, bytes], *, source: str) -> None:
    if not files:
        raise BadSource(_("“%(source)s” holds no files.") % {"source": source})
    owner = design.owner
    commits.commit(
        repository,
        branch=design.default_branch,
        files=files,
        message=f"Import {source}",
        author=commits.Author(owner.title, f"{owner.name}@users.livingcity.invalid"),
        at=timezone.now(),
    )


def _folder(folder: Path) -> Iterator[tuple[str, bytes]]:
    total = 0
    found = sorted(p for p in folder.rglob("*") if p.is_file() and not p.is_symlink())
    if len(found) > MAX_FILES:
        raise TooLarge(
            _("The folder holds %(n)d files; %(most)d can be imported.") % {"n": len(found), "most": MAX_FILES}
        )
    for path in found:
        name = path.relative_to(folder).as_posix()
        if path_fault(name):
            continue
        total += path.stat().st_size
        _small_enough(total)
        yield name, path.read_bytes()


def _zipped(path: Path) -> Iterator[tuple[str, bytes]]:
    with _archive(path) as archive:
        entries = [e for e in archive.infolist() if not e.is_dir() and not stat.S_ISLNK(e.external_attr >> 16)]
        if len(entries) > MAX_FILES:
            raise TooLarge(
                _("The archive holds %(n)d files; %(most)d can be imported.") % {"n": len(entries), "most": MAX_FILES}
            )
        _small_enough(sum(e.file_size for e in entries))
        tops = {e.filename.split("/", 1)[0] for e in entries}
        strip = f"{tops.pop()}/" if len(tops) == 1 and all("/" in e.filename for e in entries) else ""
        total = 0
        for entry in entries:
            name = entry.filename.removeprefix(strip)
            if fault := path_fault(name):
                raise BadSource(_("“%(name)s” in the archive: %(fault)s.") % {"name": name[:80], "fault": fault})
            content = _unzip(archive, entry)
            total += len(content)
            _small_enough(total)
            yield name, content


def _archive(path: Path) -> zipfile.ZipFile:
    """The archive, if its table of contents can be read."""
    try:
        return zipfile.ZipFile(path)
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        raise _neither(path.name) from None


def _unzip(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    try:
        with archive.open(entry) as file:
            return file.read(MAX_PUSH_BYTES + 1)
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError):
        raise BadSource(_("“%(name)s” in the archive cannot be unpacked.") % {"name": entry.filename[:80]}) from None


def _small_enough(total: int) -> None:
    if total > MAX_PUSH_BYTES:
        raise TooLarge(_("There are more than %(n)d MB; import less at once.") % {"n": MAX_PUSH_BYTES // 1_000_000})


def licence_of(repository: Repository, branch: str) -> str:
    """The licence that the repository's own text names; LicenseRef-Unknown when it cannot be read, never a guess."""
    for entry in repository.files(repository.commit_of(branch)):
        if "/" in entry.path or not entry.name.upper().startswith(LICENCE_FILES) or entry.size > 200_000:
            continue
        text = repository.read(entry.oid, limit=200_000).decode("utf-8", "replace")[:6000]
        words = " ".join(text.split())
        if words.startswith("SPDX-License-Identifier:"):
            try:
                return licences.read(words.split()[1])
            except BadLicence:
                continue
        for start, licence in TEXTS:
            if start.lower() in words[:2000].lower():
                return licence
    return UNKNOWN_LICENCE
