"""The nightly round: every repository and pool is checked and, where pushes have left many packs, packed again."""

import datetime as dt
import logging
from collections.abc import Iterator

from django.db.models import F
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.notices.services import tell
from commons.people.models import User
from commons.said import said
from commons.sockets import Health
from designs import git
from designs.errors import GitFailed
from designs.git import pools
from designs.git.repository import Repository
from designs.models import Design, RepositoryHealth
from designs.services.room import measure

log = logging.getLogger(__name__)

#: Each push and each fork leaves packs; git looks through all of them.
MANY_PACKS = 12
MANY_LOOSE = 500
#: A round that begins again after a worker died goes on where the last one was.
FRESH = dt.timedelta(hours=18)


def waiting(*, now: dt.datetime | None = None) -> list[tuple[str, bool]]:
    """(repository, whether it is a pool) of all that no round has looked at lately; pools first, for their members
    then drop what the pool has packed."""
    since = (now or timezone.now()) - FRESH
    done = set(RepositoryHealth.objects.filter(checked_at__gte=since).values_list("repository", flat=True))
    named = Design.objects.exclude(pool="").order_by("pool").values_list("pool", flat=True).distinct()
    found = [(name, True) for name in named if name not in done]
    listed = Design.objects.order_by("pk").values_list("repository", flat=True)
    return found + [(name, False) for name in listed.iterator(chunk_size=2000) if name not in done]


def look_after(*, repository: str, is_pool: bool) -> RepositoryHealth | None:
    """Pack a repository if it needs it, check it, write down what was found. None when it was deleted meanwhile."""
    there = pools.of(repository) if is_pool else git.of(repository)
    if not there.path.exists() and not _is_wanted(repository, is_pool=is_pool):
        return None
    fault, packed = "", None
    try:
        if is_pool or _is_scattered(there):
            _pack(there, is_pool=is_pool)
            packed = timezone.now()
        fault = pools.check(there)
    except GitFailed as refusal:
        fault = str(refusal.sentence)
    fields = {"checked_at": timezone.now(), "fault": fault[:300], "is_pool": is_pool}
    if packed is not None:
        fields["packed_at"] = packed
    kept, _made = RepositoryHealth.objects.update_or_create(
        repository=repository, defaults=fields | {"size_bytes": pools.size_bytes(there) if there.path.exists() else 0}
    )
    if fault:
        _raise_alarm(kept)
    elif not is_pool and (design := Design.objects.filter(repository=repository).first()):
        measure(design=design)
    return kept


def _is_wanted(repository: str, *, is_pool: bool) -> bool:
    wanted = Design.objects.filter(pool=repository) if is_pool else Design.objects.filter(repository=repository)
    return wanted.exists()


def _is_scattered(repository: Repository) -> bool:
    return pools.packs(repository) > MANY_PACKS or pools.loose(repository) > MANY_LOOSE


def _pack(repository: Repository, *, is_pool: bool) -> None:
    """A pool that has one pack and nothing new is left alone."""
    if not is_pool or pools.packs(repository) > 1 or pools.loose(repository):
        pools.pack(repository, is_pool=is_pool)


def _raise_alarm(found: RepositoryHealth) -> None:
    """Tell the stewards once, until one of them has read it."""
    log.error("repository %s is damaged: %s", found.repository, found.fault)
    design = Design.objects.filter(repository=found.repository).select_related("owner").first()
    name = f"{design.owner.name}/{design.slug}" if design else found.repository[:8]
    tell(
        people=User.objects.filter(is_staff=True, is_active=True), kind="designs.damaged",
        text=said(
            gettext_lazy("The repository of %(name)s is damaged: %(fault)s"), name=name, fault=found.fault[:150]
        ),
        url="/readyz", about=f"repository:{found.repository}",
    )  # fmt: skip


def round_of_all(*, now: dt.datetime | None = None) -> Iterator[tuple[int, int, RepositoryHealth | None]]:
    """Look after everything that waits: (number, how many, what was found) of each as it is done."""
    names = waiting(now=now)
    for number, (repository, is_pool) in enumerate(names, 1):
        yield number, len(names), look_after(repository=repository, is_pool=is_pool)
    forget_gone()


def forget_gone() -> int:
    """Drop the records of repositories that are gone; how many."""
    gone = RepositoryHealth.objects.filter(is_pool=False).exclude(repository__in=Design.objects.values("repository"))
    gone_pools = RepositoryHealth.objects.filter(is_pool=True).exclude(repository__in=Design.objects.values("pool"))
    return int(gone.delete()[0]) + int(gone_pools.delete()[0])


def check_repositories() -> Health:
    """For `/readyz`: what the last round found. One damaged design does not take the city away from all others, so
    this says it and stays ready."""
    try:
        faulty = list(RepositoryHealth.objects.exclude(fault="").values_list("repository", "fault")[:5])
        count = RepositoryHealth.objects.count()
        oldest = RepositoryHealth.objects.order_by(F("checked_at").asc()).values_list("checked_at", flat=True).first()
    except Exception as error:
        return Health(False, _("The repositories' records cannot be read: %(why)s") % {"why": type(error).__name__})
    data = {"checked": count, "damaged": len(faulty), "oldest_check": oldest.isoformat() if oldest else None}
    if faulty:
        return Health(
            True, _("Damaged repositories: %(names)s") % {"names": ", ".join(n[:8] for n, _f in faulty)}, data
        )
    if not count:
        return Health(True, _("No repository has been checked yet; the round is at night."), data)
    return Health(True, _("All %(n)d repositories were whole when they were last checked.") % {"n": count}, data)
