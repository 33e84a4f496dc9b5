"""Pages of founding a community and of joining one."""

from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from commons.errors import CityError
from commons.people.models import User
from energy import queries
from energy.forms_people import FoundForm, JoinForm
from energy.models import Invitation, Participant
from energy.queries import participants as reads
from energy.services import founding, participants

PAGE = ["GET", "HEAD", "POST"]


@login_required
@require_http_methods(PAGE)
def found(request: HttpRequest) -> HttpResponse:
    """Which community do I found?"""
    form, refusal = FoundForm(request.POST or None, initial={"kind": "neighbourhood"}), None
    if request.method == "POST" and form.is_valid() and isinstance(request.user, User):
        try:
            made = founding.found_community(by=request.user, **form.cleaned_data)
        except CityError as error:
            refusal = error
        else:
            messages.success(request, _("%(name)s is founded. Invite its members.") % {"name": made.name})
            return redirect("rooms:community_participants", made.slug)
    context = {"form": form, "refusal": refusal}
    return render(request, "energy/found.html", context, status=_status(form, refusal))


@never_cache
@require_http_methods(PAGE)
def join(request: HttpRequest) -> HttpResponse:
    """Do I want to join? The code of the letter shows to whom it leads, a demonstration needs none; joining needs an
    account."""
    code, demo = _asked(request, "code"), _asked(request, "demo")
    form, refusal, invitation = JoinForm(request.POST if request.POST.get("name") is not None else None), None, None
    if code or demo:
        try:
            invitation = reads.invitation(code) if code else reads.demonstration(demo)
        except CityError as error:
            refusal = error
    if request.method == "POST" and invitation is not None and form.is_bound:
        if not isinstance(request.user, User):
            return redirect(f"{reverse('account_login')}?{urlencode({'next': _address(code, demo)})}")
        if form.is_valid():
            try:
                made = _joined(invitation, code, request.user, form)
            except CityError as error:
                refusal = error
            else:
                messages.success(request, _("Welcome. Name your meter next."))
                return redirect("rooms:participant", made.community.slug, made.pk)
    if invitation is not None and not form.is_bound:
        form = JoinForm(initial={"name": invitation.name})
    here = urlencode({"next": _address(code, demo)})
    context = {"form": form, "refusal": refusal, "invitation": invitation, "code": code, "demo": demo, "here": here}
    return render(request, "energy/join.html", context, status=_status(form, refusal))


def _asked(request: HttpRequest, name: str) -> str:
    return request.POST.get(name, request.GET.get(name, "")).strip()[:60]


def _joined(invitation: Invitation, code: str, by: User, form: JoinForm) -> Participant:
    if code:
        return participants.join(code=code, by=by, **form.cleaned_data)
    return participants.try_out(community=invitation.community, by=by, **form.cleaned_data)


def _address(code: str, demo: str) -> str:
    return f"{reverse('rooms:energy_join')}?{urlencode({'code': code} if code or not demo else {'demo': demo})}"


def _status(form: "FoundForm | JoinForm", refusal: CityError | None) -> int:
    if refusal is not None:
        return refusal.status
    return 400 if form.is_bound and not form.is_valid() else 200


@never_cache
@login_required
@require_safe
def homes(request: HttpRequest) -> HttpResponse:
    """Which homes of mine share power, and whose may I see?"""
    rows = [(row, row.person_id == request.user.pk) for row in reads.of_person(request.user)]
    return render(request, "energy/homes.html", {"rows": rows})


@login_required
@require_safe
def setup(request: HttpRequest, slug: str) -> HttpResponse:
    """My own home in this community."""
    community = queries.community(slug, request.user)
    mine = reads.mine(community, request.user)
    if mine is None:
        return redirect("rooms:energy_homes")
    return redirect("rooms:participant", community.slug, mine.pk)
