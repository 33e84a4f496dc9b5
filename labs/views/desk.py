"""The desk of a lab, for those who run it: what needs them today, machines, codes, badges."""

import datetime as dt
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.http import require_http_methods

from commons.errors import CityError, NotAllowed
from commons.people.models import User
from labs import policies
from labs.errors import UnknownLab
from labs.models import Badge, Kiosk, Lab, Machine
from labs.queries import board, bookings, catalogue
from labs.queries import desk as reads
from labs.queries import faults as fault_reads
from labs.services import catalogue as services
from labs.services import faults
from labs.services import kiosk as kiosks
from labs.views.common import page, viewer
from labs.views.frame import around

#: No-shows that the desk still shows; all of them stand with the bookings.
LATELY = dt.timedelta(days=14)


class MachineForm(forms.Form):
    """A new machine."""

    name = forms.CharField(label=lazy("Name"), max_length=120)
    cls = forms.ChoiceField(label=lazy("Kind"), choices=Machine.Kind.choices)
    model = forms.CharField(label=lazy("Make and model"), max_length=120, required=False)
    rated_w = forms.IntegerField(label=lazy("Highest power, W"), min_value=1, max_value=1_000_000, required=False)
    volume_x_mm = forms.FloatField(label=lazy("Width that fits, mm"), min_value=1, required=False)
    volume_y_mm = forms.FloatField(label=lazy("Depth that fits, mm"), min_value=1, required=False)
    volume_z_mm = forms.FloatField(label=lazy("Height that fits, mm"), min_value=1, required=False)
    required_badges = forms.ModelMultipleChoiceField(
        label=lazy("Badges it asks for"),
        queryset=Badge.objects.none(),
        required=False,
        widget=forms.CheckboxSelectMultiple,
    )
    unattended = forms.BooleanField(label=lazy("It may work while the lab is closed"), required=False)

    def __init__(self, *args: Any, lab: Lab, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        badges = self.fields["required_badges"]
        assert isinstance(badges, forms.ModelMultipleChoiceField)  # noqa: S101
        badges.queryset = catalogue.badges_of(lab)


class StateForm(forms.Form):
    """Out of service, with a reason, or in order again."""

    machine = forms.ModelChoiceField(queryset=Machine.objects.none())
    state = forms.ChoiceField(choices=Machine.State.choices)
    note = forms.CharField(label=lazy("What is wrong"), max_length=200, required=False)
    back_on = forms.DateField(label=lazy("Back on"), required=False, widget=forms.DateInput(attrs={"type": "date"}))


class BadgeForm(forms.Form):
    """Give a badge to a person."""

    badge = forms.ModelChoiceField(
        label=lazy("Badge"), queryset=Badge.objects.none(), empty_label=lazy("Choose a badge")
    )
    person = forms.CharField(label=lazy("Who, by name of the account"), max_length=39)
    expires_at = forms.DateField(
        label=lazy("Good until (empty: for ever)"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}),
    )

    def __init__(self, *args: Any, lab: Lab, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        badge = self.fields["badge"]
        assert isinstance(badge, forms.ModelChoiceField)  # noqa: S101
        badge.queryset = catalogue.badges_of(lab)

    def clean_person(self) -> User:
        """The account of that name."""
        found = User.objects.filter(username=self.cleaned_data["person"].strip().lower(), is_active=True).first()
        if found is None:
            raise forms.ValidationError(_("There is no account of that name."))
        return found


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def desk(request: HttpRequest, lab: str) -> HttpResponse:
    """What needs me today? Trainers see the badges, managers all of it; to others the desk does not exist."""
    found, person = catalogue.find_lab(lab), viewer(request)
    if not policies.may_train(person, found):
        raise UnknownLab(_("There is no such desk, or it is not yours."))
    manages = policies.may_manage(person, found)
    do = request.POST.get("do", "")
    machine_form = MachineForm(request.POST if do == "machine" else None, lab=found)
    badge_form = BadgeForm(request.POST if do == "badge" else None, lab=found)
    context: dict[str, Any] = {
        "lab": found,
        **around(found, person, tab="desk"),
        "manages": manages,
        "machine_form": machine_form,
        "badge_form": badge_form,
    }
    if request.method == "POST":
        done = _do(request, found, do, context)
        if done is not None:
            return done
    tiles = board.board(found, viewer=person, now=timezone.now())
    context["tiles"] = sorted(tiles, key=lambda tile: tile.machine.state != Machine.State.REPAIR)
    context["out"] = sum(tile.machine.state == Machine.State.REPAIR for tile in tiles)
    context["silent"] = sum(tile.machine.device is not None and tile.power.old for tile in tiles)
    context["waiting"] = reads.waiting(found, manages=manages, now=timezone.now())
    context["missed"] = bookings.missed(found, since=timezone.now() - LATELY)
    context["open_faults"] = fault_reads.tasks(found)
    context["kiosks"] = Kiosk.objects.filter(lab=found, ended_at=None)
    status = context["refusal"].status if context.get("refusal") else 200
    return page(request, "labs/desk.html", context, lab=found, status=status)


def _do(request: HttpRequest, lab: Lab, do: str, context: dict[str, Any]) -> HttpResponse | None:
    """Do what a form asks; None shows the desk again with what `context` then holds."""
    try:
        if do == "badge":
            form = context["badge_form"]
            return _grant(request, lab, viewer(request), form) if form.is_valid() else None
        if not context["manages"]:
            raise NotAllowed(_("Only those who run %(lab)s do that.") % {"lab": lab.name})
        if do == "machine" and context["machine_form"].is_valid():
            facts = {k: v for k, v in context["machine_form"].cleaned_data.items() if v not in (None, "")}
            made = services.add_machine(lab=lab, **facts)
            messages.success(request, _("%(machine)s stands in the lab.") % {"machine": made.name})
            return redirect("rooms:lab_desk", lab.slug)
        if do == "state":
            return _state(request, lab)
        if do == "kiosk":
            asked = request.POST.get("name", "")
            context["kiosk_for"], context["kiosk_code"] = kiosks.add_kiosk(lab=lab, name=asked, by=viewer(request))
        if do == "end-kiosk":
            ended = Kiosk.objects.filter(lab=lab, pk=_number(request, "kiosk")).first()
            if ended is not None:
                kiosks.end_kiosk(kiosk=ended)
        if do == "code":
            machine = catalogue.machines(lab).filter(pk=_number(request)).first()
            if machine is not None:
                context["code"], context["code_for"] = services.enrolment_code(machine=machine), machine
    except CityError as refusal:
        context["refusal"] = refusal
    return None


def _number(request: HttpRequest, name: str = "machine") -> int:
    text = request.POST.get(name, "")
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def _grant(request: HttpRequest, lab: Lab, person: User | None, form: BadgeForm) -> HttpResponse:
    until = form.cleaned_data["expires_at"]
    expires_at = dt.datetime.combine(until, dt.time.max, lab.zone) if until else None
    given = services.grant_badge(
        badge=form.cleaned_data["badge"],
        user=form.cleaned_data["person"],
        by=person,
        expires_at=expires_at,
        given_in=lab,
    )
    messages.success(request, _("%(person)s has the badge “%(badge)s”.") % {"person": given.user, "badge": given.badge})
    return redirect("rooms:lab_desk", lab.slug)


def _state(request: HttpRequest, lab: Lab) -> HttpResponse | None:
    form = StateForm(request.POST)
    form.fields["machine"].queryset = catalogue.machines(lab)  # type: ignore[attr-defined]
    if not form.is_valid():
        messages.error(request, _("That could not be read; nothing was changed."))
        return redirect("rooms:lab_desk", lab.slug)
    asked, person = form.cleaned_data, viewer(request)
    assert person is not None  # noqa: S101 the desk is for its people
    machine, note = asked["machine"], asked["note"]
    out = asked["state"] == Machine.State.REPAIR
    if out:
        faults.report_fault(machine=machine, by=person, what=note, back_on=asked["back_on"])
    else:
        faults.machine_in_order(machine=machine, by=person, remedy=note or _("In order again, says the desk."))
    words = _("%(machine)s is out of service.") if out else _("%(machine)s is in order again.")
    messages.success(request, words % {"machine": machine.name})
    return redirect("rooms:lab_desk", lab.slug)
