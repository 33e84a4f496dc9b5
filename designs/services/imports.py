"""Designs from elsewhere: an https address, a repository or folder on this machine, a .zip; history kept whole."""

import datetime as dt
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from django.conf import settings
from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.people.models import Handle, User
from commons.runs import services as runs
from commons.runs.models import Run
from commons.said import said
from commons.web.disk import check_disk
from designs import git, licences
from designs.errors import BadSource, NotYours, TooLarge
from designs.git import commits, fetching, pools
from designs.git.environment import MAX_FILES, MAX_PUSH_BYTES
from designs.git.names import path_fault
from designs.git.pointers import OID
from designs.git.repository import Repository
from designs.licences.texts import MOST_BYTES, is_licence_file
from designs.models import Design, new_repository_id
from designs.policies import may_write_as
from designs.queries.room import left_bytes
from designs.services import lfs, mirrors, zips
from designs.services.designs import check_free, check_name, check_visibility, create_design, slug_of
from designs.services.index import index_now
from designs.services.large_files import Brought, bring
from designs.services.pace import check_imports
from designs.services.room import check_room, measure

#: A file in a fetched repository until its design is there.
UNSETTLED = "livingcity-unsettled"


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants to import, checked as far as it can be before anything is fetched."""

    source: str
    owner: Handle
    name: str
    slug: str
    licence: str
    visibility: str
    follow_hours: int = 0
    summary: str = ""


def wish(
    *, source: str, owner: Handle, by: User | None, slug: str = "", name: str = "", licence: str = "",
    visibility: str = Design.Visibility.PUBLIC, follow_hours: int = 0, summary: str = "",
) -> Wish:  # fmt: skip
    """Check a wish. `by=None` is the city's own command and may read this machine; a person gives https addresses only.

    With `follow_hours` the design goes on following the address, looked at that often.
    Raises BadSource (AddressRefused), NotYours, BadName, NameTaken or BadLicence.
    """
    if by is not None and not may_write_as(by, owner):
        raise NotYours(_("You cannot make designs as “%(owner)s”.") % {"owner": owner.name})
    if by is not None and urlsplit(source).scheme != "https":
        raise BadSource(_("Only addresses that begin with https:// can be imported here."))
    if by is not None or "://" in source:
        fetching.check_address(source)
    title = check_name(name or _title(source))
    word = slug_of(slug or title)
    check_free(owner=owner, slug=word)
    licence = licences.read(licences.normalise(licence)) if licence else ""
    if follow_hours:
        mirrors.check_every(follow_hours)
        if "://" not in source:
            raise BadSource(_("Only https addresses can be followed."))
    return Wish(source, owner, title, word, licence, check_visibility(visibility), follow_hours, summary)


def import_design(
    *,
    source: str,
    owner: Handle,
    by: User | None,
    slug: str = "",
    name: str = "",
    licence: str = "",
    visibility: str = Design.Visibility.PUBLIC,
    follow_hours: int = 0,
    wait: bool = False,
) -> Design:
    """A new design from a source, indexed when this returns; with `wait` its previews too.

    Raises what `wish` and `fetch` raise; then nothing is left behind.
    """
    wanted = wish(
        source=source, owner=owner, by=by, slug=slug, name=name, licence=licence, visibility=visibility,
        follow_hours=follow_hours,
    )  # fmt: skip
    repository = fetch(wanted, new_repository_id(), room_bytes=_room(wanted, by))
    try:
        large = fetch_large(wanted, repository, room_bytes=_room(wanted, by))
        design = settle(wanted, repository, by=by, large=large)
    except Exception:
        repository.remove()
        raise
    return index_now(design=design, by=by, draw=wait)


def import_later(*, wanted: Wish, by: User) -> Run:
    """Ask a worker to import it; the run's result leads to the design. Raises TooMany."""
    check_imports(by)
    inputs = {
        "source": wanted.source, "owner": wanted.owner.name, "name": wanted.name, "slug": wanted.slug,
        "licence": wanted.licence, "visibility": wanted.visibility, "repository": new_repository_id(),
        "follow_hours": wanted.follow_hours, "summary": wanted.summary,
    }  # fmt: skip
    title = said(gettext_lazy("Importing %(design)s"), design=wanted.name)
    return runs.start(kind="designs.import", inputs=inputs, title=title, owner=by)


def _room(wanted: Wish, by: User | None) -> int | None:
    """How many bytes may come; None for no bound, where the city itself imports."""
    return None if by is None else left_bytes(wanted.owner)


def fetch_large(
    wanted: Wish, repository: Repository, *, room_bytes: int | None, say: fetching.Say = fetching.silent
) -> Brought:
    """Get the large files (Git LFS) of what was fetched from an address. What cannot be had is counted, not raised."""
    if "://" not in wanted.source:
        return Brought()
    try:
        room = fetching.BOUNDLESS if room_bytes is None else room_bytes - pools.size_bytes(repository)
        return bring(
            repository=repository, url=wanted.source, refs=("refs/heads/", "refs/tags/"), held=(), room_bytes=room,
            say=say,
        )  # fmt: skip
    except BaseException:
        repository.remove()
        raise


def fetch(
    wanted: Wish, repository_id: str, say: fetching.Say = fetching.silent, *, room_bytes: int | None = None
) -> Repository:
    """Fill a new repository from the source. Raises BadSource or TooLarge; then nothing is left behind."""
    check_disk(settings.REPOSITORIES_DIR)
    git.of(repository_id).remove()  # of a worker that died at it
    repository = git.create(repository_id)
    marker = repository.path / UNSETTLED
    try:
        marker.touch()
        branch = _fill(wanted, repository, say, room_bytes)
        if not repository.refs():
            raise BadSource(_("“%(source)s” holds no files.") % {"source": wanted.source})
        if branch:
            repository.point_head(branch)
    except BaseException:
        repository.remove()
        raise
    return repository


@transaction.atomic
def settle(wanted: Wish, repository: Repository, *, by: User | None, large: Brought | None = None) -> Design:
    """Make the design of a fetched repository, with its large files.

    Raises what `create_design` raises, and OverQuota when a person brings more than the owner has room for.
    """
    if by is not None:
        check_room(owner=wanted.owner, more_bytes=pools.size_bytes(repository))
    branch = fetching.default_branch(repository.path) or "main"
    design = create_design(
        owner=wanted.owner,
        name=wanted.name,
        slug=wanted.slug,
        summary=wanted.summary,
        licence=wanted.licence or licence_of(repository, branch),
        visibility=wanted.visibility,
        by=by,
        branch=branch,
        repository=repository.path.name.removesuffix(".git"),
    )
    measure(design=design)
    transaction.on_commit(lambda: (repository.path / UNSETTLED).unlink(missing_ok=True))
    inner = fetching.repository_in(Path(wanted.source)) if "://" not in wanted.source else None
    if inner is not None:
        _large_files(design, inner)
    if large is not None:
        lfs.hold(design=design, oids=large.oids)
    if wanted.follow_hours:
        note = large.sentence if large is not None else ""
        mirrors.follow(design=design, url=wanted.source, every_hours=wanted.follow_hours, note=note)
    measure(design=design)
    return design


def forget_unsettled(*, now: dt.datetime | None = None) -> int:
    """Delete repositories of imports that never became designs, a day after; how many."""
    oldest = (now or timezone.now()).timestamp() - 86_400
    gone = 0
    for marker in Path(settings.REPOSITORIES_DIR).glob(f"*/*.git/{UNSETTLED}"):
        repository = git.of(marker.parent.name.removesuffix(".git"))
        if marker.stat().st_mtime > oldest:
            continue
        if Design.objects.filter(repository=marker.parent.name.removesuffix(".git")).exists():
            marker.unlink()
        else:
            repository.remove()
            gone += 1
    return gone


def _title(source: str) -> str:
    path = urlsplit(source).path if "://" in source else str(Path(source).resolve())
    return PurePosixPath(path.rstrip("/")).name.removesuffix(".git").removesuffix(".zip") or "design"


def _fill(wanted: Wish, repository: Repository, say: fetching.Say, room_bytes: int | None) -> str:
    """Put what the source holds into the repository; the branch that it calls its own."""
    if "://" in wanted.source:
        fetching.from_https(repository, wanted.source, say=say, most_bytes=room_bytes)
        return fetching.choose_branch(repository, "")
    path = Path(wanted.source)
    if path.is_file() and zipfile.is_zipfile(path):
        with tempfile.TemporaryDirectory(prefix="lc-zip-") as folder:
            return _first_commit(wanted, repository, zips.unpack(path, Path(folder)), source=path.name)
    if path.is_dir() and (inner := fetching.repository_in(path)):
        fetching.from_folder(repository, inner)
        return fetching.choose_branch(repository, fetching.default_branch(inner))
    if path.is_dir():
        return _first_commit(wanted, repository, dict(_folder(path)), source=path.name)
    raise _neither(wanted.source)


def _large_files(design: Design, source: Path) -> None:
    """What git-lfs keeps beside a repository of this machine."""
    for file in sorted((source / "lfs" / "objects").glob("??/??/*")):
        if OID.match(file.name) and file.is_file() and not file.is_symlink():
            lfs.add_file(design=design, source=file)


def _neither(source: str) -> BadSource:
    return BadSource(
        _("“%(source)s” is neither an https address, a git repository, a folder nor a .zip.") % {"source": source}
    )


def _first_commit(wanted: Wish, repository: Repository, files: Mapping[str, Path], *, source: str) -> str:
    if not files:
        raise BadSource(_("“%(source)s” holds no files.") % {"source": source})
    commits.commit(
        repository,
        branch="main",
        files=files,
        message=f"Import {source}",
        author=commits.Author(wanted.owner.title, f"{wanted.owner.name}@users.livingcity.invalid"),
        at=timezone.now(),
    )
    return "main"


def _folder(folder: Path) -> Iterator[tuple[str, Path]]:
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
        yield name, path


def _small_enough(total: int) -> None:
    if total > MAX_PUSH_BYTES:
        raise TooLarge(_("There are more than %(n)d MB; import less at once.") % {"n": MAX_PUSH_BYTES // 1_000_000})


def licence_of(repository: Repository, branch: str) -> str:
    """The licence that the repository's own text names; LicenseRef-Unknown when it cannot be read, never a guess."""
    for entry in repository.files(repository.commit_of(branch)):
        if is_licence_file(entry.path) and entry.size <= MOST_BYTES:
            found = licences.licence_of_text(repository.read(entry.oid, limit=MOST_BYTES).decode("utf-8", "replace"))
            if found != licences.UNKNOWN:
                return found
    return licences.UNKNOWN
