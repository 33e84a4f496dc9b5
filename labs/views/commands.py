"""Steering the machine of a booking, and what was asked of a lab's machines."""

import uuid

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST, require_safe

from commons.errors import CityError
from labs.errors import UnknownLab
from labs.queries import board, catalogue
from labs.queries import commands as queries
from labs.services import commands
from labs.views.common import page, viewer
from labs.views.frame import frame
from labs.views.one_booking import found_or_404

PER_PAGE = 40


@never_cache
@require_safe
def lab_commands(request: HttpRequest, lab: str) -> HttpResponse:
    """What was asked of which machine, by whom, and what came of it? For those who run the lab."""
    found, context = frame(request, lab, tab="commands")
    if not context["manages"]:
        raise UnknownLab(_("There is no such page, or it is not yours."))
    machines = list(catalogue.machines(found))
    chosen = next((m.slug for m in machines if m.slug == request.GET.get("machine", "")), "")
    state = request.GET.get("state", "")
    state = state if state in queries.SHOWN_STATES else ""
    shown = Paginator(queries.of_lab(found, machine=chosen, state=state), PER_PAGE).get_page(request.GET.get("page"))
    rows = queries.with_bookings(shown)
    tiles = board.tiles(
        [m for m in machines if m.takes_commands], viewer=viewer(request), now=timezone.now(), spark=False
    )
    context |= {
        "page": shown,
        "rows": rows,
        "machines": machines,
        "chosen": chosen,
        "state": state,
        "states": queries.SHOWN_STATES,
        "steered": tiles,
        "waits": any(command.is_open for command, _booking in rows),
    }
    return page(request, "labs/lab_commands.html", context, lab=found)


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
