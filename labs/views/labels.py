"""Labels to print, and what a phone shows that has read one: the machine, check in, what is wrong."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods

from commons.errors import CityError
from commons.people.models import User
from commons.web.qr import code_of
from labs import policies
from labs.errors import BadTime, UnknownBooking, UnknownLab
from labs.errors.floor import UnknownLabel
from labs.models import Booking, Machine
from labs.queries import badges, board, bookings, catalogue, faults
from labs.queries.presence import at_hand
from labs.services import bookings as services
from labs.services import faults as fault_services
from labs.services.labels import address_of, label_of
from labs.views.common import page, uuid_of, viewer
from labs.views.faults import FaultForm, said_thanks
from labs.views.frame import frame


@never_cache
@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def sheet(request: HttpRequest, lab: str) -> HttpResponse:
    """Which labels shall I print? A page for the printer; for those who look after the machines."""
    found, context = frame(request, lab, tab="labels")
    if not context["standing"].trains:
        raise UnknownLab(_("There is no such page, or it is not yours."))
    chosen = [slug for slug in request.GET.getlist("machine") if slug]
    machines = [m for m in catalogue.machines(found) if not chosen or m.slug in chosen]
    if request.method == "POST":
        number = request.POST.get("renew", "")
        again = next((m for m in machines if str(m.pk) == number), None)
        if again is not None:
            label_of(machine=again, renew=True)
            messages.success(request, _("%(machine)s has a new label; the old one leads nowhere.") % {"machine": again})
        return redirect(request.get_full_path())
    labels = [(machine, label_of(machine=machine)) for machine in machines]
    context["labels"] = [(m, label, address_of(label), code_of(address_of(label))) for m, label in labels]
    return page(request, "labs/labels.html", context, lab=found)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def at_machine(request: HttpRequest, code: str) -> HttpResponse:
    """I stand at this machine: is it mine now, is it free, is it well?"""
    found = catalogue.machines().filter(label__code=code.lower()).first()
    if found is None:
        raise UnknownLabel(_("This label is not (or no longer) on any machine; ask at the desk for a new one."))
    person, refusal = viewer(request), None
    form = FaultForm(request.POST if request.POST.get("do") == "fault" else None, lab=found.lab, machine=found)
    if request.method == "POST":
        if person is None:
            return redirect(f"{reverse('account_login')}?{urlencode({'next': request.get_full_path()})}")
        try:
            if do_at(request, found, person, form):
                return redirect(request.get_full_path())
        except CityError as error:
            refusal = error
    context = {**_page(found, person), "refusal": refusal, "form": form, "code": code}
    return page(request, "labs/at_machine.html", context, lab=found.lab, status=refusal.status if refusal else 200)


def do_at(request: HttpRequest, machine: Machine, person: User, form: FaultForm) -> bool:
    """Do what the form asks of somebody who stands at the machine; False shows the page again."""
    do = request.POST.get("do", "")
    if do == "fault":
        if not form.is_valid():
            return False
        made = fault_services.report_fault(machine=machine, by=person, at_machine=True, **form.cleaned_data)
        messages.success(request, said_thanks(made))
        return True
    key = uuid_of(request.POST.get("booking", ""))
    booking = Booking.objects.filter(pk=key, machine=machine, user=person).first()
    if booking is None:
        raise UnknownBooking(_("There is no such booking, or it is not yours."))
    if do == "check-in":
        services.check_in(booking=booking, by=person)
        messages.success(request, _("You are checked in: %(machine)s is yours.") % {"machine": machine.name})
    elif do == "end":
        services.end_early(booking=booking, by=person)
        messages.success(request, _("Ended; the rest of the time is free for others. Thank you."))
    else:
        raise BadTime(_("Choose what to do."))
    return True


def _page(machine: Machine, person: User | None) -> dict[str, Any]:
    now = timezone.now()
    out = machine.state == Machine.State.REPAIR
    tile = board.tiles([machine], viewer=person, now=now)[0]
    return {
        "machine": machine,
        "lab": machine.lab,
        "tile": tile,
        "out": out,
        "mine": at_hand(person, now=now, machine=machine) if person else [],
        "missing": badges.missing(machine=machine, user=person, at=now) if person else [],
        "wrong": faults.open_of(machine),
        "fellow": policies.is_fellow(person, machine.lab),
        "best": [] if out else bookings.best(machine, length=services.EARLY * 4, now=now, count=1),
        "now": now,
    }
