"""What the machines of a lab need, and what was done."""

from decimal import Decimal, InvalidOperation
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
from labs.errors import UnknownLab
from labs.errors.interlocks import BadPlan
from labs.models import Consumable, Lab, Machine, MaintenancePlan
from labs.queries import catalogue, maintenance
from labs.services import maintenance as services
from labs.views.common import page, viewer
from labs.views.frame import frame


class PlanForm(forms.Form):
    """A plan: what, on which machine, how often."""

    machine = forms.ModelChoiceField(
        label=lazy("Machine"), queryset=Machine.objects.none(), empty_label=lazy("Choose a machine")
    )
    name = forms.CharField(label=lazy("What is to be done"), max_length=120)
    every_h = forms.FloatField(label=lazy("Every so many hours of work"), min_value=0.1, required=False)
    every_days = forms.IntegerField(label=lazy("Every so many days"), min_value=1, required=False)
    when_due = forms.ChoiceField(
        label=lazy("When it is due"), choices=MaintenancePlan.WhenDue.choices, initial="warn", required=False
    )
    steps = forms.CharField(
        label=lazy("How it is done"), max_length=4000, required=False, widget=forms.Textarea(attrs={"rows": 4})
    )

    def __init__(self, *args: Any, lab: Lab, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["machine"].queryset = catalogue.machines(lab)  # type: ignore[attr-defined]


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def lab_maintenance(request: HttpRequest, lab: str) -> HttpResponse:
    """What needs doing? Trainers do and note it; who runs the lab makes the plans."""
    found, context = frame(request, lab, tab="maintenance")
    person = viewer(request)
    if person is None or not context["standing"].trains:
        raise UnknownLab(_("There is no such page, or it is not yours."))
    form = PlanForm(request.POST if request.POST.get("do") == "plan" else None, lab=found)
    if request.method == "POST":
        try:
            said = _do(request, found, person, form, manages=context["manages"])
            if said:
                messages.success(request, said)
                return redirect("rooms:lab_maintenance", found.slug)
        except CityError as refusal:
            context["refusal"] = refusal
    context |= {
        "form": form,
        "standings": maintenance.of_lab(found, timezone.now()),
        "done": maintenance.done(found),
        "parts": maintenance.parts_of(found),
    }
    context["due"] = sum(standing.due.state == "due" for standing in context["standings"])
    status = context["refusal"].status if context.get("refusal") else 200
    return page(request, "labs/maintenance.html", context, lab=found, status=status)


def _do(request: HttpRequest, lab: Lab, person: User, form: PlanForm, *, manages: bool) -> str:
    """Do what a form asks, and say that it is done; nothing when it cannot be read. Raises NotAllowed."""
    do, number = request.POST.get("do", ""), request.POST.get("plan", "")
    if do != "done" and not manages:
        raise NotAllowed(_("Only those who run %(lab)s do that.") % {"lab": lab.name})
    if do == "plan":
        if not form.is_valid():
            return ""
        facts = form.cleaned_data
        plan = services.add_plan(by=person, **{**facts, "when_due": facts["when_due"] or "warn"})
        return _("Planned: %(name)s.") % {"name": plan.name}
    key = int(number) if number.isdecimal() and len(number) < 19 else 0
    held = MaintenancePlan.objects.filter(pk=key, machine__lab=lab).first()
    if held is None:
        return ""
    if do == "done":
        fields = request.POST
        services.log_done(
            plan=held, by=person, note=fields.get("note", ""), used=fields.get("used", ""), parts=_parts(request, lab)
        )
        return _("Noted: %(name)s is done.") % {"name": held.name}
    return _change(held, do)


def _change(held: MaintenancePlan, do: str) -> str:
    """What only those who run the lab do with a plan."""
    if do in MaintenancePlan.WhenDue.values:
        services.choose_when_due(plan=held, when_due=do)
        return _("Changed: %(name)s.") % {"name": held.name}
    if do == "end":
        services.end_plan(plan=held)
        return _("Ended: %(name)s.") % {"name": held.name}
    return ""


def _parts(request: HttpRequest, lab: Lab) -> list[tuple[Consumable, Decimal]]:
    """The one part that the form names, and how much of it. Raises BadPlan."""
    key, text = request.POST.get("part", ""), request.POST.get("amount", "")
    if not key.isdecimal() or len(key) > 18:
        return []
    try:
        amount = Decimal(text.replace(",", ".") or "1")
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise BadPlan(_("“%(text)s” is no amount.") % {"text": text[:30]})
    return services.parts_named(lab, {int(key): amount})
