"""Faults of a lab and one fault: what is wrong, who looks after it, when it is back, how reliable the machines are."""

import datetime as dt
import uuid
from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from commons.errors import CityError
from commons.people.models import Membership, User
from labs import policies
from labs.errors import UnknownLab
from labs.errors.floor import BadFault, UnknownFault
from labs.models import Fault, Lab, Machine
from labs.queries import catalogue, faults
from labs.services import faults as services
from labs.views.common import moment, page, viewer
from labs.views.frame import around, frame

PER_PAGE = 30


class FaultForm(forms.Form):
    """What is wrong, and whether it can still be used."""

    machine = forms.ModelChoiceField(
        label=lazy("Machine"), queryset=Machine.objects.none(), empty_label=lazy("Choose a machine")
    )
    what = forms.CharField(
        label=lazy("What is wrong"), max_length=2000, widget=forms.Textarea(attrs={"rows": 3, "maxlength": 2000})
    )
    severity = forms.ChoiceField(label=lazy("Can it be used?"), choices=Fault.Severity.choices, initial="down")

    def __init__(self, *args: Any, lab: Lab, machine: Machine | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if machine is not None:
            del self.fields["machine"]
            return
        field = self.fields["machine"]
        assert isinstance(field, forms.ModelChoiceField)  # noqa: S101
        field.queryset = catalogue.machines(lab)


def said_thanks(fault: Fault) -> str:
    """What the one who reported hears."""
    if fault.is_down:
        return _("Thank you. %(machine)s is out of use, and its people are told.") % {"machine": fault.machine.name}
    return _("Thank you. The people who run the lab are told.")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def lab_faults(request: HttpRequest, lab: str) -> HttpResponse:
    """What is broken here, and how reliable is the rest? For the lab's own people."""
    found, context = frame(request, lab, tab="faults")
    person, now = viewer(request), timezone.now()
    if person is None or not context["fellow"]:
        raise UnknownLab(_("There is no such page, or it is not yours."))
    asked = {"machine": request.GET.get("machine")}
    form, refusal = FaultForm(request.POST or None, lab=found, initial=asked), None
    if request.method == "POST" and form.is_valid():
        try:
            made = services.report_fault(by=person, **form.cleaned_data)
            messages.success(request, said_thanks(made))
            return redirect("rooms:fault", made.pk)
        except CityError as error:
            refusal = error
    closed = faults.of_lab(found).exclude(status=Fault.Status.OPEN).order_by("-closed_at")
    machines = list(catalogue.machines(found))
    figures = faults.figures(machines, now)
    context |= {
        "form": form,
        "refusal": refusal,
        "tasks": faults.tasks(found),
        "page": Paginator(closed, PER_PAGE).get_page(request.GET.get("page")),
        "figures": [(machine, figures[machine.pk]) for machine in machines],
    }
    return page(request, "labs/faults.html", context, lab=found, status=refusal.status if refusal else 200)


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def one(request: HttpRequest, fault: uuid.UUID) -> HttpResponse:
    """What is it, and what is done about it? Who reported sees it, and the lab's own people; its managers act."""
    found, person = faults.find(fault), viewer(request)
    if person is None or not policies.may_see_fault(person, found):
        raise UnknownFault(_("There is no such fault, or it is not yours to see."))
    lab, refusal = found.machine.lab, None
    context: dict[str, Any] = {"lab": lab, **around(lab, person, tab="faults")}
    if request.method == "POST":
        try:
            messages.success(request, _do(request, found, person, trains=context["standing"].trains))
            return redirect("rooms:fault", found.pk)
        except CityError as error:
            refusal, found = error, faults.find(fault)
    until = found.outage.expected_until if found.outage else None
    context |= {
        "fault": found,
        "machine": found.machine,
        "acts": context["standing"].trains and found.status == Fault.Status.OPEN,
        "until": until or timezone.now() + dt.timedelta(days=1),
        "refusal": refusal,
        "keepers": _keepers(lab) if context["standing"].trains else [],
    }
    return page(request, "labs/fault.html", context, lab=lab, status=refusal.status if refusal else 200)


def _keepers(lab: Lab) -> list[User]:
    held = Membership.objects.filter(organisation=lab.organisation_id).select_related("user").order_by("user__username")
    return [membership.user for membership in held[:200]]


def _do(request: HttpRequest, fault: Fault, person: User, *, trains: bool) -> str:
    """Do what the form asks, and say that it is done. Trainers and managers alone."""
    deeds: dict[str, Callable[[HttpRequest, Fault, User], str]] = {
        "fix": _fix,
        "dismiss": _dismiss,
        "down": _down,
        "keep": _keep,
        "expect": _expect,
    }
    deed = deeds.get(request.POST.get("do", ""))
    if deed is None or not trains:
        raise UnknownFault(_("Only those who look after the lab's machines do that."))
    return deed(request, fault, person)


def _fix(request: HttpRequest, fault: Fault, person: User) -> str:
    done = services.fix_fault(fault=fault, by=person, remedy=request.POST.get("remedy", ""))
    done.machine.refresh_from_db(fields=["state"])
    if done.machine.state == Machine.State.OK:
        return _("%(machine)s is in order.") % {"machine": done.machine.name}
    return _("Fixed; another fault still keeps %(machine)s out of use.") % {"machine": done.machine.name}


def _dismiss(request: HttpRequest, fault: Fault, person: User) -> str:
    services.dismiss_fault(fault=fault, by=person, remedy=request.POST.get("remedy", ""))
    return _("Closed: no fault found.")


def _down(request: HttpRequest, fault: Fault, person: User) -> str:
    services.confirm_fault(fault=fault, by=person)
    return _("%(machine)s is out of use, and its people are told.") % {"machine": fault.machine.name}


def _keep(request: HttpRequest, fault: Fault, person: User) -> str:
    name = request.POST.get("keeper", "")
    keeper = User.objects.filter(username=name, is_active=True).first() if name else None
    if name and keeper is None:
        raise BadFault(_("There is no account of that name."))
    services.keep_fault(fault=fault, keeper=keeper, by=person)
    return _("%(person)s looks after it.") % {"person": keeper} if keeper else _("Nobody looks after it.")


def _expect(request: HttpRequest, fault: Fault, person: User) -> str:
    until = moment(request.POST, "until_day", "until_at", fault.machine.lab.zone)
    if until is None:
        raise BadFault(_("Choose a day and a time."))
    services.expect_back(fault=fault, until=until, by=person)
    return _("Said; the machine is closed until then.")
