"""Releases: versions that never change again, with a tag, a manifest and an archive."""

import datetime as dt
import re
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.errors import CityError
from commons.people.models import User
from commons.runs import services as runs
from commons.runs.models import Run
from commons.said import said
from designs import citation, git, okh
from designs.errors import BadVersion, NothingToRelease, VersionTaken
from designs.git import tags
from designs.git.commits import Author
from designs.models import Design, Release
from designs.policies import check_may_maintain, check_not_archived
from designs.queries import lineage
from designs.queries import releases as queries
from designs.queries.files import files_at
from designs.services import declared, release_archives
from designs.services.files import author_of
from designs.services.holding import hold
from designs.services.index import index_later
from designs.services.release_archives import Built, Say
from designs.services.release_checks import check_release
from designs.services.telling import design_url, tell_people

VERSION = re.compile(r"^[A-Za-z0-9][A-Za-z0-9._+-]{0,59}$")
#: Words that are addresses beside releases.
KEPT = frozenset({"new", "feed", "latest"})
MOST_NOTES = 20_000


@dataclass(frozen=True, slots=True)
class _Draft:
    """A release before it is written down."""

    version: str
    name: str
    notes: str
    commit: str
    by: User | None
    at: dt.datetime


def normalise_version(text: str) -> str:
    """A version as it is kept: without the v before a number. One with a space in it is never bent into another.

    Raises BadVersion.
    """
    word = re.sub(r"^[vV]\.?\s*(?=\d)", "", text.strip())
    if re.search(r"\s", word):
        raise BadVersion(
            _("A version has no spaces: “%(version)s” could be “%(one)s” or “%(other)s”.")
            % {"version": text.strip()[:60], "one": re.sub(r"\s+", ".", word)[:60],
               "other": re.sub(r"\s+", "-", word)[:60]}
        )  # fmt: skip
    bad = word.endswith((".lock", ".", "/")) or ".." in word or word.lower() in KEPT or word.lower().endswith(".zip")
    if not VERSION.match(word) or bad:
        raise BadVersion(
            _("“%(version)s” cannot be a version: use letters, digits and . _ + -, such as 1.2.0 or first-edition.")
            % {"version": text[:60]}
        )
    return word


def next_version(design: Design) -> str:
    """What the next version would usually be called: the newest one with its last number raised."""
    newest = queries.newest(design)
    if newest is None:
        return "1.0.0"
    found = re.match(r"^(.*?)(\d+)$", newest.version)
    return f"{found[1]}{int(found[2]) + 1}" if found else ""


def publish(
    *,
    design: Design,
    version: str,
    notes: str,
    by: User | None,
    ref: str = "",
    name: str = "",
    at: dt.datetime | None = None,
) -> Release:
    """Release a version of the design: fixed at once, its archive made by a worker. `at` is now, if it is not given.

    Raises NotYours, Archived, BadVersion, BadRevision, NothingToRelease, LicenceForbids, VersionTaken or BranchMoved
    (a tag of that name is elsewhere); then nothing has changed. Locks the design.
    """
    version = normalise_version(version)
    check_may_release(by, design)
    repository = git.of(design.repository)
    commit = repository.commit_of(ref) if ref else repository.head(design.default_branch)
    if not commit or not repository.files(commit):
        raise NothingToRelease(_("There is nothing in this design yet that could be released."))
    check_release(design=design, commit=commit)
    release = _written(design, _Draft(version, name, notes, commit, by, at or timezone.now()))
    index_later(design=design, by=by, pushed=False)
    return release


def check_may_release(by: User | None, design: Design) -> None:
    """Raises Archived or NotYours. None is the city itself."""
    check_not_archived(design)
    if by is not None:
        check_may_maintain(by, design)


def _author(design: Design, by: User | None) -> Author:
    if by is not None:
        return author_of(by)
    return Author(design.owner.title, f"{design.owner.name}@users.livingcity.invalid")


def _written(design: Design, draft: _Draft) -> Release:
    """The row, the tag and the work on the archive: all or nothing."""
    tagged = False
    try:
        with transaction.atomic():
            held = hold(design)
            check_may_release(draft.by, held)
            release = _row(held, draft)
            _tag(held, release, _author(design, draft.by))
            tagged = True
            Design.objects.filter(pk=held.pk).update(released_at=release.created_at)
            declared.count_readiness(design=held)
            start(release=release, by=draft.by)
            _tell(held, release, draft.by)
    except Exception:
        if tagged:
            tags.drop(git.of(design.repository), name=draft.version, commit=draft.commit)
        raise
    return release


def _row(design: Design, draft: _Draft) -> Release:
    """The release written down; the design is locked, so nobody else takes the version. Raises VersionTaken."""
    if design.releases.filter(version__iexact=draft.version).exists():
        raise VersionTaken(
            _("There is a release “%(version)s” already, and releases never change; choose the next version.")
            % {"version": draft.version}
        )
    return Release.objects.create(
        design=design, version=draft.version, name=" ".join(draft.name.split())[:120],
        notes=draft.notes.strip()[:MOST_NOTES], commit=draft.commit, licence=design.licence, created_by=draft.by,
        created_at=draft.at, demo=design.demo,
    )  # fmt: skip


def _tag(design: Design, release: Release, author: Author) -> None:
    message = f"{design.name} {release.version}\n\n{release.notes}"
    tags.release_tag(
        git.of(design.repository), name=release.version, commit=release.commit, message=message, author=author,
        at=release.created_at,
    )  # fmt: skip


def _tell(design: Design, release: Release, by: User | None) -> None:
    """The owner hears of a release that a maintainer made, and makers of forks of one that they could follow."""
    people = {person.pk: person for person in [design.owner.user] if person is not None}
    forks = design.forks.filter(deleted_at=None, owner__user__isnull=False) if design.is_public else []
    people |= {fork.owner.user.pk: fork.owner.user for fork in forks if fork.owner.user is not None}
    text = said(gettext_lazy("%(design)s has a release %(version)s."), design=design.name, version=release.version)
    tell_people(
        people.values(), kind="designs.release", text=text, actor=by, about=f"designs.release:{release.pk}",
        url=design_url(design, "rooms:design_release", release.version),
    )  # fmt: skip


def start(*, release: Release, by: User | None) -> Run:
    """Ask a worker to make the archive."""
    design = release.design
    return runs.start(
        kind="designs.release", inputs={"release": release.pk},
        title=said(gettext_lazy("Packing %(design)s %(version)s"), design=design.name, version=release.version),
        subject=subject_of(release), owner=by, public=design.is_shown, demo=release.demo,
    )  # fmt: skip


def subject_of(release: Release) -> str:
    """What a run about a release is about."""
    return f"designs.release:{release.pk}"


def run_of(release: Release) -> Run | None:
    """The newest run that makes the archive, whether it is over or not."""
    return Run.objects.filter(subject=subject_of(release)).order_by("-created_at").first()


def pack(*, release: Release, say: Say) -> tuple[Built, Callable[[], None]]:
    """Make the archive and keep it by its SHA-256; and what to write down of it."""
    folder = release_archives.store()
    folder.mkdir(parents=True, exist_ok=True)
    design = release.design
    say(0.02, said(gettext_lazy("Writing down where it comes from")))
    added = _added(release)
    with tempfile.TemporaryDirectory(dir=folder, prefix=".packing-") as draft:
        made = Path(draft) / "archive.zip"
        built = release_archives.build(release, made, added=added, prefix=f"{design.slug}-{release.version}", say=say)
        name = f"{built.sha256[:2]}/{built.sha256}.zip"
        target = folder / name
        target.parent.mkdir(exist_ok=True)
        release_archives.settle(made, target)

    def effect() -> None:
        Release.objects.filter(pk=release.pk, sha256="").update(
            manifest=built.manifest, archive=name, sha256=built.sha256, size=built.size
        )

    return built, effect


def _added(release: Release) -> dict[str, str]:
    """The texts that we put beside the design's own files. Its licence's text is its own matter: we invent none."""
    design = release.design
    added = {"CITATION.cff": citation.cff(queries.work(release))}
    if attribution := lineage.attribution(design):
        added["ATTRIBUTION.md"] = attribution
    if manifest := _okh(design, release.commit):
        added["okh.toml"] = manifest
    held = {file.path.lower() for file in files_at(design, release.commit)}
    # A design that says these things itself says them better.
    return {name: text for name, text in added.items() if name == "ATTRIBUTION.md" or name.lower() not in held}


def _okh(design: Design, commit: str) -> str:
    """The manifest of the version; nothing where it cannot be written, which stops no release."""
    try:
        return okh.write(design, commit).decode()
    except (CityError, okh.Unreadable):
        return ""
