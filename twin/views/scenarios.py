"""Pages of scenarios: the list, the panel with its answer, and what people say about it."""

import secrets
from typing import Any

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commons.errors import CityError
from commons.people.models import User
from commons.runs.models import Run
from twin import composing, deciding, examples, pages, policies, queries, services
from twin.engine.measures import MEASURES
from twin.errors import ScenarioNotFound, SignInFirst
from twin.models import DistrictVersion, Scenario, ScenarioResult, ScenarioVersion
from twin.pages import scenarios as shown
from twin.queries import scenario_pages
from twin.services import scenario_comments
from twin.views.frame import frame

PAGE = 20
KEY_DAYS = 400


def person(request: HttpRequest) -> User | None:
    """Who is signed in."""
    return request.user if isinstance(request.user, User) else None


def edit_key(request: HttpRequest, scenario: Scenario) -> str:
    """The secret with which somebody without an account goes on: from the link, else from this browser."""
    return request.GET.get("key", "")[:80] or request.COOKIES.get(f"scenario-{scenario.pk}", "")[:80]


def keep_key(request: HttpRequest, response: HttpResponse, scenario: Scenario, key: str) -> HttpResponse:
    """Have this browser remember the key."""
    if key:
        response.set_cookie(
            f"scenario-{scenario.pk}", key, max_age=KEY_DAYS * 86_400, httponly=True, samesite="Lax",
            secure=request.is_secure(),
        )  # fmt: skip
    return response


def number_of(text: str) -> int | None:
    """A version's number, or None for the newest."""
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else None


@require_safe
def scenarios(request: HttpRequest, slug: str) -> HttpResponse:
    """What others asked this district, and the way to ask something."""
    found, of, shared = frame(request, slug, tab="scenarios")
    page = Paginator(queries.scenarios.scenarios(found, person(request)), PAGE).get_page(request.GET.get("page"))
    context = {"page": page, "cards": shown.cards(list(page), of), "examples": examples.examples(of)}
    return render(request, "twin/scenarios.html", shared | context)


@require_http_methods(["GET", "HEAD", "POST"])
def scenario_new(request: HttpRequest, slug: str) -> HttpResponse:
    """Ask a question: compose measures, then have them worked out."""
    found, of, shared = frame(request, slug, tab="scenarios")
    given: dict[str, Any] = {"title": "", "question": "", "refusal": ""}
    status = 200
    if request.method == "POST":
        drafts = _edited(request)
        given |= {name: request.POST.get(name, "").strip() for name in ("title", "question")}
        if request.POST.get("do") == "run":
            try:
                return _made(request, found.current or of, drafts, given)
            except CityError as refusal:
                given["refusal"], status = str(refusal.sentence), refusal.status
    else:
        ready = examples.example(of, request.GET.get("example", ""))
        drafts = [composing.kept(one) for one in ready.measures] if ready else _asked_kinds(request)
        given |= {"title": ready.title, "question": ready.question} if ready else {}
    hint = _("No account is needed. Who has the link can see it; this browser may change it.")
    form = shown.compose(of, drafts, action=reverse("rooms:scenario_new", args=[slug]), hint=hint, **given)
    context = shared | shown.ground(of) | {"compose": form, "scenario": None}
    return render(request, "twin/scenario.html", context, status=status)


def _asked_kinds(request: HttpRequest) -> list[composing.Draft]:
    """A first measure that the address asks for, as the district's pages link to."""
    kind = request.GET.get("kind", "")
    if kind not in MEASURES:
        return []
    draft = composing.fresh(kind)
    for each in MEASURES[kind].fields:
        if each.name in request.GET:
            draft.values[each.name] = request.GET[each.name][: composing.TEXT_MOST]
    return [draft]


def _edited(request: HttpRequest) -> list[composing.Draft]:
    """What was typed, with a measure more or less where a button says so."""
    drafts = composing.read(request.POST)
    verb, _colon, what = request.POST.get("do", "").partition(":")
    if verb == "add" and what in MEASURES:
        drafts.append(composing.fresh(what))
    if verb == "leave":
        numbers = sorted(int(found[1]) for name in request.POST if (found := composing.NAME.fullmatch(name)))
        drafts = [draft for number, draft in zip(numbers, drafts, strict=False) if str(number) != what]
    return drafts


def _judged(of: DistrictVersion, drafts: list[composing.Draft]) -> list[dict[str, Any]] | None:
    return composing.judged(drafts, queries.scenarios.DistrictKnown(of))


def _made(
    request: HttpRequest, of: DistrictVersion, drafts: list[composing.Draft], given: dict[str, Any]
) -> HttpResponse:
    """The new scenario's page, where it is being worked out. Raises CityError."""
    measures = _judged(of, drafts)
    if measures is None:
        raise composing.faulty(drafts)
    by = person(request)
    key = "" if by else secrets.token_urlsafe(24)
    made = services.scenarios.create(
        district=of.district, by=by, title=given["title"], question=given["question"], measures=measures, edit_key=key
    )
    services.scenario_runs.start(version=queries.scenarios.scenario_version(made), depth="quick", by=by)
    return keep_key(request, redirect("rooms:scenario", slug=of.district.slug, pk=made.pk), made, key)


def _scenario(slug: str, pk: str) -> Scenario:
    found = queries.scenarios.scenario(pk)
    if found.district.slug != slug:
        raise ScenarioNotFound(_("There is no scenario of this address."))
    return found


@require_http_methods(["GET", "HEAD", "POST"])
def scenario(request: HttpRequest, slug: str, pk: str) -> HttpResponse:
    """What would happen, beside today; and the levers to change it."""
    found = _scenario(slug, pk)
    version = queries.scenarios.scenario_version(found, number_of(request.GET.get("version", "")))
    key = edit_key(request, found)
    may_edit = policies.may_edit_scenario(request.user, found, key)
    drafts = [composing.kept(one) for one in version.measures if one["kind"] in MEASURES]
    refusal, status = "", 200
    if request.method == "POST":
        verb = request.POST.get("do", "")
        try:
            if verb == "deepen":
                return _deepened(request, version)
            drafts = _edited(request)
            if verb == "run":
                return _revised(request, found, version, drafts, may_edit=may_edit, key=key)
        except CityError as fault:
            refusal, status = str(fault.sentence), fault.status
    context = _panel(request, found, version, drafts, may_edit=may_edit, refusal=refusal)
    response = render(request, "twin/scenario.html", context, status=status)
    response["Cache-Control"] = "private, no-cache"
    if may_edit and request.GET.get("key"):
        keep_key(request, response, found, key)
    return response


def _deepened(request: HttpRequest, version: ScenarioVersion) -> HttpResponse:
    """Ask for a deeper answer, or for one that is missing."""
    depth = request.POST.get("depth", "quick")
    services.scenario_runs.start(version=version, depth=depth, by=person(request))
    address = reverse("rooms:scenario", args=[version.scenario.district.slug, version.scenario_id])
    return redirect(f"{address}?version={version.number}&depth={depth}")


def _revised(
    request: HttpRequest,
    found: Scenario,
    version: ScenarioVersion,
    drafts: list[composing.Draft],
    *,
    may_edit: bool,
    key: str,
) -> HttpResponse:
    """A new version, or a copy of one's own where it is somebody else's; then its answer. Raises CityError."""
    of = queries.current(found.district)
    measures = _judged(of, drafts)
    if measures is None:
        raise composing.faulty(drafts)
    by = person(request)
    if may_edit:
        made = services.scenarios.revise(scenario=found, by=by, edit_key=key, measures=measures)
        target, new_key = found, ""
    else:
        target, new_key = _copied(request, version)
        made = services.scenarios.revise(scenario=target, by=by, edit_key=new_key, measures=measures)
        messages.success(request, _("This is your own copy now; the one it comes from stays as it is."))
    services.scenario_runs.start(version=made, depth="quick", by=by)
    return keep_key(request, redirect("rooms:scenario", slug=of.district.slug, pk=target.pk), target, new_key)


def _copied(request: HttpRequest, version: ScenarioVersion) -> tuple[Scenario, str]:
    by = person(request)
    key = "" if by else secrets.token_urlsafe(24)
    return services.scenarios.fork(version=version, by=by, edit_key=key), key


def _panel(
    request: HttpRequest,
    found: Scenario,
    version: ScenarioVersion,
    drafts: list[composing.Draft],
    *,
    may_edit: bool,
    refusal: str,
) -> dict[str, Any]:
    """All that the page of a scenario shows."""
    _district, of, shared = frame(request, found.district.slug, tab="scenarios")
    numbers = found.versions.order_by("-number")
    asked = request.GET.get("depth", "")
    depth = asked if asked in shown.DEPTHS else ""
    result, fresh = scenario_pages.answer(version, depth)
    run = None if result and fresh else _open_run(version, depth or "quick")
    if result is None and depth:
        result, fresh = scenario_pages.answer(version)
    words = _("Work it out") if may_edit else _("Work out my own copy")
    form = shown.compose(
        of, drafts, action=request.get_full_path(), asks_title=False, run_words=words, refusal=refusal,
        hint="" if may_edit else _("You change a copy; this one stays as it is."),
    )  # fmt: skip
    names = scenario_pages.names_of(of, version.measures)
    context: dict[str, Any] = {
        "fresh": fresh, "scenario": found, "of_version": version, "versions": list(numbers), "may_edit": may_edit,
        "compose": form,
        "in_words": composing.in_words(version.measures, names), "run": run, "refusal": refusal,
        "is_newest": version.number == numbers[0].number, "propose": deciding.propose_url(version),
        "link": request.build_absolute_uri(reverse("rooms:scenario", args=[found.district.slug, found.pk])),
        "comments": pages.scenario_talk.threads(found, request.user), "may_say": policies.may_say(request.user),
        "others": queries.scenarios.scenarios(of.district, person(request)).exclude(pk=found.pk)[:12],
    }  # fmt: skip
    return shared | shown.ground(of) | context | _answered(version, result)


def _open_run(version: ScenarioVersion, depth: str) -> Run | None:
    """The run that works on it, or that did not come to an answer."""
    run = queries.scenarios.scenario_run(version, depth)
    return None if run is None or run.status == Run.Status.DONE else run


def _answered(version: ScenarioVersion, result: ScenarioResult | None) -> dict[str, Any]:
    return shown.answer_page(version, result) if result else {}


@require_POST
def scenario_fork(request: HttpRequest, slug: str, pk: str) -> HttpResponse:
    """A copy of one's own, to go on with."""
    found = _scenario(slug, pk)
    version = queries.scenarios.scenario_version(found, number_of(request.POST.get("version", "")))
    made, key = _copied(request, version)
    messages.success(request, _("This is your own copy now; the one it comes from stays as it is."))
    return keep_key(request, redirect("rooms:scenario", slug=slug, pk=made.pk), made, key)


@require_POST
def scenario_say(request: HttpRequest, slug: str, pk: str) -> HttpResponse:
    """Say something about a scenario, a figure or a place of it."""
    found = _scenario(slug, pk)
    if not (by := person(request)) or not policies.may_say(by):
        raise SignInFirst(_("Sign in to say something about a scenario."))
    number = number_of(request.POST.get("version", ""))
    lon, lat = pages.scenario_talk.place(request.POST.get("at", ""))
    made = scenario_comments.say(
        version=queries.scenarios.scenario_version(found, number),
        by=by,
        body=request.POST.get("body", ""),
        figure=request.POST.get("figure", ""),
        lon=lon,
        lat=lat,
    )
    return redirect(f"{reverse('rooms:scenario', args=[slug, pk])}#comment-{made.pk}")


@require_POST
def scenario_unsay(request: HttpRequest, slug: str, pk: str, number: int) -> HttpResponse:
    """Take a comment back."""
    found = _scenario(slug, pk)
    if not (by := person(request)):
        raise SignInFirst(_("Sign in to take a comment back."))
    scenario_comments.unsay(comment=scenario_pages.comment(found, number), by=by)
    messages.success(request, _("The comment is gone."))
    return redirect(f"{reverse('rooms:scenario', args=[slug, pk])}#talk")
