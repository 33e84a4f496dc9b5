"""What is looked at before a release: what its licences forbid, and what somebody should know before they go on."""

from collections.abc import Iterator
from dataclasses import dataclass

from django.utils.translation import gettext as _

from designs import git, licences
from designs.errors import LicenceForbids
from designs.licences import derive
from designs.licences.texts import is_licence_file
from designs.models import Blob, Design
from designs.okh.check import ERROR
from designs.queries import lineage
from designs.queries.file_licences import Licences, licences_at
from designs.queries.files import files_at
from designs.queries.manifests import checked_of
from designs.queries.readiness import readiness_in
from designs.services.rights import check_licence

#: The level of readiness at which somebody else can make it.
MADE = 3


@dataclass(frozen=True, slots=True)
class Remark:
    """Something to look at before a release; none of it stops one."""

    slug: str
    sentence: str


def check_release(*, design: Design, commit: str) -> Licences:
    """Raise LicenceForbids if what the design comes from does not allow its licence, or that of a file.

    A file that came with a fork keeps what the file there asked, whatever a header beside it says now. Answers the
    licence of each file.
    """
    check_licence(design=design, licence=design.licence)
    known = licences_at(design, commit)
    for source in lineage.parents(design):
        if source.relation == source.Relation.FORK and design.forked_at:
            _check_files(design, known, source.licence)
    return known


def _check_files(design: Design, known: Licences, licence: str) -> None:
    """Each file that the parent had too, against the licence that it had there."""
    repository = git.of(design.repository)
    if not repository.holds(design.forked_at):
        return
    before = licences_at(design, design.forked_at, whole=licence)
    for path, file in known.files.items():
        there = before.files.get(path)
        if there is None or there.expression == file.expression:
            continue
        found = derive.fault(file.expression, [there.expression], shared=design.is_public)
        if found is not None:
            raise LicenceForbids(f"{path}: {found.sentence}", clause=found.clause, licence=found.licence, path=path)


def remarks(*, design: Design, commit: str, known: Licences) -> list[Remark]:
    """What somebody should know before they release this version."""
    return [*_about_licences(design, known), *_about_files(design, commit, known), *_about_okh(design, commit)]


def _about_licences(design: Design, known: Licences) -> Iterator[Remark]:
    others = [each for each in known.expressions if each != design.licence]
    if others:
        text = _("Some files have a licence of their own: %(which)s. It is said beside each file of the release.")
        yield Remark("licences", text % {"which": ", ".join(others[:5])})
    unread = sorted({word for file in known.files.values() for word in file.declared.unreadable})
    if unread:
        text = _("These licences of files cannot be read: %(which)s.")
        yield Remark("unreadable", text % {"which": ", ".join(unread[:5])})
    for folder, why in known.faults:
        text = _("%(file)s cannot be read: %(why)s.")
        yield Remark("reuse", text % {"file": f"{folder}/REUSE.toml".lstrip("/"), "why": why})
    if design.licence == licences.UNKNOWN:
        yield Remark("unknown", _("Nobody may use it: the design's licence is not known."))


def _about_files(design: Design, commit: str, known: Licences) -> Iterator[Remark]:
    files = files_at(design, commit)
    if not known.texts and not any(is_licence_file(file.path) for file in files):
        yield Remark("text", _("No file holds the licence's text; put it into LICENSE or LICENSES/."))
    broken = [file.path for file in files if file.status == Blob.Preview.FAILED]
    if broken:
        text = _("We could not draw %(which)s; look whether the files are whole.")
        yield Remark("previews", text % {"which": ", ".join(broken[:5])})
    if not any(file.path.lower().startswith("readme") for file in files):
        yield Remark("readme", _("There is no README that says what it is and how it is made."))


def _about_okh(design: Design, commit: str) -> Iterator[Remark]:
    """What makers would miss, and what is wrong in a manifest that the design brings."""
    entries = git.of(design.repository).files(commit)
    missing = [str(item.title) for item in readiness_in(design, entries).items if not item.done and item.level == MADE]
    if missing:
        yield Remark("missing", _("Makers will look for: %(what)s.") % {"what": ", ".join(missing)})
    checked = checked_of(design, entries)
    wrong = [each for each in checked[1].findings if each.level == ERROR] if checked else []
    if checked and wrong:
        text = _("%(file)s has %(n)d mistakes; the first is in line %(line)d: %(what)s")
        first = wrong[0]
        words = {"file": checked[0].path, "n": len(wrong), "line": first.line, "what": first.sentence}
        yield Remark("okh", text % words)
