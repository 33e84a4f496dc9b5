"""Pages of changes: the list, offering one, one change with all that is said of it, and merging it."""

import json
from typing import Any

from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from commons.errors import CityError
from commons.people.models import User
from commons.people.signed_in import person_of
from designs import markdown, queries
from designs.errors import MergeConflict, NotYours
from designs.models import Design, Proposal, Review
from designs.policies import may_push, may_steer
from designs.queries import changes as telling
from designs.queries import proposals as reads
from designs.services import diffs
from designs.services import proposals as services
from designs.services.proposals.following import open_run
from designs.services.proposals.updating import has_newer
from designs.views.comparing import asker, parts
from designs.views.frame import frame
from designs.visitors import of_session

PAGE = 25


@require_safe
def changes(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """What is offered?"""
    design, _version, context = frame(request, owner, slug, tab="changes")
    state = request.GET.get("state", Proposal.State.OPEN)
    state = state if state in Proposal.State.values else Proposal.State.OPEN
    found = reads.proposals_of(design, state=state).prefetch_related("checks")
    counted = reads.counts(design)
    context |= {
        "page": Paginator(found, PAGE).get_page(request.GET.get("page")),
        "state": state,
        "states": [(value, label, counted[value]) for value, label in Proposal.State.choices],
        "any": sum(counted.values()) > 0,
    }
    return render(request, "designs/changes.html", context)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def new(request: HttpRequest, owner: str, slug: str) -> HttpResponse:
    """What would I offer?"""
    design, _version, context = frame(request, owner, slug, tab="changes")
    asked = request.POST if request.method == "POST" else request.GET
    source_name, branch = (asked.get(name, "").replace("\x00", "").strip() for name in ("source", "branch"))
    person = person_of(request)
    context |= {"candidates": reads.candidates(design, person), "source_name": source_name, "branch": branch}
    if not branch:
        return render(request, "designs/change_new.html", context)
    target = asked.get("target", "").strip() or design.default_branch
    try:
        source = _source(design, source_name, person)
        offer = reads.preview(design=design, source=source, branch=branch, target_branch=target, visitor=person)
        if request.method == "POST":
            made = services.open_proposal(
                design=design, source=source, source_branch=branch, target_branch=target,
                title=request.POST.get("title", ""), body=request.POST.get("body", ""), by=person,
            )  # fmt: skip
            return redirect("rooms:design_change", owner, slug, made.number)
        context |= {"offer": offer, "title": offer.commits[-1].subject[:160] if offer.commits else "", "body": ""}
    except CityError as refusal:
        context |= {"refusal": refusal, "title": asked.get("title", ""), "body": asked.get("body", "")}
        context["offer"] = _offer_again(design, source_name, branch, target, person)
        return render(request, "designs/change_new.html", context, status=refusal.status)
    return render(request, "designs/change_new.html", context)


def _source(design: Design, name: str, person: User) -> Design:
    """The design of that address, or the design itself. Raises DesignNotFound."""
    owner, _slash, slug = name.partition("/")
    return queries.find(owner=owner, slug=slug, visitor=person) if name else design


def _offer_again(design: Design, name: str, branch: str, target: str, person: User) -> reads.Offer | None:
    """The preview once more after a refusal, so that what was typed is still there."""
    try:
        source = _source(design, name, person)
        return reads.preview(design=design, source=source, branch=branch, target_branch=target, visitor=person)
    except CityError:
        return None


@require_safe
def change(request: HttpRequest, owner: str, slug: str, number: int) -> HttpResponse:
    """What would change in the thing itself?"""
    return change_page(request, owner, slug, number)


def change_page(
    request: HttpRequest, owner: str, slug: str, number: int, refusal: CityError | None = None
) -> HttpResponse:
    """The page of a change; after a refused remark with what was typed and why."""
    design, _version, context = frame(request, owner, slug, tab="changes")
    proposal = reads.find_proposal(design, number)
    person = of_session(request)
    comparison = diffs.compare(design, proposal.base, proposal.head, by=person, asker=asker(request))
    shown = parts(request, comparison)
    moments = telling.story(proposal, person_pk=person.pk if person else None, may_push=context["may_push"])
    told = telling.told_checks(proposal)
    pins = telling.pins_of(moments, shown["file"].path) if shown["file"] else []
    context |= shown | {
        "proposal": proposal,
        "about": markdown.comment(proposal.body),
        "commits": reads.commits_in(proposal),
        "moments": moments,
        "pins": json.dumps(pins) if pins else "",
        "pinnable": context["may_talk"],
        "remark_at": request.path,
        "checks": told,
        "passed": sum(check.state == "passed" for check in told),
        "stopped": [check for check in told if check.state == "failed" and check.name in {"merges", "licence"}],
        "reviews": telling.judgements(proposal),
        "checking": open_run(proposal) if proposal.is_open else None,
        "refusal": refusal,
        "said": request.POST if refusal else _pinned(request.GET),
        **_rights(proposal, person),
    }
    return render(request, "designs/change.html", context, status=refusal.status if refusal else 200)


def _pinned(asked: QueryDict) -> dict[str, str]:
    """What the address says of a remark to be made: a judgement, or a line or spot of a file that was pointed at."""
    words = {name: asked.get(name, "") for name in ("verdict", "path", "line", "side", "x", "y", "z") if name in asked}
    pointed = bool(words.get("line") or words.get("x"))
    return {name: value for name, value in words.items() if pointed or name == "verdict"}


def _rights(proposal: Proposal, person: User | None) -> dict[str, Any]:
    """What this visitor may do with the change, and what may be told of where it comes from."""
    source, design = proposal.source, proposal.design
    seen = source is not None and (source.pk == design.pk or queries.visible_to(person).filter(pk=source.pk).exists())
    pushes = seen and source is not None and may_push(person, source)
    mine = person is not None and person.pk == proposal.author_id
    return {
        "source": source if seen else None,
        "may_steer": may_steer(person, proposal),
        "may_update": pushes and proposal.is_open,
        "newer": pushes and has_newer(proposal),
        "behind": proposal.checks.filter(name="merges", say__in=("merges-behind", "conflict")).exists(),
        "mine": mine,
        "branch_state": services.branch_state(proposal, person) if seen else "",
        "verdicts": Review.Verdict.choices if not mine else [],
        "needs_approval": design.merge_needs_approval and proposal.is_open and not reads.is_approved(proposal),
    }


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def merge(request: HttpRequest, owner: str, slug: str, number: int) -> HttpResponse:
    """Shall it be in the design?"""
    design, _version, context = frame(request, owner, slug, tab="changes")
    proposal = reads.find_proposal(design, number)
    refusal: CityError | None = None
    if request.method != "POST" and not proposal.is_open:
        return redirect("rooms:design_change", owner, slug, number)
    if request.method == "POST":
        try:
            services.merge(
                proposal=proposal, by=person_of(request), method=request.POST.get("method", Proposal.Method.MERGE),
                message=request.POST.get("message", ""), head=request.POST.get("head", ""),
            )  # fmt: skip
            return redirect("rooms:design_change", owner, slug, number)
        except CityError as error:
            refusal = error
    context |= {
        "proposal": proposal,
        "refusal": refusal,
        "conflicts": refusal.paths if isinstance(refusal, MergeConflict) else reads.conflicts_in(proposal),
        "checks": [check for check in telling.told_checks(proposal) if check.state in {"failed", "warning"}],
        "commits": reads.commits_in(proposal),
        "method": request.POST.get("method", Proposal.Method.MERGE),
        "message": request.POST.get("message", ""),
        "needs_approval": design.merge_needs_approval and not reads.is_approved(proposal),
        **_rights(proposal, person_of(request)),
    }
    return render(request, "designs/change_merge.html", context, status=refusal.status if refusal else 200)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def edit(request: HttpRequest, owner: str, slug: str, number: int) -> HttpResponse:
    """How shall it be called?"""
    design, _version, context = frame(request, owner, slug, tab="changes")
    proposal = reads.find_proposal(design, number)
    words = {"title": proposal.title, "body": proposal.body}
    refusal: CityError | None = None
    if request.method == "POST":
        words = {name: request.POST.get(name, "") for name in words}
        try:
            services.edit(proposal=proposal, by=person_of(request), **words)
            return redirect("rooms:design_change", owner, slug, number)
        except CityError as error:
            refusal = error
    elif not may_steer(person_of(request), proposal):
        raise NotYours(_("Only who offered a change, and who may merge it, can give it other words."))
    context |= {"proposal": proposal, "refusal": refusal, **words}
    return render(request, "designs/change_edit.html", context, status=refusal.status if refusal else 200)
