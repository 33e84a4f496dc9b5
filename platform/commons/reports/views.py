"""Pages of reports: to report, mine, the queue of those who decide, a case, and the public count."""

from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods, require_POST, require_safe

from commons.errors import CityError
from commons.people.signed_in import person_of
from commons.reports import policies, queries, services
from commons.reports.models import Case, LogEntry, Reason

DECISIONS: dict[str, Callable[..., Any]] = {
    "dismiss": services.dismiss,
    "hide": services.hide,
    "restore": services.restore,
    "uphold": services.uphold,
    "warn": services.warn,
}


@require_http_methods(["GET", "POST"])
@login_required
@never_cache
def new(request: HttpRequest) -> HttpResponse:
    """What is wrong with it?"""
    asked = request.POST if request.method == "POST" else request.GET
    kind, key = asked.get("kind", "")[:40], asked.get("key", "")[:80]
    plug, found = queries.target(kind, key, person_of(request))
    refusal: CityError | None = None
    if request.method == "POST":
        reason, words = asked.get("reason", ""), asked.get("words", "")
        try:
            services.report(kind=kind, key=key, reason=reason, words=words, by=person_of(request))
            messages.success(request, _("Thank you. Somebody looks at it, and you will hear what became of it."))
            return redirect(found.url)
        except CityError as error:
            refusal = error
    context = {"plug": plug, "found": found, "kind": kind, "key": key, "reasons": Reason.choices, "refusal": refusal,
               "asked": asked}  # fmt: skip
    return render(request, "reports/new.html", context, status=refusal.status if refusal else 200)


@require_GET
@login_required
@never_cache
def mine(request: HttpRequest) -> HttpResponse:
    """What became of what I reported, and what of mine is hidden?"""
    person = person_of(request)
    context = {"reports": queries.reports_of(person)[:100], "hidden": queries.hidden_of(person)[:50]}
    return render(request, "reports/mine.html", context)


@require_GET
@login_required
@never_cache
def queue(request: HttpRequest) -> HttpResponse:
    """What waits for a decision?"""
    policies.check_may_moderate(request.user)
    return render(request, "reports/queue.html", {"waiting": queries.queue()[:100], "decided": queries.decided()[:30]})


@require_GET
@login_required
@never_cache
def case(request: HttpRequest, pk: int) -> HttpResponse:
    """What was reported, and what should be done? For its author: why is it hidden, and what can I say?"""
    person = person_of(request)
    found = queries.case_for(pk, person)
    context: dict[str, Any] = {"case": found, "own": found.author_id == person.pk}
    if policies.may_moderate(person) and not context["own"]:
        context |= {
            "reports": found.reports.select_related("reporter").order_by("-pk"),
            "log": found.log.order_by("-pk"),
        }
    else:
        told = (
            LogEntry.Verb.HIDE,
            LogEntry.Verb.RESTORE,
            LogEntry.Verb.WARN,
            LogEntry.Verb.UPHOLD,
            LogEntry.Verb.APPEAL,
        )
        context["told"] = found.log.filter(verb__in=told).order_by("-pk")
    return render(request, "reports/case.html", context)


@require_POST
@login_required
def decide(request: HttpRequest, pk: int) -> HttpResponse:
    """Dismiss, hide, show again, leave hidden, or write to the author."""
    person = person_of(request)
    found, verb = queries.case_for(pk, person), request.POST.get("do", "")
    words = request.POST.get("words", "")
    try:
        if verb in DECISIONS:
            DECISIONS[verb](case=found, by=person, **{"reason" if verb == "hide" else "words": words})
            messages.success(request, _("Done, and written into the log."))
    except CityError as refusal:
        messages.error(request, str(refusal.sentence))
    return redirect("rooms:report_case", pk)


@require_POST
@login_required
def appeal(request: HttpRequest, pk: int) -> HttpResponse:
    """Ask to look again."""
    person = person_of(request)
    try:
        services.appeal(case=queries.case_for(pk, person), by=person, words=request.POST.get("words", ""))
        messages.success(request, _("Somebody looks at it again, and you will hear what became of it."))
    except CityError as refusal:
        messages.error(request, str(refusal.sentence))
    return redirect("rooms:report_case", pk)


@require_safe
def counts(request: HttpRequest) -> HttpResponse:
    """How often was something reported, hidden and shown again?"""
    verbs = dict(LogEntry.Verb.choices)
    rows = [{**row, "words": verbs[str(row["what"])]} for row in queries.counts()]
    context = {"rows": rows, "hidden_now": Case.objects.filter(state=Case.State.HIDDEN).count()}
    return render(request, "reports/counts.html", context)
