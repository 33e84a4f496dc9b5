"""Labs from Open Know-Where documents: look first, then take over."""

from typing import Any

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from commons.errors import CityError
from commons.people.models import User
from labs import okw
from labs.errors import UnknownLab
from labs.models import Lab
from labs.services import okw as services
from labs.views.common import page, viewer
from labs.views.frame import frame


def _look(request: HttpRequest, by: User, lab: Lab | None) -> tuple[dict[str, Any], list[services.Taken] | None]:
    """What the sent document says, and what was taken over when that was asked."""
    sent = request.FILES.get("file")
    if sent is not None and sent.size is not None and sent.size <= 1_000_000:
        raw = sent.read()
    else:
        raw = request.POST.get("text", "").encode()[:1_000_000]
    if not raw.strip():
        return {}, None
    reading = okw.read(raw)
    context: dict[str, Any] = {"reading": reading, "text": raw.decode("utf-8", "replace"), "refusal": None}
    if request.POST.get("do") != "take" or not reading.ok or not reading.facilities:
        return context, None
    try:
        return context, services.take_over(facilities=reading.facilities, by=by, lab=lab)
    except CityError as refusal:
        context["refusal"] = refusal
        return context, None


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def bring_into(request: HttpRequest, lab: str) -> HttpResponse:
    """Bring a lab up to date from a document, for its managers."""
    found, context = frame(request, lab, tab="okw")
    person = viewer(request)
    if not context["manages"] or person is None:
        raise UnknownLab(_("There is no such page, or it is not yours."))
    if request.method == "POST":
        told, taken = _look(request, person, found)
        if taken:
            words = {"made": len(taken[0].made), "changed": len(taken[0].changed)}
            messages.success(request, _("%(made)d machines made, %(changed)d brought up to date.") % words)
            return redirect("rooms:lab", taken[0].lab.slug)
        context |= told
    return page(request, "labs/okw.html", context, lab=found)


@login_required
@require_http_methods(["GET", "HEAD", "POST"])
def bring(request: HttpRequest) -> HttpResponse:
    """Open labs from a document, for who runs the site."""
    person = viewer(request)
    if person is None or not person.is_staff:
        raise UnknownLab(_("There is no such page, or it is not yours."))
    context: dict[str, Any] = {}
    if request.method == "POST":
        context, taken = _look(request, person, None)
        if taken:
            messages.success(request, _("%(n)d labs are here.") % {"n": len(taken)})
            return redirect("rooms:labs")
    return render(request, "labs/okw.html", context)
