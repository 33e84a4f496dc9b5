"""Steering the machine of a booking."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from commons.errors import CityError
from labs.services import commands
from labs.views.one_booking import found_or_404


@login_required
@require_POST
def command(request: HttpRequest, booking: uuid.UUID) -> HttpResponse:
    """Ask my machine for something."""
    found, person = found_or_404(request, booking)
    do = request.POST.get("do", "")
    try:
        if do == "send":
            commands.send(booking=found, sha256=request.POST.get("file", "")[:64], by=person)
        else:
            commands.steer(booking=found, kind=do, by=person)
        messages.success(request, _("The machine is asked; its answer stands below in a moment."))
    except CityError as refusal:
        messages.error(request, str(refusal.sentence))
    return redirect("rooms:booking", found.pk)
