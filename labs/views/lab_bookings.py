"""The bookings that need those who run a lab: requests, closures, who waits, who did not come."""

import datetime as dt
import uuid
from typing import Any

from django import forms
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy as lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from commons.errors import CityError
from commons.people.models import User
from labs import policies
from labs.errors import UnknownLab
from labs.models import Booking, Lab, Machine
from labs.queries import bookings, catalogue, waitlist
from labs.services import bookings as services
from labs.views.common import in_utc, page, viewer
from labs.views.frame import frame

SINCE = dt.timedelta(days=90)
CLOCK = forms.DateTimeInput(attrs={"type": "datetime-local"}, format="%Y-%m-%dT%H:%M")


class ClosureForm(forms.Form):
    """Take a machine's time."""

    machine = forms.ModelChoiceField(
        label=lazy("Machine"), queryset=Machine.objects.none(), empty_label=lazy("Choose a machine")
    )
    kind = forms.ChoiceField(label=lazy("What for"), choices=[c for c in Booking.Kind.choices if c[0] != "use"])
    start = forms.CharField(label=lazy("From"), widget=CLOCK)
    end = forms.CharField(label=lazy("Until"), widget=CLOCK)
    reason = forms.CharField(label=lazy("Why"), max_length=200, required=False)
    cancel = forms.BooleanField(label=lazy("Cancel the bookings that stand in this time"), required=False)

    def __init__(self, *args: Any, lab: Lab, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.lab = lab
        machine = self.fields["machine"]
        assert isinstance(machine, forms.ModelChoiceField)  # noqa: S101
        machine.queryset = catalogue.machines(lab)

    def _moment(self, name: str) -> dt.datetime:
        try:
            return in_utc(dt.datetime.fromisoformat(self.cleaned_data[name]), self.lab.zone)
        except ValueError:
            raise forms.ValidationError(_("Write a day and a time.")) from None

    def clean_start(self) -> dt.datetime:
        """By the lab's own clock."""
        return self._moment("start")

    def clean_end(self) -> dt.datetime:
        """By the lab's own clock."""
        return self._moment("end")


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def lab_bookings(request: HttpRequest, lab: str) -> HttpResponse:
    """Who asks, who waits, what is closed? For those who run the lab; to others the page does not exist."""
    found, context = frame(request, lab, tab="bookings")
    person = viewer(request)
    if person is None or not context["manages"]:
        raise UnknownLab(_("There is no such page, or it is not yours."))
    form = ClosureForm(request.POST if request.POST.get("do") == "close" else None, lab=found)
    refusal = None
    if request.method == "POST":
        try:
            if _do(request, found, person, form):
                return redirect("rooms:lab_bookings", found.slug)
        except CityError as error:
            refusal = error
    now = timezone.now()
    context |= {
        "form": form,
        "refusal": refusal,
        "requests": bookings.requests(found, now),
        "closures": bookings.closures(found, now),
        "waiting": waitlist.of_lab(found),
        "missed": bookings.missed(found, since=now - SINCE),
    }
    return page(request, "labs/lab_bookings.html", context, lab=found, status=refusal.status if refusal else 200)


def _do(request: HttpRequest, lab: Lab, person: User, form: ClosureForm) -> bool:
    """Do what a form asks; False shows the page again."""
    if request.POST.get("do") == "reopen":
        number, name = request.POST.get("machine", ""), request.POST.get("together", "")
        machine = catalogue.find_machine(pk=int(number) if number.isdecimal() and len(number) < 19 else 0)
        if not policies.may_manage(person, machine.lab):
            raise UnknownLab(_("There is no such machine, or it is not yours."))
        services.reopen_machine(machine=machine, together=_uuid(name))
        messages.success(request, _("%(machine)s is open again.") % {"machine": machine.name})
        return True
    if not form.is_valid():
        return False
    asked = form.cleaned_data
    gone = services.close_machine(
        machine=asked["machine"],
        start=asked["start"],
        end=asked["end"],
        kind=asked["kind"],
        reason=asked["reason"],
        by=person,
        cancel_conflicting=asked["cancel"],
    )
    words = {"machine": asked["machine"].name, "count": len(gone)}
    messages.success(request, _("%(machine)s is closed then; %(count)s bookings were cancelled for it.") % words)
    return True


def _uuid(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text)
    except ValueError:
        return None
