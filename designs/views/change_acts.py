"""What people do on the page of a change: each a POST that leads back to it."""

from collections.abc import Callable
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST

from commons.errors import CityError
from commons.people.models import User
from commons.people.signed_in import person_of
from designs.errors import BadAnchor, DesignNotFound, NotYours
from designs.models import Comment, Proposal
from designs.queries import proposals as reads
from designs.services import proposals as services
from designs.services import talk
from designs.views.changes import change_page
from designs.views.frame import frame

SPOKEN = {"say", "review"}


@login_required
@require_POST
def act(request: HttpRequest, owner: str, slug: str, number: int, verb: str) -> HttpResponse:
    """Say, review, close, reopen, update, offer the newest version, undo, or see to its branch; then back to it."""
    design, _version, _context = frame(request, owner, slug)
    proposal = reads.find_proposal(design, number)
    do = ACTS.get(verb)
    if do is None:
        raise Http404(_("There is nothing of this name to do."))
    try:
        mark, shown = do(request, proposal, person_of(request))
    except CityError as refusal:
        if verb in SPOKEN and refusal.status != 404:
            return change_page(request, owner, slug, number, refusal)
        raise
    return redirect(reverse("rooms:design_change", args=[owner, slug, shown.number]) + mark)


def _say(request: HttpRequest, proposal: Proposal, person: User) -> tuple[str, Proposal]:
    answers = request.POST.get("answers", "")
    made = services.say(
        proposal=proposal, by=person, body=request.POST.get("body", ""), anchor=_anchor(request.POST),
        answers=_comment(proposal, int(answers)) if answers.isdecimal() and len(answers) < 19 else None,
    )  # fmt: skip
    return f"#comment-{made.pk}", proposal


def _review(request: HttpRequest, proposal: Proposal, person: User) -> tuple[str, Proposal]:
    services.review(
        proposal=proposal, by=person, verdict=request.POST.get("verdict", ""), body=request.POST.get("body", ""),
        head=request.POST.get("head", ""),
    )  # fmt: skip
    return "#talk", proposal


def _close(_request: HttpRequest, proposal: Proposal, person: User) -> tuple[str, Proposal]:
    return "", services.close(proposal=proposal, by=person)


def _reopen(_request: HttpRequest, proposal: Proposal, person: User) -> tuple[str, Proposal]:
    return "", services.reopen(proposal=proposal, by=person)


def _update(_request: HttpRequest, proposal: Proposal, person: User) -> tuple[str, Proposal]:
    return "", services.update_source(proposal=proposal, by=person)


def _newest(_request: HttpRequest, proposal: Proposal, person: User) -> tuple[str, Proposal]:
    return "", services.take_newest(proposal=proposal, by=person)


def _undo(_request: HttpRequest, proposal: Proposal, person: User) -> tuple[str, Proposal]:
    return "", services.undo(proposal=proposal, by=person)


def _drop_branch(_request: HttpRequest, proposal: Proposal, person: User) -> tuple[str, Proposal]:
    return "", services.drop_branch(proposal=proposal, by=person)


def _bring_branch_back(_request: HttpRequest, proposal: Proposal, person: User) -> tuple[str, Proposal]:
    return "", services.bring_branch_back(proposal=proposal, by=person)


ACTS: dict[str, Callable[[HttpRequest, Proposal, User], tuple[str, Proposal]]] = {
    "say": _say, "review": _review, "close": _close, "reopen": _reopen, "update": _update, "newest": _newest,
    "undo": _undo, "drop-branch": _drop_branch, "bring-branch-back": _bring_branch_back,
}  # fmt: skip


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def comment(request: HttpRequest, owner: str, slug: str, number: int, pk: int) -> HttpResponse:
    """A remark of a change: other words for it, taking it away, or saying that it is dealt with."""
    design, _version, context = frame(request, owner, slug, tab="changes")
    proposal = reads.find_proposal(design, number)
    found, person = _comment(proposal, pk), person_of(request)
    own = found.author_id == person.pk
    back = reverse("rooms:design_change", args=[owner, slug, number])
    refusal: CityError | None = None
    body = request.POST.get("body", found.body)
    if request.method == "POST":
        try:
            _do_with(found, person, request.POST.get("do", "edit"), body)
            return redirect(f"{back}#comment-{pk}")
        except CityError as error:
            refusal = error
    elif not (own or context["may_manage"]):
        raise NotYours(_("Only who wrote a remark can change it."))
    context |= {"proposal": proposal, "comment": found, "body": body, "refusal": refusal}
    return render(request, "designs/change_comment.html", context, status=refusal.status if refusal else 200)


def _do_with(found: Comment, person: User, what: str, body: str) -> None:
    if what == "remove":
        talk.remove(comment=found, by=person)
    elif what in {"resolve", "unresolve"}:
        talk.resolve(comment=found, by=person, resolved=what == "resolve")
    else:
        talk.edit(comment=found, by=person, body=body)


def _comment(proposal: Proposal, pk: int) -> Comment:
    found = proposal.comments.filter(pk=pk, hidden_at=None, removed_at=None).first()
    if found is None:
        raise DesignNotFound(_("This remark is gone."))
    found.proposal, found.design = proposal, proposal.design
    return found


def _anchor(sent: QueryDict) -> dict[str, Any] | None:
    """The place that a form names: a file, and a line or a point in it. Raises BadAnchor."""
    path = sent.get("path", "").strip()
    line, point = sent.get("line", "").strip(), [sent.get(axis, "").strip().replace(",", ".") for axis in "xyz"]
    if not path:
        if line or any(point):
            raise BadAnchor(_("Choose the file that the line or the spot is in."))
        return None
    found: dict[str, Any] = {"path": path}
    if line:
        if not line.isdecimal() or len(line) > 8:
            raise BadAnchor(_("A line is a number from 1."))
        found |= {"line": int(line), "side": sent.get("side", "new")}
    if any(point):
        try:
            found["point"] = [float(value) for value in point]
        except ValueError:
            raise BadAnchor(_("A spot has three numbers, in mm.")) from None
    return found
