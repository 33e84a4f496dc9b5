"""Reads of changes: which there are, what one would bring, who has a say in it, whether it was agreed to."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

import redis
from django.core.cache import cache
from django.db.models import Count, Q, QuerySet
from django.utils.translation import gettext as _

from commons.people.models import Membership, User
from designs import git
from designs.errors import BadRevision, DesignNotFound, NothingToOffer, NotRelated, UnrelatedHistories
from designs.git import comparing, merging
from designs.git.beside import beside
from designs.git.comparing import Change
from designs.git.names import check_revision
from designs.git.repository import BRANCHES, Commit
from designs.models import Collaborator, Design, Proposal, Review
from designs.policies import WRITERS, Visitor, known, may_offer, seen_by, shows_more

MAX_COMMITS = 200
MAX_HOPS = 30
MAX_CANDIDATES = 20
KEPT_S = 3600


@dataclass(frozen=True, slots=True)
class Offer:
    """What would be offered: `ahead` commits of the source, newest first in `commits` (at most MAX_COMMITS), the files
    that differ from where the histories parted (`base`), and the paths that do not merge by themselves.

    `behind` counts what the target has had since. `shows_more` says that the source is private and the offer is not.
    """

    design: Design
    source: Design
    source_branch: str
    target_branch: str
    base: str
    head: str
    onto: str
    ahead: int
    behind: int
    commits: Sequence[Commit]
    changes: Sequence[Change]
    conflicts: Sequence[str]
    shows_more: bool


@dataclass(frozen=True, slots=True)
class Candidate:
    """A branch that somebody could offer, with how far it is ahead of the design's own branch."""

    source: Design
    branch: str
    ahead: int


def proposals_of(design: Design, *, state: str = "") -> QuerySet[Proposal]:
    """The changes of a design, newest first, with their people and how much was said."""
    found = design.proposals.select_related("design__owner", "author", "source__owner", "ended_by")
    if state:
        found = found.filter(state=state)
    said = Count("comments", filter=Q(comments__hidden_at=None, comments__removed_at=None), distinct=True)
    return found.annotate(said=said).order_by("-number")


def counts(design: Design) -> dict[str, int]:
    """How many changes are open, merged and closed."""
    found = dict(design.proposals.values_list("state").annotate(n=Count("pk")).order_by())
    return {state: int(found.get(state, 0)) for state in Proposal.State.values}


def open_count(design: Design) -> int | None:
    """How many are open, for the tab; None when the design never had one."""
    found = counts(design)
    return found["open"] if sum(found.values()) else None


def find_proposal(design: Design, number: int) -> Proposal:
    """A change of a design that the caller has already been let into. Raises DesignNotFound."""
    found = proposals_of(design).filter(number=number).first()
    if found is None:
        raise DesignNotFound(_("There is no change %(n)d of this design.") % {"n": number})
    found.design = design
    return found


def root_of(design: Design) -> int:
    """The key of the design that this one and its relatives come from."""
    here: Design | None = design
    for _hop in range(MAX_HOPS):
        if here is None or here.forked_from_id is None:
            break
        here = Design.objects.filter(pk=here.forked_from_id).first() or here
        if here.pk == design.pk:
            break
    return here.pk if here else design.pk


def are_related(one: Design, other: Design) -> bool:
    """Whether one comes from the other, or both from the same design."""
    return one.pk == other.pk or root_of(one) == root_of(other)


def branch_tip(design: Design, branch: str) -> str:
    """The newest commit of a branch, or "" when there is no such branch."""
    try:
        return git.of(design.repository).refs().get(f"{BRANCHES}{check_revision(branch)}", "")
    except BadRevision:
        return ""


def preview(*, design: Design, source: Design, branch: str, target_branch: str, visitor: Visitor) -> Offer:
    """What would be offered, without anything of the source going into the target.

    Raises DesignNotFound (the source is not the visitor's to offer), NotRelated, BadRevision, UnrelatedHistories or
    NothingToOffer.
    """
    if not may_offer(visitor, source, design):
        raise DesignNotFound(_("There is no design of this name that you may offer from."))
    if not are_related(design, source):
        raise NotRelated(_("“%(source)s” is no fork of “%(design)s”.") % {"source": source.name, "design": design.name})
    head, onto = branch_tip(source, branch), branch_tip(design, target_branch)
    for tip, name in ((head, branch), (onto, target_branch)):
        if not tip:
            raise BadRevision(_("There is no branch “%(name)s”.") % {"name": name[:80]})
    with beside(git.of(design.repository), git.of(source.repository)) as both:
        base = comparing.merge_base(both, onto, head)
        if not base:
            raise UnrelatedHistories(_("These two have no commit in common. Begin the change from a fork."))
        behind, ahead = comparing.count_between(both, onto, head)
        if not ahead:
            raise NothingToOffer(
                _("“%(branch)s” holds nothing that “%(target)s” does not have.")
                % {"branch": branch, "target": target_branch}
            )
        return Offer(
            design, source, branch, target_branch, base, head, onto, ahead, behind,
            commits=comparing.commits_between(both, base, head, MAX_COMMITS),
            changes=comparing.changes(both, base, head),
            conflicts=merging.conflicts(both, onto, head),
            shows_more=shows_more(source, design) and design.is_public,
        )  # fmt: skip


def ahead_of(design: Design, source: Design, branch: str) -> int:
    """How many commits a branch has that the design's own branch has not; 0 when they cannot be compared.

    Counted afresh where the cache is away, or has no room to keep it.
    """
    head, onto = branch_tip(source, branch), branch_tip(design, design.default_branch)
    if not head or not onto or head == onto:
        return 0
    key = f"designs:ahead:{onto}:{head}"
    with suppress(redis.RedisError):
        if (kept := cache.get(key)) is not None:
            return int(kept)
    with beside(git.of(design.repository), git.of(source.repository)) as both:
        related = bool(comparing.merge_base(both, onto, head))
        counted = comparing.count_between(both, onto, head)[1] if related else 0
    with suppress(redis.RedisError):
        cache.set(key, counted, KEPT_S)
    return counted


def candidates(design: Design, visitor: Visitor) -> list[Candidate]:
    """The branches that the visitor could offer now: of the design itself and of their own forks, most ahead first."""
    person = known(visitor)
    if person is None:
        return []
    forks = Design.objects.filter(seen_by(person), forked_from=design).filter(
        Q(owner__user=person)
        | Q(owner__organisation__in=Membership.objects.filter(user=person, role__in=WRITERS).values("organisation"))
        | Q(pk__in=Collaborator.objects.filter(user=person, role=Collaborator.Role.MAINTAINER).values("design"))
    )
    sources = [design, *forks.select_related("owner")[:MAX_CANDIDATES]]
    taken = set(design.proposals.filter(state=Proposal.State.OPEN).values_list("source", "source_branch"))
    found = []
    for source in sources:
        names = [name for name in git.of(source.repository).refs() if name.startswith(BRANCHES)]
        for branch in (name.removeprefix(BRANCHES) for name in names[:MAX_CANDIDATES]):
            if (source.pk, branch) in taken or (source.pk == design.pk and branch == design.default_branch):
                continue
            if ahead := ahead_of(design, source, branch):
                found.append(Candidate(source, branch, ahead))
    return sorted(found, key=lambda candidate: -candidate.ahead)[:MAX_CANDIDATES]


def offer_of(design: Design) -> tuple[Candidate, Proposal | None] | None:
    """For the page of a fork: how far its branch is ahead of its parent, and the open change that offers it."""
    parent = design.forked_from
    if parent is None or parent.deleted_at is not None:
        return None
    ahead = ahead_of(parent, design, design.default_branch)
    if not ahead:
        return None
    offered = parent.proposals.filter(
        state=Proposal.State.OPEN, source=design, source_branch=design.default_branch
    ).first()
    return Candidate(design, design.default_branch, ahead), offered


def latest_reviews(proposal: Proposal) -> list[Review]:
    """The newest judgement of each person, in the order in which they first spoke."""
    newest: dict[int | None, Review] = {}
    for review in proposal.reviews.select_related("author").order_by("created_at", "pk"):
        newest[review.author_id] = review
    return list(newest.values())


def pushers(design: Design) -> set[int]:
    """The keys of everybody who may merge into the design."""
    owner = design.owner
    found = set(design.collaborators.filter(role=Collaborator.Role.MAINTAINER).values_list("user", flat=True))
    if owner.user_id is not None:
        return found | {owner.user_id}
    members = Membership.objects.filter(organisation=owner.organisation_id, role__in=WRITERS)
    return found | set(members.values_list("user", flat=True))


def is_approved(proposal: Proposal) -> bool:
    """Whether somebody who may merge it agreed to the version that is offered now, and none of them asks for more."""
    say = pushers(proposal.design)
    theirs = [review for review in latest_reviews(proposal) if review.author_id in say]
    agreed = [r for r in theirs if r.verdict == Review.Verdict.APPROVE and r.commit == proposal.head]
    return bool(agreed) and all(review.verdict != Review.Verdict.ASK for review in theirs)


def spoke_in(proposal: Proposal) -> list[User]:
    """The author of a change, and everybody who said something of it."""
    keys = {proposal.author_id, *proposal.comments.values_list("author", flat=True)}
    keys |= set(proposal.reviews.values_list("author", flat=True))
    return list(User.objects.filter(pk__in=[key for key in keys if key is not None], is_active=True))


def changes_in(proposal: Proposal) -> list[Change]:
    """The files that a change brings, by path; from the target's own repository, whatever became of the source."""
    return comparing.changes(git.of(proposal.design.repository), proposal.base, proposal.head)


def commits_in(proposal: Proposal) -> list[Commit]:
    """The commits that a change brings, newest first."""
    return comparing.commits_between(git.of(proposal.design.repository), proposal.base, proposal.head, MAX_COMMITS)


def conflicts_in(proposal: Proposal) -> Sequence[str]:
    """The paths that do not merge by themselves now."""
    onto = branch_tip(proposal.design, proposal.target_branch)
    if not onto or not proposal.is_open:
        return ()
    return merging.conflicts(git.of(proposal.design.repository), onto, proposal.head)
