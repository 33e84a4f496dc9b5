"""Pages of members: the steward's list, and one participant's set-up."""

import datetime as dt
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from commons.devices import policies as device_policies
from commons.errors import CityError
from commons.people.models import User
from commons.web.qr import code_of
from energy import policies
from energy.errors import BadParticipant, CommunityNotFound, UnknownParticipant
from energy.forms_people import (
    AssetForm,
    DwellingForm,
    EnterForm,
    FileForm,
    InviteForm,
    LeaveForm,
    MeterForm,
    VersionForm,
)
from energy.models import Asset, Community, Dwelling, Invitation, MeterPoint, Participant
from energy.queries import choices, sources
from energy.queries import participants as reads
from energy.services import assets, measured, meters, modelling, participants
from energy.views.frame import around, frame, home_tab
from energy.views.tariffs import shown

PAGE = ["GET", "HEAD", "POST"]


def person(request: HttpRequest) -> User:
    """Who is signed in; the views say login_required."""
    if not isinstance(request.user, User):
        raise CommunityNotFound(_("Sign in first."))
    return request.user


@never_cache
@login_required
@require_http_methods(PAGE)
def members(request: HttpRequest, slug: str) -> HttpResponse:
    """Who belongs, and who is asked in? For stewards."""
    community, context = frame(request, slug, tab="participants")
    by, refusal = person(request), None
    version = VersionForm(prefix="v", initial=_last_year(community))
    if not policies.is_steward(by, community):
        raise CommunityNotFound(_("There is no such page, or it is not yours to see."))
    invite, enter = InviteForm(prefix="i"), EnterForm(prefix="e")
    if request.method == "POST":
        do = request.POST.get("do", "")
        invite = InviteForm(request.POST if do == "invite" else None, prefix="i")
        enter = EnterForm(request.POST if do == "enter" else None, prefix="e")
        version = VersionForm(request.POST if do == "version" else None, prefix="v", initial=_last_year(community))
        try:
            answer = _do_version(community, by, version) or _do_members(request, community, by, invite, enter)
        except CityError as error:
            refusal = error
        else:
            if answer is not None:
                return answer
    context |= _members(community) | {"invite": invite, "enter": enter, "refusal": refusal, "version_form": version}
    context["made_of"] = sources.made_of(community)
    bad = any(f.is_bound and not f.is_valid() for f in (invite, enter, version))
    return render(request, "energy/members.html", context, status=refusal.status if refusal else 400 if bad else 200)


def _members(community: Community) -> dict[str, Any]:
    rows = list(reads.participants(community))
    today = reads.today(community)
    month = today.replace(day=1)
    before = reads.previous_month(month)
    missing = reads.missing_days(rows, before, month)
    return {
        "rows": [(row, len(missing[row.pk]), all(m.proved for m in row.meters.all())) for row in rows],
        "month": before,
        "today": today,
        "open_invitations": community.invitations.filter(
            used_at=None, revoked_at=None, expires_at__gt=timezone.now()
        ).select_related("invited_by"),
        "file_form": FileForm(),
        "waiting": community.meter_files.filter(participant=None)[:8],
    }


def _last_year(community: Community) -> dict[str, dt.date]:
    """The last whole twelve months."""
    first = reads.today(community).replace(day=1)
    return {"start": first.replace(year=first.year - 1), "last": first - dt.timedelta(days=1)}


def _do_version(community: Community, by: User, form: VersionForm) -> HttpResponse | None:
    if not (form.is_bound and form.is_valid()):
        return None
    data = dict(form.cleaned_data)
    run = measured.start_version(community=community, by=by, end=data.pop("last") + dt.timedelta(days=1), **data)
    return redirect("rooms:run", run.pk)


def _do_members(
    request: HttpRequest, community: Community, by: User, invite: InviteForm, enter: EnterForm
) -> HttpResponse | None:
    do = request.POST.get("do", "")
    if do == "invite" and invite.is_valid():
        made, code = participants.invite(community=community, by=by, **invite.cleaned_data)
        return _sheet(request, made, code, mailed=bool(made.email))
    if do == "enter" and enter.is_valid():
        row = participants.enter(community=community, by=by, **enter.cleaned_data)
        messages.success(request, _("%(name)s is entered.") % {"name": row.name})
        return redirect("rooms:participant", community.slug, row.pk)
    if do in {"print", "take-back"}:
        number = request.POST.get("invitation", "")
        found = community.invitations.filter(pk=number).first() if number.isdecimal() and len(number) < 18 else None
        if found is None:
            raise UnknownParticipant(_("There is no such invitation."))
        if do == "print":
            return _sheet(request, found, participants.renew_invitation(invitation=found, by=by))
        participants.take_back(invitation=found, by=by)
        return redirect("rooms:community_participants", community.slug)
    return None


def _sheet(request: HttpRequest, invitation: Invitation, code: str, *, mailed: bool = False) -> HttpResponse:
    """The letter to print; the code is on it once and nowhere else."""
    address = participants.join_address(code)
    context = {
        "invitation": invitation,
        "community": invitation.community,
        "code": code,
        "mailed": mailed,
        "address": address,
        "drawn": code_of(address),
        "stands": address.partition("?")[0],
    }
    return render(request, "energy/invitation_sheet.html", context)


@never_cache
@login_required
@require_http_methods(PAGE)
def participant(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """What does this home own, by which meters, and who may see? Its sums by month, and what is missing."""
    by, refusal = person(request), None
    found = reads.participant(slug, pk, by)
    bound: dict[str, forms.Form] = {}
    if request.method == "POST":
        try:
            if request.POST.get("do") == "model":
                return redirect("rooms:run", modelling.start_home(participant=found, by=by).pk)
            done = _do_participant(request, found, by, bound)
        except CityError as error:
            refusal = error
        else:
            if done:
                return redirect("rooms:participant", slug, pk)
    context = around(request, found.community, tab=home_tab(by, found)) | _participant(found, by) | {"refusal": refusal}
    context |= {
        "forms": {name: bound.get(name) or form(initial=_initial(name, context)) for name, form in FORMS.items()}
    }
    bad = any(not form.is_valid() for form in bound.values())
    return render(
        request, "energy/participant.html", context, status=refusal.status if refusal else 400 if bad else 200
    )


def _initial(name: str, context: dict[str, Any]) -> dict[str, Any]:
    told = context["dwelling"] if name == "dwelling" else None
    return {key: getattr(told, key) for key in ("people", "kwh_per_year", "heating_kwh")} if told else {}


FORMS: dict[str, type[forms.Form]] = {
    "meter": MeterForm,
    "asset": AssetForm,
    "dwelling": DwellingForm,
    "leave": LeaveForm,
    "file": FileForm,
}


def _participant(found: Participant, by: User) -> dict[str, Any]:
    states = reads.meter_states(found)
    own = policies.speaks_for(by, found)
    today = reads.today(found.community)
    sees_bills = policies.may_see_bills(by, found)
    tariff = choices.version_on(found, today) if sees_bills else None
    return {
        "bills": sees_bills,
        "tariff": shown(tariff) if tariff else None,
        "community": found.community,
        "participant": found,
        "states": [(s, reads.gaps(s.meter)[:20]) for s in states],
        "months": reads.months(found)[:24],
        "asset_rows": list(found.assets.all()),
        "dwelling": Dwelling.objects.filter(participant=found).first(),
        "modelled": sources.modelled(found) if policies.may_see_readings(by, found) else None,
        "own": own,
        "changes": policies.may_change_participant(by, found),
        "steward": policies.is_steward(by, found.community),
        "sees": policies.may_see_readings(by, found),
        "viewers": list(found.viewers.order_by("username")) if own else [],
        "files": found.meter_files.all()[:8] if policies.may_change_participant(by, found) else [],
        "gone": found.left_on is not None and found.left_on <= today,
        "devices": device_policies.readable_by(by).filter(public=False, revoked_at=None)[:50] if own else [],
    }


def _do_participant(request: HttpRequest, found: Participant, by: User, bound: dict[str, forms.Form]) -> bool:
    do = request.POST.get("do", "")
    if do in {"meter", "asset", "dwelling", "leave"}:
        form = bound[do] = FORMS[do](request.POST)
        if not form.is_valid():
            return False
        _with_form(found, by, do, form)
        messages.success(request, _("Kept."))
        return True
    act = ACTS.get(do)
    if act is None:
        raise BadParticipant(_("Choose what to do."))
    act(request, found, by)
    messages.success(request, _("Kept."))
    return True


def _with_form(found: Participant, by: User, do: str, form: forms.Form) -> None:
    data = form.cleaned_data
    if do == "meter":
        meters.add_meter(participant=found, by=by, **data)
    elif do == "asset":
        assets.add_asset(participant=found, by=by, **data)
    elif do == "dwelling":
        modelling.say(participant=found, by=by, **data)
    else:
        participants.leave(participant=found, by=by, on=data["on"])


def _meter(request: HttpRequest, found: Participant) -> MeterPoint:
    number = request.POST.get("number", "")
    return reads.meter(found, int(number) if number.isdecimal() and len(number) < 18 else 0)


def _drop_asset(request: HttpRequest, found: Participant, by: User) -> None:
    number = request.POST.get("number", "")
    row = (
        Asset.objects.select_related("participant__community").filter(participant=found, pk=number).first()
        if (number.isdecimal() and len(number) < 18)
        else None
    )
    if row is None:
        raise UnknownParticipant(_("There is no such thing here."))
    assets.remove_asset(asset=row, by=by)


ACTS: dict[str, Callable[[HttpRequest, Participant, User], Any]] = {
    "drop-asset": _drop_asset,
    "drop-meter": lambda r, p, by: meters.remove_meter(meter=_meter(r, p), by=by),
    "code": lambda r, p, by: meters.prove_by_letter(meter=_meter(r, p), by=by, code=r.POST.get("code", "")[:40]),
    "vouch": lambda r, p, by: meters.vouch(meter=_meter(r, p), by=by),
    "device": lambda r, p, by: meters.connect_device(meter=_meter(r, p), by=by, device=r.POST.get("device", "")[:40]),
    "allow": lambda r, p, by: participants.allow(participant=p, by=by, username=r.POST.get("person", "")[:60]),
    "disallow": lambda r, p, by: participants.disallow(participant=p, by=by, username=r.POST.get("person", "")[:60]),
    "stewards": lambda r, p, by: participants.let_stewards_see(participant=p, by=by, see=r.POST.get("see") == "1"),
    "forget": lambda _r, p, by: participants.forget(participant=p, by=by),
}


@never_cache
@login_required
@require_POST
def letter(request: HttpRequest, slug: str, pk: int, number: int) -> HttpResponse:
    """A letter with the code of a meter, to be printed and posted. For stewards."""
    by = person(request)
    found = reads.participant(slug, pk, by)
    if not policies.is_steward(by, found.community):
        raise UnknownParticipant(_("There is no such page, or it is not yours to see."))
    meter = reads.meter(found, number)
    code = meters.write_letter(meter=meter, by=by)
    context = {"community": found.community, "participant": found, "meter": meter, "code": code}
    return render(request, "energy/meter_letter.html", context)
