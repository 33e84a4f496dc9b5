"""What the page of a change tells: how the talk went, what the checks say, who agrees."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.functional import Promise
from django.utils.safestring import SafeString

from designs import checks, markdown
from designs.models import Check, Comment, Proposal, Review
from designs.queries.proposals import latest_reviews, pushers


@dataclass(frozen=True, slots=True)
class Said:
    """A remark as the page shows it. `earlier` says that it is on a version that is no longer the newest."""

    comment: Comment
    html: SafeString
    earlier: bool
    mine: bool
    may_settle: bool
    replies: Sequence["Said"] = ()

    @property
    def is_gone(self) -> bool:
        """Whether only its place is left."""
        return self.comment.removed_at is not None or self.comment.hidden_at is not None


@dataclass(frozen=True, slots=True)
class Moment:
    """A line of the story of a change: `kind` is said, review, newer, merged or closed."""

    kind: str
    at: dt.datetime
    said: Said | None = None
    review: Review | None = None
    html: SafeString | str = ""
    data: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Told:
    """A check in words. `head` is the short name of what was looked at, `sentence` what was found."""

    name: str
    state: str
    head: str | Promise
    sentence: str


def story(proposal: Proposal, *, person_pk: int | None, may_push: bool) -> list[Moment]:
    """Everything that happened to a change since it was offered, oldest first."""
    comments = list(proposal.comments.select_related("author").order_by("created_at", "pk"))
    reviews = list(proposal.reviews.select_related("author").order_by("created_at", "pk"))
    people = markdown.known_names([*(c.body for c in comments), *(r.body for r in reviews)])
    steers = may_push or (person_pk is not None and person_pk == proposal.author_id)

    def told(comment: Comment, replies: Sequence[Said] = ()) -> Said:
        shown = comment.removed_at is None and comment.hidden_at is None
        mine = person_pk is not None and comment.author_id == person_pk
        html = markdown.comment(comment.body, people=people) if shown else SafeString("")
        earlier = bool(comment.anchor) and comment.commit not in {"", proposal.head}
        return Said(comment, html, earlier, mine, steers or mine, replies)

    answers: dict[int, list[Said]] = {}
    for comment in comments:
        if comment.answers_id is not None:
            answers.setdefault(comment.answers_id, []).append(told(comment))
    moments = [
        Moment("said", comment.created_at, said=told(comment, answers.get(comment.pk, ())))
        for comment in comments
        if comment.answers_id is None
    ]
    moments += [
        Moment("review", review.created_at, review=review, html=markdown.comment(review.body, people=people))
        for review in reviews
    ]
    return sorted([*moments, *_versions(proposal), *_end(proposal)], key=lambda moment: moment.at)


def _versions(proposal: Proposal) -> Iterable[Moment]:
    for number, version in enumerate(proposal.versions[1:], 2):
        at = parse_datetime(version["at"])
        if at is not None:
            before = proposal.versions[number - 2]["head"]
            yield Moment("newer", at, data={"head": version["head"], "before": before, "number": number})


def _end(proposal: Proposal) -> Iterable[Moment]:
    if proposal.ended_at is not None and not proposal.is_open:
        yield Moment(str(proposal.state), proposal.ended_at)


def pins_of(moments: Iterable[Moment], path: str) -> list[dict[str, Any]]:
    """The remarks that stand on spots of the shape at `path`, numbered in the order in which they were made."""
    found: list[dict[str, Any]] = []
    for moment in moments:
        said = moment.said
        anchor = said.comment.anchor if said and not said.is_gone else None
        if said and anchor and anchor.get("point") and anchor["path"] == path:
            label = f"{said.comment.author or '–'}: {said.comment.body[:80]}"
            found.append({"id": said.comment.pk, "number": len(found) + 1, "point": anchor["point"], "label": label})
    return found


def told_checks(proposal: Proposal) -> list[Told]:
    """The checks in the reader's language, those that ask to be looked at last, as they were computed else. A change
    that is over is not looked at again, so what was still being looked at then is left out."""
    order = list(checks.NAMES)
    found = [row for row in proposal.checks.all() if proposal.is_open or row.state != Check.State.WAITING]
    rows = sorted(found, key=lambda row: order.index(row.name) if row.name in order else len(order))
    told = [
        Told(row.name, row.state, checks.NAMES.get(row.name, row.name), checks.sentence(row.say, row.data))
        for row in rows
    ]
    return sorted(told, key=lambda check: check.state in {Check.State.WARNING, Check.State.FAILED})


def judgements(proposal: Proposal) -> list[dict[str, Any]]:
    """The newest review of each person: who, whether they may merge, what they say, and of which version."""
    say = pushers(proposal.design)
    return [
        {"review": review, "merges": review.author_id in say, "earlier": review.commit != proposal.head}
        for review in latest_reviews(proposal)
    ]
