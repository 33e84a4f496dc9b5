"""Keeping a change true: its newest version, where the histories part, its files, and what the checks find.

A look reads git and the index and writes nothing; `write` puts down what it saw, if the change is still as it was. So
two looks at once, or one that dies, leave nothing half done.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from commons.people.models import User
from commons.runs import services as runs
from commons.runs.models import Run
from commons.runs.work import do
from commons.said import said
from designs import checks, git
from designs.errors import DesignNotFound
from designs.git import comparing, merging
from designs.git.comparing import Change
from designs.git.repository import Digest
from designs.models import Blob, Check, Design, OfferedFile, Proposal
from designs.policies import seen_by
from designs.queries.proposals import branch_tip
from designs.services import diffs, lfs, previews
from designs.services.index import blobs_of, index_later
from designs.services.proposals.common import held, internal_ref, tell_about
from designs.services.proposals.landing import Landing, landing_of
from designs.services.proposals.material import material_of

KIND = "designs.change"
MAX_OFFERED = 2000


@dataclass(frozen=True, slots=True)
class Seen:
    """What a look at a change saw. `was` is the head that it had then, `landed` how it came into the target."""

    was: str
    head: str
    base: str
    onto: str
    landed: Landing | None
    changes: Sequence[Change]
    digests: Sequence[Digest]
    findings: Sequence[checks.Finding]


def follow(*, proposal: Proposal, by: User | None) -> Run | None:
    """Ask a worker to look at the change again; None when one that has not begun will do so anyway."""
    subject = subject_of(proposal)
    if Run.objects.filter(subject=subject, status=Run.Status.QUEUED).exists():
        return None
    design = proposal.design
    return runs.start(
        kind=KIND, inputs={"proposal": proposal.pk},
        title=said(gettext_lazy("Looking at change %(n)d of %(design)s"), n=proposal.number, design=design.name),
        subject=subject, owner=by, public=design.is_shown, demo=design.demo,
    )  # fmt: skip


def follow_now(*, proposal: Proposal, by: User | None, timeout_s: float = 600.0) -> Proposal:
    """The same by this process, waiting for whoever holds the work."""
    run = follow(proposal=proposal, by=by) or open_run(proposal)
    if run is not None:
        do(run.pk)
        run.refresh_from_db()
        if not run.is_over:
            runs.wait(run=run, timeout_s=timeout_s)
    proposal.refresh_from_db()
    return proposal


def follow_related(*, design: Design, by: User | None) -> int:
    """Look again at every open change that comes from the design or goes into it; how many."""
    found = Proposal.objects.filter(Q(design=design) | Q(source=design), state=Proposal.State.OPEN)
    listed = list(found.select_related("design"))
    for proposal in listed:
        follow(proposal=proposal, by=by)
    return len(listed)


def follow_missed() -> int:
    """Look again at the open changes whose target is not what was looked at: a process that died told nobody of what it
    wrote. How many; called once a day."""
    listed = list(Proposal.objects.filter(state=Proposal.State.OPEN, design__deleted_at=None).select_related("design"))
    missed = [one for one in listed if branch_tip(one.design, one.target_branch) != one.checked_onto]
    for proposal in missed:
        follow(proposal=proposal, by=None)
    return len(missed)


def look_again_at_blobs(*, oids: Collection[str]) -> int:
    """Look again at the open changes that bring one of these contents, now that more is known of it; how many.

    A content that is drawn, or compared with the one before, changes what the checks say.
    """
    listed = list(
        Proposal.objects.filter(state=Proposal.State.OPEN, files__blob__oid__in=oids)
        .select_related("design")
        .distinct()
    )
    for proposal in listed:
        follow(proposal=proposal, by=None)
    return len(listed)


def subject_of(proposal: Proposal) -> str:
    """What a run about a change is about."""
    return f"designs.proposal:{proposal.pk}"


def open_run(proposal: Proposal) -> Run | None:
    """The run that looks at the change now, newest first."""
    going = Run.objects.filter(subject=subject_of(proposal), status__in=[Run.Status.QUEUED, Run.Status.RUNNING])
    return going.order_by("-created_at").first()


def follows_by_itself(proposal: Proposal) -> bool:
    """Whether what is pushed to the source joins the change without being asked for.

    Out of a source that fewer people see than the target, each new version is offered by hand (`take_newest`): a push
    to a private fork shows nothing by itself.
    """
    source, design = proposal.source, proposal.design
    return source is not None and source.deleted_at is None and (source.is_public or source.pk == design.pk)


def newest_of(proposal: Proposal) -> str:
    """The tip of the source's branch, or "" when it is gone or no longer the author's to see."""
    source, author = proposal.source, proposal.author
    if source is None or source.deleted_at is not None or author is None:
        return ""
    if not Design.objects.filter(seen_by(author), pk=source.pk).exists():
        return ""
    return branch_tip(source, proposal.source_branch)


def look(proposal: Proposal, *, take_newest: bool = False) -> Seen:
    """Read what the change is now. Brings a newer version's objects under a hidden ref, and writes nothing else.

    `take_newest` takes the tip of a private source too; only somebody who may push to it may ask for that.
    """
    design = proposal.design
    repository = git.of(design.repository)
    head = _newest(proposal, take_newest=take_newest)
    onto = branch_tip(design, proposal.target_branch)
    base = comparing.merge_base(repository, onto, head) if onto else ""
    if not base:
        head, base = proposal.head, proposal.base
    changes = comparing.changes(repository, base, head)[:MAX_OFFERED]
    wanted = {oid for change in changes for oid in (change.old_oid, change.new_oid) if oid}
    have = set(Blob.objects.filter(oid__in=wanted).values_list("oid", flat=True))
    digests = tuple(repository.digests(sorted(wanted - have))) if wanted - have else ()
    landed = landing_of(proposal)
    material = material_of(design, proposal.source, base=base, head=head, onto=onto, changes=changes)
    return Seen(proposal.head, head, base, onto, landed, changes, digests, checks.find(material))


def _newest(proposal: Proposal, *, take_newest: bool) -> str:
    """The head to look at: the source's tip if it may be taken and holds something new, else the one that it has."""
    tip = newest_of(proposal) if take_newest or follows_by_itself(proposal) else ""
    if not tip or tip == proposal.head or proposal.source is None:
        return proposal.head
    target, source = git.of(proposal.design.repository), git.of(proposal.source.repository)
    onto = branch_tip(proposal.design, proposal.target_branch)
    merging.bring(target, source, commit=tip, ref=internal_ref(proposal, tip))
    if not comparing.merge_base(target, onto, tip) or target.is_ancestor(tip, onto):
        merging.forget(target, internal_ref(proposal, tip))
        return proposal.head
    return tip


@transaction.atomic
def write(*, proposal: Proposal, seen: Seen) -> Proposal:
    """Put down what a look saw, unless the change ended or got another version meanwhile. Locks the design."""
    change = held(proposal)
    if not change.is_open or change.head != seen.was:
        return change
    if seen.landed:
        return land(change, seen.landed)
    _write_files(change, seen)
    if seen.head != change.head:
        change.head = seen.head
        change.versions = [*change.versions, {"head": seen.head, "base": seen.base, "at": timezone.now().isoformat()}]
        tell_about(
            change, kind="change-newer", actor=change.author,
            text=gettext_lazy("There is a newer version of “%(title)s”"),
        )  # fmt: skip
    change.base, change.checked_head, change.checked_onto = seen.base, seen.head, seen.onto
    change.save(update_fields=["head", "base", "versions", "checked_head", "checked_onto", "updated_at"])
    _write_checks(change, seen.findings)
    share_large_files(change)
    _draw(change)
    diffs.compare(change.design, change.base, change.head, by=change.author)
    return change


def land(change: Proposal, landing: Landing) -> Proposal:
    """Write down that the target holds the change: somebody pushed it with git, or it was merged here by a process that
    died before it could write so. Call it with the change held."""
    person = User.objects.filter(pk=landing.by).first() if landing.by else None
    change.state, change.merged_commit, change.method = Proposal.State.MERGED, landing.commit, landing.method
    change.ended_by, change.ended_at = person, timezone.now()
    change.save(update_fields=["state", "merged_commit", "method", "ended_by", "ended_at", "updated_at"])
    if landing.method:
        share_large_files(change)
        index_later(design=change.design, by=person)
    tell_about(
        change, kind="change-merged", actor=person,
        text=gettext_lazy("“%(title)s” is in %(design)s now"),
    )  # fmt: skip
    return change


def _write_files(change: Proposal, seen: Seen) -> None:
    """The contents that the change brings, and those that it replaces, known to the index; the new ones as its own."""
    paths = {oid: item.path for item in seen.changes for oid in (item.old_oid, item.new_oid) if oid}
    Blob.objects.bulk_create(blobs_of(seen.digests, paths), 1000, ignore_conflicts=True)
    pks = dict(Blob.objects.filter(oid__in=paths).values_list("oid", "pk"))
    change.files.all().delete()
    OfferedFile.objects.bulk_create(
        [
            OfferedFile(proposal=change, blob_id=pks[item.new_oid], path=item.path)
            for item in seen.changes
            if item.new_oid in pks
        ],
        1000,
    )


def _write_checks(change: Proposal, findings: Sequence[checks.Finding]) -> None:
    change.checks.all().delete()
    Check.objects.bulk_create(
        [
            Check(proposal=change, name=found.name, state=found.state, say=found.say, data=found.data)
            for found in findings
        ]
    )


def share_large_files(change: Proposal) -> None:
    """What the offered pointers stand for is fetched and drawn through the target, as far as the source holds it."""
    if change.source is None or change.source_id == change.design_id:
        return
    names = Blob.objects.filter(offered__proposal=change).exclude(lfs="").values_list("lfs", flat=True)
    lfs.share(source=change.source, target=change.design, oids=list(names))


def _draw(change: Proposal) -> None:
    """Have what is new drawn; nothing is drawn twice, whatever the number of changes and forks that hold it."""
    waiting = list(
        Blob.objects.filter(offered__proposal=change, preview=Blob.Preview.PENDING).distinct().order_by("size")
    )
    if waiting:
        previews.start(design=change.design, blobs=waiting)


def find_to_follow(pk: int) -> Proposal:
    """The change of a run, with all that a look needs. Raises DesignNotFound when it is gone."""
    found = Proposal.objects.select_related("design__owner", "source__owner", "author").filter(pk=pk).first()
    if found is None or found.design.deleted_at is not None:
        raise DesignNotFound(_("The change was deleted meanwhile."))
    return found
