"""Forks: a design of one's own that begins with all of another's history, and the pools that make that cheap."""

from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.notices.services import tell
from commons.people.models import Handle, User
from commons.said import said
from designs import git
from designs.errors import DesignNotFound, NotYours
from designs.git import pools
from designs.git.repository import Repository
from designs.licences import derive
from designs.models import Design
from designs.policies import may_write_as, seen_by
from designs.queries import lineage
from designs.services import lfs
from designs.services.designs import check_free, check_name, name_taken, slug_of
from designs.services.index import index_later
from designs.services.pace import check_forks
from designs.services.rights import remember_fork
from designs.services.room import check_room, measure
from designs.services.silence import silence_runs
from designs.services.telling import design_url


def fork_design(
    *, design: Design, owner: Handle, by: User | None, slug: str = "", name: str = "", ref: str = ""
) -> Design:
    """A design of `owner` with the branches, tags and large files of `design`; `ref` is the version it begins with.

    A fork of a private design is private and has a copy of its own; of a public one it costs kilobytes. Raises
    NotYours, DesignNotFound, TooMany, BadName, NameTaken, BadRevision, LicenceForbids or OverQuota; then nothing has
    changed.
    """
    if by is not None and not may_write_as(by, owner):
        raise NotYours(_("You cannot make designs as “%(owner)s”.") % {"owner": owner.name})
    if by is not None and not Design.objects.filter(seen_by(by), pk=design.pk).exists():
        raise DesignNotFound(_("There is no such design here, or it is not yours to see."))
    check_forks(by)
    name, slug = check_name(name or design.name), slug_of(slug or design.slug)
    source = git.of(design.repository)
    branch = _branch_of(source, design, ref)
    began = source.commit_of(ref or branch) if ref or source.head(branch) else ""
    derive.check(design.licence, [design, *lineage.parents(design)], shared=design.is_public)
    if not design.is_public:
        check_room(owner=owner, more_bytes=pools.size_bytes(source))
    check_free(owner=owner, slug=slug)
    pool = _pool_of(design) if design.is_public else ""
    try:
        made = _make(design, owner, by, slug=slug, name=name, branch=branch, began=began, pool=pool)
    except IntegrityError:
        raise name_taken(owner, slug) from None
    index_later(design=made, by=by)
    return made


@transaction.atomic
def _make(
    design: Design, owner: Handle, by: User | None, *, slug: str, name: str, branch: str, began: str, pool: str
) -> Design:
    """The row and the repository. Locks the parent, so that it is not deleted meanwhile."""
    parent = Design.objects.select_for_update(no_key=True).get(pk=design.pk)
    made = Design.objects.create(
        owner=owner, slug=slug, name=name, summary=parent.summary, licence=parent.licence, visibility=parent.visibility,
        default_branch=branch, created_by=by, pushed_at=timezone.now(), demo=parent.demo and by is None,
        forked_from=parent, forked_at=began, pool=pool, tags=parent.tags,
    )  # fmt: skip
    try:
        store = pools.of(pool) if pool else None
        pools.fork(git.of(parent.repository), made.repository, branch=branch, pool=store)
    except BaseException:
        git.of(made.repository).remove()
        raise
    remember_fork(design=made)
    measure(design=made)
    lfs.share(source=parent, target=made)
    count_forks(design=parent)
    _tell(parent, made, by)
    return made


def _tell(parent: Design, made: Design, by: User | None) -> None:
    person = parent.owner.user
    if person is not None and by is not None:
        text = said(gettext_lazy("%(who)s forked %(design)s."), who=by, design=parent.name)
        url = design_url(made)
        tell(people=[person], kind="designs.fork", text=text, url=url, actor=by, about=f"designs.design:{made.pk}")


def _branch_of(source: Repository, design: Design, ref: str) -> str:
    """The default branch of a fork: the one it was forked at, if that was a branch."""
    return ref if ref and f"refs/heads/{ref}" in source.refs() else design.default_branch


@transaction.atomic
def _pool_of(design: Design) -> str:
    """The pool of a public design, made at its first fork. Committed before any repository reads from it."""
    kept = Design.objects.select_for_update(no_key=True).get(pk=design.pk)
    if not kept.pool:
        kept.pool = pools.create_pool()
        kept.save(update_fields=["pool"])
    design.pool = kept.pool
    return kept.pool


def count_forks(*, design: Design) -> int:
    """Write down how many public forks a design has; the number."""
    count = Design.objects.filter(
        forked_from=design, deleted_at=None, visibility=Design.Visibility.PUBLIC
    ).count()  # fmt: skip
    Design.objects.filter(pk=design.pk).update(fork_count=count)
    return count


@transaction.atomic
def set_visibility(*, design: Design, visibility: str) -> Design:
    """Let everybody see the design, or only its owner; it then shares no objects with designs of the other kind.

    The caller has checked who asks. Raises NotYours when a fork of a private design would become public.
    """
    design = Design.objects.select_for_update(no_key=True, of=("self",)).select_related("forked_from").get(pk=design.pk)
    parent = design.forked_from
    if visibility == Design.Visibility.PUBLIC and parent is not None and not parent.is_public:
        raise NotYours(
            _("“%(name)s”, which this was forked from, is private; only its owner can make it public.")
            % {"name": parent.name}
        )
    if visibility != Design.Visibility.PUBLIC and design.pool:
        pools.leave(git.of(design.repository))
        pool, design.pool = design.pool, ""
        transaction.on_commit(lambda: drop_pool(pool_id=pool))
    if visibility != Design.Visibility.PUBLIC:
        silence_runs(design)
    design.visibility = visibility
    design.save(update_fields=["visibility", "pool"])
    measure(design=design)
    if parent is not None:
        count_forks(design=parent)
    return design


def drop_pool(*, pool_id: str) -> bool:
    """Delete a pool that no design reads from any more; whether it went."""
    if not pool_id or Design.objects.filter(pool=pool_id).exists():
        return False
    pools.remove(pool_id)
    return True
