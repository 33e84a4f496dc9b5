"""What was said about a design, as a visitor may see it."""

from dataclasses import dataclass, field

from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from designs import markdown
from designs.errors import DesignNotFound
from designs.models import Comment, Design
from designs.policies import Visitor, known, may_manage


@dataclass(slots=True)
class Said:
    """A comment with what this visitor may do with it. `html` is empty where it was taken away or hidden from them."""

    comment: Comment
    html: SafeString
    may_edit: bool
    may_remove: bool
    may_report: bool
    is_hidden: bool
    answers: list["Said"] = field(default_factory=list)


def threads(design: Design, visitor: Visitor, *, proposal: int | None = None, limit: int = 200) -> list[Said]:
    """Threads of a design, or of one change to it, oldest first, in three queries whatever their number."""
    found = list(
        design.comments.filter(proposal=proposal)
        .select_related("author", "author__handle")
        .order_by("created_at", "pk")[: limit * 10]
    )
    known_names = markdown.known_names(comment.body for comment in found)
    manages = may_manage(visitor, design)
    said = {comment.pk: _said(comment, visitor, known_names, manages, design.is_archived) for comment in found}
    roots = []
    for comment in found:
        if comment.answers_id in said:
            said[comment.answers_id].answers.append(said[comment.pk])
        elif comment.answers_id is None:
            roots.append(said[comment.pk])
    return roots[:limit]


def _said(comment: Comment, visitor: Visitor, names: frozenset[str], manages: bool, archived: bool) -> Said:
    person = known(visitor)
    own = person is not None and comment.author_id == person.pk
    hidden = comment.hidden_at is not None
    shown = comment.removed_at is None and (not hidden or own or (person is not None and person.is_staff))
    return Said(
        comment=comment,
        html=markdown.comment(comment.body, people=names) if shown else SafeString(""),
        may_edit=own and shown and not archived,
        may_remove=(own or manages) and comment.removed_at is None and not archived,
        may_report=person is not None and not own and shown and not hidden,
        is_hidden=hidden,
    )


def find_comment(design: Design, number: int) -> Comment:
    """A comment on the design or on a change to it. Raises DesignNotFound."""
    found = design.comments.select_related("author", "answers", "proposal", "design").filter(pk=number).first()
    if found is None or found.removed_at is not None:
        raise DesignNotFound(_("There is no such comment here."))
    return found


def talk_count(design: Design) -> int:
    """How many comments on the design itself show."""
    return design.comments.filter(proposal=None, removed_at=None, hidden_at=None).count()
