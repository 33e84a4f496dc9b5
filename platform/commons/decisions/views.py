"""Pages of decisions: parse, call, render."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commons import sockets
from commons.audit.marks import unaudited
from commons.decisions import amendment, delegating, forms, pages, queries, services
from commons.decisions.charter import SECRET_FROM
from commons.decisions.engine.counting import sha256
from commons.decisions.errors import BadDelegation
from commons.decisions.models import Motion
from commons.errors import CityError
from commons.people.models import User
from commons.people.signed_in import person_of
from commons.web.lately import kept_a_moment


def _person(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


@kept_a_moment
@require_safe
def home(request: HttpRequest) -> HttpResponse:
    """What is being decided, and what waits for me?"""
    return render(request, "decisions/home.html", pages.home(_person(request)))


@kept_a_moment
@require_safe
def body(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """By which rules does this body decide, and what holds?"""
    person = _person(request)
    found, who = queries.body(kind, key, person)
    return render(request, "decisions/body.html", pages.body_page(found, who, person))


@require_POST
@login_required
def delegate(request: HttpRequest, kind: str, key: str) -> HttpResponse:
    """Who votes for me where I do not?"""
    person = person_of(request)
    _found, who = queries.body(kind, key, person)
    found = services.body(kind=kind, key=key, person=person)
    name = request.POST.get("to", "").strip()
    try:
        if name:
            to = User.objects.filter(username=name[:150], is_active=True).first()
            if to is None or not queries.belongs(found, to):
                raise BadDelegation(_("No member is called “%(name)s”.") % {"name": name[:80]}, field="to")
            delegating.delegate(body=found, person=person, to=to)
            messages.success(request, _("%(name)s votes for you where you do not.") % {"name": to})
        elif delegating.take_back(body=found, person=person):
            messages.success(request, _("You vote for yourself again."))
    except CityError as refusal:
        context = pages.body_page(found, who, person) | {"refusal": refusal}
        return render(request, "decisions/body.html", context, status=refusal.status)
    return redirect("rooms:decision_body", kind=kind, key=key)


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
@never_cache
def new(request: HttpRequest) -> HttpResponse:
    """What shall be decided?"""
    person = person_of(request)
    asked = request.POST if request.method == "POST" else request.GET
    kind, key = asked.get("kind", ""), asked.get("key", "")
    if not kind:
        return render(request, "decisions/where.html", {"bodies": queries.bodies_of(person)})
    found, who = queries.body(kind, key, person)
    rules = queries.rules_of(found)
    effects = queries.effects_of(found, rules.effects if rules else ())
    effect = next((e for e in effects if e.slug == asked.get("effect", "")), None)
    refusal: CityError | None = None
    if request.method == "POST":
        try:
            sent = forms.proposal(request.POST, effect, key)
            made = services.propose(body=services.body(kind=kind, key=key, person=person), author=person, **sent)
            messages.success(request, _("Your proposal is out. It is talked over until the vote opens."))
            return redirect("rooms:decision", number=made.pk)
        except CityError as error:
            refusal = error
    context: dict[str, Any] = {
        "who": who, "kind": kind, "key": key, "effects": effects, "effect": effect, "rules": rules, "asked": asked,
        "rows": _rows(forms.blank(effect, key), asked), "refusal": refusal, "secret_from": SECRET_FROM,
        "methods": _methods(rules.methods if rules else (), effect.slug if effect else ""),
        "member": queries.belongs(found, person),
    }  # fmt: skip
    return render(request, "decisions/new.html", context, status=refusal.status if refusal else 200)


def _methods(methods: Sequence[str], effect: str) -> list[tuple[str, Any, Any]]:
    """The ways of deciding that a proposal may take, each with its name and sentence."""
    open_to = [m for m in methods if effect != amendment.SLUG or m in amendment.METHODS]
    return [(m, Motion.Method(m).label, pages.how(m, effect)) for m in open_to]


def _rows(rows: list[Any], asked: Any) -> list[Any]:
    """The rows of the form with what was typed."""
    for row in rows:
        n = row["number"]
        row |= {name: asked.get(f"{name}-{n}", "") for name in ("option", "words", "cost")}
        for item in row["fields"]:
            item["typed"] = asked.get(f"{item['field'].name}-{n}", item["now"])
    return rows


@require_safe
@never_cache
def motion(request: HttpRequest, number: int) -> HttpResponse:
    """What do I choose, and what does it change?"""
    person = _person(request)
    found, who = queries.motion(number, person)
    return render(request, "decisions/motion.html", _page(found, who, person))


def _page(found: Motion, who: sockets.Decider, person: User | None, refusal: CityError | None = None) -> dict[str, Any]:
    return pages.motion_page(found, who, person) | {"refusal": refusal, "consent_choices": pages.CONSENT_CHOICES}


@unaudited
@require_POST
@login_required
def vote(request: HttpRequest, number: int) -> HttpResponse:
    """Cast my vote, or change it."""
    person = person_of(request)
    found, who = queries.motion(number, person)
    try:
        services.vote(
            motion=found, person=person, choice=_choice(request, found), reason=request.POST.get("reason", "")
        )
    except CityError as refusal:
        return render(request, "decisions/motion.html", _page(found, who, person, refusal), status=refusal.status)
    messages.success(request, _("Your vote is kept. You can change it until the vote closes."))
    return redirect("rooms:decision", number=number)


def _choice(request: HttpRequest, found: Motion) -> str | list[str] | None:
    if found.method in ("consent", "majority"):
        return request.POST.get("choice")
    if found.method != "condorcet":
        return request.POST.getlist("choice")
    given = ((name[5:], request.POST.get(name, "")) for name in request.POST if name.startswith("rank-"))
    ranks = [(int(rank), name) for name, rank in given if rank.isdecimal()]
    return [name for _rank, name in sorted(ranks)]


@require_POST
@login_required
def withdraw(request: HttpRequest, number: int) -> HttpResponse:
    """Take my proposal back."""
    found, _who = queries.motion(number, person_of(request))
    services.withdraw(motion=found, person=person_of(request))
    messages.success(request, _("Your proposal is taken back."))
    return redirect("rooms:decision", number=number)


@require_POST
@login_required
def stop(request: HttpRequest, number: int) -> HttpResponse:
    """Stop what passed, because it breaks the charter or a law."""
    person = person_of(request)
    found, who = queries.motion(number, person)
    try:
        services.stop(motion=found, person=person, reason=request.POST.get("reason", ""))
    except CityError as refusal:
        return render(request, "decisions/motion.html", _page(found, who, person, refusal), status=refusal.status)
    return redirect("rooms:decision", number=number)


@require_safe
def ballots(request: HttpRequest, number: int) -> HttpResponse:
    """The counted ballots, as they were counted."""
    found, _who = queries.motion(number, _person(request))
    if not found.ballots:
        raise Http404(_("The ballots are published when the vote is over."))
    body = bytes(found.ballots)
    return HttpResponse(body, content_type="application/json", headers={"ETag": f'"{sha256(body)}"'})


@require_safe
def recount(request: HttpRequest) -> HttpResponse:
    """The script by which anybody counts a file of ballots again, without the site."""
    script = Path(__file__).with_name("recount.py").read_bytes()
    return HttpResponse(script, content_type="text/x-python; charset=utf-8")
