"""The page of a participant's own tariff: which holds, which held, which from when on."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from commons.errors import CityError
from commons.people.models import User
from energy import policies
from energy.bill_forms import ChoiceForm
from energy.errors import UnknownParticipant
from energy.models import Participant
from energy.queries import choices, participants
from energy.services import choices as services
from energy.views.frame import around, home_tab
from energy.views.tariffs import shown


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def tariff_of(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """Which tariff is this home's, and from when?"""
    found = participants.participant(slug, pk, request.user)
    if not policies.may_see_bills(request.user, found) or not isinstance(request.user, User):
        raise UnknownParticipant(_("There is no such page, or it is not yours to see."))
    form, refusal = ChoiceForm(participant=found, initial=_initial(found)), None
    if request.method == "POST":
        if not policies.may_change_participant(request.user, found):
            raise UnknownParticipant(_("There is no such participant, or it is not yours to change."))
        form = ChoiceForm(request.POST, participant=found) if "since" in request.POST else form
        try:
            if _do(request, found, request.user, form):
                return redirect("rooms:participant_tariff", slug, pk)
        except CityError as error:
            refusal = error
    context = around(request, found.community, tab=home_tab(request.user, found))
    context |= _context(found) | {"form": form, "refusal": refusal}
    context["changes"] = policies.may_change_participant(request.user, found)
    bad = form.is_bound and not form.is_valid()
    return render(request, "energy/tariff_of.html", context, status=refusal.status if refusal else 400 if bad else 200)


def _initial(found: Participant) -> dict[str, Any]:
    day = choices.usual_day(found)
    now = choices.version_on(found, day)
    return {"since": day, "tariff": now.tariff_id if now else None}


def _context(found: Participant) -> dict[str, Any]:
    today = participants.today(found.community)
    opened = choices.first_open_day(found)
    now = choices.version_on(found, today)
    rows = choices.choices(found)
    return {
        "participant": found,
        "today": today,
        "now": shown(now) if now else None,
        "rows": [(row, row.since >= opened, row.since > today) for row in rows],
        "since": next((row.since for row in rows if row.since <= today), None),
        "billed": choices.billed_until(found),
        "many": choices.to_choose(found).count() > 1,
    }


def _do(request: HttpRequest, found: Participant, by: User, form: ChoiceForm) -> bool:
    number = request.POST.get("take-back", "")
    if number.isdecimal() and len(number) < 18:
        services.take_back_choice(participant=found, number=int(number), by=by)
        messages.success(request, _("It is taken back."))
        return True
    if not form.is_bound or not form.is_valid():
        return False
    services.choose_tariff(participant=found, by=by, **form.cleaned_data)
    messages.success(request, _("Your tariff is kept."))
    return True
