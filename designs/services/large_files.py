"""Large files of a design's source elsewhere: what its pointers name is got from there, checked and kept."""

from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.errors import CityError
from commons.said import said
from designs.git import large_files
from designs.git.fetching import Say
from designs.git.large_files import Offer
from designs.git.pointers import Pointer
from designs.git.repository import Repository
from designs.services import lfs

#: A source that failed so many times in a row is not asked for the rest.
PATIENCE = 10


@dataclass(frozen=True, slots=True)
class Brought:
    """The SHA-256 of what was got, how many files were not, and why the first of those was not."""

    oids: tuple[str, ...] = ()
    missing: int = 0
    reason: str = ""

    @property
    def sentence(self) -> str:
        """What is missing and why, or nothing."""
        if not self.missing:
            return ""
        return _("%(n)d large files (Git LFS) did not come along: %(why)s") % {"n": self.missing, "why": self.reason}


def bring(
    *, repository: Repository, url: str, refs: Iterable[str], held: Iterable[str], room_bytes: int, say: Say
) -> Brought:
    """Get the large files that the history below `refs` names and `held` has not, newest first, while there is room.

    A file is got even when the city has its bytes through another design: who only knows a hash gets nothing by it.
    What cannot be had is counted, not raised; only what `say` raises ends it.
    """
    have = set(held)
    wanted = [one for one in large_files.pointers_in(repository, refs) if one.oid not in have]
    asked, reason = _with_room(wanted, room_bytes)
    got: list[str] = []
    failed = 0
    offers = large_files.offers(url, asked)
    for number in range(len(asked)):
        say(number / len(asked), said(lazy("Large files: %(n)d of %(all)d"), n=number + 1, all=len(asked)))
        try:
            offer = next(offers)
        except CityError as refusal:  # the source has no large files for us at all
            reason = str(refusal.sentence)
            break
        fault = _get(offer)
        reason = reason or fault
        failed = failed + 1 if fault else 0
        if not fault:
            got.append(offer.pointer.oid)
        elif failed == PATIENCE:
            break
    return Brought(tuple(got), len(wanted) - len(got), reason)


def _with_room(wanted: list[Pointer], room_bytes: int) -> tuple[list[Pointer], str]:
    """Those that may come, and why the others may not."""
    taken, reason = [], ""
    for one in wanted:
        if one.size > settings.LFS_MAX_BYTES:
            reason = reason or _("a large file may have up to %(n)d MB here.") % {
                "n": settings.LFS_MAX_BYTES // 1_000_000
            }
        elif one.size > room_bytes:
            reason = reason or _("their owner has no room for them.")
        else:
            taken.append(one)
            room_bytes -= one.size
    return taken, reason


def _get(offer: Offer) -> str:
    """Get one file; what went wrong, or nothing."""
    if offer.refusal:
        return offer.refusal
    try:
        with large_files.download(offer) as body:
            lfs.keep_unlinked(oid=offer.pointer.oid, body=body)
    except CityError as refusal:
        return str(refusal.sentence)
    return ""
