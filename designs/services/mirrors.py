"""Designs that follow a repository elsewhere: looked at when it is time, taken over, let go."""

import datetime as dt
from dataclasses import dataclass

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy

from commons.errors import CityError
from commons.people.models import User
from commons.runs import services as runs
from commons.runs.models import Run
from commons.said import said
from designs import git
from designs.errors import BadSource, DesignNotFound, GitFailed, TooLarge, TooMany
from designs.git import fetching, mirroring
from designs.git.fetching import Say
from designs.models import Design, Mirror
from designs.policies import check_may_manage, check_not_archived
from designs.queries import lfs as held
from designs.queries.audience import owners_of
from designs.queries.room import left_bytes
from designs.services import lfs
from designs.services.holding import hold
from designs.services.index import index_later, subject_of
from designs.services.large_files import Brought, bring
from designs.services.room import measure
from designs.services.telling import design_url, tell_people

KIND = "designs.mirror"
#: What a source does wrong; anything else is ours, or says that the work was taken from this worker.
FAULTS = (BadSource, GitFailed, TooLarge)
MAX_HOURS = 720
LONGEST_WAIT = dt.timedelta(days=7)
FAILURES_TO_TELL = 3
AT_ONCE = 50
#: Between two looks that people ask for.
PAUSE = dt.timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Found:
    """What a look at a source brought: branches and tags, and large files."""

    brought: mirroring.Brought
    large: Brought


def check_every(hours: int) -> int:
    """A time between two looks, in hours. Raises BadSource."""
    if not 1 <= hours <= MAX_HOURS:
        raise BadSource(_("A source is looked at every 1 to %(n)d hours.") % {"n": MAX_HOURS})
    return hours


def follow(*, design: Design, url: str, every_hours: int, note: str = "") -> Mirror:
    """Let a design that was just fetched from `url` go on following it. Raises BadSource."""
    now = timezone.now()
    return Mirror.objects.create(
        design=design, url=url, every_hours=check_every(every_hours), last_at=now, last_error=note[:400],
        next_at=now + dt.timedelta(hours=every_hours),
    )  # fmt: skip


@transaction.atomic
def change(*, design: Design, by: User | None, every_hours: int) -> Mirror:
    """Look at the source more or less often. Locks the design. Raises NotYours, Archived, DesignNotFound, BadSource."""
    mirror = _own(design, by)
    mirror.every_hours = check_every(every_hours)
    mirror.next_at = (mirror.last_at or timezone.now()) + dt.timedelta(hours=every_hours)
    mirror.save(update_fields=["every_hours", "next_at"])
    return mirror


@transaction.atomic
def let_go(*, design: Design, by: User | None) -> None:
    """Make it an ordinary design: it keeps all it has and follows nothing. Locks the design.

    Raises NotYours, Archived or DesignNotFound.
    """
    _own(design, by).delete()


@transaction.atomic
def fetch_now(*, design: Design, by: User) -> Run:
    """Look at the source at once; the run, or the one that is at it already.

    Locks the design. Raises NotYours, Archived, DesignNotFound or TooMany.
    """
    mirror = _own(design, by)
    newest = Run.objects.filter(kind=KIND, subject=subject_of(design)).order_by("-created_at").first()
    if newest is not None and not newest.is_over:
        return newest
    if newest is not None and newest.created_at > timezone.now() - PAUSE:
        raise TooMany(_("The source was looked at a moment ago; try again in a minute."))
    return _start(mirror, by)


def _own(design: Design, by: User | None) -> Mirror:
    """The mirror of a design that the person may manage, with the design locked."""
    kept = hold(design)
    check_may_manage(by, kept)
    check_not_archived(kept)
    mirror = Mirror.objects.select_related("design", "design__owner").filter(design=kept).first()
    if mirror is None:
        raise DesignNotFound(_("“%(name)s” follows no other repository.") % {"name": kept.name})
    return mirror


def start_due(*, now: dt.datetime | None = None) -> int:
    """Start the runs of mirrors whose time has come; how many. A look that is still under way is not started again."""
    now = now or timezone.now()
    started = 0
    with transaction.atomic():
        due = (
            Mirror.objects.select_for_update(of=("self",), skip_locked=True)
            .filter(next_at__lte=now, design__archived_at=None, design__deleted_at=None)
            .select_related("design")
            .order_by("next_at")[:AT_ONCE]
        )
        for mirror in due:
            mirror.next_at = now + dt.timedelta(hours=mirror.every_hours)
            mirror.save(update_fields=["next_at"])
            if not _is_under_way(mirror.design):
                _start(mirror, None)
                started += 1
    return started


def _is_under_way(design: Design) -> bool:
    open_runs = Run.objects.filter(status__in=[Run.Status.QUEUED, Run.Status.RUNNING])
    return open_runs.filter(kind=KIND, subject=subject_of(design)).exists()


def _start(mirror: Mirror, by: User | None) -> Run:
    design = mirror.design
    return runs.start(
        kind=KIND, inputs={"mirror": mirror.pk}, title=said(lazy("Fetching %(design)s"), design=design.name),
        subject=subject_of(design), owner=by,
        public=design.is_shown, demo=design.demo,
    )  # fmt: skip


def find(pk: int) -> Mirror:
    """The mirror a run is about. Raises DesignNotFound when its design changes no more, or follows nothing."""
    alive = Mirror.objects.filter(design__archived_at=None, design__deleted_at=None)
    mirror = alive.select_related("design", "design__owner").filter(pk=pk).first()
    if mirror is None:
        raise DesignNotFound(_("The design is deleted or archived, or follows no other repository any more."))
    return mirror


def look(mirror: Mirror, *, say: Say) -> Found:
    """Fetch from the source, beside what is here. Raises BadSource, AddressRefused, OverQuota, GitFailed."""
    design = mirror.design
    repository, room = git.of(design.repository), left_bytes(design.owner)
    brought = mirroring.from_https(
        repository, mirror.url, most_bytes=room, say=lambda share, stage: say(share * 0.6, stage)
    )
    large = bring(
        repository=repository, url=mirror.url, refs=(mirroring.INCOMING,), held=held.oids_of(design),
        room_bytes=room, say=lambda share, stage: say(0.6 + share * 0.35, stage),
    )  # fmt: skip
    return Found(brought, large)


@transaction.atomic
def write(*, mirror: Mirror, found: Found, by: User | None) -> None:
    """Take over what the source has; the index and the pictures follow. Locks the mirror and its design.

    Branches that moved meanwhile are written down as a failure; nothing is lost.
    """
    design = hold(mirror.design)
    kept = Mirror.objects.select_for_update().filter(pk=mirror.pk).first()
    if kept is None:  # it became an ordinary design
        mirroring.forget(git.of(design.repository))
        return
    repository, now = git.of(design.repository), timezone.now()
    try:
        mirroring.take_over(repository, found.brought, at=now)
    except CityError as refusal:
        note_failure(mirror=kept, sentence=str(refusal.sentence))
        return
    lfs.hold(design=design, oids=found.large.oids)
    _show_a_branch(design, found.brought.branches)
    measure(design=design)
    kept.last_at, kept.failures, kept.last_error = now, 0, found.large.sentence[:400]
    kept.next_at = now + dt.timedelta(hours=kept.every_hours)
    kept.save(update_fields=["last_at", "failures", "last_error", "next_at"])
    changed = bool(found.brought.steps)
    unread = bool(design.indexed_tips) and set(design.indexed_tips) != set(repository.refs().values())
    if changed or found.large.oids or unread:
        index_later(design=design, by=by, pushed=changed)


def _show_a_branch(design: Design, branches: tuple[str, ...]) -> None:
    """Another branch as the one that is shown, where the source has that one no more."""
    if design.default_branch in branches:
        return
    repository = git.of(design.repository)
    design.default_branch = fetching.choose_branch(repository, "")
    design.save(update_fields=["default_branch"])
    repository.point_head(design.default_branch)


@transaction.atomic
def note_failure(*, mirror: Mirror, sentence: str, now: dt.datetime | None = None) -> None:
    """Write down that a look failed and wait longer each time; the owner is told of the third in a row."""
    kept = Mirror.objects.select_for_update(of=("self",)).select_related("design__owner").filter(pk=mirror.pk).first()
    if kept is None:
        return
    kept.failures = min(kept.failures + 1, 1000)
    kept.last_error = sentence[:400]
    usual = dt.timedelta(hours=kept.every_hours)
    kept.next_at = (now or timezone.now()) + max(usual, min(usual * 2 ** min(kept.failures, 10), LONGEST_WAIT))
    kept.save(update_fields=["failures", "last_error", "next_at"])
    if kept.failures == FAILURES_TO_TELL:
        design = kept.design
        text = said(
            lazy("%(design)s could not be fetched from its source %(n)s times in a row: %(why)s"),
            design=design.name, n=kept.failures, why=kept.last_error[:120],
        )  # fmt: skip
        tell_people(
            owners_of(design.owner), kind="designs.mirror", text=text, url=design_url(design, "rooms:design_settings"),
            actor=None, about=f"designs.mirror:{kept.pk}",
        )  # fmt: skip
